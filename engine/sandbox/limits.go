//go:build linux

package sandbox

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// impose puts limits upon this process, which it cannot take off again. Nothing
// much can be done afterwards but execute a program. alone: in the user
// namespace of this process there is nobody but its supervisor and the program.
func (l *Limits) impose(alone bool) (step string, err error) {
	// One byte says no core to a file and, what zero does not, none to a
	// program that the system hands cores to.
	if err := lower(unix.RLIMIT_CORE, 1, 1); err != nil {
		return "limit core dumps", err
	}
	if l.CPU > 0 {
		s := uint64((l.CPU + time.Second - 1) / time.Second)
		if err := lower(unix.RLIMIT_CPU, s, s+1); err != nil {
			return "limit CPU time", err
		}
	}
	for _, r := range []struct {
		n    int
		most int64
	}{
		{unix.RLIMIT_FSIZE, l.FileBytes},
		{unix.RLIMIT_NOFILE, int64(l.Files)},
		{unix.RLIMIT_NPROC, l.threads(alone)},
		// Not RLIMIT_AS: languages with a memory of their own reserve far more
		// addresses than they use.
		{unix.RLIMIT_DATA, l.Memory},
	} {
		if r.most <= 0 {
			continue
		}
		if err := lower(r.n, uint64(r.most), uint64(r.most)); err != nil {
			return "limit " + resourceName(r.n), err
		}
	}
	return "", nil
}

// supervisorThreads is how many threads a supervisor and a stage may have.
const supervisorThreads = 24

// threads is what RLIMIT_NPROC is to be; 0 is no limit. Where the user has other
// processes they would count, and a program would fail because of them.
func (l *Limits) threads(alone bool) int64 {
	if !alone || l.Processes <= 0 {
		return 0
	}
	return int64(l.Processes) + supervisorThreads
}

// lower sets a limit unless a lower one is in force.
func lower(resource int, soft, hard uint64) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(resource, &l); err != nil {
		return err
	}
	l.Max = min(l.Max, hard)
	l.Cur = min(l.Max, soft)
	// This one also keeps the standard library from setting it back.
	return syscall.Setrlimit(resource, &l)
}

func resourceName(n int) string {
	for _, r := range resources {
		if r.n == n {
			return r.name
		}
	}
	return fmt.Sprintf("resource %d", n)
}

// Why says which limit ended a process, as far as the way it ended tells; ""
// if none did. Peak is its largest resident size in bytes and cpu the time it
// used, as its parent learns them.
func (l *Limits) Why(sig syscall.Signal, cpu time.Duration, peak int64) string {
	switch {
	case sig == unix.SIGXFSZ && l.FileBytes > 0:
		return fmt.Sprintf("a file of it grew beyond %s", size(uint64(l.FileBytes)))
	case l.CPU > 0 && (sig == unix.SIGXCPU || sig == unix.SIGKILL && cpu >= l.CPU):
		return fmt.Sprintf("it used more than %v of CPU time", l.CPU)
	case l.Memory > 0 && sig != 0 && peak >= l.Memory*9/10:
		return fmt.Sprintf("it wanted more than %s of memory", size(uint64(l.Memory)))
	}
	return ""
}
