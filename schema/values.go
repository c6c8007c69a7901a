package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// template is text with a ${…} in it, whose value is not known to a schema.
const template = `\$\{`

// duration is a number with a unit, or several of them.
const duration = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`

// scalars are what YAML may make of text.
var scalars = []string{"string", "number", "boolean"}

// value is what may stand for a field.
func (g *generator) value(f *decl.Field, at place) object {
	o := g.plain(f, at)
	if !spec.Templated(f) {
		return o
	}
	switch f.Shape {
	case decl.Any, decl.String, decl.Text, decl.Pattern:
		if len(f.Enum) == 0 {
			return o
		}
	}
	return object{"anyOf": []any{o, object{"type": "string", "pattern": template}}}
}

// plain is a value without ${…}.
func (g *generator) plain(f *decl.Field, at place) object {
	switch f.Shape {
	case decl.None:
		return object{"type": "null"}
	case decl.Any:
		return object{}
	case decl.Bool:
		return object{"type": "boolean"}
	case decl.Int:
		return bounded(object{"type": "integer"}, f)
	case decl.Float, decl.Points:
		o := bounded(object{"type": "number"}, f)
		if _, known := o["minimum"]; !known && f.Shape == decl.Points {
			o["minimum"] = 0
		}
		return o
	case decl.Count:
		return object{"anyOf": []any{object{"type": "integer", "minimum": 0}, object{"const": "forever"}}}
	case decl.String, decl.Text:
		if len(f.Enum) > 0 && f.Shape == decl.Text {
			var words []any // YAML makes other values of some of them
			for _, w := range f.Enum {
				words = append(words, w)
				if b, err := strconv.ParseBool(w); err == nil && len(w) > 1 {
					words = append(words, b)
				}
			}
			return object{"enum": words}
		}
		if len(f.Enum) > 0 {
			return object{"enum": f.Enum}
		}
		return object{"type": scalars}
	case decl.Duration:
		return object{"anyOf": []any{object{"type": "string", "pattern": duration}, object{"const": 0}}}
	case decl.Cond, decl.Expr:
		return object{"type": scalars}
	case decl.Signal:
		return g.def("signal", func() object { return g.signal(true) })
	case decl.Signals:
		one := g.def("catchable signal", func() object { return g.signal(false) })
		return object{"anyOf": []any{one, object{"type": "array", "minItems": 1, "items": one}}}
	case decl.Error:
		return object{"enum": g.voc.ErrorNames()}
	case decl.Ident:
		return object{"type": "string", "pattern": "^" + name + "$"}
	case decl.Ref:
		return g.reference(f)
	case decl.Refs:
		one := g.reference(f)
		return object{"anyOf": []any{one, object{"type": "array", "minItems": 1, "items": one}}}
	case decl.Steps:
		return g.steps(at)
	case decl.Handler:
		return object{"anyOf": []any{object{"enum": []string{"default", "ignore"}}, g.steps(at)}}
	case decl.Vars:
		return object{"type": "object", "minProperties": 1, "additionalProperties": false, "patternProperties": object{"^" + name + "$": true}}
	case decl.Map:
		return object{"type": "object"}
	case decl.List:
		return object{"type": "array"}
	case decl.Key:
		return object{"enum": g.voc.Keys}
	case decl.Command:
		return object{"anyOf": []any{
			object{"type": scalars, "pattern": `\S`},
			object{"type": "array", "minItems": 1, "items": object{"type": scalars}},
		}}
	case decl.Size:
		return object{"anyOf": []any{
			object{"type": "integer", "minimum": 1},
			object{"type": "string", "pattern": `^\s*[0-9]+\s*(B|KiB|MiB|GiB|kB|MB|GB)?\s*$`},
		}}
	case decl.Texts:
		return object{"type": "array", "minItems": 1, "items": object{"type": scalars}}
	case decl.TextMap:
		return object{"type": "object", "propertyNames": object{"pattern": `^[^=]+$`, "not": object{"pattern": `^IPCRUN($|_)`}}, "additionalProperties": object{"type": scalars}}
	case decl.Matching:
		props := object{}
		for _, f := range f.Sub {
			props[f.Name] = described(g.value(&f, at), f)
		}
		regex := object{"type": "string", "minLength": 1, "description": "a regular expression (RE2)"}
		props["argv"] = object{"anyOf": []any{
			object{"type": scalars, "minLength": 1},
			object{"type": "object", "properties": object{"regex": regex}, "required": []string{"regex"}, "additionalProperties": false},
		}, "description": props["argv"].(object)["description"]}
		return object{"anyOf": []any{
			object{"type": scalars, "minLength": 1},
			object{"type": "object", "minProperties": 1, "properties": props, "additionalProperties": false},
		}}
	case decl.Fields:
		return g.fields(f, at)
	case decl.Records:
		return object{"type": "array", "minItems": 1, "items": g.fields(f, at)}
	case decl.CType:
		if len(f.Enum) > 0 {
			return object{"enum": f.Enum}
		}
		return object{"type": "string"}
	case decl.Pattern:
		regex := object{"type": "string", "minLength": 1, "description": "a regular expression (RE2)"}
		one := object{"anyOf": []any{
			object{"type": scalars, "minLength": 1},
			object{"type": "object", "properties": object{"regex": regex}, "required": []string{"regex"}, "additionalProperties": false},
		}}
		several := object{"type": "array", "minItems": 2, "items": one}
		anyAll := object{"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": object{
			"any": described(several, decl.Field{Doc: "a line in which one of them is found"}),
			"all": described(several, decl.Field{Doc: "lines in any order, one for each of them"}),
		}}
		return object{"anyOf": append(slices.Clone(one["anyOf"].([]any)), anyAll)}
	}
	g.err = fmt.Errorf("schema: no form for shape %d of %s", f.Shape, f.Name)
	return object{}
}

// fields is a mapping with the keys of a field.
func (g *generator) fields(f *decl.Field, at place) object {
	props := object{}
	var required []string
	for _, f := range f.Sub {
		props[f.Name] = described(g.value(&f, at), f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	o := object{"type": "object", "minProperties": 1, "properties": props, "additionalProperties": false}
	if required != nil {
		o["required"] = required
	}
	return o
}

func bounded(o object, f *decl.Field) object {
	if f.Min.Given {
		o["minimum"] = f.Min.Num
	}
	if f.Max.Given {
		o["maximum"] = f.Max.Num
	}
	return o
}

// reference is the name of a declared thing. What stands behind the name (an
// index, a part, elements) depends on what it is, which a schema cannot know.
func (g *generator) reference(f *decl.Field) object {
	if f.Static {
		return object{"type": "string", "pattern": "^" + name + "$"}
	}
	return object{"type": "string", "pattern": "^" + name + `([\[.].*)?$`}
}

// signal is a signal by name, with or without SIG, or by number.
func (g *generator) signal(all bool) object {
	return object{"anyOf": []any{
		object{"enum": g.signalNames(all)},
		object{"type": []string{"string", "integer"}, "pattern": g.signalPattern(all), "minimum": 1, "maximum": 64},
	}}
}

// signalNames lists the names that an editor should offer: with SIG, without,
// and no other spelling.
func (g *generator) signalNames(all bool) []string {
	var with, without []string
	for _, n := range g.voc.Signals.Names() {
		if number, err := g.voc.Signals.Number(n); err != nil || !all && !g.voc.Signals.Catchable(number) || strings.ContainsAny(n, "+-") {
			continue
		}
		with = append(with, n)
		without = append(without, strings.TrimPrefix(n, "SIG"))
	}
	return append(with, without...)
}

// signalPattern takes every spelling that the loader takes: any case, numbers,
// second names, real-time signals by distance.
func (g *generator) signalPattern(all bool) string {
	var words []string
	for _, n := range g.signalNames(all) {
		if bare, ok := strings.CutPrefix(n, "SIG"); ok {
			words = append(words, anyCase(regexp.QuoteMeta(bare)))
		}
	}
	for _, second := range []string{"IOT", "CLD", "POLL", "UNUSED"} {
		if _, err := g.voc.Signals.Number(second); err == nil {
			words = append(words, anyCase(second))
		}
	}
	return `^(` + anyCase("SIG") + `)?(` + strings.Join(words, "|") + `|` + anyCase("RT") + `(` + anyCase("MIN") + `\+|` + anyCase("MAX") + `-)[0-9]{1,2})$|^[1-9][0-9]?$`
}

// anyCase is a pattern for a word in upper or lower case.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if upper, lower := strings.ToUpper(string(r)), strings.ToLower(string(r)); upper != lower {
			b.WriteString("[" + upper + lower + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
