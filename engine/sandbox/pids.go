//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// A process in a PID namespace has a number there and another one outside. The
// program knows the inner one, the engine the outer one.

// Outside is how a process in a PID namespace of its own still sees the process
// file system outside of it. Open it before Box.Furnish covers it.
type Outside struct{ dir int }

// OpenOutside opens /proc as it is now mounted, close-on-exec.
func OpenOutside() (*Outside, error) {
	dir, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/proc: %w", err)
	}
	return &Outside{dir}, nil
}

// Pid is the outer number of the process behind a pidfd, of a zombie too. The
// error matches fs.ErrNotExist once it has been reaped.
func (o *Outside) Pid(pidfd int) (int, error) {
	fd, err := unix.Openat(o.dir, "self/fdinfo/"+strconv.Itoa(pidfd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("outer number: %w", err)
	}
	f := os.NewFile(uintptr(fd), "fdinfo")
	defer f.Close()
	buf := make([]byte, 512)
	n, err := f.Read(buf)
	if err != nil {
		return 0, fmt.Errorf("outer number: %w", err)
	}
	for line := range strings.Lines(string(buf[:n])) {
		if text, ok := strings.CutPrefix(line, "Pid:"); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(text))
			if err == nil && pid > 0 {
				return pid, nil
			}
			return 0, fmt.Errorf("outer number: %w", os.ErrNotExist)
		}
	}
	return 0, fmt.Errorf("outer number: descriptor %d is no pidfd", pidfd)
}

// InnerPid is the number that a process has in its own PID namespace, given its
// number here. The two are the same where it has none of its own.
func InnerPid(pid int) (int, error) {
	text, err := proc.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("inner number of process %d: %w", pid, err)
	}
	_, after, ok := strings.Cut(string(text), "\nNSpid:")
	line, _, _ := strings.Cut(after, "\n")
	numbers := strings.Fields(line)
	if !ok || len(numbers) == 0 {
		return 0, fmt.Errorf("inner number of process %d: the kernel does not tell", pid)
	}
	return strconv.Atoi(numbers[len(numbers)-1])
}
