package spec

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// Match says which of the processes that a program starts a declared one is.
type Match struct {
	Text  string // in the command line, "" for any
	Regex string // matches the command line, "" for any
	Order int    // from 1, 0: any
	// When is a condition over facts of the process itself, nil: none.
	When *cond.Expr
}

// match reads match:.
func (ld *loader) match(p *Proc, pair *ydoc.Pair) {
	n := pair.Value
	node := ld.procNode(p)
	switch {
	case n.Bad:
		return
	case node.Get("run") != nil:
	case node.Get("steps") != nil || p.Idle || !ld.belowProgram(node):
		ld.add(codeContradict, pair.Key.Span, p.Name+" has match:, and ipcrun forks it itself", "match: says which of the processes that a program starts is meant, so it is for a program, or for a child that a program forks.", "")
		return
	}
	m := &Match{}
	argv := func(n *ydoc.Node) bool {
		v := ld.pattern(n, field(MatchFields, "argv"), true)
		switch {
		case v == nil:
			return false
		case v.Form == IsMap:
			m.Regex = textOf(v.Map["regex"].Lit)
		default:
			m.Text = textOf(v.Lit)
		}
		return true
	}
	switch n.Kind {
	case ydoc.Scalar:
		if argv(n) {
			p.Match = m
		}
		return
	case ydoc.Map:
	default:
		ld.shape(n, "match", takes(field(ProcessFields, "match")))
		return
	}
	ld.unknownKeys(n, fieldNames(MatchFields), "match:")
	if len(n.Pairs) == 0 {
		ld.add(codeEmpty, n.Span, "match: says nothing", "", "")
		return
	}
	if a := n.Get("argv"); a != nil {
		argv(a)
	}
	if o := n.Get("order"); o != nil {
		if x, ok := ld.fixed(o, field(MatchFields, "order")); ok {
			m.Order, _ = x.(int)
		}
		if p.Array {
			ld.add(codeContradict, n.Pair("order").Key.Span, p.Name+" is several processes and has order:", "name[n] has them in the order of forking.", "")
		}
		if node.Get("run") != nil {
			ld.add(codeContradict, n.Pair("order").Key.Span, p.Name+" has run: and order:", "order: counts children, and a program is where they come from.", "")
		}
	}
	if w := n.Get("when"); w != nil {
		m.When = ld.expression(w, "when", ld.matchContext(), cond.WantBool)
		if m.When != nil {
			if _, fixed := m.When.Const(); fixed {
				ld.add(codeNoCheck, w.Span, "this condition never changes: it tells no process from another", "", "")
			}
		}
	}
	p.Match = m
}

// matchContext is where an expression sees the facts of one process by their bare
// names.
func (ld *loader) matchContext() *context {
	s := &cond.Scope{Names: map[string]cond.Type{}, Suggest: diag.Nearest, Signals: ld.voc.Signals}
	s.Why = func(path string) string {
		if ld.names[path] != nil {
			return "match: sees the facts of the process itself alone, as catches, ignores and argv"
		}
		for _, f := range ld.voc.ProcessFacts {
			if f.Name == path {
				return path + " is known of a process only once it has been found"
			}
		}
		return ""
	}
	for _, f := range ld.voc.ProcessFacts {
		if f.Kernel {
			s.Names[f.Name] = factType(&f)
		}
	}
	return &context{fixed: true, scope: s}
}

// procNode is where a process is declared.
func (ld *loader) procNode(p *Proc) *ydoc.Node {
	for i, q := range ld.sc.Procs {
		if q == p {
			return ld.procNodes[i]
		}
	}
	return nil
}
