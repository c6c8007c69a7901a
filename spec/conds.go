package spec

import (
	"sort"
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

// scopeOf is what expressions may mention in a context.
func (ld *loader) scopeOf(c *context) *cond.Scope {
	if c.scope != nil {
		return c.scope
	}
	s := &cond.Scope{Names: map[string]cond.Type{}, Suggest: diag.Nearest}
	for name, v := range ld.sc.Params {
		s.Names[name] = typeOf(v)
	}
	if !c.fixed {
		local := c.inProcess() || c.always
		for name, e := range ld.names {
			switch {
			case e.prim != nil:
				s.Names[name] = arrayed(objectType(e.prim.Kind.Facts, local, e.prim.Kind.Name), e.prim.Array)
			case e.proc != nil:
				s.Names[name] = arrayed(objectType(ld.voc.ProcessFacts, local, "process"), e.proc.Array)
			}
		}
		var vars []string
		switch {
		case c.always:
		case c.proc != nil:
			vars = c.proc.Vars
			if c.proc.Array {
				s.Names["index"] = cond.Of(decl.Int, decl.None)
			}
			if c.order {
				vars = append(append([]string{}, vars...), ld.sc.Vars...)
			}
		default:
			vars = ld.sc.Vars
		}
		for _, v := range vars {
			s.Names[v] = cond.AnyType()
		}
		for _, f := range ld.voc.Funcs {
			if f.ScriptOnly && local {
				continue
			}
			s.Funcs = append(s.Funcs, cond.Func{Decl: f})
		}
		s.Why = func(path string) string { return ld.whyNot(c, path) }
	}
	c.scope = s
	return s
}

// whyNot explains why a path that exists elsewhere is not known here.
func (ld *loader) whyNot(c *context, path string) string {
	for _, f := range ld.voc.Funcs {
		if f.Name == path && f.ScriptOnly {
			return path + "() is known to the top-level steps only"
		}
	}
	name, fact, ok := strings.Cut(path, ".")
	if !ok {
		if name == "index" {
			return "index is known inside a process that is declared as name[n]"
		}
		return ""
	}
	if e := ld.names[strings.SplitN(name, "[", 2)[0]]; e != nil && e.proc != nil {
		for _, f := range ld.voc.ProcessFacts {
			if f.Name == fact && f.ScriptOnly {
				return fact + " is known to the top-level steps only"
			}
		}
	}
	return ""
}

func objectType(facts []decl.Fact, local bool, what string) cond.Type {
	fields := map[string]cond.Type{}
	for _, f := range facts {
		if f.ScriptOnly && local {
			continue
		}
		fields[f.Name] = cond.Of(f.Shape, f.Elem)
	}
	return cond.Object(fields).Named(what)
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
	ld.problems(problems, n, off)
	if len(problems) > 0 {
		return nil
	}
	ld.noteRefs(e.Refs(), n, off, c)
	return e
}

func (ld *loader) problems(list []cond.Problem, n *ydoc.Node, off int) {
	for i, p := range list {
		detail := ""
		if i == 0 && strings.Contains(n.Comment, "#") && !n.Quoted {
			detail = "YAML took everything from \" #\" on as a comment. Quote the whole expression, or write .field instead of #.field."
		}
		ld.add(codeExpr, source.Span{Start: n.PosIn(off + p.From), End: n.PosIn(off + p.To)}, p.Message, detail, p.Hint)
	}
}

// template compiles a text with ${…}.
func (ld *loader) template(n *ydoc.Node, c *context) *Value {
	t, problems := cond.ParseTemplate(n.Value, ld.scopeOf(c))
	ld.problems(problems, n, 0)
	if len(problems) > 0 {
		return nil
	}
	ld.noteRefs(t.Refs(), n, 0, c)
	return &Value{Span: n.Span, Form: IsTmpl, Tmpl: n.Value}
}

// noteRefs records what an expression depends on and checks the names that it
// gives to functions in quotes.
func (ld *loader) noteRefs(refs []cond.Ref, n *ydoc.Node, off int, c *context) {
	for _, r := range refs {
		if r.Class != "" {
			span := source.Span{Start: n.PosIn(off + r.From), End: n.PosIn(off + r.To)}
			ld.quotedName(r, span)
			continue
		}
		if e := ld.names[r.Root]; e != nil && e.prim != nil {
			ld.use(c, &Ref{Name: r.Root, Prim: e.prim})
		}
	}
}

// quotedName checks a name in quotes: signals("conductor", "driver").
func (ld *loader) quotedName(r cond.Ref, span source.Span) {
	name, _, indexed := strings.Cut(r.Root, "[")
	switch r.Class {
	case "step":
		ld.later = append(ld.later, func() {
			if _, ok := ld.stepNames[r.Root]; !ok {
				var have []string
				for s := range ld.stepNames {
					have = append(have, s)
				}
				ld.add(codeName, span, "no step is named \""+r.Root+"\"", "before() compares steps that have a name: key.", diag.Suggest(r.Root, have))
			}
		})
		return
	case "sender":
		if name == "kernel" || name == "script" {
			return
		}
	}
	e := ld.names[name]
	have := ld.namesOf([]string{"process"})
	if r.Class == "sender" {
		have = append(have, "kernel", "script")
	}
	sort.Strings(have)
	switch {
	case e == nil || e.proc == nil:
		ld.add(codeName, span, "no process is called \""+r.Root+"\"", "", diag.Suggest(name, have))
	case e.proc.Array && !indexed && r.Func != "events":
		ld.add(codeIndex, span, name+" is "+cond.Text(e.proc.Count)+" processes: say which, as \""+name+"[0]\"", "", "")
	case !e.proc.Array && indexed:
		ld.add(codeIndex, span, name+" is a single process and takes no index", "", "")
	}
}

// use notes that a process needs a primitive.
func (ld *loader) use(c *context, r *Ref) {
	if c.proc == nil || r.Prim == nil {
		return
	}
	for _, p := range c.proc.Uses {
		if p == r.Prim {
			return
		}
	}
	c.proc.Uses = append(c.proc.Uses, r.Prim)
}
