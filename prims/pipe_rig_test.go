//go:build linux

package prims

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// A rig is one pipe and several processes that are threads here: each has its
// own copies of the ends, its own handle and its own slot.
type rig struct {
	t     fatal
	arena *arena.Arena
	d     *Descriptor
	mem   []byte
	facts any // the engine's handle
	procs []*rigProc
	over  atomic.Bool
	crew  *crew // the processes are real ones
}

// newRealRig is a rig of real processes.
func newRealRig(t fatal, args Args, parts ...[]string) *rig {
	t.Helper()
	c := newCrewOf(t, "pipe", args, parts)
	r := &rig{t: t, arena: c.arena, d: c.d, mem: c.arena.Prims(), facts: c.handle, crew: c}
	for i, w := range c.workers {
		r.procs = append(r.procs, &rigProc{r: r, number: i, reply: w.replies})
	}
	return r
}

type rigProc struct {
	r      *rig
	number int
	self   *arena.Self
	h      *pipe
	event  int // readable when the process is disturbed
	orders chan pipeOrder
	reply  chan reply
}

// pipeOrder is one operation.
type pipeOrder struct {
	verb, part string
	value      any
	size       int
	noWait     bool
	after      time.Duration
}

// newRig makes a pipe of which process i inherits the ends parts[i]; nil: both.
func newRig(t fatal, args Args, parts ...[]string) *rig {
	t.Helper()
	d := Get("pipe")
	if args.Fields == nil {
		args.Fields = map[string]any{}
	}
	a, err := arena.Create("pipe-test", arena.Layout{Slots: len(parts), Prims: d.ArenaSize(args)})
	if err != nil {
		t.Fatalf("%v", err)
	}
	r := &rig{t: t, arena: a, d: d, mem: a.Prims()}
	cr := &Creation{Name: "x", Args: args, Mem: r.mem}
	if err := d.Create(cr); err != nil {
		t.Fatalf("%v", err)
	}
	at := &Attachment{Name: "x", Args: args, Mem: r.mem, Engine: true, Fds: []int{-1, -1}}
	if r.facts, err = d.Attach(at); err != nil {
		t.Fatalf("%v", err)
	}
	for i, have := range parts {
		p := &rigProc{r: r, number: i, orders: make(chan pipeOrder), reply: make(chan reply, 1)}
		at := &Attachment{Name: "x", Args: args, Mem: r.mem}
		for k, role := range d.Roles(args) {
			fd := -1
			if have == nil || contains(have, role.Part) {
				if fd, err = unix.FcntlInt(cr.Files[k].Fd(), unix.F_DUPFD_CLOEXEC, 3); err != nil {
					t.Fatalf("%v", err)
				}
			}
			at.Fds = append(at.Fds, fd)
		}
		h, err := d.Attach(at)
		if err != nil {
			t.Fatalf("%v", err)
		}
		p.h = h.(*pipe)
		if p.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
			t.Fatalf("%v", err)
		}
		p.self = a.Self(i, -1)
		p.self.Interruptible, p.self.PollFd = true, p.poll
		r.procs = append(r.procs, p)
		go p.run()
	}
	for _, f := range cr.Files {
		f.Close()
	}
	return r
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// stop ends the processes, whatever they do.
func (r *rig) stop() {
	if r.crew != nil {
		r.crew.stop()
		return
	}
	r.over.Store(true)
	for i, p := range r.procs {
		close(p.orders)
		r.disturb(i)
		for range p.reply {
		}
		p.h.detach()
		unix.Close(p.event)
	}
	r.arena.Close()
}

func (p *rigProc) run() {
	runtime.LockOSThread()
	defer close(p.reply)
	for o := range p.orders {
		p.reply <- p.do(o)
	}
}

// poll is what an agent gives to its Self.
func (p *rigProc) poll(w arena.Wait, fd int, events int16, until int64) (arena.Outcome, error) {
	return pollEither(p.self, w, fd, events, until, p.event)
}

func pollEither(self *arena.Self, w arena.Wait, fd int, events int16, until int64, event int) (arena.Outcome, error) {
	self.Enter(w)
	defer self.Leave()
	list := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(event), Events: unix.POLLIN}}
	for {
		var ts *unix.Timespec
		if until != 0 {
			t := unix.NsecToTimespec(max(until-arena.Now(), 0))
			ts = &t
		}
		n, err := unix.Ppoll(list, ts, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return arena.Woken, err
		case n == 0:
			return arena.TimedOut, nil
		case list[0].Revents != 0:
			return arena.Woken, nil
		default:
			return arena.Interrupted, nil
		}
	}
}

func (p *rigProc) do(o pipeOrder) (r reply) {
	began := arena.Now()
	c := &Call{Self: p.self, Args: &Values{Names: []string{"value"}, Vals: []any{o.value}}, Part: o.part, NoWait: o.noWait}
	if o.size != 0 {
		c.Args = &Values{Names: []string{"size"}, Vals: []any{o.size}}
	}
	if o.after != 0 {
		c.Deadline = began + int64(o.after)
	}
	for {
		err := p.r.d.Op(o.verb).Do(p.h, c)
		if errors.Is(err, ErrInterrupted) && !p.r.over.Load() {
			var b [8]byte
			_, _ = unix.Read(p.event, b[:])
			p.self.Interrupt.Store(0)
			continue
		}
		var f *decl.Failure
		switch {
		case errors.As(err, &f):
			r.Fail, r.Text = f.Name, f.Detail
		case err != nil:
			r.Err = err.Error()
		default:
			r.Result, r.Seq = c.Result, c.Seq
		}
		r.Took = time.Duration(arena.Now() - began)
		return r
	}
}

// disturb interrupts a process as a signal would.
func (r *rig) disturb(i int) {
	if r.crew != nil {
		r.crew.disturb(i)
		return
	}
	b := [8]byte{1}
	_, _ = unix.Write(r.procs[i].event, b[:])
	r.procs[i].self.Disturb()
}

func (r *rig) tell(i int, o pipeOrder) {
	if r.crew == nil {
		r.procs[i].orders <- o
		return
	}
	told := order{Verb: o.verb, Part: o.part, Value: o.value, Given: true, NoWait: o.noWait, After: o.after}
	if o.size != 0 {
		told.Value, told.Param = o.size, "size"
	}
	r.crew.tell(i, told)
}

func (r *rig) hear(i int) reply {
	r.t.Helper()
	select {
	case got := <-r.procs[i].reply:
		if got.Err != "" {
			r.t.Fatalf("process %d: %s", i, got.Err)
		}
		return got
	case <-time.After(patience):
		r.t.Fatalf("process %d does not reply: it is %s", i, r.arena.Slot(i).State())
		return reply{}
	}
}

func (r *rig) do(i int, o pipeOrder) reply {
	r.t.Helper()
	r.tell(i, o)
	return r.hear(i)
}

// blocked waits until a process is inside a blocking operation.
func (r *rig) blocked(i int) {
	r.t.Helper()
	for until := time.Now().Add(patience); r.arena.Slot(i).State() != arena.Blocked; {
		select {
		case got := <-r.procs[i].reply:
			r.t.Fatalf("process %d does not block: %v %s %s", i, got.Result, got.Fail, got.Text)
		default:
		}
		if time.Now().After(until) {
			r.t.Fatalf("process %d does not block", i)
		}
		time.Sleep(20 * time.Microsecond)
	}
}

// wants checks what came of an operation: a failure, or a result.
func (r *rig) wants(i int, o pipeOrder, result any, fail string) reply {
	r.t.Helper()
	got := r.do(i, o)
	if got.Fail != fail || fail == "" && fmt.Sprint(got.Result) != fmt.Sprint(result) {
		r.t.Fatalf("process %d, %+v: %v %s %s, want %v %s", i, o, short(got.Result), got.Fail, got.Text, short(result), fail)
	}
	return got
}

func short(v any) string {
	s := fmt.Sprint(v)
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

// ends a process as the engine sees it: its copies are closed, and everybody is
// told.
func (r *rig) kill(i int) {
	if r.crew != nil {
		r.crew.kill(i)
		return
	}
	r.procs[i].h.detach()
	r.arena.Slot(i).NoteEnd(arena.Now())
	r.d.Died(r.facts, i)
}

func (r *rig) fact(name string) any { return r.d.Facts(r.facts, nil)[name] }

func send(part string, v any) pipeOrder { return pipeOrder{verb: "send", part: part, value: v} }
func recv(part string) pipeOrder        { return pipeOrder{verb: "recv", part: part} }

// oneway is a rig of a one-way pipe with a writer, 0, and a reader, 1.
func oneway(t testing.TB, fields map[string]any) *rig {
	r := newRig(t, Args{Main: oneWay, Fields: fields}, []string{"w"}, []string{"r"})
	t.Cleanup(r.stop)
	return r
}

// twoway is a rig of a two-way pipe with a process at each end.
func twoway(t testing.TB) *rig {
	r := newRig(t, Args{}, []string{"a"}, []string{"b"})
	t.Cleanup(r.stop)
	return r
}

// pattern is text of n bytes that is not like any other.
func pattern(n int) string {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[rng.IntN(36)]
	}
	return string(b)
}
