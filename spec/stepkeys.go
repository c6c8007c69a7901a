package spec

import (
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// common reads the keys that any step may have. when: is asked by the script,
// before a step is handed over; the rest belongs to whoever does it.
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
				ld.stepNames[t] = append(ld.stepNames[t], p.Value.Span)
			}
		case "hint":
			s.Hint, _ = ld.text(p.Value, "hint")
		case "when":
			ld.guard(s, p.Value, outer)
		case "timeout":
			s.Timeout = ld.value(p.Value, f, inner)
		case "error":
			ld.expectedError(s, p.Value)
		case "into":
			s.Into, _ = litOf(ld.value(p.Value, f, inner)).(string)
		case "points":
			switch x := litOf(ld.value(p.Value, f, inner)).(type) {
			case int:
				s.Points = float64(x)
			case float64:
				s.Points = x
			}
		case "needs":
			ld.needs(s, n, p, outer)
		case "visibility":
			if v := ld.word(p.Value, f, codeShape, f.Enum); v != nil {
				s.Visibility = v.Lit.(string)
			}
		case "background":
			ld.goOn(s, n, p, inner)
		}
	}
}

// guard reads when:.
func (ld *loader) guard(s *Step, n *ydoc.Node, c *context) {
	if s.When = ld.expression(n, "when", c, cond.WantBool); s.When == nil {
		return
	}
	s.Conditional = true
	if k, ok := s.When.Const(); ok && k == false {
		ld.add(codeDead, n.Span, "this step can never run", "Its guard is always false.", "")
	}
}

// expectedError reads error:, one of those that the verb ends with.
func (ld *loader) expectedError(s *Step, n *ydoc.Node) {
	v := s.Verb
	switch {
	case n.Bad:
		return
	case n.Kind != ydoc.Scalar:
		ld.shape(n, "error", "the name of an error, as Timeout")
		return
	}
	s.Error = n.Value
	may := "It ends with " + strings.Join(v.Errors, ", ") + ", or succeeds."
	switch known := contains(ld.voc.ErrorNames(), n.Value); {
	case contains(v.Errors, n.Value), known && v.AnyError:
	case len(v.Errors) == 0 && !v.AnyError:
		ld.add(codeError, n.Span, v.Name+" never fails", "", "")
	case known:
		ld.add(codeError, n.Span, v.Name+" never ends with "+n.Value, may, didYouMean(n.Value, v.Errors))
	default:
		hint := diag.Suggest(n.Value, v.Errors)
		if v.AnyError {
			hint = diag.Suggest(n.Value, ld.voc.ErrorNames())
		}
		ld.add(codeError, n.Span, "no error is called \""+shorten(n.Value)+"\"", "", hint)
	}
}

// goOn reads background:.
func (ld *loader) goOn(s *Step, n *ydoc.Node, p ydoc.Pair, c *context) {
	name, _ := litOf(ld.value(p.Value, field(StepFields, "background"), c)).(string)
	s.Back = name
	if name == "" {
		name = p.Value.Value // known, so that its await: is not reported, too
	}
	old, dup := ld.background[name]
	switch {
	case s.Back == "":
	case n.Get("in") == nil:
		ld.add(codeBackground, p.Key.Span, "background: needs in:", "Only a step that an idle process carries out can go on while the script does.", "")
	case dup:
		ld.add(codeBackground, p.Value.Span, "\""+name+"\" is already a step in the background", "", "", ld.declaredHere(old, "first here"))
	}
	if !dup {
		ld.background[name] = p.Value.Span
	}
}

// needs reads needs:, names of checks before the step. What has the name may
// stand anywhere before it, so it is looked for when all of the file is known.
func (ld *loader) needs(s *Step, n *ydoc.Node, p ydoc.Pair, c *context) {
	if c.inProcess() {
		ld.add(codePlace, p.Key.Span, "needs: is for the top-level steps", "A process goes through its own steps; the script decides which checks are worth doing.", "")
		return
	}
	names := ld.texts(n, "needs", StepFields)
	ld.later = append(ld.later, func() {
		for i, name := range names {
			ld.need(s, name, p.Value.Items[i].Span)
		}
	})
}

func (ld *loader) need(s *Step, name string, at source.Span) {
	var known []string
	for _, o := range ld.sc.All[1:] {
		if o.Name == "" || o.Verb == nil || o.Proc != nil && o.In == nil {
			continue
		}
		known = append(known, o.Name)
		switch {
		case o.Name != name:
		case o.ID >= s.ID:
			ld.add(codeName, at, "the step \""+name+"\" does not come before this one", "A check can need what was checked before it.", "", ld.declaredHere(o.VerbAt, "it is here"))
			return
		case !o.Verb.Checks && o.Error == "":
			ld.add(codeObject, at, "the step \""+name+"\" checks nothing", "It cannot fail to pass, so nothing can depend on it.", "", ld.declaredHere(o.VerbAt, "it is here"))
			return
		default:
			s.Needs = append(s.Needs, o)
			return
		}
	}
	ld.add(codeName, at, "no step is named \""+shorten(name)+"\"", "A check gets a name by  name: "+shorten(name), diag.Suggest(name, known))
}

// object reads the verb's own value.
func (ld *loader) object(s *Step, key, obj *ydoc.Node, c *context) {
	f := s.Verb.Object
	if f == nil {
		if obj.Kind != ydoc.Null {
			ld.add(codeShape, obj.Span, key.Value+" takes no object", "Write it as  - "+key.Value, "")
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
	known := append(fieldNames(v.Fields), fieldNames(StepFields)...)
	for i, p := range n.Pairs {
		if i == at || field(StepFields, p.Key.Value) != nil {
			continue
		}
		if f := field(v.Fields, p.Key.Value); f != nil {
			ld.parameter(s, f, p.Value, c)
			continue
		}
		hint, detail := didYouMean(p.Key.Value, known), ""
		if strings.Contains(p.Key.Value, "：") {
			hint = wideColon
		}
		if hint == "" {
			detail = "It takes " + strings.Join(fieldNames(v.Fields), ", ") + ", and what any step may have: " + strings.Join(fieldNames(StepFields), ", ") + "."
			if len(v.Fields) == 0 {
				detail = "It takes what any step may have: " + strings.Join(fieldNames(StepFields), ", ") + "."
			}
		}
		ld.add(codeKey, p.Key.Span, v.Name+" has no parameter \""+p.Key.Value+"\"", detail, hint)
	}
	for _, f := range v.Fields {
		if f.Required && ld.absent(n, f.Name, append(known, v.Name)) {
			ld.add(codeMissing, s.VerbAt, v.Name+" needs "+f.Name+":", "It is "+f.Doc+". As in  "+v.Example, "")
		}
	}
}

// parameter reads one of them.
func (ld *loader) parameter(s *Step, f *decl.Field, n *ydoc.Node, c *context) {
	pc := *c
	switch f.Shape {
	case decl.Steps:
		// The bodies of these are done whenever the step is.
		pc.conditional = c.conditional || s.When != nil || s.Verb.Name != "repeat" && s.Verb.Name != "with"
		s.block(f.Name, ld.steps(n, &pc))
	case decl.Handler:
		pc.handler, pc.scope = true, nil
		disp, steps := ld.handler(n, f.Name, &pc)
		if disp == "handle" {
			s.block(f.Name, steps)
		}
		if disp != "" {
			s.Args = append(s.Args, Arg{f, &Value{Span: n.Span, Lit: disp}})
		}
	default:
		if val := ld.value(n, f, &pc); val != nil {
			s.Args = append(s.Args, Arg{f, val})
		}
	}
}

func (s *Step) block(name string, steps []*Step) {
	if s.Blocks == nil {
		s.Blocks = map[string][]*Step{}
	}
	s.Blocks[name] = steps
}
