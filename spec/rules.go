package spec

import (
	"strings"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// stepRules are the rules of a single step that its fields alone do not say.
func (ld *loader) stepRules(s *Step, key *ydoc.Node, c *context) {
	v := s.Verb
	if s.Timeout != nil && !v.Waits {
		ld.add(codeContradict, s.Timeout.Span, v.Name+" never waits, so a timeout means nothing", "", "")
	}
	if s.Into != "" && v.Result == 0 {
		ld.add(codeContradict, s.VerbAt, v.Name+" has no result that into: could receive", "", "")
	}
	if s.Points > 0 && !v.Checks && s.Error == "" {
		ld.add(codeContradict, s.VerbAt, v.Name+" checks nothing, so it cannot earn points", "points: belongs to assert, expect, eventually, and steps with error:.", "")
	}
	if s.Error != "" && len(v.Errors) > 0 && !contains(v.Errors, s.Error) || s.Error != "" && len(v.Errors) == 0 && v.Name != "await" {
		detail := v.Name + " never fails."
		if len(v.Errors) > 0 {
			detail = v.Name + " ends with " + strings.Join(v.Errors, ", ") + ", or succeeds."
		}
		ld.add(codeError, s.VerbAt, v.Name+" never ends with "+s.Error, detail, "")
	}
	if b := s.Get("block"); b != nil && litOf(b) == false && s.Timeout != nil {
		ld.add(codeContradict, s.Timeout.Span, "block: false and a timeout: contradict one another", "With block: false the step does not wait at all.", "")
	}
	if v.Checks && s.Obj != nil && s.Obj.Form == IsExpr {
		if k, fixed := s.Obj.Expr.Const(); fixed {
			what := "always true: it checks nothing"
			if k == false {
				what = "always false: it can only fail"
			}
			ld.add(codeNoCheck, s.Obj.Span, "this condition is "+what, "It mentions nothing that could change.", "")
		}
	}
	switch v.Name {
	case "fork":
		ld.forks = append(ld.forks, s)
		if s.Obj != nil && c.proc != nil {
			ld.forkRule(s, c)
		}
	case "wait":
		if s.Obj != nil && s.Obj.Form == IsRefs {
			ld.waitRule(s, c)
		}
	case "await":
		if name, _ := litOf(s.Obj).(string); name != "" {
			if _, known := ld.background[name]; !known {
				var have []string
				for b := range ld.background {
					have = append(have, b)
				}
				ld.add(codeBackground, s.Obj.Span, "no step before this one goes on in the background as \""+name+"\"", "", diag.Suggest(name, have))
			}
		}
	case "press":
		ld.pressRule(s)
	case "sleep":
		if !c.inProcess() {
			ld.warn(codeSleep, s.VerbAt, "the script sleeps", "Sleeping does not wait for anything to have happened, and makes a run slow or flaky.", "expect, eventually or wait say what to wait for")
		}
	}
}

var codeSleep = diag.Register("IPC129", "sleeping instead of waiting", "A sleep in the top-level script is usually meant to let something happen; say what, with expect, eventually or wait.")

func (ld *loader) forkRule(s *Step, c *context) {
	child := s.Obj.Refs[0].Proc
	switch {
	case child == c.proc:
		ld.add(codeParent, s.Obj.Span, c.proc.Name+" cannot fork itself", "Declare the child with parent: "+c.proc.Name+".", "")
	case child.Parent == nil:
		ld.add(codeParent, s.Obj.Span, child.Name+" is no child of "+c.proc.Name, "Without parent: it is forked by the engine. Declare it with  parent: "+c.proc.Name, "",
			ld.declaredHere(child.Span, "declared here"))
	case child.Parent != c.proc:
		ld.add(codeParent, s.Obj.Span, child.Name+" is a child of "+child.Parent.Name+", not of "+c.proc.Name, "", "", ld.declaredHere(child.Span, "declared here"))
	default:
		child.Forked = true
	}
}

func (ld *loader) waitRule(s *Step, c *context) {
	target := s.Obj.Refs[0].Proc
	if target == nil || c.proc == nil || s.Error == "NoChild" {
		return
	}
	if target == c.proc {
		ld.add(codeNoChild, s.Obj.Span, c.proc.Name+" cannot wait for itself", "", "")
		return
	}
	if target.Parent != c.proc {
		parent := "the engine"
		if target.Parent != nil {
			parent = target.Parent.Name
		}
		ld.add(codeNoChild, s.Obj.Span, target.Name+" is no child of "+c.proc.Name+": its parent is "+parent,
			"A process can wait for its children only (waitpid(2)). Wait in the top-level steps, or say error: NoChild if this is what you want to show.", "",
			ld.declaredHere(target.Span, "declared here"))
	}
}

func (ld *loader) pressRule(s *Step) {
	var have []*Proc
	var names []string
	for _, p := range ld.sc.Procs {
		if p.Terminal {
			have = append(have, p)
			names = append(names, p.Name)
		}
	}
	on := s.Get("on")
	switch {
	case len(have) == 0:
		ld.add(codeTerminal, s.VerbAt, "no process has a terminal to press a key on", "Give one  terminal: true", "")
	case on == nil && (len(have) > 1 || have[0].Array):
		ld.add(codeTerminal, s.VerbAt, "several processes have a terminal: "+strings.Join(names, ", "), "Say which with  on: NAME", "")
	case on != nil && on.Form == IsRefs && !on.Refs[0].Proc.Terminal:
		ld.add(codeTerminal, on.Span, on.Refs[0].Name+" has no terminal", "Give it  terminal: true", diag.Suggest(on.Refs[0].Name, names), ld.declaredHere(on.Refs[0].Proc.Span, "declared here"))
	case on != nil && on.Form == IsRefs && on.Refs[0].Proc.Array && on.Refs[0].Index == nil:
		ld.add(codeIndex, on.Span, on.Refs[0].Name+" is several processes: say which, as "+on.Refs[0].Name+"[0]", "", "")
	}
}

// rules are those of the file as a whole.
func (ld *loader) rules(root *ydoc.Node) {
	for _, f := range ld.later {
		f()
	}
	sc := ld.sc
	// A child inherits from its parent, so the parent has what its children use.
	for changed := true; changed; {
		changed = false
		for _, p := range sc.Procs {
			if p.Parent == nil {
				continue
			}
			for _, u := range p.Uses {
				before := len(p.Parent.Uses)
				ld.use(&context{proc: p.Parent}, &Ref{Prim: u})
				changed = changed || len(p.Parent.Uses) > before
			}
		}
	}
	for _, p := range sc.Procs {
		if p.Forked && p.Parent == nil {
			p.Forked = false
		}
	}
	ld.unused(root)
	if !ld.list.HasErrors() && !ld.checksAnything() {
		ld.warn(codeNoCheck, source.Span{}, "this scenario checks nothing", "It passes whatever its processes print or compute, as long as none of them fails. Add an assert or an expect.", "")
	}
}

func (ld *loader) checksAnything() bool {
	if len(ld.sc.Always) > 0 || ld.sc.Outcome != "pass" {
		return true
	}
	for _, s := range ld.sc.All[1:] {
		if s.Verb.Checks || s.Error != "" {
			return true
		}
	}
	return false
}

// unused reports what is declared and never needed: probably a misspelling.
func (ld *loader) unused(root *ydoc.Node) {
	sc := ld.sc
	used := map[*Prim]bool{}
	for _, p := range sc.Procs {
		for _, u := range p.Uses {
			used[u] = true
		}
	}
	mentioned := func(name string) bool {
		return mentions(root.Get("steps"), name) || mentions(root.Get("finally"), name) || mentions(root.Get("always"), name)
	}
	for _, p := range sc.Prims {
		if !used[p] && !mentioned(p.Name) {
			ld.warn(codeUnused, p.Span, "nobody uses "+p.Name, "", "")
		}
	}
	for _, p := range sc.Procs {
		if p.Idle && len(p.Orders) == 0 && !ld.isParent(p) && !mentioned(p.Name) {
			ld.warn(codeUnused, p.Span, p.Name+" is idle and gets no orders", "Give it orders with  in: "+p.Name, "")
		}
	}
}

func (ld *loader) isParent(p *Proc) bool {
	for _, q := range ld.sc.Procs {
		if q.Parent == p {
			return true
		}
	}
	return false
}

// mentions reports whether a name occurs in any text below a node.
func mentions(n *ydoc.Node, name string) bool {
	if n == nil {
		return false
	}
	if strings.Contains(n.Value, name) {
		return true
	}
	for _, i := range n.Items {
		if mentions(i, name) {
			return true
		}
	}
	for _, p := range n.Pairs {
		if mentions(p.Key, name) || mentions(p.Value, name) {
			return true
		}
	}
	return false
}
