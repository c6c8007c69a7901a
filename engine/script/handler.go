package script

import "slices"

// frame is what a handler has interrupted, and how it came to run.
type frame struct {
	pc      int
	current *Action
	signal  int
	info    Siginfo
	entry   int    // of the handler that runs since
	loops   *loops // not nil: where loops were, as the handler's steps are on the stack already
}

// loops is how far the loops of a machine have come.
type loops struct {
	counts []int
	walked []any // the lists of each:, by place; those of named variables are not kept
	isSet  []bool
}

// HandlerEntry is where the handler of a signal: step begins; UseHandler makes
// it the handler of a signal.
func (m *Machine) UseHandler(a *Action, signal int) {
	if a.instr.step.Blocks["handler"] == nil {
		delete(m.handlers, signal)
		return
	}
	m.handlers[signal] = a.instr.slot2
}

// Handles reports whether there is a handler for a signal now.
func (m *Machine) Handles(signal int) bool {
	_, ok := m.handlers[signal]
	return ok
}

// InHandler is the signal whose handler runs now, 0 for none.
func (m *Machine) InHandler() int {
	if n := len(m.frames); n > 0 {
		return m.frames[n-1].signal
	}
	return 0
}

// Running reports whether the handler of a signal is somewhere on the stack.
func (m *Machine) Running(signal int) bool {
	for _, f := range m.frames {
		if f.signal == signal {
			return true
		}
	}
	return false
}

// HandlerEnds reports whether a handler runs that has nothing left to do.
func (m *Machine) HandlerEnds() bool {
	if m.end != nil || m.current != nil || len(m.frames) == 0 {
		return false
	}
	pc := m.pc
	for m.code[pc].op == opJump && m.code[pc].to > pc {
		pc = m.code[pc].to
	}
	return m.code[pc].op == opHandlerEnd
}

// Interrupt makes the handler of a signal run next, which sees info. What was being
// done is taken up again after it.
func (m *Machine) Interrupt(signal int, info Siginfo) {
	entry, ok := m.handlers[signal]
	if !ok {
		return
	}
	f := frame{pc: m.pc, current: m.current, signal: signal, info: info, entry: entry}
	if m.onStack(entry) {
		m.setAside(&f)
	}
	m.frames = append(m.frames, f)
	m.pc, m.current = entry, nil
}

// onStack reports whether the steps of a handler are being done: it has unblocked its
// own signal, or handles another one as well.
func (m *Machine) onStack(entry int) bool {
	for i := range m.frames {
		if m.frames[i].entry == entry {
			return true
		}
	}
	return false
}

// setAside keeps what belongs to one going through a list of steps, its loops and the
// step that is interrupted, from another one through the same list.
func (m *Machine) setAside(f *frame) {
	f.loops = &loops{slices.Clone(m.counts), slices.Clone(m.vars), slices.Clone(m.isSet)}
	f.current = f.current.detached()
	for i := range m.frames {
		m.frames[i].current = m.frames[i].current.detached()
	}
}

// resume puts loops back where they were. Variables with a name are everybody's.
func (m *Machine) resume(l *loops) {
	copy(m.counts, l.counts)
	for s, name := range m.varNames {
		if name == "" {
			m.vars[s], m.isSet[s] = l.walked[s], l.isSet[s]
		}
	}
}
