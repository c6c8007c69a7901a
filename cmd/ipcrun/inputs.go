package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// inputs are scenario files, read and checked.
type inputs struct {
	scenarios []*spec.Scenario
	diags     []*diag.Diagnostic // of all files, warnings included
	unusable  int                // files that cannot be used
	files     int                // all files
}

// load reads every file, folder and - among args, in that order; the same one
// twice is read twice. What is wrong with one does not keep the others back.
func load(args []string, stdin io.Reader, opt spec.Options) (*inputs, error) {
	in := &inputs{}
	dashes := 0
	for _, a := range args {
		if a == "-" {
			if dashes++; dashes > 1 {
				return nil, usage("standard input (-) can be read only once")
			}
			in.read("-", stdin, opt)
			continue
		}
		in.path(a, opt)
	}
	return in, nil
}

// path reads what a path names.
func (in *inputs) path(name string, opt spec.Options) {
	st, err := os.Stat(name)
	switch {
	case err != nil:
		in.unreadable(name, err)
	case st.IsDir():
		in.folder(name, opt)
	default:
		in.file(name, opt)
	}
}

// folder reads every scenario below a folder, in the order of their names.
// What begins with a dot is left alone, and links to folders are not followed.
func (in *inputs) folder(dir string, opt spec.Options) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		in.unreadable(dir, err)
		return
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if e.IsDir() {
			in.folder(name, opt)
			continue
		}
		if !scenarioLike(name) {
			continue
		}
		// A link may lead to a folder.
		if st, err := os.Stat(name); err == nil && st.IsDir() {
			continue
		}
		in.file(name, opt)
	}
}

// scenarioLike: a file has the name of a scenario.
func scenarioLike(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

func (in *inputs) file(name string, opt spec.Options) {
	f, err := os.Open(name)
	if err != nil {
		in.unreadable(name, err)
		return
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Size() > ydoc.MaxSize {
		in.files++
		in.refuse(&diag.Diagnostic{Code: ydoc.CodeTooLarge, Name: name,
			Summary: fmt.Sprintf("the file has %d bytes, more than the %d (1 MiB) of the largest scenario", st.Size(), ydoc.MaxSize)})
		return
	}
	in.read(name, f, opt)
}

// read reads a scenario. It never takes in more than just too much.
func (in *inputs) read(name string, r io.Reader, opt spec.Options) {
	data, err := io.ReadAll(io.LimitReader(r, ydoc.MaxSize+1))
	if err != nil {
		in.unreadable(name, err)
		return
	}
	in.files++
	l := &diag.List{}
	sc := spec.Load(source.New(name, data), plan.Vocabulary(), opt, l)
	in.diags = append(in.diags, l.All()...)
	if sc == nil {
		in.unusable++
		return
	}
	in.scenarios = append(in.scenarios, sc)
}

func (in *inputs) refuse(d *diag.Diagnostic) {
	in.unusable++
	in.diags = append(in.diags, d)
}

// unreadable reports a path that cannot be read.
func (in *inputs) unreadable(name string, err error) {
	in.files++
	d := &diag.Diagnostic{Name: name, Summary: "cannot read it: " + source.Reason(err)}
	if errors.Is(err, fs.ErrNotExist) {
		d.Summary = "there is no such file or folder"
		if near := neighbour(name); near != "" {
			d.Hint = near
		} else if commandLike(name) {
			d.Detail = "It is no command either: see ipcrun --help."
		}
	}
	in.refuse(d)
}

// neighbour suggests a command with a similar name where a word may have been meant
// as one, else a file of the same folder.
func neighbour(name string) string {
	if commandLike(name) {
		var verbs []string
		for v := range commands {
			verbs = append(verbs, v)
		}
		if near := diag.Nearest(name, verbs); near != "" {
			return suggest(name, verbs)
		}
	}
	return nearFile(name)
}

// nearFile suggests a file or folder beside one that is not there.
func nearFile(name string) string {
	var names []string
	if entries, err := os.ReadDir(filepath.Dir(name)); err == nil {
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return suggest(filepath.Base(name), names)
}

// commandLike: a single word without an extension may be a misspelt command.
func commandLike(name string) bool { return !strings.ContainsAny(name, "./") }
