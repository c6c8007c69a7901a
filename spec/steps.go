package spec

import (
	"sort"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// newStep gives a step its number.
func (ld *loader) newStep(s *Step) *Step {
	s.ID = uint32(len(ld.sc.All))
	ld.sc.All = append(ld.sc.All, s)
	return s
}

// steps reads a list of steps.
func (ld *loader) steps(n *ydoc.Node, c *context) []*Step {
	switch n.Kind {
	case ydoc.Seq:
	case ydoc.Map:
		ld.add(codeShape, n.Span, "steps are a list, this is a mapping", "Begin each step with a dash.", "")
		return nil
	default:
		if n.Bad {
			return nil
		}
		ld.add(codeEmpty, n.Span, "there are no steps here", "Begin each step with a dash, or leave the key out.", "")
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
			ld.add(codeDead, s.Span, "this step can never run", "The step before it never lets the script go on.", "",
				ld.declaredHere(ended.VerbAt, ended.Verb.Name+" ends here, or never does"))
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
	switch s.Verb.Name {
	case "exit":
		return true
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
	at := ld.findVerb(n, c)
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
	verb := ld.chooseVerb(key, obj, &inner)
	if verb == nil {
		return nil
	}
	s.Verb = verb
	ld.newStep(s)
	ld.place(s, key, &inner, c)
	ld.common(s, n, c, &inner)
	ld.object(s, key, obj, &inner)
	ld.parameters(s, n, at, &inner)
	ld.stepRules(s, key, &inner)
	if s.In != nil && s.In.Proc != nil {
		p := s.In.Proc
		s.Order = len(p.Orders)
		p.Orders = append(p.Orders, s)
	}
	return s
}

// bareStep is a verb that stands alone: - pause.
func (ld *loader) bareStep(n *ydoc.Node, c *context) *Step {
	verbs := ld.voc.Named(n.Value)
	if n.Quoted || len(verbs) == 0 {
		hint := diag.Suggest(n.Value, ld.voc.VerbNames())
		if word, _, spaced := strings.Cut(n.Value, " "); spaced && len(ld.voc.Named(word)) > 0 {
			hint = "write  " + word + ": …"
		}
		ld.add(codeVerb, n.Span, "\""+shorten(n.Value)+"\" is no step", "A step is a verb with its object, as  - print: hello", hint)
		return nil
	}
	for _, v := range verbs {
		if v.Object == nil || !v.Object.Required {
			s := ld.newStep(&Step{Span: n.Span, VerbAt: n.Span, Verb: v, Conditional: c.conditional, Proc: c.proc})
			ld.place(s, n, c, c)
			ld.requiredParams(s, n)
			ld.stepRules(s, n, c)
			return s
		}
	}
	ld.add(codeMissing, n.Span, n.Value+" needs an object", "Write it as  "+verbs[0].Example, "")
	return nil
}

// findVerb finds the key of a step that is its verb. Some words are both a
// verb and a parameter of others (signal, block): the verb is the first one
// that all other keys fit.
func (ld *loader) findVerb(n *ydoc.Node, c *context) int {
	var candidates []int
	for i, p := range n.Pairs {
		if len(ld.voc.Named(p.Key.Value)) > 0 && field(StepFields, p.Key.Value) == nil {
			candidates = append(candidates, i)
		}
	}
	if len(candidates) == 0 {
		ld.noVerb(n, c)
		return -1
	}
	best, misfits := -1, len(n.Pairs)+1
	for _, i := range candidates {
		m := 0
		for j, p := range n.Pairs {
			if j != i && !ld.paramOf(n.Pairs[i].Key.Value, p.Key.Value) {
				m++
			}
		}
		if m < misfits {
			best, misfits = i, m
		}
	}
	if misfits > 0 {
		for _, i := range candidates {
			if i != best && !ld.paramOf(n.Pairs[best].Key.Value, n.Pairs[i].Key.Value) {
				first, second := n.Pairs[best].Key, n.Pairs[i].Key
				ld.add(codeTwoVerbs, second.Span, "this step has two verbs, "+first.Value+" and "+second.Value, "A step is one verb: write two steps, each with its own dash.", "",
					ld.declaredHere(first.Span, "the first verb"))
				return -1
			}
		}
	}
	return best
}

// paramOf reports whether key can stand beside a verb.
func (ld *loader) paramOf(verb, key string) bool {
	if field(StepFields, key) != nil {
		return true
	}
	for _, v := range ld.voc.Named(verb) {
		if field(v.Fields, key) != nil {
			return true
		}
	}
	return false
}

func (ld *loader) noVerb(n *ydoc.Node, c *context) {
	// The first key that is no common one is where the verb belongs.
	for _, p := range n.Pairs {
		word := p.Key.Value
		if field(StepFields, word) != nil {
			continue
		}
		hint := diag.Suggest(word, ld.voc.VerbNames())
		detail := "A step has exactly one verb, and its other keys are parameters of it."
		if e := ld.names[word]; e != nil && e.class != "" {
			detail = "\"" + word + "\" is " + e.what() + "; the verb comes first and names it as its object, as  " + ld.exampleFor(e, word)
			hint = ""
		} else if ld.voc.Kinds[word] != nil {
			detail = "\"" + word + "\" is a kind of primitive; it is declared under primitives:."
			hint = ""
		} else if field(ProcessFields, word) != nil || field(TopFields, word) != nil {
			detail = "\"" + word + ":\" belongs further out; check the indentation."
			hint = ""
		}
		d := ld.add(codeVerb, p.Key.Span, "unknown verb \""+word+"\"", detail, hint)
		if near := diag.Nearest(word, ld.voc.VerbNames()); near != "" && hint != "" {
			d.Fix = &diag.Fix{Span: p.Key.Span, Text: near}
		}
		return
	}
	ld.add(codeVerb, n.Span, "this step has no verb", "Its keys are parameters that any step may have.", "")
}

// exampleFor is a step with a thing as its object.
func (ld *loader) exampleFor(e *entry, name string) string {
	if e.proc != nil {
		return "wait: " + name
	}
	if e.prim != nil && len(e.prim.Kind.Verbs) > 0 {
		return e.prim.Kind.Verbs[0].Name + ": " + name
	}
	return "print: ${" + name + "}"
}

// chooseVerb picks among the verbs of one name by the class of the object.
func (ld *loader) chooseVerb(key, obj *ydoc.Node, c *context) *decl.ClassedVerb {
	verbs := ld.voc.Named(key.Value)
	if len(verbs) == 1 {
		return verbs[0]
	}
	var all []string
	for _, v := range verbs {
		all = append(all, v.Object.Refs...)
	}
	sort.Strings(all)
	if obj.Kind != ydoc.Scalar {
		ld.shape(obj, key.Value, "the name of "+classes(all))
		return nil
	}
	name, _, _ := cut(obj.Value)
	e := ld.names[name]
	if e == nil {
		ld.unknownName(obj.Span, name, all)
		return nil
	}
	if e.class == "" {
		return nil
	}
	for _, v := range verbs {
		if accepts(v.Object.Refs, e) {
			return v
		}
	}
	ld.add(codeObject, obj.Span, name+" is "+e.what()+", "+key.Value+": takes "+classes(all), "", ld.suggestName(name, all), ld.declaredHere(e.span, "declared here"))
	return nil
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
	r := ld.ref(in, field(StepFields, "in"), c)
	if r == nil {
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
func (ld *loader) place(s *Step, key *ydoc.Node, inner, outer *context) {
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
	case outer.finally && v.Waits:
		ld.add(codePlace, key.Span, v.Name+" has nothing to wait for in finally:", "finally: runs after the last process has ended.", "")
	}
}

// common reads the keys that any step may have.
func (ld *loader) common(s *Step, n *ydoc.Node, outer, inner *context) {
	for _, p := range n.Pairs {
		f := field(StepFields, p.Key.Value)
		if f == nil {
			continue
		}
		switch f.Name {
		case "name":
			if t, ok := ld.text(p.Value, "name"); ok {
				s.Name = t
				if _, dup := ld.stepNames[t]; !dup {
					ld.stepNames[t] = p.Value.Span
				}
			}
		case "hint":
			s.Hint, _ = ld.text(p.Value, "hint")
		case "when":
			s.When = ld.expression(p.Value, "when", outer, cond.WantBool)
			if s.When != nil {
				s.Conditional = true
				if k, ok := s.When.Const(); ok && k == false {
					ld.add(codeDead, p.Value.Span, "this step can never run", "Its guard is always false.", "")
				}
			}
		case "timeout":
			s.Timeout = ld.value(p.Value, f, inner)
		case "error":
			if v := ld.value(p.Value, f, inner); v != nil {
				s.Error, _ = v.Lit.(string)
			}
		case "into":
			if p.Value.Kind != ydoc.Scalar || p.Value.Quoted {
				ld.shape(p.Value, "into", "the name of a variable")
			} else if ld.variableName(p.Value) {
				s.Into = p.Value.Value
			}
		case "points":
			if v := ld.value(p.Value, f, inner); v != nil {
				switch x := v.Lit.(type) {
				case int:
					s.Points = float64(x)
				case float64:
					s.Points = x
				}
			}
		case "background":
			if v := ld.value(p.Value, f, inner); v != nil {
				s.Back, _ = v.Lit.(string)
				if n.Get("in") == nil {
					ld.add(codeBackground, p.Key.Span, "background: needs in:", "Only a step that an idle process carries out can go on while the script does.", "")
				} else if old, dup := ld.background[s.Back]; dup {
					ld.add(codeBackground, p.Value.Span, "\""+s.Back+"\" is already a step in the background", "", "", ld.declaredHere(old, "first here"))
				} else {
					ld.background[s.Back] = p.Value.Span
				}
			}
		}
	}
}

// object reads the verb's own value.
func (ld *loader) object(s *Step, key, obj *ydoc.Node, c *context) {
	f := s.Verb.Object
	if f == nil {
		if obj.Kind != ydoc.Null {
			ld.shape(obj, key.Value, "no object; write  - "+key.Value)
		}
		return
	}
	if obj.Kind == ydoc.Null && !obj.Quoted {
		if f.Required {
			ld.add(codeMissing, key.Span, key.Value+" has no object", "It takes "+f.Doc+": "+s.Verb.Example, "")
		}
		return
	}
	oc := *c
	// A verb on processes may mean all of name[n]; one on a primitive never.
	oc.wholeArray = false
	named := *f
	named.Name = key.Value
	s.Obj = ld.value(obj, &named, &oc)
}

// parameters reads the other keys of a step.
func (ld *loader) parameters(s *Step, n *ydoc.Node, at int, c *context) {
	v := s.Verb
	for i, p := range n.Pairs {
		if i == at || field(StepFields, p.Key.Value) != nil {
			continue
		}
		f := field(v.Fields, p.Key.Value)
		if f == nil {
			known := append(fieldNames(v.Fields), fieldNames(StepFields)...)
			detail := ""
			if len(v.Fields) > 0 {
				detail = v.Name + " takes " + strings.Join(fieldNames(v.Fields), ", ") + "."
			}
			hint := diag.Suggest(p.Key.Value, known)
			ld.add(codeKey, p.Key.Span, v.Name+" has no parameter \""+p.Key.Value+"\"", detail, hint)
			continue
		}
		pc := *c
		switch f.Shape {
		case decl.Steps:
			pc.conditional = c.conditional || v.Name != "repeat" && v.Name != "with"
			if s.When != nil {
				pc.conditional = true
			}
			s.block(f.Name, ld.steps(p.Value, &pc))
		case decl.Handler:
			pc.handler = true
			disp, steps := ld.handler(p.Value, f.Name, &pc)
			if disp == "handle" {
				s.block(f.Name, steps)
			}
			if disp != "" {
				s.Args = append(s.Args, Arg{f, &Value{Span: p.Value.Span, Lit: disp}})
			}
		default:
			if val := ld.value(p.Value, f, &pc); val != nil {
				s.Args = append(s.Args, Arg{f, val})
			}
		}
	}
	for _, f := range v.Fields {
		if f.Required && n.Get(f.Name) == nil {
			ld.add(codeMissing, s.VerbAt, v.Name+" needs "+f.Name+":", f.Name+": "+f.Doc+". As in  "+v.Example, "")
		}
	}
}

func (ld *loader) requiredParams(s *Step, n *ydoc.Node) {
	for _, f := range s.Verb.Fields {
		if f.Required {
			ld.add(codeMissing, n.Span, s.Verb.Name+" needs "+f.Name+":", f.Name+": "+f.Doc+".", "")
		}
	}
}

func (s *Step) block(name string, steps []*Step) {
	if s.Blocks == nil {
		s.Blocks = map[string][]*Step{}
	}
	s.Blocks[name] = steps
}
