//go:build linux

package observe

import "golang.org/x/sys/unix"

// returned is what the last system call returned, an error as its negative.
func returned(r *unix.PtraceRegs) int64 { return int64(r.Rax) }

// restart lets a system call begin again that a signal without effect has
// interrupted and that the kernel would not restart by itself: without a tracer
// that signal would not have woken the process at all. Calls with a time limit
// are left alone, since nobody knows how much of it is left: they return EINTR.
func restart(tid int) {
	var r unix.PtraceRegs
	if !registers(tid, &r) || int64(r.Rax) != -int64(unix.EINTR) {
		return
	}
	forever := false
	switch r.Orig_rax {
	case unix.SYS_SEMOP:
		forever = true
	case unix.SYS_SEMTIMEDOP, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_EPOLL_PWAIT2:
		n := r.R10
		if r.Orig_rax == unix.SYS_RT_SIGTIMEDWAIT {
			n = r.Rdx
		}
		forever = n == 0
	case unix.SYS_EPOLL_WAIT, unix.SYS_EPOLL_PWAIT:
		forever = int32(r.R10) < 0
	case unix.SYS_IO_GETEVENTS:
		forever = r.R8 == 0
	}
	if forever {
		r.Rax = ^uint64(erestartnohand - 1)
		setRegisters(tid, &r)
	}
}

// beginsAgain reports whether a thread that is about to receive a signal goes back
// into the system call that it was in, unless a handler runs.
func beginsAgain(tid int) bool {
	var r unix.PtraceRegs
	if !registers(tid, &r) || int64(r.Orig_rax) < 0 {
		return false
	}
	switch unix.Errno(-r.Rax) {
	case erestartsys, erestartnointr, erestartnohand, erestartRestartblock:
		return true
	}
	return false
}

const auditArch = unix.AUDIT_ARCH_X86_64
