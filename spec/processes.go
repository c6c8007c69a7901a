package spec

import (
	"ipcrun/spec/decl"
	"ipcrun/spec/ydoc"
)

// processes reads the declared processes. Variables come first, since a
// handler may use what a later step assigns.
func (ld *loader) processes() {
	for i, p := range ld.sc.Procs {
		ld.attributes(p, ld.procNodes[i])
	}
	ld.bind()
	for i, p := range ld.sc.Procs {
		node := ld.procNodes[i]
		vars := newVarSet(&p.Vars)
		collectVars(node.Get("steps"), vars, nil)
		if s := node.Get("signals"); s != nil {
			for _, h := range s.Pairs {
				collectVars(h.Value, vars, nil)
			}
		}
		if node.Kind == ydoc.Seq {
			collectVars(node, vars, nil)
		}
	}
}

// attributes reads all of a process but its steps.
func (ld *loader) attributes(p *Proc, n *ydoc.Node) {
	switch {
	case n.Bad, n.Kind == ydoc.Seq:
		return
	case n.Kind == ydoc.Scalar && n.Value == "idle":
		p.Idle = true
		return
	case n.Kind == ydoc.Scalar:
		hint := didYouMean(n.Value, []string{"idle"})
		if hint == "" {
			hint = missedColon(n)
		}
		ld.add(codeShape, n.Span, "a process is idle, a list of steps, or a mapping; not \""+shorten(n.Value)+"\"", "", hint)
		return
	case n.Kind == ydoc.Null:
		detail := "Give it steps:, or declare it idle and give it orders with in: " + p.Name + "."
		for _, f := range ProcessFields {
			if e := ld.names[f.Name]; e != nil && e.span.Start.Line == p.Span.Start.Line+1 {
				detail = "If " + f.Name + ": below belongs to it, indent it further than " + p.Name + "."
			}
		}
		ld.add(codeEmpty, p.Span, p.Name+" says nothing of what it does", detail, "")
		return
	}
	known := fieldNames(ProcessFields)
	ld.unknownKeys(n, known, "a process")
	flag := func(name string) bool {
		f := n.Get(name)
		if f == nil {
			return false
		}
		v := ld.value(f, field(ProcessFields, name), &context{fixed: true})
		b, _ := litOf(v).(bool)
		return b
	}
	p.Terminal, p.Idle, p.Daemon = flag("terminal"), flag("idle"), flag("daemon")
	if i := n.Get("inherit"); i != nil && !i.Bad {
		f := field(ProcessFields, "inherit")
		p.InheritAll = ld.word(i, f, codeShape, f.Enum) != nil
	}
	if par := n.Get("parent"); par != nil {
		if v := ld.value(par, field(ProcessFields, "parent"), &context{fixed: true}); v != nil {
			p.Parent = v.Refs[0].Proc
			ld.checkParent(p, par)
		}
	}
	if u := n.Get("uses"); u != nil {
		c := &context{fixed: true, proc: p, wholeArray: true}
		ld.value(u, field(ProcessFields, "uses"), c)
	}
	ld.program(p, n)
	if m := n.Pair("match"); m != nil {
		ld.match(p, m)
	}
	switch {
	case p.Run != nil || n.Get("run") != nil:
	case p.Idle:
		if s := n.Get("steps"); s != nil {
			ld.add(codeContradict, s.Span, p.Name+" is idle and has steps", "An idle process obeys the steps marked in: "+p.Name+"; leave one of the two out.", "")
		}
	case n.Get("steps") == nil && ld.belowProgram(n):
		ld.found(p, n)
	case meant(n, "run", known) || n.Get("parent") != nil && ld.names[n.Get("parent").Value] == nil:
		// Misspelt, which was reported: it may need no steps.
	case ld.absent(n, "steps", known):
		ld.add(codeMissing, p.Span, p.Name+" has no steps:", "Give it steps:, or run: for a program, or declare it idle and give it orders with in: "+p.Name+".", "")
	}
}

func litOf(v *Value) any {
	if v == nil || v.Form != IsLit {
		return nil
	}
	return v.Lit
}

func (ld *loader) checkParent(p *Proc, n *ydoc.Node) {
	seen := map[*Proc]bool{p: true}
	for q := p.Parent; q != nil; q = q.Parent {
		if seen[q] {
			what := p.Name + " would be its own ancestor"
			if q == p && p.Parent == p {
				what = p.Name + " cannot be its own parent"
			}
			ld.add(codeParent, n.Span, what, "Processes form a tree below the engine.", "")
			p.Parent = nil
			return
		}
		seen[q] = true
	}
	if p.Parent.Array {
		ld.add(codeParent, n.Span, p.Parent.Name+" is name[n]: which of them forks "+p.Name+" is not said", "Declare the parent as a single process.", "")
	}
	if p.Terminal {
		ld.add(codeContradict, n.Span, p.Name+" has a parent and terminal: true", "A child shares the terminal of its parent; give terminal: true to the process that the engine forks.", "")
	}
}

// script reads all steps, in the order of the file.
func (ld *loader) script(root *ydoc.Node) {
	sv := newVarSet(&ld.sc.Vars)
	byName := func(name string) *varSet {
		if e := ld.names[name]; e != nil && e.proc != nil {
			return newVarSet(&e.proc.Vars)
		}
		return nil
	}
	collectVars(section(root, "steps"), sv, byName)
	collectVars(section(root, "finally"), sv, byName)
	for i, p := range ld.sc.Procs {
		n := ld.procNodes[i]
		if n.Kind == ydoc.Seq {
			p.Steps = ld.steps(n, &context{proc: p})
			continue
		}
		if s := n.Get("signals"); s != nil {
			p.Signals = ld.dispositions(p, s)
		}
		if s := n.Get("steps"); s != nil && !p.Idle {
			p.Steps = ld.steps(s, &context{proc: p})
		}
	}
	ld.taskSteps()
	if a := section(root, "always"); a != nil {
		ld.always(a)
	}
	if s := section(root, "steps"); s != nil {
		ld.sc.Steps = ld.steps(s, &context{})
	}
	if s := section(root, "finally"); s != nil {
		ld.sc.Finally = ld.steps(s, &context{finally: true})
	}
}

func (ld *loader) always(n *ydoc.Node) {
	if n.Kind != ydoc.Seq {
		ld.shape(n, "always", "a list of conditions")
		return
	}
	if len(n.Items) == 0 {
		ld.add(codeEmpty, n.Span, "always: has no condition", "", "")
	}
	c := &context{always: true}
	for _, i := range n.Items {
		if e := ld.expression(i, "always", c, 1); e != nil {
			if _, fixed := e.Const(); fixed {
				ld.add(codeNoCheck, i.Span, "this condition never changes: it checks nothing", "", "")
				continue
			}
			st := ld.newStep(&Step{Verb: &decl.ClassedVerb{Verb: decl.Verb{Name: "always"}, Checks: true}, Span: i.Span, VerbAt: i.Span, Conditional: true})
			ld.sc.Always = append(ld.sc.Always, &Always{Step: st, Expr: e})
		}
	}
}

// varSet collects names of variables, each once.
type varSet struct {
	list *[]string
	seen map[string]bool
}

func newVarSet(list *[]string) *varSet {
	s := &varSet{list: list, seen: map[string]bool{}}
	for _, v := range *list {
		s.seen[v] = true
	}
	return s
}

func (s *varSet) add(name string) {
	if !s.seen[name] {
		s.seen[name] = true
		*s.list = append(*s.list, name)
	}
}

// collectVars finds every name that steps assign: into:, let:, as:, and item
// of each:. of finds the variables of the process that in: names.
func collectVars(n *ydoc.Node, s *varSet, of func(string) *varSet) {
	if n == nil {
		return
	}
	for _, i := range n.Items {
		collectVars(i, s, of)
	}
	if n.Kind != ydoc.Map {
		return
	}
	target := s
	if in := n.Get("in"); in != nil && of != nil && in.Kind == ydoc.Scalar {
		ref, _ := splitRef(in.Value)
		if t := of(ref.name); t != nil {
			target = t
		}
	}
	for _, key := range []string{"into", "as"} {
		if v := n.Get(key); v != nil && v.Kind == ydoc.Scalar {
			target.add(v.Value)
		}
	}
	if n.Get("each") != nil && n.Get("as") == nil {
		target.add("item")
	}
	if l := n.Get("let"); l != nil && l.Kind == ydoc.Map {
		for _, p := range l.Pairs {
			target.add(p.Key.Value)
		}
	}
	for _, p := range n.Pairs {
		if p.Value.Kind == ydoc.Seq {
			collectVars(p.Value, target, of)
		}
	}
}
