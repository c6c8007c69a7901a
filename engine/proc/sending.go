//go:build linux

package proc

import (
	"fmt"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Kill sends a signal as kill(2) does: pid > 0 is a process, 0 the caller's
// group, -1 everything allowed, less than that a group. Signal 0 only asks.
// The error is ESRCH, EPERM or EINVAL.
func Kill(pid, sig int) error {
	if err := unix.Kill(pid, unix.Signal(sig)); err != nil {
		return fmt.Errorf("send signal %d to %d: %w", sig, pid, err)
	}
	return nil
}

// queuedInfo is the kernel's siginfo as a sender of SI_QUEUE fills it.
type queuedInfo struct {
	signo, errno, code int32
	_                  int32
	pid                int32
	uid                uint32
	value              int64
	_                  [96]byte
}

// Sigqueue sends a signal with a value, as sigqueue(3) does. The value is a C
// int; beyond its range the error is EINVAL. EAGAIN means that the receiver's
// user has too many signals queued.
func Sigqueue(pid, sig, value int) error {
	if value < math.MinInt32 || value > math.MaxInt32 {
		return fmt.Errorf("queue signal %d for %d: value %d does not fit an int: %w", sig, pid, value, unix.EINVAL)
	}
	info := queuedInfo{
		signo: int32(sig),
		code:  CodeQueue,
		pid:   int32(unix.Getpid()),
		uid:   uint32(unix.Getuid()),
		value: int64(value),
	}
	_, _, errno := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), uintptr(sig), uintptr(unsafe.Pointer(&info)))
	if errno != 0 {
		return fmt.Errorf("queue signal %d for %d: %w", sig, pid, errno)
	}
	return nil
}
