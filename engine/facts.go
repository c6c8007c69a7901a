package engine

import (
	"fmt"
	"strconv"
	"strings"

	"ipcrun/engine/agent"
	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
)

func signalName(n int) string { return sig.Sig(n).String() }

// Process, Primitive and Waiters give numbers their names.
func (r *run) Process(slot int) string {
	if slot < 0 || slot >= len(r.plan.Slots) {
		return "?"
	}
	return r.plan.Slots[slot].Name
}

// Primitive is the declared name of a primitive.
func (r *run) Primitive(number int) string {
	if number < 0 || number >= len(r.plan.Prims) {
		return "?"
	}
	return r.plan.Prims[number].Name
}

// Waiters lists who is blocked on a primitive.
func (r *run) Waiters(number uint32) []any { return agent.Waiters(r.arena, r, number) }

// Fact is a snapshot of a declared name for the script: what shared memory
// says, what processes have recorded, and what the process file system knows.
func (r *run) Fact(name string) (any, bool) {
	n, ok := r.plan.Common.Names[name]
	if !ok {
		return nil, false
	}
	if n.Class == script.ClassProcess {
		r.catchUp(n.First, max(n.Count, 1))
	}
	one := func(i int) any {
		if n.Class == script.ClassProcess {
			return &processRecord{r: r, slot: n.First + i}
		}
		p := r.plan.Prims[n.First+i]
		return agent.PrimFacts(p.Kind.Facts(r.handles[p.Number], r), r, p.Number)
	}
	if n.Count == 0 {
		return agent.WithStaff(&r.plan.Common, name, one(0), r.Fact), true
	}
	list := make([]any, n.Count)
	for i := range list {
		list[i] = one(i)
	}
	return list, true
}

// catchUp takes note of what has happened to count processes before this moment. What
// the script has heard of another may be newer than the last look at these: a parent
// says that it has waited for one, or who got a message from it prints that. Who waits
// for a condition asks again, and the kernel is not asked each time.
func (r *run) catchUp(first, count int) {
	r.discover()
	r.drain()
	foreign := false
	for slot := first; slot < first+count; slot++ {
		r.outOf(slot)
		foreign = foreign || r.isForeign(slot)
	}
	if foreign {
		r.find(!r.waiting)
	}
	for slot := first; slot < first+count && !r.waiting; slot++ {
		r.noteEnd(slot)
		r.awaitEnding(slot)
	}
}

// processRecord are the facts of a process, those of the kernel read when the
// first of them is asked for.
type processRecord struct {
	r      *run
	slot   int
	shared map[string]any
	kernel *kernelRecord
	said   string // its state, as it says itself
}

// Field is one fact.
func (p *processRecord) Field(name string) (any, bool) {
	if p.shared == nil {
		p.readShared()
	}
	if v, ok := p.shared[name]; ok {
		return v, true
	}
	return p.ofKernel(name), true
}

// Map is all of them.
func (p *processRecord) Map() map[string]any {
	out := map[string]any{}
	for _, f := range script.ProcessFacts {
		v, _ := p.Field(f.Name)
		if _, unknown := v.(error); unknown {
			v = nil
		}
		out[f.Name] = v
	}
	return out
}

// readShared takes what the engine knows without asking the kernel.
func (p *processRecord) readShared() {
	r := p.r
	d := r.procs[p.slot]
	f := agent.ProcessFacts(r.arena, r, p.slot)
	// What it is blocked on and that it is blocked are one reading.
	if p.said, _ = f["state"].(string); p.said == arena.Ended.String() {
		p.said = arena.Running.String() // until its end has been taken note of
	}
	delete(f, "state")
	f["exit_code"], f["exit_signal"] = nil, nil
	if d.ended {
		st := agent.StatusValue(d.pid, d.status)
		f["exit_code"], f["exit_signal"] = st["exit_code"], st["exit_signal"]
		if !d.status.Known {
			f["exit_code"], f["exit_signal"] = errUnknownEnd, errUnknownEnd
		}
	} else {
		f["ended"] = nil
	}
	f["pid"] = d.pid
	f["started"] = nil
	if d.readyAt != 0 {
		f["started"] = float64(d.readyAt-r.arena.T0()) / 1e9
	}
	f["output"] = r.outputOf(p.slot)
	printed := r.linesOf(p.slot)
	lines := make([]any, len(printed))
	for i, l := range printed {
		lines[i] = l
	}
	f["lines"] = lines
	f["errors"] = string(d.stderr)
	vars := d.vars
	if vars == nil {
		vars = map[string]any{}
	}
	f["vars"] = vars
	if r.isForeign(p.slot) && f["blocked_on"] == "" {
		delete(f, "blocked_on")
	}
	p.shared = f
}

// ofKernel is a fact that the kernel tells.
func (p *processRecord) ofKernel(name string) any {
	r, d := p.r, p.r.procs[p.slot]
	if p.kernel == nil {
		p.kernel = &kernelRecord{r: r, pid: d.pid, slot: p.slot}
		if !d.forked || d.ended && !d.exists() {
			p.kernel.facts = &proc.Facts{State: 'X'}
		}
	}
	k := p.kernel
	if name == "state" {
		return p.state(k.read())
	}
	if !r.isForeign(p.slot) && !k.gone() {
		// An agent catches and blocks more than its script does.
		s := r.arena.Slot(p.slot)
		// Until the agent has said what is done about signals, Go's runtime catches all
		// of them, and what whoever started ipcrun had ignored still is. What it says
		// of itself was read before the kernel's facts.
		starting := p.said == arena.Starting.String()
		switch name {
		case "ignores":
			if starting {
				return []any{}
			}
		case "catches":
			if starting {
				return []any{}
			}
			return signalNames(k.read().SigCgt &^ runtimeSignals &^ s.Kept.Load())
		case "blocks":
			return signalNames(s.Mask.Load())
		}
	}
	return k.Field(name)
}

// internal reports whether a descriptor of a process is the engine's affair.
func (r *run) internal(slot, fd int, to string) bool {
	if fd >= agent.FdArena && fd < agent.FdPrims || strings.HasPrefix(to, "anon_inode:[event") {
		return true
	}
	// Above those of primitives are the lifeline and what signals come through.
	n := agent.FdPrims
	for _, u := range r.plan.Programs[r.plan.Slots[slot].Part-1].Uses {
		for _, fd := range u.Fds {
			if fd >= 0 {
				n++
			}
		}
	}
	return fd >= max(n, proc.HighFd)
}

// runtimeSignals are caught by the runtime of every Go program for itself.
const runtimeSignals = 1<<(32-1) | 1<<(33-1)

// state refines what the process says of itself by what the kernel says.
func (p *processRecord) state(f *proc.Facts) string {
	d := p.r.procs[p.slot]
	switch {
	case !d.forked:
		return arena.Unborn.String()
	case f.State == 'Z' && d.ended:
		// Not before its end has been taken note of: the facts of a process
		// agree with one another.
		return "zombie"
	case p.r.isStopped(f):
		return "stopped"
	case d.ended:
		return arena.Ended.String()
	case p.r.isForeign(p.slot) && f.State != 'Z' && f.State != 'X':
		return stateWord(f.State)
	}
	return p.said
}

func signalNames(mask uint64) []any {
	out := []any{}
	for n := 1; n <= 64; n++ {
		if mask&proc.Bit(n) != 0 && sig.Sig(n).Valid() {
			out = append(out, signalName(n))
		}
	}
	return out
}

// pidName is the declared name behind a process id, or the id.
func (r *run) pidName(pid int) string {
	for i, p := range r.procs {
		if p.forked && p.pid == pid {
			return r.plan.Slots[i].Name
		}
	}
	return strconv.Itoa(pid)
}

// Func computes the functions of conditions.
func (r *run) Func(name string, args []any) (any, error) {
	str := func(i int) string {
		if i < len(args) {
			if s, ok := args[i].(string); ok {
				return s
			}
		}
		return ""
	}
	r.drain()
	switch name {
	case "signals":
		to, ok := r.slotOf(str(1))
		if !ok {
			return nil, fmt.Errorf("no process %q", str(1))
		}
		from := fromOther
		switch str(0) {
		case "kernel":
			from = fromKernel
		case "script":
			from = fromScript
		default:
			if from, ok = r.slotOf(str(0)); !ok {
				return nil, fmt.Errorf("no process %q", str(0))
			}
		}
		out := []any{}
		if r.isObserved(to) {
			if !r.waiting {
				if err := r.awaitArrived(from, to); err != nil {
					return nil, err
				}
			}
			// An observer sees what arrives, whoever sent it.
			return append(out, r.observedSignals(from, to)...), nil
		}
		for _, s := range r.sent {
			if s.from == from && s.to == to {
				out = append(out, signalName(s.signal))
			}
		}
		return out, nil
	case "events":
		r.catchUp(0, len(r.procs))
		out := []any{}
		for _, e := range r.events(nil) {
			if e.Proc == "" || e.Proc != str(0) && !strings.HasPrefix(e.Proc, str(0)+"[") {
				continue
			}
			out = append(out, map[string]any{"type": e.Type, "verb": e.Verb, "object": e.Object, "value": e.Value, "signal": e.Signal, "at": float64(e.At) / 1e9})
		}
		return out, nil
	case "before":
		var first, second int64
		for _, e := range r.events(nil) {
			if e.Step == "" || event.KindOf(e.Type) == event.StepBegin {
				continue
			}
			if e.Step == str(0) && first == 0 {
				first = e.At
			}
			if e.Step == str(1) && second == 0 {
				second = e.At
			}
		}
		return first != 0 && second != 0 && first < second, nil
	}
	return nil, fmt.Errorf("no function %q", name)
}

// slotOf finds a process by its full name.
func (r *run) slotOf(name string) (int, bool) {
	for i := range r.plan.Slots {
		if r.plan.Slots[i].Name == name {
			return i, true
		}
	}
	return 0, false
}
