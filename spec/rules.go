package spec

import (
	"maps"
	"slices"
	"strings"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// stepRules are the rules of a single step that its fields alone do not say.
func (ld *loader) stepRules(s *Step, n *ydoc.Node, c *context) {
	v := s.Verb
	at := func(key string) source.Span {
		for _, p := range n.Pairs {
			if p.Key.Value == key {
				return p.Key.Span
			}
		}
		return s.VerbAt
	}
	if s.Timeout != nil && !v.Waits {
		ld.add(codeContradict, at("timeout"), v.Name+" never waits, so a timeout means nothing", "", "")
	}
	if s.Timeout != nil && c.finally && v.Past {
		ld.add(codeContradict, at("timeout"), v.Name+" waits for nothing in finally:, so a timeout means nothing",
			"It tells how it was when the last process had ended. Among the steps: it takes a timeout.", "")
	}
	if s.Into != "" && v.Result == 0 {
		ld.add(codeContradict, at("into"), v.Name+" has no result that into: could receive", "", "")
	}
	if s.Points > 0 && !v.Checks && s.Error == "" {
		ld.add(codeContradict, at("points"), v.Name+" checks nothing, so it cannot earn points", "points: belongs to assert, expect, eventually, and steps with error:.", "")
	}
	if b := s.Get("block"); b != nil && litOf(b) == false && s.Timeout != nil {
		ld.add(codeContradict, at("timeout"), "block: false and timeout: contradict one another", "With block: false the step does not wait at all.", "")
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
	if k := ld.voc.Kinds[v.Class]; k != nil && k.Staff != nil && k.Staff.Tasks {
		ld.poolRule(s, c)
	}
	switch v.Name {
	case "fork":
		if s.Obj != nil && c.proc != nil {
			ld.forkRule(s, c)
		}
	case "wait":
		if s.Obj != nil && s.Obj.Form == IsRefs {
			ld.waitRule(s, c)
		}
	case "await":
		ld.awaitRule(s)
	case "press":
		ld.pressRule(s)
	case "type":
		ld.inputRule(s, s.Get("to"))
	case "close_stdin":
		ld.inputRule(s, s.Obj)
	case "sleep":
		if !c.inProcess() {
			ld.warn(codeSleep, s.VerbAt, "the script sleeps", "Sleeping does not wait for anything to have happened, and makes a run slow or flaky.", "expect, eventually or wait say what to wait for")
		}
	}
}

func (ld *loader) awaitRule(s *Step) {
	name, _ := litOf(s.Obj).(string)
	if name == "" {
		return
	}
	if _, known := ld.background[name]; !known {
		have := slices.Collect(maps.Keys(ld.background))
		ld.add(codeBackground, s.Obj.Span, "no step before this one goes on in the background as \""+name+"\"", "", diag.Suggest(name, have))
	}
}

func (ld *loader) forkRule(s *Step, c *context) {
	child := s.Obj.Refs[0].Proc
	switch {
	case child == c.proc:
		ld.add(codeParent, s.Obj.Span, c.proc.Name+" cannot fork itself", "Declare the child with parent: "+c.proc.Name+".", "")
	case child.Parent == nil:
		ld.add(codeParent, s.Obj.Span, child.Name+" is no child of "+c.proc.Name, "The engine forks it. For a child of "+c.proc.Name+" declare it with\n  parent: "+c.proc.Name, "",
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
		ld.add(codeTerminal, s.VerbAt, "no process has a terminal to press a key on", "Declare the one that is to get the key with\n  terminal: true", "")
	case on == nil && len(have) > 1:
		ld.add(codeTerminal, s.VerbAt, "several processes have a terminal: "+strings.Join(names, ", "), "Say which, as  {press: ctrl-c, on: "+names[0]+"}", "")
	case on == nil && have[0].Array:
		ld.add(codeTerminal, s.VerbAt, names[0]+" is several processes with a terminal each", "Say which, as  {press: ctrl-c, on: \""+names[0]+"[0]\"}", "")
	case on != nil && on.Form == IsRefs && !on.Refs[0].Proc.Terminal:
		ld.add(codeTerminal, on.Span, on.Refs[0].Name+" has no terminal", "A process gets one with  terminal: true", diag.Suggest(on.Refs[0].Name, names), ld.declaredHere(on.Refs[0].Proc.Span, "declared here"))
	case on != nil && on.Form == IsRefs && on.Refs[0].Proc.Array && on.Refs[0].Index == nil:
		ld.add(codeIndex, on.Span, on.Refs[0].Name+" is several processes: say which, as "+on.Refs[0].Name+"[0]", "", "")
	}
}
