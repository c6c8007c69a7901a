//go:build linux

package proc

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Writable reports whether a descriptor of a process is open for writing, false
// where that cannot be seen.
func Writable(pid, fd int) bool {
	text, err := readOf(pid, "fdinfo/"+strconv.Itoa(fd))
	if err != nil {
		return false
	}
	_, flags, ok := strings.Cut(string(text), "flags:\t")
	if !ok {
		return false
	}
	flags, _, _ = strings.Cut(flags, "\n")
	n, err := strconv.ParseUint(flags, 8, 64)
	return err == nil && n&unix.O_ACCMODE != unix.O_RDONLY
}
