package arena

import (
	"sync/atomic"
	"unsafe"
)

// State is where a process is in its life.
type State uint32

// The states, in the order a process passes through them.
const (
	Unborn   State = iota // not forked yet
	Starting              // forked, its dispositions are not installed yet
	Ready                 // waiting for the first step
	Running
	Blocked // inside a blocking operation, see Block
	Ended   // it recorded its own end, or its parent took its status
)

var stateNames = [...]string{"unborn", "starting", "ready", "running", "blocked", "ended"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "?"
}

// What a process waits for, beside primitives (which are numbered from 0).
const (
	OnNothing  uint32 = 0xffffffff - iota
	OnProcess         // Arg: slot of the process, or AnyChild
	OnSignal          // pause
	OnTime            // sleep
	OnOrder           // an idle process waits for its next step
	OnEngine          // its ring is full: the engine has to drain it
	OnTerminal        // a write to its terminal
)

// AnyChild in Arg: any child, or all of them.
const AnyChild = ^uint64(0)

// Slot is the public face of a process: what it does, for the engine and for
// its fellows. Each field has one writer: the process itself, except Status
// (whoever reaped it), Interrupt (its own signal watcher and the engine), and
// the ring's tail (the engine).
type Slot struct {
	Pid   atomic.Int32
	state atomic.Uint32
	// epoch grows with every change of state, so that two looks that see the
	// same epoch know that nothing happened in between.
	epoch    atomic.Uint64
	on       atomic.Uint32 // what it is blocked on
	verb     atomic.Uint32 // which operation: an index into the program's verbs
	arg      atomic.Uint64 // operand of a blocked operation, for Ready checks
	step     atomic.Uint32
	flags    atomic.Uint32
	since    atomic.Int64
	deadline atomic.Int64 // absolute, 0: none
	// Interrupt is the word a blocked process waits on beside the word of the
	// primitive: 1 when a signal wants attention.
	Interrupt atomic.Uint32
	// ExitCode is the code the process recorded for itself, +1; 0: none.
	exitCode atomic.Uint32
	// status is the wait status its reaper saw, +1; 0: not reaped.
	status  atomic.Uint64
	endedAt atomic.Int64
	// Alarm is the absolute time of its pending alarm, 0: none.
	Alarm    atomic.Int64
	Ppid     atomic.Int32
	Handlers atomic.Uint32 // number of signals it handles now
	Mask     atomic.Uint64 // signals its script has blocked
	Kept     atomic.Uint64 // of those, signals that it catches only to hold them back
	head     atomic.Uint64 // ring: next byte to write
	full     atomic.Uint32 // ring: the writer waits for room
	_        [52]byte
	tail     atomic.Uint64 // ring: next byte to read
	drained  atomic.Uint32 // ring: futex word, grows when room was made
	_        [52]byte
}

// State is where the process is now.
func (s *Slot) State() State { return State(s.state.Load()) }

// SetState records a new state.
func (s *Slot) SetState(st State) {
	s.state.Store(uint32(st))
	s.epoch.Add(1)
}

// Wait is what a blocked process waits for.
type Wait struct {
	On       uint32 // primitive number or On…
	Verb     uint32
	Arg      uint64
	Step     uint32
	Since    int64 // nanoseconds, monotonic
	Deadline int64 // 0: none
}

// Look is a consistent copy of what the slot says of its process.
type Look struct {
	Pid   int
	State State
	Epoch uint64
	Wait  Wait
	Alarm int64
}

// Look reads the slot until two readings agree.
func (s *Slot) Look() Look {
	for {
		e := s.epoch.Load()
		l := Look{
			Pid: int(s.Pid.Load()), State: s.State(), Epoch: e, Alarm: s.Alarm.Load(),
			Wait: Wait{On: s.on.Load(), Verb: s.verb.Load(), Arg: s.arg.Load(), Step: s.step.Load(),
				Since: s.since.Load(), Deadline: s.deadline.Load()},
		}
		if s.epoch.Load() == e {
			return l
		}
	}
}

// RecordExit notes the code the process ends with, just before it ends.
func (s *Slot) RecordExit(code int) {
	s.exitCode.Store(uint32(code) + 1)
	s.endedAt.CompareAndSwap(0, Now())
}

// ExitCode is what RecordExit noted.
func (s *Slot) ExitCode() (int, bool) {
	c := s.exitCode.Load()
	return int(c) - 1, c != 0
}

// RecordStatus notes the wait status with which the process was reaped.
func (s *Slot) RecordStatus(ws uint32) {
	s.status.Store(uint64(ws) + 1)
	s.endedAt.CompareAndSwap(0, Now())
	s.SetState(Ended)
}

// NoteStatus is RecordStatus for the engine, which takes note of the end by itself.
func (s *Slot) NoteStatus(ws uint32) { s.status.Store(uint64(ws) + 1) }

// Status is what RecordStatus noted.
func (s *Slot) Status() (ws uint32, ok bool) {
	v := s.status.Load()
	return uint32(v - 1), v != 0
}

// EndedAt is when the process recorded its end, or its reaper did; 0: it lives.
func (s *Slot) EndedAt() int64 { return s.endedAt.Load() }

// MarkForked notes that the process exists, unless it has already said so
// itself.
func (s *Slot) MarkForked(pid int) {
	s.Pid.Store(int32(pid))
	if s.state.CompareAndSwap(uint32(Unborn), uint32(Starting)) {
		s.epoch.Add(1)
	}
}

// MarkRunning notes that the process runs, unless more is known of it by now.
func (s *Slot) MarkRunning() {
	if s.state.CompareAndSwap(uint32(Starting), uint32(Running)) {
		s.epoch.Add(1)
	}
}

// Counter reads the operation counter of the primitive at off.
func Counter(prims []byte, off int) uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&prims[off])).Load()
}

// NoteEnd records when the process was seen to have ended, unless it or its
// reaper has said so.
func (s *Slot) NoteEnd(at int64) {
	s.endedAt.CompareAndSwap(0, at)
	s.SetState(Ended)
}

// NoteKilled is NoteEnd for a process that has not said anything of its end. Its reaper
// has stamped it after the end, so what is earlier is nearer to it.
func (s *Slot) NoteKilled(at int64) {
	if t := s.endedAt.Load(); t == 0 || at < t {
		s.endedAt.Store(at)
	}
	s.SetState(Ended)
}

// Unmark undoes MarkForked: the process was not the one that the slot is for.
func (s *Slot) Unmark() {
	s.Pid.Store(0)
	s.status.Store(0)
	s.exitCode.Store(0)
	s.endedAt.Store(0)
	s.SetState(Unborn)
}
