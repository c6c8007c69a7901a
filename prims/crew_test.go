//go:build linux

package prims

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
	"ipcrun/prims/named"
)

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
