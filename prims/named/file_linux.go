package named

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// inode is the number of a file itself, not of what a link points to.
func inode(path string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return st.Ino, nil
}

// move gives a file another name in the same directory, unless there is one.
func move(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS {
		// A file system that cannot do that: a second name, which the caller makes
		// the only one.
		err = unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, to, 0)
	}
	if err != nil {
		return &fs.PathError{Op: "create", Path: to, Err: err}
	}
	return nil
}
