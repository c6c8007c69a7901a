package grade

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// FileName is what the scenario of an exercise is called in its folder.
const FileName = "exercise.yaml"

// Exercise is an exercise that can be graded.
type Exercise struct {
	Dir      string // absolute
	Name     string // of its folder
	Scenario *spec.Scenario
	file     *source.File
	params   map[string]string // given for those of the scenario
	// identity hashes all that a grade depends on beside the submission.
	identity string
}

// Open reads the exercise in a folder, or in a file, with params (their texts are
// YAML) for those of the scenario. What is wrong with it goes to l; the result is nil
// if there is any error. The error is that of a path that cannot be read.
func Open(path string, params map[string]string, l *diag.List) (*Exercise, error) {
	if st, err := os.Stat(path); err != nil {
		return nil, err
	} else if st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, ydoc.MaxSize+1))
	if err != nil {
		return nil, err
	}
	e := &Exercise{file: source.New(path, data), params: params}
	if e.Scenario = e.load(nil, l); e.Scenario == nil {
		return nil, nil
	}
	if e.Dir, err = filepath.Abs(filepath.Dir(path)); err != nil {
		return nil, err
	}
	e.Name = filepath.Base(e.Dir)
	if e.Scenario.Exercise == nil {
		l.Add(&diag.Diagnostic{Severity: diag.Error, File: e.file, Summary: "this scenario is no exercise: it has no exercise:",
			Detail: "Say whose place a submission takes, as\n  exercise: {submission: driver}"})
		return nil, nil
	}
	for _, m := range e.Scenario.Exercise.Files {
		if _, err := os.Stat(filepath.Join(e.Dir, m.Path)); err != nil {
			l.Add(&diag.Diagnostic{Severity: diag.Error, File: e.file, Span: m.Span, Summary: "cannot use " + source.Visible(m.Path) + ": " + source.Reason(err),
				Detail: "Paths are relative to the directory of this file.", Hint: e.nearest(m.Path)})
		}
	}
	if l.HasErrors() {
		return nil, nil
	}
	e.identity, err = e.hash()
	return e, err
}

// load reads the scenario with programs in the place of processes.
func (e *Exercise) load(bind map[string]spec.Program, l *diag.List) *spec.Scenario {
	return spec.Load(e.file, plan.Vocabulary(), spec.Options{Bind: bind, Params: e.params}, l)
}

// File is the name of the file, as it was given.
func (e *Exercise) File() string { return e.file.Name }

// Source is the file.
func (e *Exercise) Source() *source.File { return e.file }

// nearest suggests a file of the same folder with a similar name.
func (e *Exercise) nearest(path string) string {
	entries, err := os.ReadDir(filepath.Join(e.Dir, filepath.Dir(path)))
	if err != nil {
		return ""
	}
	var names []string
	for _, f := range entries {
		names = append(names, f.Name())
	}
	return diag.Suggest(filepath.Base(path), names)
}

// hash covers the scenario, its params and the files that its programs run on.
func (e *Exercise) hash() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", len(e.file.Data))
	h.Write(e.file.Data)
	if err := json.NewEncoder(h).Encode(e.Scenario.Params); err != nil {
		return "", err
	}
	for _, p := range e.Scenario.Procs {
		if p.Run == nil {
			continue
		}
		for _, name := range slices.Concat(p.Run.Files, p.Run.Argv) {
			path := filepath.Join(e.Dir, p.Run.Cwd, name)
			if filepath.IsAbs(name) {
				path = name
			}
			if _, err := os.Stat(path); err != nil {
				continue // an argument that is no file
			}
			if err := hashTree(h, path); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashTree adds a file, or a directory with all that is in it, by name, kind,
// whether it can be executed, and content.
func hashTree(h hash.Hash, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %v %v ", rel, info.Mode().Type(), info.Mode()&0o111 != 0)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%q\n", to)
		case info.Mode().IsRegular():
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			fmt.Fprintf(h, "%d\n", info.Size())
			_, err = io.Copy(h, f)
			return err
		}
		return nil
	})
}
