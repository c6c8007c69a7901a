package agent

import (
	"ipcrun/engine/event"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
)

// Fact is a snapshot of a declared name, from what is in shared memory.
func (a *agent) Fact(name string) (any, bool) {
	n, ok := a.common.Names[name]
	if !ok {
		return nil, false
	}
	one := func(i int) any {
		if n.Class == script.ClassProcess {
			return ProcessFacts(a.arena, a, n.First+i)
		}
		return a.primFacts(n.First + i)
	}
	if n.Count == 0 {
		return WithStaff(a.common, name, one(0), a.Fact), true
	}
	list := make([]any, n.Count)
	for i := range list {
		list[i] = one(i)
	}
	return list, true
}

func (a *agent) primFacts(number int) map[string]any {
	if number >= len(a.handles) || a.handles[number] == nil {
		return nil
	}
	return PrimFacts(a.kinds[number].Facts(a.handles[number], a), a, number)
}

// Process and Waiters make an agent a prims.View.
func (a *agent) Process(slot int) string { return a.nameOf(slot) }

// Primitive is the declared name of a primitive.
func (a *agent) Primitive(number int) string { return a.common.NameOf(script.ClassPrimitive, number) }

// Waiters lists who is blocked on a primitive.
func (a *agent) Waiters(number uint32) []any { return Waiters(a.arena, a, number) }

// Names gives slots and primitives their names.
type Names interface {
	Process(slot int) string
	Primitive(number int) string
	Waiters(number uint32) []any
}

// BlockedOn names what a process waits for.
func BlockedOn(w arena.Wait, names Names) string {
	switch w.On {
	case arena.OnNothing:
		return ""
	case arena.OnProcess:
		return names.Process(int(w.Arg))
	case arena.OnSignal:
		return "signal"
	case arena.OnTime:
		return "time"
	case arena.OnOrder:
		return "orders"
	case arena.OnEngine:
		return "the event log"
	case arena.OnTerminal:
		return "terminal"
	}
	return names.Primitive(int(w.On))
}

// PrimFacts completes the facts of a primitive with what its slots say.
func PrimFacts(f map[string]any, names Names, number int) map[string]any {
	if _, has := f["waiters"]; !has {
		f["waiters"] = names.Waiters(uint32(number))
	}
	return f
}

// Waiters lists the processes that are blocked on a primitive.
func Waiters(a *arena.Arena, names Names, number uint32) []any {
	out := []any{}
	for i := range a.Slots() {
		if l := a.Slot(i).Look(); l.State == arena.Blocked && l.Wait.On == number {
			out = append(out, names.Process(i))
		}
	}
	return out
}

// ProcessFacts is what shared memory says of a process.
func ProcessFacts(a *arena.Arena, names Names, slot int) map[string]any {
	s := a.Slot(slot)
	l := s.Look()
	f := map[string]any{"pid": l.Pid, "state": l.State.String(), "exit_code": nil, "exit_signal": nil, "ended": nil, "blocked_on": ""}
	if l.State == arena.Blocked {
		f["blocked_on"] = BlockedOn(l.Wait, names)
	}
	if ws, ok := s.Status(); ok {
		if n := ws & 0x7f; n != 0 {
			f["exit_signal"] = sig.Sig(n).String()
		} else {
			f["exit_code"] = int(ws >> 8 & 0xff)
		}
	} else if code, ok := s.ExitCode(); ok {
		f["exit_code"] = code
	}
	if t := s.EndedAt(); t != 0 {
		f["ended"] = float64(t-a.T0()) / 1e9
		f["state"] = arena.Ended.String()
	}
	return f
}

// always is a condition that this process checks after its own operations.
type always struct {
	a     *agent
	step  uint32
	expr  *script.Always
	cond  *script.Standalone
	about map[int]bool
	prims []int
}

func newAlways(a *agent, al script.Always) *always {
	w := &always{a: a, step: al.Step, expr: &al, about: map[int]bool{}}
	for _, p := range al.Prims {
		n := a.common.Names[p]
		for i := range max(n.Count, 1) {
			w.about[n.First+i] = true
			w.prims = append(w.prims, n.First+i)
		}
	}
	w.cond = script.NewStandalone(al.Expr, a.common, a)
	return w
}

// checkAlways checks the conditions that an operation on a primitive may have
// changed.
func (a *agent) checkAlways(number int) {
	for _, al := range a.always {
		if al.about[number] {
			al.check()
		}
	}
}

// check evaluates the condition on a snapshot in which nothing moved: the
// operation counters are the same before and after. While others keep on
// operating there is no such snapshot; they check it themselves.
func (w *always) check() {
	for _, n := range w.prims {
		if n >= len(w.a.handles) || w.a.handles[n] == nil {
			return // not ours to see; those who have it check it
		}
	}
	for range 16 {
		before := w.counters()
		ok, err := w.cond.Holds()
		if err == nil && ok {
			return
		}
		if w.counters() != before {
			continue
		}
		why := ""
		if err != nil {
			why = err.Error()
		}
		ps := parts(w.cond.Explain())
		w.a.emit(&event.Rec{Kind: event.Checked, Step: w.step, Obj: event.NoObj, Value: event.CheckValue(false, w.expr.Expr, why, ps)})
		return
	}
}

// counters is the sum of the operation counters: they only grow, so an equal
// sum means that nothing was done in between.
func (w *always) counters() (sum uint64) {
	for i := range w.a.prog.Uses {
		if u := &w.a.prog.Uses[i]; w.about[u.Number] {
			sum += arena.Counter(w.a.arena.Prims(), u.Off)
		}
	}
	return sum
}
