package grade

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"ipcrun/engine/event"
)

// JSONSchema describes result files (JSON Schema, draft 2020-12), indented, with a
// line feed at its end. It is made of the types whose fields results have.
func JSONSchema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Result]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "A result of ipcrun grade"
	s["properties"].(map[string]any)["schema"].(map[string]any)["const"] = Schema
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(s)
	return b.Bytes(), err
}

// words are the values of types that have few.
var words = map[reflect.Type][]string{
	reflect.TypeFor[event.Result](): {string(event.Pass), string(event.Failed), string(event.Timeout), string(event.Flaky),
		string(event.Blocked), string(event.Error), string(event.Skip)},
	reflect.TypeFor[Detail](): Details,
}

// schemaOf is the schema of a type. Fields that are left out where they say nothing
// are not required. Fields may be added later, so others are allowed.
func schemaOf(t reflect.Type) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		s := schemaOf(t.Elem())
		s["type"] = []any{s["type"], "null"}
		return s
	case reflect.Struct:
		props, required := map[string]any{}, []string{}
		for f := range t.Fields() {
			name, omitted := jsonName(f)
			ft := f.Type
			if omitted && ft.Kind() == reflect.Pointer {
				ft = ft.Elem() // it is there or not, and never null
			}
			p := schemaOf(ft)
			p["description"] = f.Tag.Get("doc")
			props[name] = p
			if !omitted {
				required = append(required, name)
			}
		}
		s := map[string]any{"type": "object", "properties": props}
		if len(required) > 0 {
			s["required"] = required
		}
		return s
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.String:
		s := map[string]any{"type": "string"}
		if w := words[t]; w != nil {
			s["enum"] = w
		}
		return s
	}
	panic("a result cannot have a " + t.String())
}

func jsonName(f reflect.StructField) (name string, omitted bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, options == "omitempty"
}

// FieldTable lists the fields of results and what each is, as a table of Markdown.
func FieldTable() string {
	var b strings.Builder
	b.WriteString("| field | is |\n|---|---|\n")
	fields(&b, "", reflect.TypeFor[Result]())
	return b.String()
}

func fields(b *strings.Builder, of string, t reflect.Type) {
	for f := range t.Fields() {
		name, _ := jsonName(f)
		inner := f.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
				name += "[]"
			}
			inner = inner.Elem()
		}
		fmt.Fprintf(b, "| `%s%s` | %s |\n", of, name, f.Tag.Get("doc"))
		if inner.Kind() == reflect.Struct {
			fields(b, of+name+".", inner)
		}
	}
}
