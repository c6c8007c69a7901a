package spec

import (
	"slices"
	"sort"
	"strings"

	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// findVerb finds the key of a step that is its verb. Some words are both a
// verb and a parameter of others (signal, block): the verb is the first one
// that all other keys fit.
func (ld *loader) findVerb(n *ydoc.Node) int {
	var candidates []int
	for i, p := range n.Pairs {
		if len(ld.voc.Named(p.Key.Value)) > 0 && field(StepFields, p.Key.Value) == nil {
			candidates = append(candidates, i)
		}
	}
	if len(candidates) == 0 {
		ld.noVerb(n)
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

func (ld *loader) noVerb(n *ydoc.Node) {
	// The first key that is no common one is where the verb belongs.
	for _, p := range n.Pairs {
		word := p.Key.Value
		if field(StepFields, word) != nil {
			continue
		}
		detail, hint := ld.whyNoVerb(word)
		d := ld.add(codeVerb, p.Key.Span, "unknown verb \""+shorten(word)+"\"", detail, hint)
		near, _, _, known := instead(word)
		if !known {
			near = diag.Nearest(word, ld.voc.VerbNames())
		}
		if near != "" && hint != "" && hint != wideColon && !strings.HasPrefix(word, "｛") {
			d.Fix = &diag.Fix{Span: p.Key.Span, Text: near}
		}
		return
	}
	ld.add(codeVerb, n.Span, "this step has no verb", "Its keys are parameters that any step may have. They stand beside the verb, without a dash of their own.", "")
}

// whyNoVerb says what a word is that stands where a verb belongs.
func (ld *loader) whyNoVerb(word string) (detail, hint string) {
	e := ld.names[word]
	first, rest, several := strings.Cut(word, " ")
	switch {
	case e != nil && e.class != "":
		return "\"" + word + "\" is " + e.what() + "; the verb comes first and names it as its object, as  " + ld.exampleFor(e, word), ""
	case ld.voc.Kinds[word] != nil:
		var verbs []string
		for i := range ld.voc.Kinds[word].Verbs {
			verbs = append(verbs, ld.voc.Kinds[word].Verbs[i].Name)
		}
		return "\"" + word + "\" is a kind of primitive; it is declared under primitives:, and what steps do with it is: " + strings.Join(verbs, ", ") + ".", ""
	case field(ProcessFields, word) != nil || field(TopFields, word) != nil:
		return "\"" + word + ":\" belongs further out; check the indentation.", ""
	case several && len(ld.voc.Named(first)) > 0:
		return "The verb is the key, its object the value; parameters are keys of their own.", "write " + first + ": " + shorten(rest)
	}
	if strings.HasPrefix(word, "｛") {
		return "", "｛ is the full-width bracket: YAML needs {"
	}
	if strings.Contains(word, "：") {
		return "", wideColon
	}
	if _, detail, hint, ok := instead(word); ok {
		if detail == "" {
			detail = "A step has exactly one verb, and its other keys are parameters of it."
		}
		return detail, hint
	}
	for _, v := range ld.voc.Verbs {
		if field(v.Fields, word) != nil {
			return "\"" + word + ":\" is a parameter of " + v.Name + " and stands beside it, without a dash of its own.", ""
		}
	}
	return "A step has exactly one verb, and its other keys are parameters of it.", diag.Suggest(word, ld.voc.VerbNames())
}

// exampleFor is a step with a thing as its object.
func (ld *loader) exampleFor(e *entry, name string) string {
	if e.proc != nil {
		return "wait: " + name
	}
	if e.task != nil {
		return "{apply: POOL, task: " + name + "}"
	}
	if e.prim != nil && len(e.prim.Kind.Verbs) > 0 {
		return e.prim.Kind.Verbs[0].Name + ": " + name
	}
	return "print: ${" + name + "}"
}

// chooseVerb picks among the verbs of one name by the class of the object.
// Where the object does not tell, that was reported, and the verb is one that
// takes what any of them takes, so that the rest of the step can be checked.
func (ld *loader) chooseVerb(key, obj *ydoc.Node) (v *decl.ClassedVerb, reported bool) {
	verbs := ld.voc.Named(key.Value)
	if len(verbs) == 1 {
		return verbs[0], false
	}
	named := decl.Field{Name: key.Value, Shape: decl.Ref}
	for _, v := range verbs {
		if v.Object != nil {
			named.Refs = append(named.Refs, v.Object.Refs...)
		}
	}
	sort.Strings(named.Refs)
	t, _ := ld.splitName(obj.Value)
	e := ld.names[t.name]
	switch {
	case obj.Kind != ydoc.Scalar:
		ld.shape(obj, key.Value, takes(&named))
	case evaluates(obj.Value):
		ld.notEvaluated(obj, &named)
	case ld.broken(obj.Value) || e != nil && e.class == "":
	case e == nil:
		ld.unknownName(obj.Span, t.name, &named)
	default:
		for _, v := range verbs {
			if v.Object != nil && accepts(v.Object.Refs, e) {
				return v, false
			}
		}
		ld.wrongClass(obj.Span, t.name, &named, e)
	}
	return anyOf(verbs), true
}

// anyOf is a verb that takes what any of some verbs takes.
func anyOf(verbs []*decl.ClassedVerb) *decl.ClassedVerb {
	v := *verbs[0]
	v.Fields = nil
	for _, w := range verbs {
		v.Place |= w.Place
		v.Waits = v.Waits || w.Waits
		v.Checks = v.Checks || w.Checks
		v.AnyError = v.AnyError || w.AnyError
		v.Errors = append(slices.Clip(v.Errors), w.Errors...)
		if v.Result == decl.None {
			v.Result = w.Result
		}
		for _, f := range w.Fields {
			if field(v.Fields, f.Name) == nil {
				f.Required = false
				v.Fields = append(v.Fields, f)
			}
		}
	}
	slices.Sort(v.Errors)
	v.Errors = slices.Compact(v.Errors)
	return &v
}
