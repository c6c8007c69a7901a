package agent

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// die ends an agent that could not even begin. The engine shows what it wrote.
func die(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "ipcrun agent: "+format+"\n", args...)
	os.Exit(111)
}

// agent is the state of this process.
type agent struct {
	slot     int
	name     string
	arena    *arena.Arena
	self     *arena.Self
	log      *event.Writer
	text     *script.Text
	common   *script.Common
	prog     *script.Program
	m        *script.Machine
	sig      *signals
	handles  []any               // by number of the primitive, nil: not inherited
	kinds    []*prims.Descriptor // the same
	fds      map[int]int         // descriptors of primitives, by number in the run
	children []*child
	always   []*always
	passed   map[uint32]bool // checks that held once
	orders   map[int]int     // sockets for the orders of idle children, by slot
	handlers int             // how many handlers have run to their end
	acting   *script.Action  // the operation on a primitive that goes on
	rec      event.Rec       // the record of the last operation: one for all, as they are many
	// logPart is recordPart, made once.
	logPart func(verb string, seq uint64, value any)
	// signal is signalFor, made once.
	signal func(slot, signal int) error
	output script.Output
	task   *doing // the task that a worker does, nil for other processes
}

type child struct {
	slot, pid, pidfd int
	reaped           bool
}

// open takes hold of what every agent has.
func open(slot int, name string) *agent {
	if err := proc.ArmLifeline(FdLifeline); err != nil {
		die("%v", err)
	}
	mem, err := arena.Attach(FdArena)
	if err != nil {
		die("%v", err)
	}
	proc.SetName(name)
	a := &agent{
		slot: slot, name: name, arena: mem, self: mem.Self(slot, FdWake), log: event.NewWriter(mem.Ring(slot, FdWake)),
		common: &script.Common{}, prog: &script.Program{}, fds: map[int]int{}, orders: map[int]int{}, passed: map[uint32]bool{},
	}
	a.self.PollFd = a.pollFd
	a.self.Callable = func() error { return proc.CatchIdly(arena.CallSignal) }
	a.self.Solo = !proc.LifelineWatched()
	a.logPart, a.signal = a.recordPart, a.signalFor
	return a
}

func run(slot int, name string) {
	a := open(slot, name)
	mem := a.arena
	a.self.MarkForked(os.Getpid())
	a.self.Ppid.Store(int32(os.Getppid()))
	if err := a.load(); err != nil {
		die("%s: %v", name, err)
	}
	// Before anybody is forked who inherits it.
	refused := a.hold(a.prog.Held)
	// Children first: they start while this process gets ready itself.
	a.assign()
	for _, c := range a.text.Children(slot) {
		if a.text.Slot(c).Flags&script.SlotForked == 0 {
			if err := a.fork(c); err != nil {
				die("%s: %v", name, err)
			}
		}
	}
	if err := a.attach(); err != nil {
		die("%s: %v", name, err)
	}
	var err error
	a.m, err = script.New(a.common, a.prog, a.text.Slot(slot).Index, a)
	if err != nil {
		die("%s: %v", name, err)
	}
	if a.sig, err = newSignals(a); err != nil {
		die("%s: %v", name, err)
	}
	a.dropPassed()
	a.emit(&event.Rec{Kind: event.Ready, Obj: event.NoObj, Value: os.Getpid()})
	a.self.Started()
	mem.WakeEngine(FdWake)
	mem.AwaitGo()
	a.self.SetState(arena.Running)
	switch {
	case refused != nil:
		a.failed(refused.at, 0, refused.err, 0)
		a.exit(1, 0)
	case a.prog.Serves != nil:
		a.serve(*a.prog.Serves)
	case a.prog.Idle:
		a.obey()
	default:
		a.work()
	}
	a.finish()
}

// load reads the programs.
func (a *agent) load() error {
	var err error
	if a.text, err = script.ReadText(a.arena.Text()); err != nil {
		return err
	}
	if err := script.Decode(a.text.Part(0), a.common); err != nil {
		return err
	}
	if err := script.Decode(a.text.Part(a.text.Slot(a.slot).Part), a.prog); err != nil {
		return err
	}
	for _, al := range a.common.Always {
		a.always = append(a.always, newAlways(a, al))
	}
	return nil
}

// assign notes which inherited descriptor is which.
func (a *agent) assign() {
	fd := FdPrims
	take := func() int {
		fd++
		return fd - 1
	}
	for i := range a.prog.Uses {
		for _, n := range a.prog.Uses[i].Fds {
			if n >= 0 {
				a.fds[n] = take()
			}
		}
	}
	for _, s := range idleBelow(a.text, a.slot) {
		a.orders[s] = take()
	}
	for i := FdArena; i < fd; i++ {
		unix.CloseOnExec(i)
	}
}

// attach takes hold of the primitives.
func (a *agent) attach() error {
	mem := a.arena.Prims()
	top := 0
	for i := range a.prog.Uses {
		top = max(top, a.prog.Uses[i].Number+1)
	}
	a.handles, a.kinds = make([]any, top), make([]*prims.Descriptor, top)
	for i := range a.prog.Uses {
		u := &a.prog.Uses[i]
		at := &prims.Attachment{Name: u.Name, Number: uint32(u.Number), Args: u.Args(), Mem: mem[u.Off : u.Off+u.Size : u.Off+u.Size]}
		for _, n := range u.Fds {
			fd := -1
			if n >= 0 {
				fd = a.fds[n]
			}
			at.Fds = append(at.Fds, fd)
		}
		at.Closed = func(role int) { delete(a.fds, u.Fds[role]) }
		d := prims.Get(u.Kind)
		if d == nil {
			return fmt.Errorf("no primitive of kind %s", u.Kind)
		}
		h, err := d.Attach(at)
		if err != nil {
			return err
		}
		a.handles[u.Number], a.kinds[u.Number] = h, d
	}
	return nil
}

// dropPassed closes what this process held for its children alone, and what
// is mapped, once no child is left to be forked.
func (a *agent) dropPassed() {
	for _, c := range a.text.Children(a.slot) {
		if a.child(c) == nil {
			return
		}
	}
	for i := range a.prog.Uses {
		u := &a.prog.Uses[i]
		roles := a.kinds[u.Number].Roles
		if roles == nil {
			continue
		}
		for k, r := range roles(u.Args()) {
			if fd, open := a.fds[u.Fds[k]]; open && (u.Pass[k] || r.Mapped) {
				unix.Close(fd)
				delete(a.fds, u.Fds[k])
			}
		}
	}
	for slot, fd := range a.orders {
		unix.Close(fd)
		delete(a.orders, slot)
	}
}

// work runs the script to its end.
func (a *agent) work() {
	for {
		act := a.m.Next()
		if act == nil {
			return
		}
		a.do(act)
	}
}

// do performs one action and what signals want done after it.
func (a *agent) do(act *script.Action) {
	res, err := act.Verb.Run(a, act)
	if err == script.ErrInterrupted {
		a.sig.deliver()
		return
	}
	a.m.Done(act, res, err)
	if err != nil {
		if end := a.m.End(); end == nil || end.Uncaught == nil {
			a.failed(act.Step, act.Verb.ID(), err, event.FlagExpected)
		}
	}
	// Where a handler ends with this step, signals are looked for at its end.
	if a.sig.any && !a.m.HandlerEnds() {
		a.sig.poll()
	}
}

// failed records an error.
func (a *agent) failed(step uint32, verb uint16, err error, flags uint8) {
	v := map[string]any{"name": "Error", "detail": err.Error()}
	var f *decl.Failure
	if errors.As(err, &f) {
		v["name"], v["detail"] = f.Name, f.Detail
	}
	a.emit(&event.Rec{Kind: event.Fail, Flags: flags, Verb: verb, Step: step, Obj: event.NoObj, Value: v})
}

// finish ends the process the way its script ended.
func (a *agent) finish() {
	end := a.m.End()
	code, step := 0, uint32(0)
	if end != nil {
		code, step = end.Code, end.Step
		if u := end.Uncaught; u != nil {
			a.failed(u.Step, 0, u.Cause(), 0)
		}
	}
	a.exit(code, step)
}

// exit ends the process; step is the step that wants it to end, 0 if none does.
func (a *agent) exit(code int, step uint32) {
	a.self.RecordExit(code)
	a.emit(&event.Rec{Kind: event.Exiting, Step: step, Obj: event.NoObj, Value: code})
	for {
		unix.Exit(code)
	}
}

// emit writes a record, stamped now unless it says when.
func (a *agent) emit(r *event.Rec) {
	if r.At == 0 {
		r.At = arena.Now()
	}
	a.log.Write(r)
}

func (a *agent) child(slot int) *child {
	for _, c := range a.children {
		if c.slot == slot {
			return c
		}
	}
	return nil
}
