package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ipcrun/engine/agent"
	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
)

// errTimeout: the deadline that a step declared has passed.
var errTimeout = errors.New("timeout")

// stuck: nobody can do anything any more that would help.
type stuck struct {
	at    int64 // when that was seen; what it takes to explain it comes after
	why   string
	waits []any
	cycle []any
}

func (s *stuck) Error() string { return s.why }

// look is what one look at all processes saw.
type look struct {
	stuck bool
	epoch uint64 // sum of the epochs of all slots, and of records drained
}

// look reports that nobody can move, if two looks agree on it: every live
// process is blocked without a deadline, what it waits for is not there, and
// nothing is on its way.
func (r *run) look() *stuck {
	now := r.lookOnce()
	if !now.stuck {
		r.looked = now
		return nil
	}
	before := r.looked
	r.looked = now
	if !before.stuck || before.epoch != now.epoch {
		// A second look, at once: what is on its way has had the time of a
		// system call, and lookOnce knows what it would have changed.
		r.pump(0)
		again := r.lookOnce()
		r.looked = again
		if !again.stuck || again.epoch != now.epoch {
			return nil
		}
	}
	found := arena.Now()
	return &stuck{at: found, why: "nobody can move any more", waits: r.waits(), cycle: r.cycle()}
}

func (r *run) lookOnce() look {
	// What was written to a terminal may still be on its way through the
	// kernel; a read that finds nothing has waited for it.
	before := r.news
	for slot := range r.terms {
		r.readTerminal(slot, false)
	}
	if r.news != before {
		return look{}
	}
	l := look{epoch: uint64(r.log.Len())}
	// What shared memory says is cheap, and mostly enough.
	for i, p := range r.procs {
		s := r.arena.Slot(i)
		if r.arena.Pending(i) {
			return l
		}
		if p.ended && p.program != nil && !p.program.alone {
			return l // somebody whom it has left behind may print
		}
		if p.ended || s.State() == arena.Unborn {
			continue
		}
		if !p.forked {
			return l
		}
		v := s.Look()
		l.epoch += v.Epoch
		if v.State == arena.Ended || v.State == arena.Blocked && r.mayGoOn(p, v) {
			return l
		}
	}
	for i, p := range r.procs {
		if p.forked && !p.ended && r.moves(p, r.arena.Slot(i).Look()) {
			return l
		}
	}
	for _, p := range r.procs {
		if p.forked && p.ended && !p.reaped && vanishes(p.pid) {
			return l
		}
	}
	l.stuck = true
	return l
}

// vanishes reports whether a process that has ended is about to be gone although
// nobody waits for it: its parent ignores SIGCHLD. Its descriptor says that it has
// ended before the kernel has taken it away.
func vanishes(pid int) bool {
	f, err := proc.ReadFacts(pid)
	if err != nil {
		return false
	}
	parent, err := proc.ReadFacts(f.Ppid)
	return f.State == 'X' || err == nil && parent.SigIgn&proc.Bit(int(sig.CHLD)) != 0
}

// lateAlarm is how late an alarm may ring: the kernel's timer is not on time where the
// processor that it is to ring on has been taken away from the whole machine. Of one
// that has rung the process says so; only one that nobody handles is waited for as long.
const lateAlarm = 2 * time.Second

// mayGoOn reports whether what a blocked process waits for may be there, or
// comes by itself.
func (r *run) mayGoOn(p *process, v arena.Look) bool {
	w := v.Wait
	if w.Deadline != 0 || v.Alarm != 0 && v.Alarm > arena.Now()-int64(lateAlarm) {
		return true
	}
	switch w.On {
	case arena.OnTime, arena.OnEngine, arena.OnTerminal, arena.OnNothing:
		return true
	case arena.OnOrder:
		return p.pending > 0 || p.orders == 0
	case arena.OnSignal:
		return false
	case arena.OnProcess:
		return r.procs[w.Arg].ended || r.arena.Slot(int(w.Arg)).State() == arena.Ended
	}
	if int(w.On) >= len(r.handles) {
		return true
	}
	verb := script.VerbByID(uint16(w.Verb))
	if verb == nil {
		return true
	}
	op := r.plan.Prims[w.On].Kind.Op(verb.Name)
	return op.Ready == nil || op.Ready(r.handles[w.On], w.Arg)
}

// moves asks the kernel: a process that is woken up is running, whether or not
// it has had a processor yet, and a signal on its way is pending.
func (r *run) moves(p *process, v arena.Look) bool {
	f, err := proc.ReadFacts(p.pid)
	if err != nil || f.State == 'Z' || f.State == 'X' {
		return true // it has ended: its descriptor will say so
	}
	pending := f.SigPnd | f.ShdPnd
	if r.isStopped(&f) {
		return pending&(proc.Bit(int(sig.CONT))|proc.Bit(int(sig.KILL))) != 0
	}
	if v.State != arena.Blocked || proc.AnyThreadRuns(p.pid) {
		return true
	}
	// A signal that the script does not hold back will be handled.
	return pending&^f.SigIgn&^r.arena.Slot(p.slot).Mask.Load() != 0
}

// anybodyWaits reports whether a process is stuck, and not the script alone. One
// that is idle waits for the script, a daemon and a worker without a task may wait
// for ever: with nobody else left nothing is wrong with the processes.
func (r *run) anybodyWaits() bool {
	for i, p := range r.procs {
		if !p.forked || p.ended || r.plan.Slots[i].Flags&script.SlotDaemon != 0 {
			continue
		}
		v := r.arena.Slot(i).Look()
		if v.State == arena.Blocked && v.Wait.On == arena.OnOrder {
			continue
		}
		if of := r.plan.Slots[i].Proc.Of; of != nil && v.State == arena.Blocked {
			if on := int(v.Wait.On); on < len(r.plan.Prims) && r.plan.Prims[on].Decl == of {
				continue
			}
		}
		return true
	}
	return false
}

// waits describes every live process and what it waits for, for the record.
func (r *run) waits() []any {
	out := []any{}
	held := map[holding]uint32{}
	for i, p := range r.procs {
		if p.ended && p.program != nil && !p.program.alone {
			if why := r.leftBehind(i); why != "" {
				out = append(out, map[string]any{"proc": i, "step": 0, "since": 0, "on": "", "why": why})
			}
		}
		if !p.forked || p.ended {
			continue
		}
		v := r.arena.Slot(i).Look()
		m := map[string]any{"proc": i, "step": int(v.Wait.Step), "since": int(v.Wait.Since), "on": "", "why": ""}
		f, err := proc.ReadFacts(p.pid)
		switch {
		case err == nil && r.isStopped(&f):
			m["why"] = "it is stopped, and nobody sends SIGCONT"
			m["on"] = "SIGCONT"
		case err == nil && r.isForeign(i) && v.State != arena.Blocked:
			m["on"], m["why"] = r.foreignState(i, &f)
		case v.State != arena.Blocked:
			m["why"] = "it runs"
		default:
			m["on"] = agent.BlockedOn(v.Wait, r)
			m["why"] = r.whyWaits(i, v.Wait)
			if verb := script.VerbByID(uint16(v.Wait.Verb)); verb != nil && int(v.Wait.On) < len(r.handles) {
				m["verb"] = verb.Name
			}
			holders := r.waitsFor(v.Wait)
			steps := make([]any, len(holders)) // at which they took what it wants
			for i, h := range holders {
				steps[i] = holding{h.(int), v.Wait.On}
				held[holding{h.(int), v.Wait.On}] = 0
			}
			m["for"], m["held"] = holders, steps
		}
		out = append(out, m)
	}
	r.lastSteps(held)
	for _, m := range out {
		steps, _ := m.(map[string]any)["held"].([]any)
		for i := range steps {
			steps[i] = int(held[steps[i].(holding)])
		}
	}
	return out
}

// whyWaits says in words what a wait of the process in slot needs.
func (r *run) whyWaits(slot int, w arena.Wait) string {
	if b, ok := r.blockedIn(w); ok {
		return r.whyBlocked(slot, b)
	}
	name := agent.BlockedOn(w, r)
	switch w.On {
	case arena.OnSignal:
		return "it waits for a signal (pause), and nobody sends one"
	case arena.OnProcess:
		return "it waits for " + name + " to end"
	case arena.OnOrder:
		return "it waits for an order of the script"
	case arena.OnTime:
		return "it sleeps"
	case arena.OnTerminal:
		return "it writes to its terminal"
	case arena.OnEngine:
		return "it waits for room in the event log"
	}
	verb := "waits for"
	if v := script.VerbByID(uint16(w.Verb)); v != nil {
		verb = "wants to " + v.Name
	}
	holders := r.waitsFor(w)
	if len(holders) > 0 {
		var who []string
		for _, h := range holders {
			who = append(who, r.Process(h.(int)))
		}
		holds := "holds"
		if p := r.procs[holders[0].(int)]; len(holders) == 1 && p.ended {
			holds = "held when it ended, and nobody gives back"
		}
		return fmt.Sprintf("it %s %s, which %s %s", verb, name, strings.Join(who, " and "), holds)
	}
	if verb == "wants to wait" {
		return "it waits for " + name
	}
	return fmt.Sprintf("it %s %s", verb, name)
}

// waitsFor lists the slots that a blocked process waits for.
func (r *run) waitsFor(w arena.Wait) (slots []any) {
	if w.On == arena.OnProcess {
		return []any{int(w.Arg)}
	}
	if int(w.On) >= len(r.handles) {
		return nil
	}
	kind := r.plan.Prims[w.On].Kind
	if kind.Holders == nil {
		return nil
	}
	for _, h := range kind.Holders(r.handles[w.On]) {
		slots = append(slots, h)
	}
	return slots
}

// holding is a process that has something another one waits for.
type holding struct {
	slot int
	on   uint32 // number of the primitive, arena.OnProcess where it is waited for itself
}

// lastSteps fills in the steps of the last operations of processes on primitives. It
// reads the whole log, however many it is asked for.
func (r *run) lastSteps(of map[holding]uint32) {
	if len(of) == 0 {
		return
	}
	r.log.Each(func(_ int, k event.Kind) bool { return k == event.Op }, func(slot int, rec event.Rec) {
		h := holding{slot, rec.Obj}
		if _, ok := of[h]; ok {
			of[h] = rec.Step
		}
	})
}

// cycle finds processes that wait for one another, in order.
func (r *run) cycle() []any {
	next := map[int][]any{}
	for i, p := range r.procs {
		if !p.forked || p.ended {
			continue
		}
		if v := r.arena.Slot(i).Look(); v.State == arena.Blocked {
			if b, ok := r.blockedIn(v.Wait); ok {
				next[i] = r.keptBy(i, b)
				continue
			}
			next[i] = r.waitsFor(v.Wait)
		}
	}
	state := map[int]int{} // 1: on the path, 2: done
	var path []int
	var found []any
	var visit func(int) bool
	visit = func(i int) bool {
		state[i] = 1
		path = append(path, i)
		for _, n := range next[i] {
			k := n.(int)
			if state[k] == 1 {
				for j := len(path) - 1; j >= 0; j-- {
					found = append([]any{path[j]}, found...)
					if path[j] == k {
						return true
					}
				}
			}
			if state[k] == 0 && visit(k) {
				return true
			}
		}
		path = path[:len(path)-1]
		state[i] = 2
		return false
	}
	for i := range r.procs {
		if state[i] == 0 && len(next[i]) > 0 && visit(i) {
			return found
		}
	}
	return nil
}

// deadlock records that nobody can move and ends the run.
func (r *run) deadlock(step uint32, s *stuck) {
	r.emit(&event.Rec{Kind: event.Deadlock, At: s.at, Step: step, Obj: event.NoObj, Value: map[string]any{
		"waits": s.waits, "cycle": s.cycle, "doing": r.doing, "why": s.why,
	}})
	r.stop = errFailed
}
