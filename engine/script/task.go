package script

import (
	"fmt"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// taskCode is a task as a machine has it.
type taskCode struct {
	task   *Task
	entry  int
	result valuer
}

// tasks lowers the tasks of a worker.
func (l *lowering) tasks(m *Machine, list []*Task) {
	if len(list) == 0 {
		return
	}
	m.tasks = map[int]*taskCode{}
	for _, t := range list {
		c := &taskCode{task: t, entry: l.here(), result: literal{}}
		for _, p := range t.Params {
			l.variable(p)
		}
		l.steps(t.Steps)
		l.emit(instr{op: opOrderEnd})
		if t.Result != nil {
			c.result = newValuer(t.Result)
		}
		m.tasks[t.Number] = c
	}
}

// Task makes a task run next, with the arguments of its caller: a mapping from
// params to values, or a list of values. element says that args is one element
// of a list, which a task with one param gets as it is. Nothing is left of the
// task before. It is over when Next returns nil; TaskDone says what came of it.
func (m *Machine) Task(number int, args any, element bool) (*Task, error) {
	c := m.tasks[number]
	if c == nil {
		return nil, fmt.Errorf("program: no task %d", number)
	}
	clear(m.vars)
	clear(m.isSet)
	m.frames, m.current, m.end = m.frames[:0], nil, nil
	m.pc, m.orderEnd, m.lastOut = c.entry, false, nil
	return c.task, m.bind(c.task, args, element)
}

// bind gives the params of a task their values.
func (m *Machine) bind(t *Task, args any, element bool) error {
	if element && len(t.Params) == 1 {
		args = []any{args}
	}
	set := func(p string, v any) { s := m.varIndex[p]; m.vars[s], m.isSet[s] = v, true }
	switch x := args.(type) {
	case nil:
		if len(t.Params) == 0 {
			return nil
		}
	case []any:
		if len(x) == len(t.Params) {
			for i, p := range t.Params {
				set(p, x[i])
			}
			return nil
		}
	case map[string]any:
		for _, p := range t.Params {
			if v, given := x[p]; given {
				set(p, v)
			}
		}
		if len(x) == len(t.Params) && m.allSet(t.Params) {
			return nil
		}
	}
	return decl.Fail(Invalid, "task %s takes %s, not %s", t.Name, params(t), cond.Text(args))
}

func (m *Machine) allSet(names []string) bool {
	for _, n := range names {
		if !m.isSet[m.varIndex[n]] {
			return false
		}
	}
	return true
}

// params says in words what a task takes.
func params(t *Task) string {
	if len(t.Params) == 0 {
		return "no arguments"
	}
	text := ""
	for i, p := range t.Params {
		if i > 0 {
			text += ", "
		}
		text += p
	}
	return text
}

// TaskDone is what came of a task that has come to its end: its result, or the
// error that ended it and the step in which that happened, 0 for the result. ok
// is false if the process is to end, because a step of the task said exit.
func (m *Machine) TaskDone(number int) (result any, failed *Uncaught, ok bool) {
	if m.end != nil {
		failed = m.end.Uncaught
		if failed != nil {
			m.end, m.frames, m.current = nil, m.frames[:0], nil
		}
		return nil, failed, failed != nil
	}
	m.Refresh()
	v, err := m.tasks[number].result.value(m)
	if err != nil {
		f, _ := err.(*decl.Failure)
		return nil, &Uncaught{Failure: f, Err: err}, true
	}
	return v, nil, true
}
