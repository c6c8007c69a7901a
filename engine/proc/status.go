//go:build linux

package proc

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Status is how a process ended. Exit code and death by signal are different
// facts: at most one of Exited and Signaled is true. The zero Status means
// that nothing is known.
type Status struct {
	Known    bool           // it has ended and this is how
	Exited   bool           // by exit, with Code
	Code     int            // 0 to 255
	Signaled bool           // by Signal
	Signal   syscall.Signal // the signal that ended it
	Core     bool           // the signal's action was to dump core, and it did
}

// String says it in words: "exit 3", "SIGKILL", "unknown".
func (s Status) String() string {
	switch {
	case !s.Known:
		return "unknown"
	case s.Exited:
		return fmt.Sprintf("exit %d", s.Code)
	case s.Core:
		return unix.SignalName(s.Signal) + ", core dumped"
	default:
		if name := unix.SignalName(s.Signal); name != "" {
			return name
		}
		return fmt.Sprintf("signal %d", int(s.Signal))
	}
}

// rawStatus translates the number wait(2) reports for an ended process.
func rawStatus(raw int) Status {
	w := syscall.WaitStatus(raw)
	switch {
	case w.Exited():
		return Status{Known: true, Exited: true, Code: w.ExitStatus()}
	case w.Signaled():
		return Status{Known: true, Signaled: true, Signal: w.Signal(), Core: w.CoreDump()}
	}
	return Status{}
}

// BecomeSubreaper makes this process the new parent of every descendant whose
// own parent ends, so that it can be found and reaped.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}

// OpenPidfd returns a close-on-exec descriptor for a process, which becomes
// readable when the process ends, before it is reaped. The error matches
// fs.ErrNotExist if there is no such process.
func OpenPidfd(pid int) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return -1, gone(pid)
	}
	if err != nil {
		return -1, fmt.Errorf("pidfd of process %d: %w", pid, err)
	}
	return fd, nil
}

// childInfo is the kernel's siginfo as waitid fills it.
type childInfo struct {
	signo, errno, code int32
	_                  int32
	pid                int32
	uid                uint32
	status             int32
	_                  [100]byte
}

// The values of si_code that waitid reports for an end.
const (
	cldExited = 1
	cldKilled = 2
	cldDumped = 3
)

// WaitPidfd reaps the child behind pidfd if it has ended. It does not block:
// reaped is false while the child lives. The error is ECHILD if the process
// is not this process's child or has been reaped already.
func WaitPidfd(pidfd int) (status Status, reaped bool, err error) {
	var info childInfo
	for {
		err = unix.Waitid(unix.P_PIDFD, pidfd, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOHANG, nil)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return Status{}, false, fmt.Errorf("wait: %w", err)
	}
	if info.pid == 0 {
		return Status{}, false, nil
	}
	return info.outcome(), true, nil
}

// PeekEnded waits until a child has ended and is its pid; the child stays a
// zombie. The error is ECHILD if
// there is no child, EINTR after a signal.
func PeekEnded() (int, error) {
	var info childInfo
	err := unix.Waitid(unix.P_ALL, 0, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOWAIT, nil)
	if err != nil {
		return 0, err
	}
	return int(info.pid), nil
}

func (i *childInfo) outcome() Status {
	switch i.code {
	case cldExited:
		return Status{Known: true, Exited: true, Code: int(i.status)}
	case cldKilled, cldDumped:
		return Status{Known: true, Signaled: true, Signal: syscall.Signal(i.status), Core: i.code == cldDumped}
	}
	return Status{}
}

// PidfdStatus asks the kernel how a process ended that somebody else has
// reaped, or that is nobody's to reap here. It knows nothing of a process
// that still lives or still is a zombie (see ZombieStatus), nor on kernels
// before 6.15. It does not block.
func PidfdStatus(pidfd int) (Status, bool) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	if err := unix.IoctlPidfdInfo(pidfd, &info); err != nil {
		return Status{}, false
	}
	if info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		return Status{}, false
	}
	s := rawStatus(int(info.Exit_code))
	return s, s.Known
}

// ZombieStatus tells how a process ended whose parent has not reaped it yet.
// It knows nothing if the process is no zombie, or if the kernel hides the
// status because this user may not trace that process.
func ZombieStatus(pid int) (Status, bool) {
	f, err := ReadFacts(pid)
	if err != nil || f.State != 'Z' {
		return Status{}, false
	}
	if f.waitStatus == 0 {
		// Hidden also reads as zero. The link to the executable is guarded by
		// the same permission: a zombie that we may look at has none.
		var buf [1]byte
		if _, err := unix.Readlink(procPath(pid, "exe"), buf[:]); err != unix.ENOENT {
			return Status{}, false
		}
	}
	s := rawStatus(f.waitStatus)
	return s, s.Known
}
