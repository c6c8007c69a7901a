package script

import (
	"time"

	"ipcrun/prims"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// Machine steps through one program.
//
//	for {
//		a := m.Next()            // local steps are done on the way
//		if a == nil { break }    // the script has ended: m.End()
//		result, err := a.Verb.Run(w, a)
//		m.Done(a, result, err)
//		// a signal: m.Interrupt(signo), then Next yields the handler's steps
//	}
type Machine struct {
	common *Common
	prog   *Program
	index  int // of name[n], -1 for a single process
	world  World

	code     []instr
	handlers map[int]int // signal → entry
	orders   []int       // order → entry
	rest     int         // where it is before its first order
	tasks    map[int]*taskCode
	varIndex map[string]int
	varNames []string // those of varIndex, by place; "" for a hidden one

	pc       int
	vars     []any // variables, and the lists that each: walks
	counts   []int // loop counters
	turns    uint  // of all loops
	isSet    []bool
	lent     []lent
	frames   []frame
	current  *Action // being done, or to be done again
	end      *End
	orderEnd bool
	lastOut  any
	snapshot map[string]any
}

// End is how a script ended.
type End struct {
	Code     int
	Step     uint32    // the exit that ended it, 0: it had no more steps, or an error
	Uncaught *Uncaught // an error that no step expected
}

// Uncaught is an error that ended the process.
type Uncaught struct {
	Step    uint32
	Failure *decl.Failure
	Err     error // not of the vocabulary: ours or the kernel's
}

// Cause is the error itself.
func (u *Uncaught) Cause() error {
	if u.Failure != nil {
		return u.Failure
	}
	return u.Err
}

// New compiles a program for one process. index is its number in name[n], -1
// for a single process.
func New(c *Common, p *Program, index int, w World) (*Machine, error) {
	m := &Machine{common: c, prog: p, index: index, world: w, handlers: map[int]int{}}
	l := &lowering{common: c, vars: map[string]int{}}
	for _, v := range p.Vars {
		l.variable(v)
	}
	l.steps(p.Steps)
	l.emit(instr{op: opEnd})
	m.rest = l.here()
	l.emit(instr{op: opOrderEnd})
	for _, h := range p.Handlers {
		if h.Disp == Handle {
			m.handlers[h.Signal] = l.here()
			l.steps(h.Steps)
			l.emit(instr{op: opHandlerEnd})
		}
	}
	for _, o := range p.Orders {
		m.orders = append(m.orders, l.here())
		l.step(o)
		l.emit(instr{op: opOrderEnd})
	}
	l.tasks(m, p.Tasks)
	l.collectLate(m)
	if l.err != nil {
		return nil, l.err
	}
	m.code, m.varIndex = l.code, l.vars
	m.vars = make([]any, len(l.vars)+l.hidden)
	m.varNames = make([]string, len(m.vars))
	for name, s := range l.vars {
		m.varNames[s] = name
	}
	m.isSet = make([]bool, len(m.vars))
	m.counts = make([]int, l.counters)
	for i := range m.code {
		m.code[i].settle(m)
	}
	return m, nil
}

// collectLate lowers the handlers that signal: steps install later on.
func (l *lowering) collectLate(m *Machine) {
	for i := 0; i < len(l.code); i++ {
		s := l.code[i].step
		if l.code[i].op != opAct || s == nil || s.Blocks["handler"] == nil || l.code[i].verb == orderVerb {
			continue
		}
		l.code[i].slot2 = l.here()
		l.steps(s.Blocks["handler"])
		l.emit(instr{op: opHandlerEnd})
	}
}

// End is how the script ended, nil while it goes on.
func (m *Machine) End() *End { return m.end }

// Exit ends the script with a code, in a step.
func (m *Machine) Exit(code int, step uint32) { m.end = &End{Code: code, Step: step} }

// Call calls a function for expressions.
func (m *Machine) Call(name string, args []any) (any, error) { return m.world.Func(name, args) }

// Where is the number of the step that a script which does local steps is at, 0
// where it is at none.
func (m *Machine) Where() uint32 {
	for pc := min(m.pc, len(m.code)-1); pc >= 0; pc-- {
		if s := m.code[pc].step; s != nil {
			return s.ID
		}
	}
	return 0
}

// turnsAlone is how many turns of loops a machine does between two actions before
// its World has a say.
const turnsAlone = 64

// turned counts a turn of a loop, and reports whether the script is over. A script
// whose steps are all local would otherwise hear of nothing that happens.
func (m *Machine) turned() bool {
	m.turns++
	if m.turns%turnsAlone != 0 {
		return false
	}
	w, ok := m.world.(interface{ Turning() (over bool) })
	return ok && w.Turning()
}

// Next does local steps (loops, guards, assignments) up to the next visible
// action and evaluates its parameters. Nil: the script, or the ordered step,
// has ended.
func (m *Machine) Next() *Action {
	if m.end != nil {
		return nil
	}
	if m.current != nil {
		m.current.Resumed++
		return m.current
	}
	for {
		in := &m.code[m.pc]
		switch in.op {
		case opAct:
			a, err := m.prepare(in)
			if err != nil {
				m.uncaught(in.step.ID, err)
				return nil
			}
			m.current = a
			return a
		case opGuard:
			v, err := in.cond.eval(m)
			if err != nil {
				m.uncaught(in.step.ID, err)
				return nil
			}
			if yes, _ := v.(bool); yes {
				m.pc++
			} else {
				m.pc = in.to
			}
		case opJump:
			m.pc = in.to
			if m.turned() {
				return nil
			}
		case opRepeat:
			v, err := in.val.value(m)
			if err != nil {
				m.uncaught(in.step.ID, err)
				return nil
			}
			n, ok := asInt(v)
			if v == "forever" {
				n, ok = -1, true
			} else if ok && n < 0 {
				n = 0
			}
			if !ok {
				m.uncaught(in.step.ID, decl.Fail(Invalid, "repeat wants a whole number, not %s", cond.Text(v)))
				return nil
			}
			m.counts[in.slot], m.counts[in.slot+1] = n, -1
			m.pc++
		case opRepeatNext:
			n, i := m.counts[in.slot], m.counts[in.slot+1]+1
			if n >= 0 && i >= n {
				m.pc = in.to
				continue
			}
			m.counts[in.slot+1] = i
			if in.slot2 >= 0 {
				m.set(in.slot2, i)
			}
			m.pc++
		case opEach:
			v, err := in.val.value(m)
			if err != nil {
				m.uncaught(in.step.ID, err)
				return nil
			}
			list, ok := v.([]any)
			if !ok {
				m.uncaught(in.step.ID, decl.Fail(Invalid, "each wants a list, not %s", cond.Text(v)))
				return nil
			}
			m.vars[in.slot], m.counts[in.to2] = list, -1
			m.pc++
		case opEachNext:
			list, i := m.vars[in.slot].([]any), m.counts[in.to2]+1
			if i >= len(list) {
				m.pc = in.to
				continue
			}
			m.counts[in.to2] = i
			m.set(in.slot2, list[i])
			m.pc++
		case opLet:
			for _, l := range in.lets {
				v, err := l.val.value(m)
				if err != nil {
					m.uncaught(in.step.ID, err)
					return nil
				}
				m.set(l.slot, v)
			}
			m.pc++
		case opHandlerEnd:
			f := m.frames[len(m.frames)-1]
			m.frames = m.frames[:len(m.frames)-1]
			m.pc, m.current = f.pc, f.current
			if f.loops != nil {
				m.resume(f.loops)
			}
			// The World may have the next pending signal handled first.
			if w, ok := m.world.(interface{ HandlerDone(signal int) error }); ok {
				if err := w.HandlerDone(f.signal); err != nil {
					m.uncaught(m.Where(), err)
					return nil
				}
			}
			if m.current != nil {
				m.current.Resumed++
				return m.current
			}
		case opOrderEnd:
			m.giveBack()
			m.orderEnd = true
			return nil
		case opGot:
			if !m.isSet[in.slot] {
				m.pc = in.to
				continue
			}
			m.set(in.slot2, m.vars[in.slot])
			m.isSet[in.slot] = false
			m.pc++
		case opSucceeded:
			m.uncaught(in.step.ID, decl.Fail(Unexpected, "the step was expected to end with %s, but it succeeded", in.step.Error))
			return nil
		case opEnd:
			m.end = &End{}
			return nil
		}
	}
}

// settle fills in what is the same each time that an action is done: a step in
// a loop pays for what changes, and for no more.
func (in *instr) settle(m *Machine) {
	a := &in.act
	a.instr, a.m = in, m
	for i, v := range in.vals {
		if lit, ok := v.(literal); ok {
			a.Args.Vals[i] = lit.v
		} else {
			in.late = append(in.late, i)
		}
	}
	in.settled = true
	for _, t := range in.targets {
		in.settled = in.settled && t.index == nil
		a.Targets = append(a.Targets, t.fixed...)
	}
	if in.verb == nil || in.verb.prim == nil {
		return
	}
	a.Call = prims.Call{Args: &a.Args, NoWait: in.noWait, Verb: uint32(in.verb.id), Step: a.Step, Part: in.targets[0].part}
	if in.settled {
		a.Call.Refs = a.Targets[min(1, len(a.Targets)):]
	}
	if x := in.exprs["until"]; x != nil {
		a.Call.Until = (&condition{e: x, m: m}).Holds
	}
}

// prepare evaluates the parameters of an action.
func (m *Machine) prepare(in *instr) (_ *Action, err error) {
	a := &in.act
	a.Resumed, a.Mark, a.Deadline = 0, 0, 0
	for _, i := range in.late {
		if a.Args.Vals[i], err = in.vals[i].value(m); err != nil {
			return nil, err
		}
	}
	if in.obj != nil {
		if a.Obj, err = in.obj.value(m); err != nil {
			return nil, err
		}
	}
	if !in.settled {
		a.Targets = a.Targets[:0]
		for _, t := range in.targets {
			if a.Targets, err = t.resolve(m, a.Targets); err != nil {
				return nil, err
			}
		}
	}
	if in.timeout != nil {
		v, err := in.timeout.value(m)
		if err != nil {
			return nil, err
		}
		d, err := durationOf(in.timeout, v)
		if err != nil {
			return nil, err
		}
		a.since = m.world.Now()
		a.Deadline = a.since + int64(m.world.Limit(a, time.Duration(d)))
	}
	if in.verb.prim == nil {
		return a, nil
	}
	c := &a.Call
	c.Anew(a.Deadline)
	if !in.settled {
		c.Refs = a.Targets[min(1, len(a.Targets)):]
	}
	if t := in.targets[0]; t.elem != nil || t.slice {
		if c.Elems, err = t.elems(m); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// NoWait reports whether the step said block: false.
func (a *Action) NoWait() bool { return a.instr.noWait }

// Skip leaves out the action that Next has yielded.
func (m *Machine) Skip(*Action) {
	m.current = nil
	m.pc++
}

// GoOn takes up a script again behind the step whose error has ended it.
func (m *Machine) GoOn() {
	m.end = nil
	if in := &m.code[m.pc]; in.op == opGuard {
		m.pc = in.to
	} else {
		m.pc++
	}
}

// Done takes the result of an action. The error is checked against what the
// step expects; ErrInterrupted leaves the action to be done again.
func (m *Machine) Done(a *Action, result any, err error) {
	if err == ErrInterrupted {
		return
	}
	in := a.instr
	m.current = nil
	if err != nil {
		f, named := err.(*decl.Failure)
		expected := in.step != nil && in.step.Error != ""
		switch {
		case named && expected && f.Name == in.step.Error:
			// Just as the step said.
		case named && !expected && in.into >= 0 && in.verb.Result == decl.Bool && (f.Name == prims.Timeout || f.Name == prims.WouldBlock):
			m.set(in.into, false)
		case named && expected:
			m.uncaught(a.Step, decl.Fail(f.Name, "%s (the step expects %s)", f.Detail, in.step.Error))
			return
		default:
			m.uncaught(a.Step, err)
			return
		}
		m.lastOut = nil
	} else {
		if in.step != nil && in.step.Error != "" && in.verb != orderVerb && !in.part {
			m.uncaught(a.Step, decl.Fail(Unexpected, "the step was expected to end with %s, but it succeeded", in.step.Error))
			return
		}
		if in.into >= 0 {
			m.set(in.into, result)
		}
		m.lastOut = result
	}
	if m.end == nil {
		m.pc++
	}
}

// Unexpected is the name of a success where an error was expected.
const Unexpected = "Unexpected"

func init() { decl.RegisterError(Unexpected, "the step succeeded although error: says that it fails") }

// ExpectedError is the error that a step expects, "" for none.
func (a *Action) ExpectedError() string {
	if a.instr.step == nil {
		return ""
	}
	return a.instr.step.Error
}

// Into is the variable that receives the result, "" for none.
func (a *Action) Into() string { return a.instr.step.Into }

// Source is the step that an action carries out.
func (a *Action) Source() *Step { return a.instr.step }

// Machine is the machine that yields the action.
func (a *Action) Machine() *Machine { return a.m }

func (m *Machine) uncaught(step uint32, err error) {
	u := &Uncaught{Step: step}
	if f, ok := err.(*decl.Failure); ok {
		u.Failure = f
	} else {
		u.Err = err
	}
	m.end = &End{Code: 1, Uncaught: u}
}
