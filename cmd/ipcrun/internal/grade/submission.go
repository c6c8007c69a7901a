package grade

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ipcrun/spec/source"
)

// Submission is what somebody has handed in: a file, or a directory.
type Submission struct {
	Name string // its last path element, under which its result is found
	Path string // absolute
	// wrong says why it can be no program at all, "" where nothing is known.
	wrong string
}

// Find lists the submissions that paths name: a file, a directory with a
// Makefile, or a folder of submissions, each of which is a file or a directory.
// What begins with a dot in a folder is left out.
func Find(paths []string) ([]Submission, error) {
	var out []Submission
	at := map[string]string{}
	add := func(path, wrong string) error {
		full, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		s := Submission{Name: filepath.Base(full), Path: full, wrong: wrong}
		if other, twice := at[s.Name]; twice {
			if other == full {
				return nil
			}
			return fmt.Errorf("%s and %s have the same name, so their results would, too: grade them one after another with different --results", other, full)
		}
		at[s.Name] = full
		out = append(out, s)
		return nil
	}
	for _, path := range paths {
		st, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, source.Reason(err))
		}
		if !st.IsDir() || hasMakefile(path) {
			if path, err = filepath.EvalSymlinks(path); err != nil {
				return nil, err
			}
			if err := add(path, ""); err != nil {
				return nil, err
			}
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s", path, source.Reason(err))
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				continue
			}
			// Whoever hands in a link may mean somebody else's file.
			wrong := ""
			if !e.IsDir() && !e.Type().IsRegular() {
				wrong = "it is a link or something else that is neither a file nor a directory"
			}
			if err := add(filepath.Join(path, e.Name()), wrong); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func hasMakefile(dir string) bool {
	return slices.ContainsFunc([]string{"Makefile", "makefile", "GNUmakefile"}, func(name string) bool {
		st, err := os.Stat(filepath.Join(dir, name))
		return err == nil && st.Mode().IsRegular()
	})
}

// hash covers all that it consists of.
func (s *Submission) hash() (string, error) {
	h := sha256.New()
	if err := hashTree(h, s.Path); err != nil {
		return "", fmt.Errorf("%s: %s", s.Path, source.Reason(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// oddIn says what in a submission can be no part of a program.
func oddIn(root string) (wrong string) {
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			wrong = filepath.Base(path) + ": " + source.Reason(err)
		case !d.IsDir() && !d.Type().IsRegular() && d.Type() != fs.ModeSymlink:
			wrong = filepath.Base(path) + " is neither a file nor a directory"
		default:
			return nil
		}
		return fs.SkipAll
	})
	return wrong
}

// endings are those of program files, and how each is run.
var endings = map[string][]string{".py": {"python3"}, ".sh": {"bash"}, ".c": nil}

// isProgram reports whether a file can be run, by its ending or by itself.
func isProgram(path string) bool {
	st, err := os.Lstat(path)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	_, known := endings[filepath.Ext(path)]
	return known || st.Mode()&0o111 != 0
}

// programIn is the program file of a directory: the only one, or else the one
// that has the name of the process. Files for which not holds are left out.
func programIn(dir, proc string, not func(name string) bool) (name, wrong string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", source.Reason(err)
	}
	var all, named []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || not != nil && not(e.Name()) || !isProgram(filepath.Join(dir, e.Name())) {
			continue
		}
		all = append(all, e.Name())
		if strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())) == proc {
			named = append(named, e.Name())
		}
	}
	switch {
	case len(named) == 1:
		return named[0], ""
	case len(all) == 1:
		return all[0], ""
	case len(all) == 0:
		return "", "there is no program in it"
	}
	return "", "there are several programs in it, and none is called " + proc + ": " + strings.Join(all, ", ")
}
