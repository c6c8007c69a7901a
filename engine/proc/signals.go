//go:build linux

package proc

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// AllSignals is the mask of every signal.
const AllSignals = ^uint64(0)

// Bit is the mask of one signal, 1 to 64.
func Bit(sig int) uint64 { return 1 << (uint(sig) - 1) }

// sigsetSize is the size of the kernel's signal set in bytes.
const sigsetSize = 8

// Mask is the calling thread's mask of blocked signals.
func Mask() (uint64, error) { return swapMask(unix.SIG_BLOCK, 0) }

// SetMask replaces the calling thread's mask. The goroutine must be locked to
// the thread, and the thread must not go back to the runtime with a foreign
// mask: end the goroutine without unlocking, or restore it. SIGKILL and
// SIGSTOP in a mask are silently left out by the kernel.
func SetMask(mask uint64) error {
	_, err := swapMask(unix.SIG_SETMASK, mask)
	return err
}

// Block adds signals to the calling thread's mask; see SetMask.
func Block(mask uint64) error {
	_, err := swapMask(unix.SIG_BLOCK, mask)
	return err
}

// Unblock takes signals out of the calling thread's mask; see SetMask. What
// was pending is delivered before it returns.
func Unblock(mask uint64) error {
	_, err := swapMask(unix.SIG_UNBLOCK, mask)
	return err
}

func swapMask(how int, mask uint64) (old uint64, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how),
		uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&old)), sigsetSize, 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("signal mask: %w", errno)
	}
	return old, nil
}

// Disposition is what the kernel itself does with a signal.
type Disposition uint8

// The two dispositions that need no handler.
const (
	Default Disposition = iota // SIG_DFL
	Ignore                     // SIG_IGN
)

// Sigaction gives a signal a real SIG_DFL or SIG_IGN, for the whole process,
// behind the back of the Go runtime, whose own functions keep a handler. The
// error is EINVAL for SIGKILL, SIGSTOP and numbers outside 1 to 64.
//
// The runtime interrupts its own threads with SIGURG. After Sigaction for it
// the runtime can no longer do that, and a loop without calls may hold up the
// garbage collector.
func Sigaction(sig int, d Disposition) error {
	var a action
	if d == Ignore {
		a.handler = 1
	}
	return replaceAction(sig, &a)
}

// action is the kernel's struct sigaction; the same on amd64 and arm64.
type action struct {
	handler  uintptr
	flags    uintptr
	restorer uintptr
	mask     uint64
}

const (
	saSiginfo  = 0x4
	saRestorer = 0x04000000
	saOnstack  = 0x08000000
	saRestart  = 0x10000000
)

var (
	actionMu sync.Mutex // guards the pair of system calls in replaceAction, and catchRuntime
	// catchRuntime holds the Go runtime's own handlers, by signal, from the
	// first time each is replaced: a real fault must still reach the runtime.
	catchRuntime [65]uintptr
)

// replaceAction installs an action and remembers the runtime's handler.
func replaceAction(sig int, a *action) error {
	if sig < 1 || sig > 64 {
		return fmt.Errorf("disposition of signal %d: %w", sig, unix.EINVAL)
	}
	actionMu.Lock()
	defer actionMu.Unlock()
	var old action
	if errno := rtSigaction(sig, nil, &old); errno != 0 {
		return fmt.Errorf("disposition of signal %d: %w", sig, errno)
	}
	if old.handler > 1 && old.handler != catchHandlerAddr {
		catchRuntime[sig] = old.handler // before the new one can run
	}
	if errno := rtSigaction(sig, a, nil); errno != 0 {
		return fmt.Errorf("disposition of signal %d: %w", sig, errno)
	}
	return nil
}

// stopIgnoring gives every signal that this process ignores its default action:
// an ignored signal would stay ignored through an exec, and shells that are not
// interactive, nohup and service managers ignore some.
func stopIgnoring() error {
	for sig := 1; sig <= 64; sig++ {
		var a action
		if errno := rtSigaction(sig, nil, &a); errno != 0 || a.handler != 1 {
			continue
		}
		if err := Sigaction(sig, Default); err != nil {
			return err
		}
	}
	return nil
}

func rtSigaction(sig int, set, old *action) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), sigsetSize, 0, 0)
	return errno
}

// AwaitNotices returns when whoever was to be told of an end that could be seen
// before has been told: woken up, if it waits, with SIGCHLD pending, if it catches
// that. The kernel shows a zombie a moment before it tells the parent, under a lock
// that a signal to a group takes too (kernel/exit.c, exit_notify).
func AwaitNotices() { _ = unix.Kill(-unix.Getpgrp(), 0) }
