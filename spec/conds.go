package spec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// context is where a value stands: what it may mention.
type context struct {
	proc        *Proc // whose script, nil: the top-level script
	task        *Task // which the script is
	order       bool  // a step of the script that proc carries out
	always      bool
	finally     bool
	fixed       bool // known before anything runs: params only
	conditional bool
	wholeArray  bool // name[n] may be named without an index
	handler     bool
	scope       *cond.Scope
}

func (c *context) inProcess() bool { return c.proc != nil }

// scopeKey is what a scope depends on.
type scopeKey struct {
	proc                          *Proc
	order, always, fixed, handler bool
}

// scopeOf is what expressions may mention in a context.
func (ld *loader) scopeOf(c *context) *cond.Scope {
	if c.scope != nil {
		return c.scope
	}
	key := scopeKey{c.proc, c.order, c.always, c.fixed, c.handler}
	if c.scope = ld.scopes[key]; c.scope != nil {
		return c.scope
	}
	s := &cond.Scope{Names: map[string]cond.Type{}, Suggest: diag.Nearest, Signals: ld.voc.Signals}
	s.Why = func(path string) string { return ld.whyNot(c, path) }
	for name, v := range ld.sc.Params {
		s.Names[name] = typeOf(v)
	}
	if !c.fixed {
		ld.things(c, s)
		for _, v := range ld.varsOf(c) {
			s.Names[v] = cond.AnyType()
		}
	}
	for name, e := range ld.names {
		if e.class == "" { // its declaration was reported, so its uses need not be
			s.Names[name] = cond.AnyType()
		}
	}
	c.scope, ld.scopes[key] = s, s
	return s
}

// things adds processes, primitives and functions to a scope.
func (ld *loader) things(c *context, s *cond.Scope) {
	local := c.inProcess() || c.always
	for name, e := range ld.names {
		switch {
		case e.prim != nil:
			s.Names[name] = arrayed(ld.primType(e.prim, local), e.prim.Array)
		case e.proc != nil && e.proc.Of == nil:
			s.Names[name] = arrayed(objectType(ld.voc.ProcessFacts, local, "process", nil), e.proc.Array)
		}
	}
	if c.inProcess() && c.proc.Array {
		s.Names["index"] = cond.Of(decl.Int, decl.None)
	}
	if c.handler {
		s.Names[ld.voc.Siginfo] = objectType(ld.voc.SiginfoFacts, local, "", nil)
	}
	for _, f := range ld.voc.Funcs {
		if !f.ScriptOnly || !local {
			s.Funcs = append(s.Funcs, cond.Func{Decl: f})
		}
	}
}

// varsOf are the variables that a context knows.
func (ld *loader) varsOf(c *context) []string {
	switch {
	case c.always:
		return nil
	case c.order:
		return slices.Concat(c.proc.Vars, ld.sc.Vars)
	case c.inProcess():
		return c.proc.Vars
	}
	return ld.sc.Vars
}

// whyNot explains why a path that exists elsewhere is not known here.
func (ld *loader) whyNot(c *context, path string) string {
	for _, f := range ld.voc.Funcs {
		if f.Name == path && f.ScriptOnly {
			return path + "() is known to the top-level steps only"
		}
	}
	name, fact, ok := strings.Cut(path, ".")
	e := ld.names[strings.SplitN(name, "[", 2)[0]]
	switch {
	case !ok && name == "index":
		return "index is known inside a process that is declared as name[n]"
	case name == ld.voc.Siginfo && !c.handler:
		return name + " is known inside the handler of a signal"
	case !ok && strings.HasPrefix(name, "SIG") && ld.isSignal(name):
		return "the name of a signal is text: \"" + name + "\""
	case c.fixed && e != nil:
		return "only params are known before anything runs"
	case !ok:
		return ld.whoseVariable(c, name)
	case e != nil && e.prim != nil && e.prim.Staff == nil && e.prim.Kind.Staff != nil && fact == e.prim.Kind.Staff.Name:
		return name + " has none: declare it with " + e.prim.Kind.Staff.Key + ": true"
	case e != nil && e.proc != nil:
		for _, f := range ld.voc.ProcessFacts {
			if f.Name == fact && f.ScriptOnly {
				return fact + " is known to the top-level steps only"
			}
		}
	}
	return ""
}

func (ld *loader) isSignal(name string) bool {
	_, err := ld.voc.Signals.Number(name)
	return err == nil
}

// whoseVariable says where a variable is known that is not known here.
func (ld *loader) whoseVariable(c *context, name string) string {
	for _, p := range ld.sc.Procs {
		switch {
		case p == c.proc || !contains(p.Vars, name):
		case p.Idle && !c.inProcess() && !p.Array:
			return "it is a variable of " + p.Name + ": write " + p.Name + ".vars." + name
		default:
			return "it is a variable of " + p.Name + ", which others do not see"
		}
	}
	if contains(ld.sc.Vars, name) {
		return "it is a variable of the top-level steps"
	}
	return ""
}

func objectType(facts []decl.Fact, local bool, what string, others map[string]cond.Type) cond.Type {
	fields := map[string]cond.Type{}
	for _, f := range facts {
		if f.ScriptOnly && local {
			continue
		}
		fields[f.Name] = factType(&f)
	}
	maps.Copy(fields, others)
	return cond.Object(fields).Named(what)
}

func factType(f *decl.Fact) cond.Type {
	t := cond.Of(f.Shape, f.Elem)
	if f.Enum != nil {
		t = t.OneOf(f.Enum)
	}
	return t
}

func arrayed(t cond.Type, array bool) cond.Type {
	if array {
		return cond.ListOf(t)
	}
	return t
}

func typeOf(v any) cond.Type {
	switch v.(type) {
	case bool:
		return cond.Of(decl.Bool, decl.None)
	case int:
		return cond.Of(decl.Int, decl.None)
	case float64:
		return cond.Of(decl.Float, decl.None)
	case string:
		return cond.Of(decl.String, decl.None)
	}
	return cond.AnyType()
}

// expression compiles the expression that a node holds. Nil: it was reported.
func (ld *loader) expression(n *ydoc.Node, key string, c *context, want cond.Want) *cond.Expr {
	if n.Bad {
		return nil
	}
	switch n.Kind {
	case ydoc.Scalar:
	case ydoc.Null:
		ld.add(codeExpr, n.Span, key+": has no condition", "", "write one, as total.value == 10")
		return nil
	default:
		ld.add(codeExpr, n.Span, key+": takes an expression, and YAML read this as "+n.Kind.String(), "Quote the whole expression: "+key+": '…'", "")
		return nil
	}
	return ld.compile(n.Value, n, 0, c, want)
}

// compile compiles src, which stands at rune offset off of the node's text.
func (ld *loader) compile(src string, n *ydoc.Node, off int, c *context, want cond.Want) *cond.Expr {
	e, problems := cond.Compile(src, ld.scopeOf(c), want)
	ld.problems(problems, n, off, func(text string) bool {
		_, p := cond.Compile(text, ld.scopeOf(c), want)
		return len(p) == 0
	})
	if len(problems) > 0 {
		return nil
	}
	ld.noteRefs(e.Refs(), n, off, c)
	return e
}

// problems reports what is wrong with the expressions in a node. compiles
// tells whether another text would be right.
func (ld *loader) problems(list []cond.Problem, n *ydoc.Node, off int, compiles func(string) bool) {
	if len(list) > 0 && !n.Quoted && n.Comment != "" && compiles(n.Value+" "+n.Comment) {
		whole := source.Span{Start: n.Span.Start, End: n.Span.End}
		ld.add(codeExpr, whole, "YAML took the end of this for a comment, from the # on", "Quote the whole of it.", "write "+quoted(n.Value+" "+n.Comment))
		return
	}
	for _, p := range list {
		ld.add(codeExpr, source.Span{Start: n.PosIn(off + p.From), End: n.PosIn(off + p.To)}, p.Message, "", p.Hint)
	}
}

// quoted is text in single quotes of YAML.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// noteRefs records what an expression depends on and checks the names that it
// gives to functions in quotes.
func (ld *loader) noteRefs(refs []cond.Ref, n *ydoc.Node, off int, c *context) {
	for _, r := range refs {
		if r.Class != "" {
			ld.quotedName(r, source.Span{Start: n.PosIn(off + r.From), End: n.PosIn(off + r.To)})
			continue
		}
		e := ld.names[r.Root]
		switch {
		case e == nil:
		case e.class == "param":
			ld.used[r.Root] = true
		case e.prim != nil:
			ld.use(c, &Ref{Name: r.Root, Prim: e.prim})
		case e.proc != nil:
			ld.used[e.proc] = true
		}
	}
}

// quotedName checks a name in quotes: signals("conductor", "driver").
func (ld *loader) quotedName(r cond.Ref, span source.Span) {
	switch r.Class {
	case "step":
		ld.later = append(ld.later, func() { ld.quotedStep(r.Root, span) })
	case "sender":
		if r.Root != "kernel" && r.Root != "script" {
			ld.quotedProcess(r, span, []string{"kernel", "script"})
		}
	default:
		ld.quotedProcess(r, span, nil)
	}
}

func (ld *loader) quotedStep(name string, span source.Span) {
	switch at := ld.stepNames[name]; len(at) {
	case 0:
		hint := diag.Suggest(name, slices.Collect(maps.Keys(ld.stepNames)))
		ld.add(codeName, span, "no step is named \""+name+"\"", "before() compares steps that have a name: key.", hint)
	case 1:
	default:
		ld.add(codeDuplicate, span, "two steps are named \""+name+"\"", "", "", ld.declaredHere(at[0], "one"), ld.declaredHere(at[1], "the other"))
	}
}

func (ld *loader) quotedProcess(r cond.Ref, span source.Span, others []string) {
	name, index, indexed := cut(r.Root)
	e := ld.names[name]
	switch {
	case e != nil && e.class == "":
	case e == nil || e.proc == nil:
		ld.add(codeName, span, "no process is called \""+r.Root+"\"", "", diag.Suggest(name, append(ld.namesOf([]string{"process"}), others...)))
	case e.proc.Array && !indexed && r.Func != "events":
		ld.add(codeIndex, span, name+" is "+cond.Text(e.proc.Count)+" processes: say which, as \""+name+"[0]\"", "", "")
	case !e.proc.Array && indexed:
		ld.add(codeIndex, span, name+" is a single process and takes no index", "", "")
	case indexed && !inRange(index, e.proc.Count):
		ld.add(codeIndex, span, fmt.Sprintf("there is no %s: they go from 0 to %d", r.Root, e.proc.Count-1), "", "")
	default:
		ld.used[e.proc] = true
		if r.Func == "signals" {
			ld.later = append(ld.later, func() { ld.observed(e.proc, span) })
		}
	}
}

// observed: what a program sends and gets is known if it is observed.
func (ld *loader) observed(p *Proc, span source.Span) {
	top := ancestor(p)
	switch {
	case top.Run == nil:
		return
	case top.Bound:
		top.Run.Observe = "true" // the check means nothing without
		return
	case top.Run.Observe != "":
		return
	}
	ld.add(codeContradict, span, "signals of "+p.Name+" are not seen: "+top.Name+" is a program that nobody observes",
		"ipcrun sees what a program sends and gets if it is told to.", "declare "+top.Name+" with observe: true", ld.declaredHere(top.Span, "declared here"))
}

func inRange(index string, n int) bool {
	i, err := strconv.Atoi(index)
	return err == nil && i >= 0 && i < n
}

// use notes that a context needs a thing: a process inherits the primitives
// that its script uses.
func (ld *loader) use(c *context, r *Ref) {
	if r.Task != nil {
		ld.used[r.Task] = true
		return
	}
	if r.Prim == nil {
		ld.used[r.Proc] = true
		return
	}
	ld.used[r.Prim] = true
	if c.proc != nil {
		c.proc.use(Use{Prim: r.Prim, Part: r.Part})
	}
}

// use adds to what a process inherits and reports whether that is new.
func (p *Proc) use(u Use) bool {
	for i := range p.Uses {
		if have := &p.Uses[i]; have.Prim == u.Prim && have.Part == u.Part {
			// What it needs itself it has not only to pass on.
			changed := have.Pass && !u.Pass
			have.Pass = have.Pass && u.Pass
			return changed
		}
	}
	p.Uses = append(p.Uses, u)
	return true
}

// Functions describes the functions that every expression has, beside those of
// the vocabulary.
func Functions() []decl.Func { return cond.Builtins() }
