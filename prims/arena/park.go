package arena

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"
)

// Outcome is how a wait on a word ended.
type Outcome uint8

// The outcomes of Self.Park.
const (
	Woken       Outcome = iota // the word may have changed: look again
	TimedOut                   // the deadline passed
	Interrupted                // a signal wants attention first
)

// Self is a process's own handle on the arena: its slot and the means to
// block in it. It belongs to one thread.
type Self struct {
	*Slot
	Index  int
	Arena  *Arena
	WakeFd int
	// Interruptible says that signals are handled and may end a Park.
	Interruptible bool
	// Solo says that no other goroutine of the process has anything to do while
	// this one blocks, so that it need not tell the Go runtime, for SoloFor.
	Solo bool
	// PollFd, if set, blocks until a descriptor is ready for events (poll(2)), a
	// signal arrives or until (absolute, 0: never) passes. It Enters with w and
	// Leaves by itself. Woken means that the descriptor is ready, hung up or in
	// error.
	PollFd func(w Wait, fd int, events int16, until int64) (Outcome, error)
	// Sigpipe, if set, says that the script has declared what SIGPIPE does, so
	// that a write which nobody can receive raises it; it is called after one has.
	// Without it such a write must raise no signal.
	Sigpipe func()
	// BeforePark, if set, runs before the thread blocks: the agent uses it to
	// set its signal watcher going.
	BeforePark func()

	// Callable, if set, gives CallSignal a handler that does nothing, so that Call
	// can be left; it is called once, before the first Call.
	Callable func() error

	lingering lingering

	slept    bool                   // it has been parked to the end of its time since it Entered
	parked   atomic.Pointer[uint32] // the word it is blocked on, for kernels without futex_waitv
	calling  atomic.Int32           // the thread that is inside Call, 0: none
	callable bool                   // Callable has been called
	timer    callTimer
}

// Self is the handle of process i.
func (a *Arena) Self(i, wakeFd int) *Self {
	return &Self{Slot: a.Slot(i), Index: i, Arena: a, WakeFd: wakeFd}
}

// Enter records that the process is about to block in w. Leave must follow.
// An operation enters once, however often it parks.
func (s *Self) Enter(w Wait) {
	s.on.Store(w.On)
	s.verb.Store(w.Verb)
	s.arg.Store(w.Arg)
	s.step.Store(w.Step)
	s.deadline.Store(w.Deadline)
	s.since.Store(Now())
	s.slept = false
	s.SetState(Blocked)
	h := s.Arena.hdr
	n := h.blocked.Add(1)
	if want := h.wanted.Load(); want == WantAny || want == WantNotable && n >= h.live.Load() {
		s.Arena.WakeEngine(s.WakeFd)
	}
}

// Leave records that the process runs again.
func (s *Self) Leave() {
	s.Arena.hdr.blocked.Add(-1)
	s.SetState(Running)
	s.on.Store(OnNothing)
}

// Park blocks until *word differs from seen, somebody wakes the word, the
// deadline (absolute, 0: none) passes or a signal arrives. The caller has
// Entered. Spurious Woken results are allowed: callers look again.
func (s *Self) Park(word *uint32, seen uint32, deadline int64) Outcome {
	if deadline == 0 {
		deadline = math.MaxInt64
	}
	if !s.slept && s.linger(word, seen) {
		return Woken
	}
	if !s.Interruptible {
		wait := futexWait
		if s.Solo && !s.slept {
			wait = futexWaitSolo
		}
		if s.slept = wait(word, seen, deadline); s.slept {
			return TimedOut
		}
		return Woken
	}
	if s.BeforePark != nil {
		s.BeforePark()
	}
	if s.Interrupt.Load() != 0 {
		return Interrupted
	}
	s.parked.Store(word)
	timedOut := futexWait2(word, seen, (*uint32)(unsafe.Pointer(&s.Interrupt)), 0, deadline)
	s.parked.Store(nil)
	switch {
	case s.Interrupt.Load() != 0:
		return Interrupted
	case timedOut:
		return TimedOut
	}
	return Woken
}

// Wake wakes at most n processes that are parked on word and reports how many.
func Wake(word *uint32, n int) int { return futexWake(word, n) }

// Disturb ends a Park of this process with Interrupted. It may be called from
// any thread of it.
func (s *Self) Disturb() {
	s.Interrupt.Store(1)
	futexWake((*uint32)(unsafe.Pointer(&s.Interrupt)), 1)
	s.disturbCall()
	if !haveWaitv() {
		// Only the word of the primitive can be waited on: wake whoever waits
		// there. Between our store and its wait a wake can be lost, so the
		// caller repeats Disturb until the process has reacted.
		if w := s.parked.Load(); w != nil {
			futexWake(w, math.MaxInt32)
		}
	}
}

// Blocked is the number of processes inside a blocking operation. SetLive and
// Unblocked keep the books for the engine: it knows who lives, and that a
// process was killed while it was blocked.
func (a *Arena) Blocked() int { return int(a.hdr.blocked.Load()) }

// SetLive tells the processes how many of them there are.
func (a *Arena) SetLive(n int) { a.hdr.live.Store(int32(n)) }

// Live is how many processes have started and not ended.
func (a *Arena) Live() int { return int(a.hdr.live.Load()) }

// Unblocked takes back the count of a process that died while blocked.
func (a *Arena) Unblocked() { a.hdr.blocked.Add(-1) }

// AwaitGo blocks until the engine lets the first step run.
func (a *Arena) AwaitGo() {
	w := (*uint32)(unsafe.Pointer(&a.hdr.Go))
	for a.hdr.Go.Load() == 0 {
		futexWait(w, 0, math.MaxInt64)
	}
}

// LetGo lets the first step run, everywhere.
func (a *Arena) LetGo() {
	a.hdr.Go.Store(1)
	futexWake((*uint32)(unsafe.Pointer(&a.hdr.Go)), math.MaxInt32)
}

// AwaitStarted blocks while a process has been forked and is not ready yet.
func (a *Arena) AwaitStarted(slot int) {
	s := a.Slot(slot)
	for s.State() == Starting {
		futexWait((*uint32)(unsafe.Pointer(&s.state)), uint32(Starting), Now()+int64(100*time.Millisecond))
	}
}

// Started records that the dispositions are installed, and tells those who
// wait for it.
func (s *Slot) Started() {
	s.SetState(Ready)
	futexWake((*uint32)(unsafe.Pointer(&s.state)), math.MaxInt32)
}
