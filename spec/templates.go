package spec

import (
	"slices"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/ydoc"
)

// Templated reports whether ${…} may stand for a field's value.
func Templated(f *decl.Field) bool {
	if f.Static {
		return f.Shape == decl.Any || f.Shape == decl.Duration
	}
	switch f.Shape {
	case decl.Any, decl.Bool, decl.Int, decl.Float, decl.String, decl.Text, decl.Duration, decl.Count, decl.List, decl.Map, decl.Pattern:
		return true
	}
	return false
}

// notEvaluated reports ${…} in a value that is fixed when the file is loaded.
func (ld *loader) notEvaluated(n *ydoc.Node, f *decl.Field) {
	detail := "It is fixed when the file is loaded."
	if f.Shape == decl.Ref || f.Shape == decl.Refs {
		detail = "It is fixed when the file is loaded. Of name[n] one is chosen by its index, as in philosopher[index]."
	}
	ld.add(codeStatic, n.Span, f.Name+": takes "+takes(f)+", and ${…} is not evaluated here", detail, "")
}

// template compiles a text with ${…}. Nil: it was reported.
func (ld *loader) template(n *ydoc.Node, c *context) (*Value, *cond.Template) {
	t, problems := cond.ParseTemplate(n.Value, ld.scopeOf(c))
	ld.problems(problems, n, 0, func(text string) bool {
		_, p := cond.ParseTemplate(text, ld.scopeOf(c))
		return len(p) == 0
	})
	if len(problems) > 0 {
		return nil, nil
	}
	ld.noteRefs(t.Refs(), n, 0, c)
	return &Value{Span: n.Span, Form: IsTmpl, Tmpl: n.Value}, t
}

// unevaluated warns of a text that was meant as an expression: one that would compile,
// does something, and mentions a variable. In quotes it is a text on purpose.
func (ld *loader) unevaluated(n *ydoc.Node, c *context) {
	if n.Quoted || !calculates(n.Value) {
		return
	}
	e, problems := cond.Compile(n.Value, ld.scopeOf(c), cond.WantAny)
	if len(problems) > 0 {
		return
	}
	variables := ld.varsOf(c)
	for _, r := range e.Refs() {
		_, isParam := ld.sc.Params[r.Root]
		if r.Class == "" && (isParam || slices.Contains(variables, r.Root)) {
			ld.warn(codePlain, n.Span, shorten(n.Value)+" is text here: it is not evaluated", "Only what stands in ${…} is. In quotes it is a text without this warning.", "\"${"+n.Value+"}\"")
			return
		}
	}
}

// calculates reports whether a text looks as if it did something with its words. A date,
// a path and a name with a hyphen do not.
func calculates(s string) bool {
	return strings.ContainsAny(s, "+*%<>=!&|(") || strings.Contains(s, " - ") || strings.Contains(s, " / ")
}

// fitting compiles a text with ${…} and holds what it yields against the
// field, as far as that is known before anything runs.
func (ld *loader) fitting(n *ydoc.Node, f *decl.Field, c *context) *Value {
	v, t := ld.template(n, c)
	if v == nil {
		return nil
	}
	if ld.onlyParams(t) {
		if x, err := t.Eval(paramEnv(ld.sc.Params)); err == nil {
			if _, ok := ld.evaluated(n, f, x); !ok {
				return nil
			}
		}
		return v
	}
	if got := t.Shape(); !yields(got, f.Shape) {
		hint := ""
		if f.Shape == decl.Duration {
			hint = "add a unit: " + n.Value + "s"
		}
		ld.add(codeType, n.Span, f.Name+": takes "+takes(f)+", and "+shorten(n.Value)+" is "+takes(&decl.Field{Shape: got}), "", hint)
		return nil
	}
	return v
}

// onlyParams reports whether a template is known before anything runs.
func (ld *loader) onlyParams(t *cond.Template) bool {
	for _, r := range t.Refs() {
		if _, isParam := ld.sc.Params[r.Root]; !isParam || r.Class != "" {
			return false
		}
	}
	return true
}

// yields reports whether a value of one shape can be what another wants.
func yields(got, want decl.Shape) bool {
	if got == decl.Any {
		return true
	}
	switch want {
	case decl.Bool:
		return got == decl.Bool
	case decl.Int, decl.Float, decl.Count:
		return got == decl.Int || got == decl.Float
	case decl.Duration:
		return got == decl.String
	case decl.List:
		return got == decl.List
	case decl.Map:
		return got == decl.Map
	}
	return true
}

// evaluated holds the value of a ${…} that is known when the file is loaded
// against its field, and returns it as a Value holds it.
func (ld *loader) evaluated(n *ydoc.Node, f *decl.Field, x any) (any, bool) {
	ok := true
	switch f.Shape {
	case decl.Bool:
		_, ok = x.(bool)
	case decl.Int:
		_, ok = whole(x)
	case decl.Float:
		switch x.(type) {
		case int, float64:
		default:
			ok = false
		}
	case decl.Count:
		if _, ok = whole(x); !ok {
			ok = x == "forever"
		}
	case decl.List:
		_, ok = x.([]any)
	case decl.Map:
		_, ok = x.(map[string]any)
	case decl.Duration:
		text, isText := x.(string)
		if isText || x == 0 {
			if !isText {
				text = "0"
			}
			d, ok := ld.durationText(n, text)
			return d, ok
		}
		if ok = false; typeName(x) == "a whole number" || typeName(x) == "a number" {
			ld.add(codeType, n.Span, "the duration "+cond.Text(x)+" has no unit", "A bare number could be seconds, milliseconds or minutes.", "add a unit: "+n.Value+"s")
			return nil, false
		}
	}
	if !ok {
		ld.add(codeType, n.Span, f.Name+": takes "+takes(f)+", and "+shorten(n.Value)+" is "+describe(x), "", "")
		return nil, false
	}
	if numeric(f.Shape) && !ld.inBounds(n, f, x) {
		return nil, false
	}
	if text, isText := x.(string); isText && len(f.Enum) > 0 && !contains(f.Enum, text) {
		ld.add(codeType, n.Span, f.Name+": does not know "+describe(x), "", didYouMean(text, f.Enum))
		return nil, false
	}
	return x, true
}

func whole(x any) (int, bool) {
	switch y := x.(type) {
	case int:
		return y, true
	case float64:
		return int(y), float64(int(y)) == y
	}
	return 0, false
}

// fixed reads a value that must be known before anything runs. ${…} may
// mention params.
func (ld *loader) fixed(n *ydoc.Node, f *decl.Field) (any, bool) {
	v := ld.value(n, f, &context{fixed: true})
	if v == nil {
		return nil, false
	}
	x, err := ld.evalFixed(v)
	if err != nil {
		ld.add(codeExpr, n.Span, err.Error(), "", "")
		return nil, false
	}
	if v.Form != IsTmpl {
		return x, true
	}
	return ld.evaluated(n, f, x)
}

// fixedDuration reads a duration without ${…}, or one made of params.
func (ld *loader) fixedDuration(n *ydoc.Node, key string) (int, bool) {
	v, ok := ld.fixed(n, &decl.Field{Name: key, Shape: decl.Duration})
	d, isInt := v.(int)
	return d, ok && isInt
}

type paramEnv map[string]any

func (e paramEnv) Lookup(name string) (any, bool) { v, ok := e[name]; return v, ok }

func (ld *loader) evalFixed(v *Value) (any, error) {
	env := paramEnv(ld.sc.Params)
	switch v.Form {
	case IsLit:
		return v.Lit, nil
	case IsTmpl:
		t, err := cond.ParseTemplateTrusted(v.Tmpl)
		if err != nil {
			return nil, err
		}
		return t.Eval(env)
	case IsExpr:
		return v.Expr.Eval(env)
	case IsList:
		out := make([]any, len(v.List))
		for i, e := range v.List {
			x, err := ld.evalFixed(e)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case IsMap:
		out := map[string]any{}
		for k, e := range v.Map {
			x, err := ld.evalFixed(e)
			if err != nil {
				return nil, err
			}
			out[k] = x
		}
		return out, nil
	}
	return nil, nil
}
