//go:build linux

package prims

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
	"ipcrun/prims/named"
	"ipcrun/spec/decl"
)

// The primitives are tested from several real processes at once: this binary
// again, as workers that do what the test tells them. A worker has one
// instance of one kind. When it has done all that it was told it gives that up
// and may be given another: starting a process costs twenty milliseconds.

const workerEnv = "IPCRUN_PRIMS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		work()
		os.Exit(0)
	}
	flag.Parse()
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before := openDescriptors()
	code := m.Run()
	dismiss()
	if code == 0 {
		for fd, what := range opened(before) {
			fmt.Fprintf(os.Stderr, "descriptor %d is left open: %s\n", fd, what)
			code = 1
		}
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
			fmt.Fprintln(os.Stderr, "a child is left:", pid, err)
			code = 1
		}
	}
	os.Exit(code)
}

func openDescriptors() map[int]string {
	out := map[int]string{}
	names, _ := filepath.Glob("/proc/self/fd/*")
	for _, n := range names {
		fd, err := strconv.Atoi(filepath.Base(n))
		if err != nil {
			continue
		}
		if to, err := os.Readlink(n); err == nil {
			out[fd] = to
		}
	}
	return out
}

// opened are the descriptors that are open and were not before, without those
// that the Go runtime opens for itself: its poller, and the CPU limit of its
// cgroup.
func opened(before map[int]string) map[int]string {
	out := openDescriptors()
	for fd, what := range out {
		if _, ok := before[fd]; ok || strings.HasPrefix(what, "anon_inode:[event") || strings.HasPrefix(what, "/sys/fs/cgroup/") {
			delete(out, fd)
		}
	}
	return out
}

// setup is what a worker has to know; it comes through its socket, with the
// descriptors of the arena and of the instance.
type setup struct {
	Index int
	Kind  string
	Args  Args
	Part  string // of the instance, that this worker alone has
	// Parts are the parts that it has; nil: all.
	Parts []string
}

// order is one thing to do, as a JSON line on the worker's standard input.
type order struct {
	Verb  string
	Value any            // the value parameter
	Given bool           // it was given
	Param string         // what the parameter is called, "" for value
	More  map[string]any // other parameters
	Refs  []int          // the numbers of things that it names
	// Failure, if set, is the name of one that is given as fail.
	Failure string
	Part    string // the end or part that it names
	// Float is Value where that is a float, which JSON would take for an int if
	// it is whole.
	Float  *float64
	Elems  Elems // the elements of an array that it names
	NoWait bool
	After  time.Duration // timeout, 0: none
	// Rounds, if not 0, makes it a loop of the worker's own, named by Verb.
	Rounds int
}

// reply is what came of it.
type reply struct {
	Result any
	Fail   string // name of the failure
	Err    string // any other error
	Seq    uint64
	Took   time.Duration
	// Of a loop: its operations in order.
	Ops []opDone
	// Text is what a loop has found wrong.
	Text string
}

type opDone struct {
	Verb string
	Seq  uint64
}

// decode reads JSON in which whole numbers keep all their digits.
func decode(r io.Reader) *json.Decoder {
	d := json.NewDecoder(r)
	d.UseNumber()
	return d
}

// canonical undoes what JSON does to numbers.
func canonical(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(x.String()); err == nil {
			return i
		}
		f, _ := x.Float64()
		return f
	case float64:
		if float64(int(x)) == x {
			return int(x)
		}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = canonical(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = canonical(x[k])
		}
		return out
	}
	return v
}

// worker's side.

type worker struct {
	self *arena.Self
	mem  []byte // of the instance and, behind it, the scratch of loops
	h    any
	d    *Descriptor
	// until is the condition of a wait in a loop.
	until func() (bool, error)
}

const scratch = 64 // offset of the scratch of loops behind the instance

// The worker's end of its socket, through which it gets setups.
const workerSocket = 3

// leave is what a worker is told that shall give its instance up.
const leave = "leave"

func work() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for before := openDescriptors(); serve(in, out); {
		for fd := range opened(before) {
			must(unix.Close(fd))
		}
		must(out.Encode(reply{Text: leave}))
	}
}

// enlisted waits for a setup and what comes with it; without descriptors there
// are no more.
func enlisted() (s setup, fds []int) {
	text, rights := make([]byte, 256<<10), make([]byte, unix.CmsgSpace(4*250))
	n, nr, flags, _, err := unix.Recvmsg(workerSocket, text, rights, unix.MSG_CMSG_CLOEXEC)
	must(err)
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		must(errors.New("the setup is too long"))
	}
	if n == 0 {
		return s, nil
	}
	list, err := unix.ParseSocketControlMessage(rights[:nr])
	must(err)
	fds, err = unix.ParseUnixRights(&list[0])
	must(err)
	must(decode(bytes.NewReader(text[:n])).Decode(&s))
	s.Args.Main = canonical(s.Args.Main)
	for k, v := range s.Args.Fields {
		s.Args.Fields[k] = canonical(v)
	}
	return s, fds
}

// serve is a worker's life with one instance. It reports whether another may
// follow.
func serve(in *bufio.Scanner, out *json.Encoder) bool {
	s, fds := enlisted()
	if fds == nil {
		return false
	}
	a, err := arena.Attach(fds[0])
	must(err)
	d := Get(s.Kind)
	at := &Attachment{Name: "x", Number: 0, Args: s.Args, Mem: a.Prims()}
	if d.Roles != nil {
		for i, role := range d.Roles(s.Args) {
			at.Fds = append(at.Fds, fds[1+i])
			if hasManager(s.Args) && role.Part != "" && role.Part != s.Part || s.Parts != nil && !slices.Contains(s.Parts, role.Part) {
				must(unix.Close(fds[1+i]))
				at.Fds[i] = -1
			}
		}
	}
	h, err := d.Attach(at)
	must(err)
	w := &worker{self: a.Self(s.Index, -1), mem: a.Prims(), h: h, d: d}
	w.self.Interruptible, w.self.PollFd = true, w.poll
	w.self.Callable = func() error { return proc.CatchIdly(arena.CallSignal) }
	if strings.HasPrefix(s.Kind, "sysv_") {
		runtime.GOMAXPROCS(2)
		// Who sits in a system call does not see that word: somebody has to look at
		// it instead, as the watcher of signals does in an agent.
		go func() {
			for ; ; time.Sleep(200 * time.Microsecond) {
				if w.self.Interrupt.Load() != 0 && w.self.NeedsRepeat() {
					w.self.Disturb()
				}
			}
		}()
	}
	for in.Scan() {
		var o order
		must(decode(bytes.NewReader(in.Bytes())).Decode(&o))
		o.Value = canonical(o.Value)
		if o.Float != nil {
			o.Value = *o.Float
		}
		if o.Verb == leave {
			if d.Detach != nil {
				d.Detach(h)
			}
			must(a.Close())
			return true
		}
		var r reply
		if o.Rounds > 0 {
			r = loops[o.Verb](w, o)
		} else {
			r = w.do(o)
		}
		must(out.Encode(r))
	}
	return false
}

// poll is what an agent gives to its Self: here a signal is a word in shared
// memory, which is looked at now and then.
func (w *worker) poll(wait arena.Wait, fd int, events int16, until int64) (arena.Outcome, error) {
	w.self.Enter(wait)
	defer w.self.Leave()
	list := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		span := 500 * time.Microsecond
		if until != 0 {
			span = max(min(span, time.Duration(until-arena.Now())), 0)
		}
		ts := unix.NsecToTimespec(int64(span))
		n, err := unix.Ppoll(list, &ts, nil)
		switch {
		case err != nil && err != unix.EINTR:
			return arena.Woken, err
		case n > 0:
			return arena.Woken, nil
		case w.self.Interrupt.Load() != 0:
			return arena.Interrupted, nil
		case until != 0 && arena.Now() >= until:
			return arena.TimedOut, nil
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(99)
	}
}

// do performs one operation; interrupted ones are done again, as the machine
// does it.
func (w *worker) do(o order) (r reply) {
	began := arena.Now()
	c := &Call{Self: w.self, Args: &Values{}, NoWait: o.NoWait, Elems: o.Elems}
	c.Until = w.until
	if o.Given {
		name := "value"
		if o.Param != "" {
			name = o.Param
		}
		c.Args = &Values{Names: []string{name}, Vals: []any{o.Value}}
	}
	for k, v := range o.More {
		c.Args = &Values{Names: append(c.Args.Names, k), Vals: append(c.Args.Vals, canonical(v))}
	}
	if o.Failure != "" {
		c.Args = &Values{Names: append(c.Args.Names, "fail"), Vals: append(c.Args.Vals, decl.Fail(o.Failure, ""))}
	}
	c.Part, c.Refs = o.Part, o.Refs
	if o.After != 0 {
		c.Deadline = began + int64(o.After)
	}
	for {
		err := w.d.Op(o.Verb).Do(w.h, c)
		if errors.Is(err, ErrInterrupted) {
			w.self.Interrupt.Store(0)
			continue
		}
		var f *decl.Failure
		switch {
		case errors.As(err, &f):
			r.Fail = f.Name
		case err != nil:
			r.Err = err.Error()
		default:
			r.Result, r.Seq = c.Result, c.Seq
		}
		r.Took = time.Duration(arena.Now() - began)
		return r
	}
}

// loops are what workers do by themselves, many times, by name.
var loops = map[string]func(w *worker, o order) reply{}

// the test's side.

// crew is one instance and its workers.
type crew struct {
	t       fatal
	arena   *arena.Arena
	d       *Descriptor
	args    Args
	handle  any
	ledger  *named.Ledger // of what has a name in the system
	files   []*os.File
	workers []*hand
	manager *hand // of a queue that has one, in the slot behind the workers
}

// crews counts them: each has an account of its own.
var crews atomic.Int32

// hand is a worker as the test has it.
type hand struct {
	cmd     *exec.Cmd
	in      *json.Encoder
	close   func()
	socket  int // through which it gets setups
	replies chan reply
	// once: it has been what cannot be given up, and is no use to anybody else.
	once bool
	// orders that it was given, replies that came.
	told, replied atomic.Int64
}

// idle are the workers that have no instance.
var idle struct {
	sync.Mutex
	hands []*hand
}

// dismiss ends them.
func dismiss() {
	for h := idleHand(); h != nil; h = idleHand() {
		h.end()
	}
}

// idleHand takes one of them; nil: there is none.
func idleHand() *hand {
	idle.Lock()
	defer idle.Unlock()
	n := len(idle.hands)
	if n == 0 {
		return nil
	}
	h := idle.hands[n-1]
	idle.hands = idle.hands[:n-1]
	return h
}

// tell gives it an order.
func (h *hand) tell(o order) error {
	h.told.Add(1)
	return h.in.Encode(o)
}

// end kills it.
func (h *hand) end() {
	h.close()
	_ = h.cmd.Process.Kill()
	for range h.replies {
	}
	_ = h.cmd.Wait()
}

// rest has it give its instance up, and reports whether it has. One that is in
// the middle of something cannot, nor one that is stopped or dead.
func (h *hand) rest() bool {
	if h.once || h.told.Load() != h.replied.Load() {
		return false
	}
	if f, err := proc.ReadFacts(h.cmd.Process.Pid); err != nil || f.State == 'T' || f.State == 'Z' {
		return false
	}
	if h.tell(order{Verb: leave}) != nil {
		return false
	}
	for late := time.After(patience); ; {
		select {
		case r, ok := <-h.replies:
			switch {
			case !ok:
				return false
			case r.Text == leave:
				idle.Lock()
				defer idle.Unlock()
				idle.hands = append(idle.hands, h)
				return true
			}
		case <-late:
			return false
		}
	}
}

// fatal is what tests and properties have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// manned is the greatest number of workers that a crew of each kind has had
// so far.
var manned sync.Map

func newCrew(t testing.TB, kind string, args Args, n int) *crew {
	t.Helper()
	c := newCrewOf(t, kind, args, make([][]string, n))
	t.Cleanup(c.stop)
	return c
}

// newCrewOf makes a crew in which worker i has parts[i]; nil: all. Where parts
// are named nobody else has any.
func newCrewOf(t fatal, kind string, args Args, parts [][]string) *crew {
	t.Helper()
	n := len(parts)
	own := slices.ContainsFunc(parts, func(p []string) bool { return p != nil })
	if most, _ := manned.Load(kind); most == nil || most.(int) < n {
		manned.Store(kind, n)
	}
	d := Get(kind)
	a, err := arena.Create("prims-test", arena.Layout{Slots: n + 2, Prims: max(scratch+64, d.ArenaSize(args))})
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := &crew{t: t, arena: a, d: d, args: args}
	mem := a.Prims()
	at := &Attachment{Name: "x", Args: args, Mem: mem, Engine: true}
	if d.Create != nil {
		c.ledger = named.NewLedger(fmt.Sprintf("test-%d-%d", os.Getpid(), crews.Add(1)), nil)
		cr := &Creation{Name: "x", Args: args, Mem: mem, System: c.ledger}
		if err := d.Create(cr); err != nil {
			c.ledger.Sweep()
			t.Fatalf("%v", err)
		}
		c.files = cr.Files
		for _, f := range cr.Files {
			if own {
				at.Fds = append(at.Fds, -1)
			} else {
				at.Fds = append(at.Fds, int(f.Fd()))
			}
		}
	}
	if c.handle, err = d.Attach(at); err != nil {
		t.Fatalf("%v", err)
	}
	for i := range n {
		c.workers = append(c.workers, c.startWith(setup{Index: i, Parts: parts[i]}))
	}
	if own {
		for _, f := range c.files {
			f.Close()
		}
		c.files = nil
	}
	if hasManager(args) {
		c.manage(n + 1)
	}
	return c
}

func (c *crew) start(i int, part string) *hand { return c.startWith(setup{Index: i, Part: part}) }

func (c *crew) startWith(of setup) *hand {
	c.t.Helper()
	of.Kind, of.Args = c.d.Name, c.args
	s, err := json.Marshal(of)
	if err != nil {
		c.t.Fatalf("%v", err)
	}
	h := idleHand()
	if h == nil {
		if h, err = newHand(); err != nil {
			c.t.Fatalf("%v", err)
		}
	}
	fds := []int{c.arena.Fd()}
	for _, f := range c.files {
		fds = append(fds, int(f.Fd()))
	}
	if err := unix.Sendmsg(h.socket, s, unix.UnixRights(fds...), nil, 0); err != nil {
		h.end()
		c.t.Fatalf("a worker cannot be set up: %v", err)
	}
	// What a process has to take back of a System V semaphore is taken back at its
	// end, and who looks after its calls has no other; a manager has its life.
	h.once = of.Part != "" || strings.HasPrefix(of.Kind, "sysv_")
	return h
}

// newHand starts a worker.
func newHand() (*hand, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "setups")
	defer theirs.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), workerEnv+"=1", "GOMAXPROCS=1") // it does one thing at a time, as an agent
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &hand{cmd: cmd, in: json.NewEncoder(in), socket: pair[0], replies: make(chan reply, 1)}
	h.close = sync.OnceFunc(func() {
		in.Close()
		unix.Close(pair[0])
	})
	go func() {
		defer close(h.replies)
		dec := decode(out)
		for {
			var r reply
			if dec.Decode(&r) != nil {
				return
			}
			r.Result = canonical(r.Result)
			h.replied.Add(1)
			h.replies <- r
		}
	}()
	return h, nil
}

func (c *crew) stop() {
	all := c.workers
	if c.manager != nil {
		all = append(all[:len(all):len(all)], c.manager)
	}
	for _, h := range all {
		if !h.rest() {
			h.end()
		}
	}
	if c.d.Detach != nil {
		c.d.Detach(c.handle)
	}
	for _, f := range c.files {
		f.Close()
	}
	if c.ledger != nil {
		if left := c.ledger.Sweep(); len(left) > 0 {
			c.t.Fatalf("left under names in the system: %q", left)
		}
	}
	if err := c.arena.Close(); err != nil {
		c.t.Fatalf("%v", err)
	}
}

// tell gives a worker an order and does not wait for what comes of it.
func (c *crew) tell(i int, o order) {
	if f, ok := o.Value.(float64); ok {
		o.Float = &f
	}
	if err := c.workers[i].tell(o); err != nil {
		c.t.Fatalf("worker %d: %v", i, err)
	}
}

// patience bounds every wait of the tests; it is never waited out in a run that passes.
const patience = time.Minute

// hear waits for the reply of a worker.
func (c *crew) hear(t fatal, i int) reply {
	t.Helper()
	select {
	case r, ok := <-c.workers[i].replies:
		if !ok {
			t.Fatalf("worker %d has ended", i)
		}
		if r.Err != "" {
			t.Fatalf("worker %d: %s", i, r.Err)
		}
		return r
	case <-time.After(patience):
		t.Fatalf("worker %d does not reply", i)
		return reply{}
	}
}

// do has a worker do something and waits for what comes of it.
func (c *crew) do(t fatal, i int, o order) reply {
	t.Helper()
	c.tell(i, o)
	return c.hear(t, i)
}

// blocked waits until a worker is inside a blocking operation.
func (c *crew) blocked(t fatal, i int) {
	t.Helper()
	for until := time.Now().Add(patience); c.arena.Slot(i).State() != arena.Blocked; {
		if time.Now().After(until) {
			t.Fatalf("worker %d does not block", i)
		}
		time.Sleep(20 * time.Microsecond)
	}
}

// halt stops a process and waits until it has stopped: kill returns before that.
func halt(t fatal, p *os.Process) {
	t.Helper()
	if err := p.Signal(unix.SIGSTOP); err != nil {
		t.Fatalf("%v", err)
	}
	for until := time.Now().Add(patience); ; time.Sleep(20 * time.Microsecond) {
		f, err := proc.ReadFacts(p.Pid)
		switch {
		case err != nil:
			t.Fatalf("%v", err)
		case f.State == 'T' || f.State == 'Z': // or it was about to end
			return
		case time.Now().After(until):
			t.Fatalf("process %d does not stop", p.Pid)
		}
	}
}

// disturb interrupts a worker as its signal watcher would.
func (c *crew) disturb(i int) { c.arena.Self(i, -1).Disturb() }

// each has all workers do the same at once, and returns their replies.
func (c *crew) each(o order) []reply {
	c.t.Helper()
	for i := range c.workers {
		c.tell(i, o)
	}
	var out []reply
	for i := range c.workers {
		out = append(out, c.hear(c.t, i))
	}
	return out
}
