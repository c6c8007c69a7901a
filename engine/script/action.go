package script

import (
	"slices"

	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// Action is a visible step about to happen: its parameters are evaluated.
type Action struct {
	Verb *Verb
	Step uint32
	// Obj is the value of the verb itself, where it is data.
	Obj any
	// Targets are the slots or primitive numbers its object names.
	Targets []int
	Args    prims.Values
	// Deadline is absolute; 0: none was declared.
	Deadline int64
	// Call is kept for a primitive's operation, so that it needs no memory.
	Call prims.Call
	// Resumed counts how often the action was interrupted and done again.
	Resumed int
	// Mark is the World's own note on an action that it does again.
	Mark int

	instr *instr
	m     *Machine
	since int64
}

// detached is an action that has begun, as one of its own: its step can be begun anew.
func (a *Action) detached() *Action {
	if a == nil || a != &a.instr.act {
		return a
	}
	d := *a
	d.Args.Vals, d.Targets = slices.Clone(a.Args.Vals), slices.Clone(a.Targets)
	if a.Call.Args != nil {
		d.Call.Args, d.Call.Refs = &d.Args, d.Targets[min(1, len(d.Targets)):]
	}
	return &d
}

// Since is when the action was first begun.
func (a *Action) Since() int64 { return a.since }

// Cond compiles the condition in parameter name, or the object for "".
func (a *Action) Cond(name string) Condition {
	e := a.instr.objExpr
	if name != "" {
		e = a.instr.exprs[name]
	}
	return &condition{e: e, m: a.m}
}

// Str is a parameter as text, "" where it was not given.
func (a *Action) Str(name string) string {
	s, _ := a.Args.Get(name).(string)
	return s
}

type condition struct {
	e *expression
	m *Machine
}

func (c *condition) Source() string { return c.e.src }

func (c *condition) Holds() (bool, error) {
	v, err := c.e.eval(c.m)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, decl.Fail(Invalid, "%s is not true or false", c.e.src)
	}
	return b, nil
}

func (c *condition) Explain() []Part {
	x, err := c.e.compiled()
	if err != nil {
		return nil
	}
	var out []Part
	for _, p := range x.Explain(c.m) {
		out = append(out, Part{Text: p.Text, Value: p.Value})
	}
	return out
}

func (c *condition) Names() []string {
	x, err := c.e.compiled()
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range x.Refs() {
		out = append(out, r.Root)
	}
	return out
}
