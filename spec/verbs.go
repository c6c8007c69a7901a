package spec

import (
	"sort"

	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

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
	named := decl.Field{Name: key.Value, Shape: decl.Ref, Refs: all}
	if evaluates(obj.Value) {
		ld.notEvaluated(obj, &named)
		return nil
	}
	if ld.broken(obj.Value) {
		return nil
	}
	t, _ := splitRef(obj.Value)
	name := t.name
	e := ld.names[name]
	if e == nil {
		ld.unknownName(obj.Span, name, &named)
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
	ld.wrongClass(obj.Span, name, &named, e)
	return nil
}
