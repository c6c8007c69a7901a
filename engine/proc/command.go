//go:build linux

package proc

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Executable is the file that a process executes, "" of a zombie and where this
// user may not look.
func Executable(pid int) string { return linkOf(pid, "exe") }

// Target is what a descriptor of a process leads to, in the kernel's words, ""
// where it is not open or this user may not look.
func Target(pid, fd int) string { return linkOf(pid, "fd/"+strconv.Itoa(fd)) }

func link(path string) string {
	var buf [unix.PathMax]byte
	n, err := unix.Readlink(path, buf[:])
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

// maxCommandLine bounds what is read of a command line.
const maxCommandLine = 1 << 16

// CommandLine is the argument vector of a process, nil of a zombie. The process
// may have changed it.
func CommandLine(pid int) []string {
	line := commandLine(pid)
	if line == nil {
		if tid := teller(pid); tid != pid {
			return commandLine(tid)
		}
	}
	return line
}

func commandLine(pid int) []string {
	f, err := os.Open(procPath(pid, "cmdline"))
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, 4096)
	n := 0
	for {
		k, err := f.Read(buf[n:])
		n += k
		if err != nil || k == 0 || n >= maxCommandLine {
			break
		}
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
	}
	b := bytes.TrimSuffix(buf[:n], []byte{0})
	if len(b) == 0 {
		return nil
	}
	var out []string
	for _, a := range bytes.Split(b, []byte{0}) {
		out = append(out, string(a))
	}
	return out
}
