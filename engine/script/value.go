package script

import (
	"fmt"

	"ipcrun/prims"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// valuer yields the value of an argument when its step is reached.
type valuer interface {
	value(m *Machine) (any, error)
}

type literal struct{ v any }

func (l literal) value(*Machine) (any, error) { return l.v, nil }

// expression is compiled when it is first needed: an agent pays at its start
// for nothing that it does not use. It was checked when the file was loaded.
type expression struct {
	src  string
	prog *cond.Expr
	err  error
}

func (e *expression) compiled() (*cond.Expr, error) {
	if e.prog == nil && e.err == nil {
		e.prog, e.err = cond.CompileTrusted(e.src)
		if e.err != nil {
			e.err = fmt.Errorf("expression %q: %w", e.src, e.err)
		}
	}
	return e.prog, e.err
}

func (e *expression) eval(m *Machine) (any, error) {
	x, err := e.compiled()
	if err != nil {
		return nil, err
	}
	m.Refresh()
	v, err := x.Eval(m)
	if err != nil {
		return nil, decl.Fail(Invalid, "%v", err)
	}
	return v, nil
}

func (e *expression) value(m *Machine) (any, error) { return e.eval(m) }

type template struct {
	src  string
	prog *cond.Template
}

func (t *template) value(m *Machine) (any, error) {
	if t.prog == nil {
		p, err := cond.ParseTemplateTrusted(t.src)
		if err != nil {
			return nil, fmt.Errorf("text %q: %w", t.src, err)
		}
		t.prog = p
	}
	m.Refresh()
	v, err := t.prog.Eval(m)
	if err != nil {
		return nil, decl.Fail(Invalid, "%v", err)
	}
	return v, nil
}

type listValue []valuer

func (l listValue) value(m *Machine) (any, error) {
	out := make([]any, len(l))
	for i, e := range l {
		v, err := e.value(m)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

type mapValue map[string]valuer

func (mv mapValue) value(m *Machine) (any, error) {
	out := make(map[string]any, len(mv))
	for k, e := range mv {
		v, err := e.value(m)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

// newValuer compiles an argument. What holds no ${…} anywhere becomes one
// literal.
func newValuer(a *Arg) valuer {
	switch {
	case a == nil:
		return literal{}
	case a.Int != nil:
		return literal{*a.Int}
	case a.Float != nil:
		return literal{*a.Float}
	case a.Str != nil:
		return literal{*a.Str}
	case a.Bool != nil:
		return literal{*a.Bool}
	case a.Tmpl != "":
		return &template{src: a.Tmpl}
	case a.Expr != "":
		return &expression{src: a.Expr}
	case a.List != nil:
		l := make(listValue, len(*a.List))
		fixed := make([]any, len(l))
		for i, e := range *a.List {
			l[i] = newValuer(e)
			if lit, ok := l[i].(literal); ok && fixed != nil {
				fixed[i] = lit.v
			} else {
				fixed = nil
			}
		}
		if fixed != nil {
			return literal{fixed}
		}
		return l
	case a.Map != nil:
		mv := make(mapValue, len(a.Map))
		fixed := make(map[string]any, len(a.Map))
		for k, e := range a.Map {
			mv[k] = newValuer(e)
			if lit, ok := mv[k].(literal); ok && fixed != nil {
				fixed[k] = lit.v
			} else {
				fixed = nil
			}
		}
		if fixed != nil {
			return literal{fixed}
		}
		return mv
	}
	return literal{}
}

// target is the object of a step that names something declared.
type target struct {
	name  string
	decl  Name
	index *expression // nil: the single one, or all of name[n]
	fixed []int       // known in advance
	part  string
	elem  *expression // nil: none, or a slice from the start
	to    *expression // nil: a slice to the end
	slice bool
}

func newTarget(c *Common, r *Ref) (*target, error) {
	n, ok := c.Names[r.Name]
	if !ok {
		return nil, fmt.Errorf("program: no %q", r.Name)
	}
	t := &target{name: r.Name, decl: n, part: r.Part, slice: r.Slice}
	if r.Elem != "" {
		t.elem = &expression{src: r.Elem}
	}
	if r.To != "" {
		t.to = &expression{src: r.To}
	}
	switch {
	case r.Index != "":
		t.index = &expression{src: r.Index}
	case n.Count == 0:
		t.fixed = []int{n.First}
	default:
		for i := range n.Count {
			t.fixed = append(t.fixed, n.First+i)
		}
	}
	return t, nil
}

func (t *target) resolve(m *Machine, into []int) ([]int, error) {
	if t.index == nil {
		return append(into, t.fixed...), nil
	}
	v, err := t.index.eval(m)
	if err != nil {
		return nil, err
	}
	i, ok := asInt(v)
	if !ok {
		return nil, decl.Fail(Invalid, "%s[%s]: the index is %v, not a whole number", t.name, t.index.src, cond.Text(v))
	}
	if i < 0 || i >= t.decl.Count {
		return nil, decl.Fail(Invalid, "%s[%s]: there is no number %d, they go from 0 to %d", t.name, t.index.src, i, t.decl.Count-1)
	}
	return append(into, t.decl.First+i), nil
}

// elems evaluates which elements are meant.
func (t *target) elems(m *Machine) (e prims.Elems, err error) {
	if t.elem == nil && !t.slice {
		return e, nil
	}
	e = prims.Elems{Given: true, Single: !t.slice, Open: t.to == nil}
	for _, x := range []struct {
		e  *expression
		to *int
	}{{t.elem, &e.From}, {t.to, &e.To}} {
		if x.e == nil {
			continue
		}
		v, err := x.e.eval(m)
		if err != nil {
			return e, err
		}
		n, ok := asInt(v)
		if !ok {
			return e, decl.Fail(Invalid, "%s[%s]: %s is no whole number", t.name, x.e.src, cond.Text(v))
		}
		*x.to = n
	}
	if e.Single {
		e.To = e.From + 1
	}
	return e, nil
}

// asInt accepts whole floats: a division yields a float even where it is even.
func asInt(v any) (int, bool) {
	switch x := v.(type) {
	case int:
		return x, true
	case float64:
		if i := int(x); float64(i) == x {
			return i, true
		}
	}
	return 0, false
}
