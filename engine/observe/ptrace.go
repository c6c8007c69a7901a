//go:build linux && (amd64 || arm64)

package observe

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// options are what every tracee has and hands on to what it forks. A tracer that
// ends takes them all along: nobody else could end their stops.
const options = unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE |
	unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL

// ptrace asks the kernel something about a thread in a stop. None of the requests
// here blocks. ESRCH means that the thread was killed in its stop: its end is
// reported soon, so that nobody needs to look at the error.
func ptrace(request, tid int, addr, data uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	return errno
}

// resume ends a stop, delivering a signal if it is not 0.
func resume(tid, signal int) { ptrace(unix.PTRACE_CONT, tid, 0, uintptr(signal)) }

// resumeToExit ends a stop until the system call that the thread is in returns.
func resumeToExit(tid int) { ptrace(unix.PTRACE_SYSCALL, tid, 0, 0) }

// leaveStopped leaves a thread in its group's stop, without letting it run: it
// reports again when the stop is over.
func leaveStopped(tid int) { ptrace(unix.PTRACE_LISTEN, tid, 0, 0) }

// eventMessage is the number that comes with an event's stop.
func eventMessage(tid int) (int, bool) {
	var n uint64
	errno := ptrace(unix.PTRACE_GETEVENTMSG, tid, 0, uintptr(unsafe.Pointer(&n)))
	return int(n), errno == 0
}

// registers reads the general registers, in the same way on both architectures.
func registers(tid int, r *unix.PtraceRegs) bool {
	v := unix.Iovec{Base: (*byte)(unsafe.Pointer(r)), Len: uint64(unsafe.Sizeof(*r))}
	return ptrace(unix.PTRACE_GETREGSET, tid, unix.NT_PRSTATUS, uintptr(unsafe.Pointer(&v))) == 0
}

func setRegisters(tid int, r *unix.PtraceRegs) bool {
	v := unix.Iovec{Base: (*byte)(unsafe.Pointer(r)), Len: uint64(unsafe.Sizeof(*r))}
	return ptrace(unix.PTRACE_SETREGSET, tid, unix.NT_PRSTATUS, uintptr(unsafe.Pointer(&v))) == 0
}

// wait waits for the next child or tracee with news, those of other threads of
// this process included. used, if not nil, is what one that has ended has used.
func wait(pid int, status *uint32, flags int, used *unix.Rusage) (int, unix.Errno) {
	call := unix.Syscall6
	if flags&unix.WNOHANG != 0 {
		call = unix.RawSyscall6
	}
	r, _, errno := call(unix.SYS_WAIT4, uintptr(pid), uintptr(unsafe.Pointer(status)),
		uintptr(unix.WALL|flags), uintptr(unsafe.Pointer(used)), 0, 0)
	return int(r), errno
}

// isThread reports whether tid is a thread of process pid.
func isThread(pid, tid int) bool { return unix.Tgkill(pid, tid, 0) != unix.ESRCH }
