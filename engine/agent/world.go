package agent

import (
	"fmt"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// agent is the World of its own script: real primitives, real processes.
var _ script.World = (*agent)(nil)

func (a *agent) Now() int64 { return arena.Now() }

// Limit is what the step says: how long a process waits is part of its program,
// which --timeout-scale does not change.
func (a *agent) Limit(_ *script.Action, d time.Duration) time.Duration { return d }

// HandlerDone is called by the machine at the end of a handler.
func (a *agent) HandlerDone(signal int) error { return a.sig.done(signal) }

// Turning is called by the machine now and then in loops without a step that does
// anything: a handler that is due begins before they go on.
func (a *agent) Turning() (over bool) {
	if a.sig != nil && a.sig.any {
		a.sig.poll()
	}
	return false
}

func (a *agent) Func(name string, _ []any) (any, error) {
	return nil, fmt.Errorf("%s() is not known inside a process", name)
}

// Op performs an operation on a primitive.
func (a *agent) Op(act *script.Action) (any, error) {
	n := act.Targets[0]
	if n >= len(a.handles) || a.handles[n] == nil {
		return nil, fmt.Errorf("primitive %d was not inherited", n)
	}
	c := &act.Call
	c.Self, c.Number, c.Log, c.Signal = a.self, uint32(n), a.logPart, a.signal
	a.acting = act
	err := act.Verb.Prim().Do(a.handles[n], c)
	if err != nil && (err == script.ErrInterrupted || !c.Happened) {
		return nil, err
	}
	// Field by field: made elsewhere and copied it would take longer than some operations.
	r := &a.rec
	r.Kind, r.Flags, r.Verb, r.Step, r.Obj = event.Op, 0, act.Verb.ID(), act.Step, uint32(n)
	r.At, r.Seq, r.First, r.Last = 0, c.Seq, uint32(c.First), uint32(c.Last)
	switch {
	case c.Note != nil:
		r.Value = c.Note
	case act.Verb.Result != decl.Bool || err != nil:
		r.Value = c.Result
	default:
		r.Value = nil
	}
	a.emit(r)
	if a.always != nil {
		a.checkAlways(n)
	}
	if err != nil {
		return nil, err
	}
	return c.Result, nil
}

// recordPart records a part of the operation that goes on.
func (a *agent) recordPart(verb string, seq uint64, value any) {
	act := a.acting
	a.emit(&event.Rec{Kind: event.Op, Verb: script.Lookup(verb, act.Verb.Class).ID(), Step: act.Step, Obj: act.Call.Number, Seq: seq, Value: value})
}

// Print writes a line. Where there is a terminal the bytes go there, in one
// piece; the event says who printed them.
func (a *agent) Print(act *script.Action, text string) error {
	if err := a.output.Add(text, a.prog.Output, "its limit (limits: output:)"); err != nil {
		return err
	}
	if a.onTerminal() {
		line := []byte(text + "\n")
		a.self.Enter(arena.Wait{On: arena.OnTerminal, Step: act.Step})
		for len(line) > 0 {
			n, err := unix.Write(1, line)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				a.self.Leave()
				return fmt.Errorf("write to the terminal: %w", err)
			}
			line = line[n:]
		}
		a.self.Leave()
	}
	for len(text) > event.MaxText {
		a.emit(&event.Rec{Kind: event.Print, Flags: event.FlagMore, Step: act.Step, Obj: event.NoObj, Value: text[:event.MaxText]})
		text = text[event.MaxText:]
	}
	a.emit(&event.Rec{Kind: event.Print, Step: act.Step, Obj: event.NoObj, Value: text})
	return nil
}

// onTerminal: this process or one of its ancestors was given a terminal.
func (a *agent) onTerminal() bool {
	for s := a.slot; s >= 0; s = a.text.Slot(s).Parent {
		if a.text.Slot(s).Flags&script.SlotTerminal != 0 {
			return true
		}
	}
	return false
}

// Check records an assertion. One that holds is recorded the first time only.
func (a *agent) Check(act *script.Action, c script.Check) {
	if c.OK {
		if a.passed[act.Step] {
			return
		}
		a.passed[act.Step] = true
	} else if a.task != nil {
		a.task.check = &c // the error travels to the caller, and says it all
		return
	}
	a.emit(&event.Rec{Kind: event.Checked, Verb: act.Verb.ID(), Step: act.Step, Obj: event.NoObj, Value: event.CheckValue(c.OK, c.Text, c.Why, parts(c.Parts))})
}

func parts(list []script.Part) []event.Part {
	out := make([]event.Part, len(list))
	for i, p := range list {
		out[i] = event.Part{Text: p.Text, Value: p.Value}
	}
	return out
}

// poll blocks until one of fds is readable, a signal wants attention
// (interrupted) or the deadline passes (all false).
func (a *agent) poll(w arena.Wait, fds ...int) (ready, interrupted bool, err error) {
	list := make([]unix.PollFd, 0, len(fds)+2)
	for _, fd := range fds {
		list = append(list, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return a.pollAll(w, list, w.Deadline)
}

// pollFd is poll for operations of primitives.
func (a *agent) pollFd(w arena.Wait, fd int, events int16, until int64) (arena.Outcome, error) {
	var room [3]unix.PollFd
	ready, interrupted, err := a.pollAll(w, append(room[:0], unix.PollFd{Fd: int32(fd), Events: events}), until)
	switch {
	case ready:
		return arena.Woken, err
	case interrupted:
		return arena.Interrupted, err
	}
	return arena.TimedOut, err
}

// ppoll is ppoll(2). A process whose other goroutines have nothing to do does
// not tell the runtime that it blocks, at first; see arena.Self.Solo.
func (a *agent) ppoll(list []unix.PollFd, ts *unix.Timespec) (int, error) {
	if !a.self.Solo {
		return unix.Ppoll(list, ts, nil)
	}
	var first *unix.PollFd
	if len(list) > 0 {
		first = &list[0]
	}
	began, whole := arena.Now(), int64(math.MaxInt64)
	if ts != nil {
		whole = ts.Nano()
	}
	solo := unix.NsecToTimespec(min(whole, int64(arena.SoloFor)))
	n, _, e := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(first)), uintptr(len(list)), uintptr(unsafe.Pointer(&solo)), 0, 0, 0)
	switch {
	case e != 0:
		return 0, e
	case n > 0 || whole <= int64(arena.SoloFor):
		return int(n), nil
	case ts == nil:
		return unix.Ppoll(list, nil, nil)
	}
	rest := unix.NsecToTimespec(max(whole-(arena.Now()-began), 0))
	return unix.Ppoll(list, &rest, nil)
}

// kernelLooks is how often one can ask the kernel in some two microseconds.
const kernelLooks = 5

func (a *agent) pollAll(w arena.Wait, list []unix.PollFd, until int64) (ready, interrupted bool, err error) {
	mine := len(list)
	if a.sig.duePending() {
		return false, true, nil
	}
	list = a.sig.fds(list)
	a.self.Enter(w)
	defer a.self.Leave()
	if a.self.Solo && (w.On < arena.OnTerminal || w.On == arena.OnSignal) {
		// Something that another process does, mostly at once.
		a.self.Linger(kernelLooks, func() bool {
			n, err := a.ppoll(list, &unix.Timespec{})
			return n != 0 || err != nil
		})
	}
	for {
		var ts *unix.Timespec
		if until != 0 {
			t := unix.NsecToTimespec(max(until-arena.Now(), 0))
			ts = &t
		}
		n, err := a.ppoll(list, ts)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return false, false, err
		case n == 0:
			return false, false, nil
		}
		for i := range list {
			if list[i].Revents != 0 {
				ready = ready || i < mine
				interrupted = interrupted || i >= mine
			}
		}
		return ready, interrupted && !ready, nil
	}
}

func (a *agent) Sleep(act *script.Action) error {
	_, interrupted, err := a.poll(arena.Wait{On: arena.OnTime, Step: act.Step, Deadline: act.Deadline})
	if err != nil {
		return err
	}
	if interrupted {
		return script.ErrInterrupted
	}
	a.emit(&event.Rec{Kind: event.Slept, Step: act.Step, Obj: event.NoObj})
	return nil
}

// Pause ends when a handler has run since it began.
func (a *agent) Pause(act *script.Action) error {
	if act.Resumed == 0 {
		act.Mark = a.handlers
	} else if a.handlers > act.Mark {
		a.emit(&event.Rec{Kind: event.Paused, Step: act.Step, Obj: event.NoObj})
		a.sig.looked = true // at the end of that handler
		return nil
	}
	w := arena.Wait{On: arena.OnSignal, Step: act.Step, Deadline: act.Deadline}
	interrupted, done, err := a.sig.await(w)
	if !done {
		_, interrupted, err = a.poll(w)
	}
	switch {
	case err != nil:
		return err
	case interrupted:
		return script.ErrInterrupted
	}
	return decl.Fail(prims.Timeout, "no signal came")
}

func (a *agent) Alarm(act *script.Action, ns int64) (float64, error) {
	tv := unix.NsecToTimeval(ns)
	if ns > 0 && tv.Sec == 0 && tv.Usec == 0 {
		tv.Usec = 1
	}
	at := arena.Now() // it cannot ring earlier than that, and so much later
	old, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: tv})
	if err != nil {
		return 0, err
	}
	left := float64(old.Value.Sec) + float64(old.Value.Usec)/1e6
	due := int64(0)
	if ns > 0 {
		due = arena.Now() + ns
	}
	a.self.Alarm.Store(due)
	a.emit(&event.Rec{Kind: event.Alarmed, At: at, Step: act.Step, Obj: event.NoObj, Value: map[string]any{"seconds": float64(ns) / 1e9, "left": left}})
	return left, nil
}

func (a *agent) Mask(act *script.Action, how string, list []int) error {
	a.emit(&event.Rec{Kind: event.Masked, Step: act.Step, Obj: event.NoObj, Value: map[string]any{"how": how, "signals": ints(list)}})
	return a.sig.mask(how, list)
}

func (a *agent) Dispose(act *script.Action, n int, disposition string) error {
	a.emit(&event.Rec{Kind: event.Disposed, Step: act.Step, Obj: event.NoObj, Value: map[string]any{"signal": n, "disposition": disposition}})
	return a.sig.dispose(n, disposition)
}

func ints(list []int) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = n
	}
	return out
}

// Kill sends a signal. The record is written first: the sender itself may not
// outlive it, and the receiver's record must not come earlier.
func (a *agent) Kill(act *script.Action, slot, n int, value *int) error {
	pid := int(a.self.Pid.Load())
	to := uint32(a.slot)
	if slot != script.Self {
		s := a.arena.Slot(slot)
		if _, reaped := s.Status(); reaped || s.State() == arena.Unborn {
			return decl.Fail(script.NoProcess, "%s", a.gone(slot))
		}
		// A process that has just been forked does not have its dispositions
		// yet; a real child would have inherited them.
		a.arena.AwaitStarted(slot)
		pid, to = int(s.Pid.Load()), uint32(slot)
	}
	v := &event.Signal{Number: n, Pid: pid}
	if value != nil {
		v.Value, v.Valued = *value, true
	}
	a.emit(&event.Rec{Kind: event.Sent, Verb: act.Verb.ID(), Step: act.Step, Obj: to, Value: v})
	var err error
	if value != nil {
		err = proc.Sigqueue(pid, n, *value)
	} else {
		err = proc.Kill(pid, n)
	}
	switch err {
	case nil:
		if int(to) == a.slot {
			a.sig.sentToSelf(n)
		}
		return nil
	}
	return killError(err, a.gone(slot))
}

func (a *agent) gone(slot int) string {
	if slot == script.Self {
		return "this process"
	}
	if a.arena.Slot(slot).State() == arena.Unborn {
		return a.nameOf(slot) + " has not been forked yet"
	}
	return a.nameOf(slot) + " has ended and was waited for"
}

// nameOf is the declared name of a slot.
func (a *agent) nameOf(slot int) string { return a.common.NameOf(script.ClassProcess, slot) }
