package named

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Classes of what lies in the file system.
const (
	File = "file" // one file, be it a FIFO, a socket or memory in /dev/shm
	Tree = "tree" // a directory with all that is in it
)

func init() {
	Register(Class{
		Name:   File,
		Exists: func(e Entry) bool { return e.ours() },
		Remove: func(e Entry) error {
			if !e.ours() {
				return nil
			}
			return os.Remove(e.Name)
		},
	})
	Register(Class{
		Name: Tree,
		Exists: func(e Entry) bool {
			_, err := os.Lstat(e.Name)
			return err == nil
		},
		Remove: removeTree,
	})
}

// ours reports whether the file of an entry is there, and the one that it speaks
// of.
func (e Entry) ours() bool {
	if e.ID == 0 {
		_, err := os.Lstat(e.Name)
		return err == nil
	}
	id, err := inode(e.Name)
	return err == nil && id == e.ID
}

// removeTree removes a directory, also where programs have made it hard by
// taking permissions away.
func removeTree(e Entry) error {
	err := os.RemoveAll(e.Name)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(e.Name, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // before it is read
		}
		return nil
	})
	return os.RemoveAll(e.Name)
}
