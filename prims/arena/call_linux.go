package arena

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errNoCall: whoever made the handle has provided no handler for CallSignal.
var errNoCall = errors.New("this process has no way out of a system call that blocks")

// CallAgain is how soon a timer repeats itself that went off when the thread had
// not entered the system call yet, nanoseconds.
const callAgain = 1_000_000

// Call makes a system call that may block for ever: one of System V's, which
// return EINTR after every handler. The caller has Entered. Interrupted: a
// signal wants attention first. TimedOut: until (absolute, 0: never) has passed.
// In both cases the call had no effect. Woken: it has returned n and errno, which
// is never EINTR.
//
//go:uintptrescapes
func (s *Self) Call(until int64, trap, a1, a2, a3, a4, a5, a6 uintptr) (n uintptr, errno unix.Errno, out Outcome, err error) {
	// Signals and timers are for this thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if s.Callable == nil {
		return 0, 0, Woken, errNoCall
	}
	if !s.callable {
		if err := s.Callable(); err != nil {
			return 0, 0, Woken, err
		}
		s.callable = true
	}
	if s.Interruptible && s.BeforePark != nil {
		s.BeforePark()
	}
	if until != 0 {
		if err := s.timer.arm(until); err != nil {
			return 0, 0, Woken, err
		}
		defer s.timer.disarm()
	}
	for {
		s.calling.Store(int32(unix.Gettid()))
		if s.Interruptible && s.Interrupt.Load() != 0 {
			s.calling.Store(0)
			return 0, 0, Interrupted, nil
		}
		if s.Solo {
			n, _, errno = unix.RawSyscall6(trap, a1, a2, a3, a4, a5, a6)
		} else {
			n, _, errno = unix.Syscall6(trap, a1, a2, a3, a4, a5, a6)
		}
		s.calling.Store(0)
		switch {
		case errno != unix.EINTR:
			return n, errno, Woken, nil
		case s.Interruptible && s.Interrupt.Load() != 0:
			return 0, 0, Interrupted, nil
		case until != 0 && Now() >= until:
			return 0, 0, TimedOut, nil
		}
	}
}

// disturbCall sends the thread that is in a system call, or is about to be, the
// signal that ends it.
func (s *Self) disturbCall() {
	if tid := s.calling.Load(); tid != 0 {
		_ = unix.Tgkill(os.Getpid(), int(tid), CallSignal)
	}
}

// callTimer sends CallSignal to its thread when a moment has come, and again
// until it is disarmed.
type callTimer struct {
	made bool
	id   int32
	tid  int
}

// sigevent is the kernel's struct of that name, SIGEV_THREAD_ID in it.
type sigevent struct {
	value  uint64
	signo  int32
	notify int32
	tid    int32
	_      [44]byte
}

const sigevThreadID = 4

type itimerspec struct{ interval, value unix.Timespec }

func (t *callTimer) arm(until int64) error {
	tid := unix.Gettid()
	if t.made && t.tid != tid {
		unix.RawSyscall(unix.SYS_TIMER_DELETE, uintptr(t.id), 0, 0)
		t.made = false
	}
	if !t.made {
		ev := sigevent{signo: CallSignal, notify: sigevThreadID, tid: int32(tid)}
		if _, _, e := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ev)), uintptr(unsafe.Pointer(&t.id))); e != 0 {
			return os.NewSyscallError("timer_create", e)
		}
		t.made, t.tid = true, tid
	}
	spec := itimerspec{interval: unix.NsecToTimespec(callAgain), value: unix.NsecToTimespec(max(until, 1))}
	const abstime = 1
	if _, _, e := unix.RawSyscall6(unix.SYS_TIMER_SETTIME, uintptr(t.id), abstime, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); e != 0 {
		return os.NewSyscallError("timer_settime", e)
	}
	return nil
}

func (t *callTimer) disarm() {
	var spec itimerspec
	unix.RawSyscall6(unix.SYS_TIMER_SETTIME, uintptr(t.id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}
