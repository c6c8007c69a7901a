package spec

import (
	"strings"

	"ipcrun/spec/decl"
	"ipcrun/spec/ydoc"
)

// newStep gives a step its number.
func (ld *loader) newStep(s *Step) *Step {
	s.ID = uint32(len(ld.sc.All))
	ld.sc.All = append(ld.sc.All, s)
	return s
}

// missedBlank is what is missing in text that was meant for steps.
func missedBlank(n *ydoc.Node) string {
	if !n.Quoted && len(n.Value) > 1 && n.Value[0] == '-' {
		return "a blank is missing after the dash"
	}
	return missedColon(n)
}

// steps reads a list of steps.
func (ld *loader) steps(n *ydoc.Node, c *context) []*Step {
	switch n.Kind {
	case ydoc.Seq:
	case ydoc.Map:
		detail := "Begin each step with a dash."
		if ld.sc.File.Data[ld.sc.File.Offset(n.Span.Start)] == '{' {
			detail = "A list on one line stands in brackets: [{…}, {…}]."
		}
		hint := ""
		if len(n.Pairs) > 0 && strings.HasPrefix(n.Pairs[0].Key.Value, "-") {
			detail, hint = "Begin each step with a dash and a blank.", "a blank is missing after the dash"
		}
		ld.add(codeShape, n.Span, "steps are a list, this is a mapping", detail, hint)
		return nil
	case ydoc.Null:
		if !n.Bad {
			ld.add(codeEmpty, n.Span, "there are no steps here", "Begin each step with a dash, or leave the key out.", "")
		}
		return nil
	default:
		ld.add(codeShape, n.Span, "steps are a list, this is \""+shorten(n.Value)+"\"", "Begin each step with a dash.", missedBlank(n))
		return nil
	}
	if len(n.Items) == 0 {
		ld.add(codeEmpty, n.Span, "the list of steps is empty", "It does and checks nothing; leave the key out.", "")
		return nil
	}
	out := []*Step{}
	var ended *Step
	reported := false
	for _, i := range n.Items {
		s := ld.step(i, c)
		if s == nil {
			continue
		}
		if ended != nil && !reported {
			reported = true
			why := ended.Verb.Name + " ends the process"
			if ended.Verb.Name == "repeat" {
				why = "repeat: forever never ends"
			}
			ld.add(codeDead, s.Span, "this step can never run", "", "", ld.declaredHere(ended.VerbAt, why))
		}
		if neverPasses(s) {
			ended = s
		}
		out = append(out, s)
	}
	return out
}

// neverPasses reports whether nothing behind a step in its list can run.
func neverPasses(s *Step) bool {
	if s.When != nil || s.Verb == nil {
		return false
	}
	if s.Back != "" {
		return false
	}
	switch s.Verb.Name {
	case "exit":
		return s.In == nil // another process ends, and the script goes on
	case "repeat":
		return litOf(s.Obj) == "forever"
	}
	return false
}

// step reads one step. Nil: it was reported.
func (ld *loader) step(n *ydoc.Node, c *context) *Step {
	switch n.Kind {
	case ydoc.Scalar:
		return ld.bareStep(n, c)
	case ydoc.Map:
	default:
		if !n.Bad {
			ld.add(codeShape, n.Span, "a step is one verb with its object, this is "+n.Kind.String(), "Write it as  - print: hello", "")
		}
		return nil
	}
	if len(n.Pairs) == 0 {
		ld.add(codeVerb, n.Span, "this step has no verb", "", "")
		return nil
	}
	at := ld.findVerb(n)
	if at < 0 {
		return nil
	}
	key, obj := n.Pairs[at].Key, n.Pairs[at].Value
	s := &Step{Span: n.Span, VerbAt: key.Span, Conditional: c.conditional, Proc: c.proc}

	// in: hands the step to another process, whose names it may then use.
	inner := *c
	if in := n.Get("in"); in != nil {
		if !ld.handOver(s, in, c, &inner) {
			return nil
		}
	}
	s.Proc = inner.proc
	verb, reported := ld.chooseVerb(key, obj)
	s.Verb = verb
	ld.newStep(s)
	if !ld.place(s, key, &inner, c) {
		return s // another verb is meant, or another place: its parameters are not these
	}
	ld.common(s, n, c, &inner)
	if !reported {
		ld.object(s, key, obj, &inner)
	}
	ld.parameters(s, n, at, &inner)
	if !reported {
		ld.stepRules(s, n, &inner)
	}
	if s.In != nil && s.In.Proc != nil {
		p := s.In.Proc
		s.Order = len(p.Orders)
		p.Orders = append(p.Orders, s)
	}
	return s
}

// bareStep is a verb that stands alone: - pause.
func (ld *loader) bareStep(n *ydoc.Node, c *context) *Step {
	if n.Bad {
		return nil
	}
	verbs := ld.voc.Named(n.Value)
	if len(verbs) == 0 {
		detail, hint := "A step is a verb with its object, as  - print: hello", ld.bareHint(n)
		if _, why, other, ok := instead(n.Value); ok {
			hint = other
			if why != "" {
				detail = why
			}
		}
		ld.add(codeVerb, n.Span, "\""+shorten(n.Value)+"\" is no step", detail, hint)
		return nil
	}
	for _, v := range verbs {
		if v.Object != nil && v.Object.Required {
			continue
		}
		s := ld.newStep(&Step{Span: n.Span, VerbAt: n.Span, Verb: v, Conditional: c.conditional, Proc: c.proc})
		if !ld.place(s, n, c, c) {
			return s
		}
		for _, f := range v.Fields {
			if f.Required {
				ld.add(codeMissing, n.Span, v.Name+" needs "+f.Name+":", "It is "+f.Doc+".", "")
			}
		}
		ld.stepRules(s, n, c)
		return s
	}
	example := verbs[0].Example
	for _, v := range verbs {
		if len(v.Example) < len(example) {
			example = v.Example
		}
	}
	ld.add(codeMissing, n.Span, n.Value+" needs an object", "Write it as  "+example, "")
	return nil
}

// bareHint says what a word that is no verb was probably meant to be.
func (ld *loader) bareHint(n *ydoc.Node) string {
	for _, sep := range []string{" ", ":", "："} {
		word, rest, found := strings.Cut(n.Value, sep)
		if rest = strings.TrimSpace(rest); found && rest != "" && len(ld.voc.Named(word)) > 0 {
			return "write " + word + ": " + shorten(rest)
		}
	}
	return didYouMean(n.Value, ld.voc.VerbNames())
}

// handOver reads in:.
func (ld *loader) handOver(s *Step, in *ydoc.Node, c, inner *context) bool {
	if c.inProcess() {
		ld.add(codePlace, in.Span, "in: belongs to the top-level steps", "This step is already inside "+c.proc.Name+".", "")
		return false
	}
	if c.finally {
		ld.add(codePlace, in.Span, "in: has nobody to obey it here", "finally: runs after the last process has ended.", "")
		return false
	}
	v := ld.value(in, field(StepFields, "in"), c)
	if v == nil {
		return false
	}
	r := v.Refs[0]
	if r.Proc == nil {
		return false
	}
	if r.Proc.Array && r.Index == nil {
		ld.add(codeIndex, in.Span, r.Name+" is several processes: say which, as "+r.Name+"[0]", "", "", ld.declaredHere(r.Proc.Span, "declared here"))
		return false
	}
	if !r.Proc.Idle {
		ld.add(codeContradict, in.Span, r.Name+" has a script of its own and takes no orders", "in: needs a process that is declared idle.", "", ld.declaredHere(r.Proc.Span, "declared here"))
		return false
	}
	s.In = r
	inner.proc, inner.order, inner.scope = r.Proc, true, nil
	return true
}

// place checks that a verb may stand where it does.
func (ld *loader) place(s *Step, key *ydoc.Node, inner, outer *context) bool {
	v := s.Verb
	switch {
	case inner.inProcess() && v.Place&decl.InProcess == 0:
		detail := "It watches or drives processes from outside."
		if s.In != nil {
			detail = "Leave in: out."
		}
		ld.add(codePlace, key.Span, v.Name+" belongs to the top-level steps", detail, "")
	case !inner.inProcess() && v.Place&decl.InScript == 0:
		ld.add(codePlace, key.Span, v.Name+" happens inside a process", "Put it among the steps of a process, or say which idle process does it:  in: NAME", "")
	case outer.finally && v.Waits && !v.Past:
		ld.add(codePlace, key.Span, v.Name+" has nothing to wait for in finally:", "finally: runs after the last process has ended.", "")
	default:
		return true
	}
	return false
}
