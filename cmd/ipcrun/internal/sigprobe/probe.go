package sigprobe

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Answer is what the kernel says of a signal number.
type Answer struct {
	Exists    bool // the kernel has a signal of this number
	Handled   bool // sigaction accepts an action for it
	Blockable bool // sigprocmask keeps it in a mask
}

// maskSize is that of the kernel's signal set in bytes: 64 signals.
const maskSize = 8

// Most is the largest number that Ask can answer for, that of the last bit of
// the kernel's signal set.
const Most = 8 * maskSize

// action has room for the kernel's struct sigaction on every architecture. It
// is only ever handed back as it was received.
type action [64]byte

// How sigprocmask is to use a set.
const (
	block   = 0 // SIG_BLOCK
	setmask = 2 // SIG_SETMASK
)

// Ask asks about signal n. It takes a few microseconds and never blocks. An
// action that another goroutine changes in the same instant may be changed
// back: call it while nobody does that.
func Ask(n int) Answer {
	var old action
	if n < 1 || n > Most || sigaction(n, nil, &old) != 0 {
		return Answer{}
	}
	return Answer{Exists: true, Handled: sigaction(n, &old, nil) == 0, Blockable: blockable(n)}
}

// Last is the number of the kernel's last signal.
func Last() int {
	n := 0
	for n < Most && Ask(n+1).Exists {
		n++
	}
	return n
}

func sigaction(n int, act, old *action) syscall.Errno {
	_, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(n),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), maskSize, 0, 0)
	return e
}

// blockable tries to have a signal blocked in this thread: the kernel leaves
// out silently what it refuses.
func blockable(n int) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	want := uint64(1) << (n - 1)
	var before, got uint64
	if sigmask(block, &want, &before) != 0 {
		return false
	}
	ok := sigmask(setmask, &before, &got) == 0
	return ok && got&want != 0
}

func sigmask(how uintptr, set, old *uint64) syscall.Errno {
	_, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, how,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), maskSize, 0, 0)
	return e
}
