//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Nice is the nice value of the calling thread, from -20 to 19.
func Nice() (int, error) {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0, fmt.Errorf("nice value: %w", err)
	}
	return 20 - n, nil // the system call has no negative results
}

// Renice gives this process the nice value n, from -20 to 19. On Linux a nice
// value belongs to a thread, against what POSIX says, and the threads of a runtime
// come and go: so it goes on until every one that there is has it. New ones have
// that of the thread that makes them. The error matches EACCES or EPERM if n is
// below the present one and this process may not do that.
func Renice(n int) error {
	done := map[int]bool{}
	for {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("nice value: %w", err)
		}
		again := false
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || done[tid] {
				continue
			}
			err = unix.Setpriority(unix.PRIO_PROCESS, tid, n)
			if err != nil && err != unix.ESRCH { // that thread has just ended
				return fmt.Errorf("nice value %d: %w", n, err)
			}
			done[tid], again = true, true
		}
		if !again {
			return nil
		}
	}
}

// RefusedNice says why the kernel does not give a process with the nice value now
// another one.
func RefusedNice(now, to int) string {
	return fmt.Sprintf("its nice value is %d, and the kernel refuses %d: lower values are for those with CAP_SYS_NICE", now, to)
}

// Limit is a resource limit: what is in force, and how far the process itself may
// raise it. -1 is no limit.
type Limit struct{ Soft, Hard int64 }

// ReadLimits reads the resource limits of a process by the kernel's names for
// them, as "Max cpu time": seconds, bytes or numbers. The error matches
// fs.ErrNotExist if there is no such process; a zombie has limits still.
func ReadLimits(pid int) (map[string]Limit, error) {
	b, err := ReadFile(procPath(pid, "limits"))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	out := map[string]Limit{}
	for line := range bytes.Lines(b) {
		// The name has blanks in it and is padded to 26 bytes, as is each number.
		if len(line) < 26 {
			continue
		}
		f := bytes.Fields(line[26:])
		if len(f) < 2 {
			continue
		}
		if soft, ok := limitOf(f[0]); ok {
			hard, _ := limitOf(f[1])
			out[string(bytes.TrimSpace(line[:26]))] = Limit{soft, hard}
		}
	}
	return out, nil
}

func limitOf(b []byte) (int64, bool) {
	if string(b) == "unlimited" {
		return -1, true
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil
}
