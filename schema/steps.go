package schema

import (
	"slices"

	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// place is where a step stands; it decides which verbs there are.
type place string

const (
	inProcess place = "process" // in a process's steps and handlers
	inScript  place = "script"  // in the top-level steps
	inFinally place = "finally" // after the last process has ended
	asOrder   place = "order"   // top-level, carried out by the process that in: names
)

// allows reports whether a verb may stand somewhere.
func (p place) allows(v *verb) bool {
	switch p {
	case inScript:
		return v.place&decl.InScript != 0
	case inFinally:
		return v.place&decl.InScript != 0 && (!v.waits || v.Past)
	}
	return v.place&decl.InProcess != 0
}

// inner is the place of the steps inside a step.
func (p place) inner() place {
	if p == asOrder {
		return inProcess
	}
	return p
}

// verb is all that is done by one name: the classes of object, which a schema
// cannot tell apart, put together.
type verb struct {
	decl.Verb
	place   decl.Place
	waits   bool
	checks  bool
	results bool
	errors  []string
}

// verbs merges the verbs of each name.
func (g *generator) verbs() []*verb {
	var out []*verb
	for _, n := range g.voc.VerbNames() {
		m := &verb{}
		for i, v := range g.voc.Named(n) {
			if i == 0 {
				m.Verb = v.Verb
				m.Fields = slices.Clone(v.Fields)
			} else {
				m.merge(&v.Verb)
			}
			m.place |= v.Place
			m.waits = m.waits || v.Waits
			m.checks = m.checks || v.Checks
			m.results = m.results || v.Result != decl.None
			m.errors = append(m.errors, v.Errors...)
		}
		slices.Sort(m.errors)
		m.errors = slices.Compact(m.errors)
		out = append(out, m)
	}
	return out
}

// merge adds a verb of the same name: what only one of them needs is no longer
// required, and the text tells of both.
func (m *verb) merge(v *decl.Verb) {
	m.Doc = paragraphs(m.Doc, v.Summary, v.Doc)
	m.AnyError = m.AnyError || v.AnyError
	for i := range m.Fields {
		if !slices.ContainsFunc(v.Fields, func(f decl.Field) bool { return f.Name == m.Fields[i].Name && f.Required }) {
			m.Fields[i].Required = false
		}
	}
	for _, f := range v.Fields {
		if !slices.ContainsFunc(m.Fields, func(have decl.Field) bool { return have.Name == f.Name }) {
			f.Required = false
			m.Fields = append(m.Fields, f)
		}
	}
	for i := range m.Fields {
		for _, f := range v.Fields {
			if f.Name == m.Fields[i].Name {
				widen(&m.Fields[i], f)
			}
		}
	}
}

// widen lets a parameter take what that of another verb takes, too: which of the
// verbs is meant shows in the object, which a schema cannot look up.
func widen(f *decl.Field, also decl.Field) {
	if f.Shape != also.Shape {
		f.Shape, f.Enum, f.Min, f.Max = decl.Any, nil, decl.Bound{}, decl.Bound{}
		return
	}
	if len(also.Enum) == 0 {
		f.Enum = nil
	}
	if !also.Min.Given || f.Min.Given && also.Min.Num < f.Min.Num {
		f.Min = also.Min
	}
	if !also.Max.Given || f.Max.Given && also.Max.Num > f.Max.Num {
		f.Max = also.Max
	}
}

// steps is a list of steps at a place.
func (g *generator) steps(at place) object {
	return object{"type": "array", "minItems": 1, "items": g.def("step in "+string(at), func() object { return g.step(at) })}
}

// step is one of the verbs of a place. Each is an object of its own, so that an
// editor offers the parameters of the verb that is there.
func (g *generator) step(at place) object {
	bare := []any{}
	forms := []any{nil}
	add := func(v *verb, at place) {
		forms = append(forms, g.def(v.Name+" in "+string(at), func() object { return g.form(v, at) }))
	}
	for _, v := range g.verbs() {
		if at.allows(v) {
			add(v, at)
			if (v.Object == nil || !v.Object.Required) && !slices.ContainsFunc(v.Fields, func(f decl.Field) bool { return f.Required }) {
				bare = append(bare, v.Name)
			}
		}
		if at == inScript && asOrder.allows(v) {
			add(v, asOrder)
		}
	}
	forms[0] = object{"enum": bare, "description": "a verb that needs no object"}
	if len(bare) == 0 {
		forms = forms[1:]
	}
	return object{"description": "A step is one verb with its object; its other keys are parameters.", "anyOf": forms}
}

// form is a step with a certain verb.
func (g *generator) form(v *verb, at place) object {
	props := object{v.Name: g.def("verb "+v.Name, func() object { return g.object(v) })}
	required := []string{v.Name}
	for _, f := range v.Fields {
		if f.Shape == decl.Steps || f.Shape == decl.Handler {
			props[f.Name] = described(g.value(&f, at.inner()), f)
		} else {
			props[f.Name] = g.def(v.Name+"."+f.Name, func() object { return described(g.value(&f, at), f) })
		}
		if f.Required {
			required = append(required, f.Name)
		}
	}
	for _, f := range spec.StepFields {
		if g.common(v, f.Name, at) {
			props[f.Name] = g.commonField(v, f, at)
		}
	}
	o := object{"title": v.Name, "description": v.Summary, "type": "object", "properties": props, "additionalProperties": false}
	if at == asOrder {
		required = append(required, "in")
	}
	o["required"] = required
	if _, ok := props["points"]; ok && !v.checks {
		o["dependentRequired"] = object{"points": []string{"error"}} // an error that must come is a check
	}
	if _, ok := props["block"]; ok && v.waits {
		o["not"] = object{"required": []string{"block", "timeout"}, "properties": object{"block": object{"const": false}}}
	}
	return o
}

// object is the verb's own value, which carries its documentation.
func (g *generator) object(v *verb) object {
	o := object{"type": "null"}
	doc := ""
	if v.Object != nil {
		o = g.value(v.Object, inProcess)
		doc = "Takes " + v.Object.Doc + "."
		if !v.Object.Required {
			o = object{"anyOf": []any{o, object{"type": "null"}}}
		}
	}
	errors := ""
	if len(v.errors) > 0 {
		errors = "Errors: " + join(v.errors) + "."
	}
	o["description"] = paragraphs(v.Summary, v.Doc, doc, errors, example(v.Example))
	return o
}

// common reports whether a key that any step may have means something with a
// verb at a place.
func (g *generator) common(v *verb, key string, at place) bool {
	switch key {
	case "timeout":
		return v.waits && at != inFinally
	case "into":
		return v.results
	case "points":
		return v.checks || len(g.errorsOf(v)) > 0
	case "error":
		return len(g.errorsOf(v)) > 0
	case "in", "background":
		return at == asOrder
	}
	return true
}

// errorsOf are the errors that a step can be expected to end with.
func (g *generator) errorsOf(v *verb) []string {
	if v.AnyError { // it ends as something else does, as the step that await: names
		return g.voc.ErrorNames()
	}
	return v.errors
}

func (g *generator) commonField(v *verb, f decl.Field, at place) object {
	if f.Name == "error" {
		errors := g.errorsOf(v)
		return g.def("error of "+v.Name, func() object { return described(object{"enum": errors}, f) })
	}
	return g.def("common "+f.Name, func() object { return described(g.value(&f, at), f) })
}
