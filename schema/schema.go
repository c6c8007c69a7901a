package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// Path is where the schema is committed, below the root of the project; the
// first line of a scenario names it.
const Path = "schema/scenario.schema.json"

// JSON is the schema of scenario files, indented, with a line feed at its end.
// It is the same for the same vocabulary.
func JSON() ([]byte, error) {
	g := &generator{voc: plan.Vocabulary(), defs: object{}}
	root := g.scenario()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return b.Bytes(), g.err
}

// object is a schema, or a part of one.
type object = map[string]any

type generator struct {
	voc  *decl.Vocabulary
	defs object
	err  error
}

// def adds a named schema once and refers to it.
func (g *generator) def(name string, make func() object) object {
	if _, known := g.defs[name]; !known {
		g.defs[name] = nil // so that it may refer to itself
		g.defs[name] = make()
	}
	return object{"$ref": "#/$defs/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)}
}

func (g *generator) scenario() object {
	props := object{}
	var required []string
	for _, f := range spec.TopFields {
		props[f.Name] = described(g.top(f), f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "ipcrun scenario",
		"description":          "Processes, what they share, what they do, and what must hold.",
		"type":                 "object",
		"properties":           props,
		"required":             required,
		"additionalProperties": false,
		"not": object{"required": []string{"outcome", "race"},
			"properties": object{"outcome": object{"const": "race"}, "race": object{"enum": []string{"warn", "off"}}}},
		"$defs": g.defs,
	}
}

// top is the value of a key of the file. Those that declare something have a
// form of their own.
func (g *generator) top(f decl.Field) object {
	switch f.Name {
	case "name":
		return object{"type": scalars, "pattern": `\S`}
	case "tags":
		return object{"type": "array", "items": object{"type": scalars}}
	case "params":
		return object{"type": "object", "additionalProperties": false, "patternProperties": object{"^" + name + "$": true}}
	case "primitives":
		return named(g.def("primitive", g.primitive))
	case "processes":
		o := named(g.def("process", g.process))
		o["minProperties"] = 1
		return o
	case "tasks":
		return object{"type": "object", "additionalProperties": false, "patternProperties": object{"^" + name + "$": g.def("task", g.task)}}
	case "steps":
		return g.steps(inScript)
	case "finally":
		return g.steps(inFinally)
	case "always":
		return object{"type": "array", "minItems": 1, "items": g.value(&decl.Field{Shape: decl.Cond}, inScript)}
	}
	return g.value(&f, inScript)
}

// Names of declared things and variables, and n of name[n].
const (
	name  = `[\p{L}_][\p{L}\p{Nd}_]*`
	count = `\[\s*([1-9][0-9]{0,3}|10000|` + name + `)\s*\]`
)

// named is a mapping from names, or name[n], to something.
func named(to object) object {
	return object{"type": "object", "additionalProperties": false, "patternProperties": object{"^" + name + "(" + count + ")?$": to}}
}

// primitive is a kind alone, or a mapping with it and its parameters.
func (g *generator) primitive() object {
	bare := []any{}
	forms := []any{nil}
	for _, n := range g.voc.KindNames() {
		k := g.voc.Kinds[n]
		if k.Main == nil || !k.Main.Required {
			bare = append(bare, n)
		}
		forms = append(forms, g.def("kind "+n, func() object { return g.kind(k) }))
	}
	forms[0] = object{"enum": bare, "description": "a kind that needs no parameter"}
	return object{"description": "A primitive is one kind, alone or with parameters.", "anyOf": forms}
}

func (g *generator) kind(k *decl.Kind) object {
	main := object{"type": "null"}
	if k.Main != nil {
		main = described(g.value(k.Main, inScript), *k.Main)
		if !k.Main.Required {
			main = object{"description": main["description"], "anyOf": []any{main, object{"type": "null"}}}
		}
	}
	main["description"] = paragraphs(k.Summary, k.Doc, text(main["description"]), example(k.Example))
	props := object{k.Name: main}
	required := []string{k.Name}
	for _, f := range k.Fields {
		props[f.Name] = described(g.value(&f, inScript), f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	return object{
		"title": k.Name, "description": paragraphs(k.Summary, example(k.Example)), "type": "object",
		"properties": props, "required": required, "additionalProperties": false,
	}
}

// process is idle, a list of steps, or a mapping.
func (g *generator) process() object {
	props := object{}
	for _, f := range spec.ProcessFields {
		v := g.value(&f, inProcess)
		if f.Name == "signals" {
			v = g.dispositions()
		}
		props[f.Name] = described(v, f)
	}
	scripted, refused := object{}, object{}
	for _, key := range spec.OnlyPrograms {
		scripted[key] = false
	}
	for key := range spec.LimitsOfPrograms {
		refused[key] = false
	}
	scripted["limits"] = object{"properties": refused}
	mapping := object{
		"type": "object", "properties": props, "additionalProperties": false,
		"allOf": []any{
			object{
				"if":   object{"properties": object{"idle": object{"const": true}}, "required": []string{"idle"}},
				"then": object{"properties": object{"steps": false}},
				// A child that a program forks by itself has neither: a schema cannot
				// know what its parent is.
				"else": object{"anyOf": []any{object{"required": []string{"steps"}}, object{"required": []string{"run"}}, object{"required": []string{"parent"}}}},
			},
			object{
				"if": object{"required": []string{"run"}},
				"then": object{"properties": object{"steps": false, "signals": false, "parent": false, "inherit": false, "idle": object{"const": false}},
					"not": object{"required": []string{"cwd", "files"}}},
				"else": object{"properties": scripted},
			},
		},
	}
	return object{
		"description": "A process: idle, a list of steps, or a mapping with steps and more.",
		"anyOf": []any{
			object{"const": "idle", "description": text(props["idle"].(object)["description"])},
			g.steps(inProcess),
			mapping,
		},
	}
}

// task is a list of steps, or a mapping.
func (g *generator) task() object {
	props := object{}
	for _, f := range spec.TaskFields {
		v := g.value(&f, inProcess)
		if f.Name == "params" {
			v = object{"type": "array", "items": object{"type": "string", "pattern": "^" + name + "$"}}
		}
		props[f.Name] = described(v, f)
	}
	mapping := object{
		"type": "object", "properties": props, "additionalProperties": false,
		"anyOf": []any{object{"required": []string{"steps"}}, object{"required": []string{"result"}}},
	}
	return object{
		"description": "A task of the workers of a pool: a list of steps, or a mapping with params, steps and a result.",
		"anyOf":       []any{g.steps(inProcess), mapping},
	}
}

// dispositions maps signals to what they do.
func (g *generator) dispositions() object {
	props := object{}
	handler := g.value(&decl.Field{Shape: decl.Handler}, inProcess)
	for _, n := range g.signalNames(false) {
		if strings.HasPrefix(n, "SIG") {
			props[n] = handler
		}
	}
	return object{
		"type": "object", "properties": props, "additionalProperties": false,
		"patternProperties": object{g.signalPattern(false): handler},
	}
}
