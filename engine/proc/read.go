//go:build linux

package proc

import (
	"slices"

	"golang.org/x/sys/unix"
)

// ReadFile reads a file of the process file system. Such files are read all the
// time: a file of package os would ask for its size, which is 0, and try to have
// each of them polled. The error is the system call's.
func ReadFile(path string) ([]byte, error) {
	return readFileAt(unix.AT_FDCWD, path, make([]byte, 0, 512))
}

// readFileAt does so below an open directory, and appends to buf.
func readFileAt(dir int, path string, buf []byte) ([]byte, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return buf, err
	}
	defer unix.Close(fd)
	for {
		buf = slices.Grow(buf, 256)
		n, err := readOnce(fd, buf[len(buf):cap(buf)])
		if n == 0 || err != nil {
			return buf, err
		}
		buf = buf[:len(buf)+n]
	}
}
