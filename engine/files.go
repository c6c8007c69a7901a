package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ipcrun/spec"
)

// copyFiles gives a program copies of files beside the scenario, in a directory
// of its own.
func (r *run) copyFiles(d *spec.Proc, base string) (string, error) {
	work, err := r.workDir()
	if err != nil {
		return "", err
	}
	to := filepath.Join(work, d.Name)
	var from []string
	for _, name := range d.Run.Files {
		if !filepath.IsAbs(name) {
			// Joined, it would lose the dot that stands for what is in it.
			name = base + "/" + name
		}
		from = append(from, name)
	}
	if err := CopyFiles(to, from); err != nil {
		var missing *fs.PathError
		if errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("there is no %s%s", missing.Path, nearest(missing.Path))
		}
		return "", &placed{fmt.Errorf("files: %w", err), d.Run.FilesSpan.Start.Line, d.Run.FilesSpan.Start.Col}
	}
	return to, nil
}

// CopyFiles copies files and directories into a directory, which it makes; of
// one that ends with /. it copies what is in it.
func CopyFiles(to string, from []string) error {
	for _, name := range from {
		target := filepath.Join(to, filepath.Base(name))
		if strings.HasSuffix(name, "/.") { // what is in the directory, and not the directory
			target = to
		}
		if err := copyTree(filepath.Clean(name), target); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			return os.MkdirAll(target, 0o755)
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		return copyFile(path, target, info.Mode().Perm())
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode|0o200)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
