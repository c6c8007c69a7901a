//go:build linux && (amd64 || arm64)

package observe

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Without a tracer a signal that has no effect does not wake a process. With one
// it does, and the system call that it was waiting in begins again. A handler that
// ran between the two attempts would be lost on the call: pause would sleep on
// although a handler has run since it began. So in between nothing is let
// through: every signal is blocked until the thread has entered the call once
// more, and what has come meanwhile interrupts it there.

// kernelMask is the kernel's set of signals.
type kernelMask uint64

// reenter resumes a thread whose call was interrupted by a signal without effect,
// which is dropped. It reports false if there is no call to begin again.
func (t *tracer) reenter(th *thread) bool {
	if !beginsAgain(th.tid) {
		return false
	}
	var mask kernelMask
	if ptrace(unix.PTRACE_GETSIGMASK, th.tid, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask))) != 0 {
		return false
	}
	all := ^kernelMask(0)
	if ptrace(unix.PTRACE_SETSIGMASK, th.tid, unsafe.Sizeof(all), uintptr(unsafe.Pointer(&all))) != 0 {
		return false
	}
	th.reentering, th.mask = true, mask
	resumeToExit(th.tid) // or to the entry of the next
	return true
}

// reentered gives a thread back its signals at its first stop after reenter,
// which is the entry of its call unless it was stopped or killed. It reports
// whether it was, in which case the stop is over.
func (t *tracer) reentered(th *thread, signal, event int) bool {
	th.reentering = false
	ptrace(unix.PTRACE_SETSIGMASK, th.tid, unsafe.Sizeof(th.mask), uintptr(unsafe.Pointer(&th.mask)))
	if event != 0 || signal != int(unix.SIGTRAP)|0x80 {
		return false
	}
	resume(th.tid, 0)
	return true
}
