//go:build linux && (amd64 || arm64)

package observe

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// siginfo is the kernel's, in the form that signals sent by processes have; the
// other forms that matter here put pid, uid and value, or the child's status, in
// the same places.
type siginfo struct {
	signo, errno, code int32
	_                  int32
	pid                int32
	uid                uint32
	value              int32
	_                  [100]byte
}

// Values of si_code that hold for every signal.
const (
	siKernel = 0x80
	siUser   = 0
	siQueue  = -1
	siTimer  = -2
	siMesgq  = -3
	siAsync  = -4
	siSigio  = -5
	siTkill  = -6
	siAsyncn = -60
)

// delivered tells of a signal that is about to be delivered to a thread, and
// delivers it. The kernel asks a tracer before it looks at the disposition, so
// ignored signals come here too.
func (t *tracer) delivered(th *thread, signal int) {
	var info siginfo
	if errno := ptrace(unix.PTRACE_GETSIGINFO, th.tid, 0, uintptr(unsafe.Pointer(&info))); errno != 0 {
		resume(th.tid, signal)
		return
	}
	e := Event{Kind: Signal, At: t.at, Pid: th.pid, Tid: th.tid, Signal: signal}
	e.origin(&info)
	if th.staged && signal == int(unix.SIGURG) && e.Sender == th.pid {
		resume(th.tid, signal) // the runtime of our own stage
		return
	}
	if th.stray && signal == int(unix.SIGURG) {
		th.stray = false
		resume(th.tid, 0)
		return
	}
	e.Disposition = disposition(th.pid, signal)
	t.interruptedBy(th, e.Disposition)
	if e.Code == FromKill && e.Sender == th.pid && madeByWrite(signal, th.tid) {
		e.Code, e.Sender, e.Uid = FromKernel, 0, 0
	}
	t.pass(&e)
	if e.Disposition == Ignored || e.Disposition == Default && harmless(signal) {
		restart(th.tid)
		if t.reenter(th) {
			return
		}
	}
	resume(th.tid, signal)
}

// origin fills in where a signal came from.
func (e *Event) origin(info *siginfo) {
	switch {
	case info.code == siKernel:
		e.Code = FromKernel
		return
	case info.code == siUser:
		e.Code = FromKill
	case info.code == siTkill:
		e.Code = FromTkill
	case info.code == siQueue:
		e.Code, e.Value = FromQueue, info.value
	case info.code == siMesgq:
		e.Code, e.Value = FromMessage, info.value
	case info.code == siTimer:
		e.Code, e.Value = FromTimer, info.value
		return // where others have the pid, it has the timer's number
	case info.code == siAsync || info.code == siSigio || info.code == siAsyncn || info.signo == int32(unix.SIGIO):
		e.Code = FromIO
		return
	case info.code < 0:
		e.Code, e.Value = FromQueue, info.value // the sender's own invention
	case info.signo == int32(unix.SIGCHLD) && info.code <= int32(ChildContinued-ChildExited)+1:
		e.Code, e.Value = ChildExited+Code(info.code-1), info.value
	case info.signo == int32(unix.SIGSYS):
		e.Code = FromSeccomp
		return
	default:
		e.Code = FromFault
		return
	}
	e.Sender, e.Uid = int(info.pid), info.uid
}

// harmless reports whether nothing is what a signal does by default.
func harmless(signal int) bool {
	switch unix.Signal(signal) {
	case unix.SIGCHLD, unix.SIGURG, unix.SIGWINCH:
		return true
	}
	return false
}

// madeByWrite reports whether a signal that seems to be a process's own is the
// kernel's answer to what its thread has just done: SIGPIPE after a write that
// nobody reads, SIGXFSZ after one beyond the limit. The kernel says kill of both.
func madeByWrite(signal, tid int) bool {
	var want unix.Errno
	switch unix.Signal(signal) {
	case unix.SIGPIPE:
		want = unix.EPIPE
	case unix.SIGXFSZ:
		want = unix.EFBIG
	default:
		return false
	}
	var r unix.PtraceRegs
	return registers(tid, &r) && returned(&r) == -int64(want)
}
