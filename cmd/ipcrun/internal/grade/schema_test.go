package grade

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ipcrun/engine/event"
)

var update = flag.Bool("update", false, "write the generated files anew")

// Marks around what is generated in docs/exercises.md.
const (
	tableBegin = "<!-- generated: go test ./cmd/ipcrun/internal/grade -update -->\n\n"
	tableEnd   = "\n<!-- end of what is generated -->\n"
)

// TestFresh holds the committed schema and the table of the page against the types.
func TestFresh(t *testing.T) {
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, "../../../../schema/result.schema.json", func([]byte) []byte { return data })
	fresh(t, "../../../../docs/exercises.md", func(old []byte) []byte {
		before, rest, ok := strings.Cut(string(old), tableBegin)
		_, after, ok2 := strings.Cut(rest, tableEnd)
		if !ok || !ok2 {
			t.Fatal("docs/exercises.md has lost the marks of its generated part")
		}
		return []byte(before + tableBegin + FieldTable() + tableEnd + after)
	})
}

func fresh(t *testing.T, path string, want func(old []byte) []byte) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	now := want(old)
	if bytes.Equal(old, now) {
		return
	}
	if !*update {
		t.Fatalf("%s is stale; go test ./cmd/ipcrun/internal/grade -update writes it anew", path)
	}
	if err := os.WriteFile(path, now, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDescribed: every field says what it is.
func TestDescribed(t *testing.T) {
	var look func(reflect.Type)
	look = func(x reflect.Type) {
		for x.Kind() == reflect.Slice || x.Kind() == reflect.Pointer {
			x = x.Elem()
		}
		if x.Kind() != reflect.Struct {
			return
		}
		for f := range x.Fields() {
			if f.Tag.Get("doc") == "" || f.Tag.Get("json") == "" {
				t.Errorf("%s.%s does not say what it is", x.Name(), f.Name)
			}
			look(f.Type)
		}
	}
	look(reflect.TypeFor[Result]())
}

// TestSchema: results fit it, and what is wrong in them does not.
func TestSchema(t *testing.T) {
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("result.json")
	if err != nil {
		t.Fatal(err)
	}
	code := 3
	r := &Result{Schema: Schema, Detail: Full, Result: event.Failed, Params: map[string]any{"n": 1},
		Checks:    []Check{{ID: "a", Result: event.Blocked, Visibility: "visible"}},
		Processes: []Process{{Name: "p", Stdout: []string{}, Stderr: []string{}}, {Name: "q", Status: &event.Status{ExitCode: &code}, Stdout: []string{}, Stderr: []string{}}}}
	path := t.TempDir() + "/r.json"
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	valid := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := valid(string(text)); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][2]string{
		{`"ipcrun/result/v1"`, `"ipcrun/result/v0"`},
		{`"complete"`, `"completed"`},
		{`"result": "fail"`, `"result": "failed"`},
		{`"id": "a"`, `"id": 1`},
		{`"exit_code": 3`, `"exit_code": "3"`},
		{`"stdout_tail": []`, `"stdout_tail": null`},
		{`"detail": "full"`, `"detail": "all"`},
	} {
		changed := strings.Replace(string(text), wrong[0], wrong[1], 1)
		if changed == string(text) {
			t.Fatalf("no %s in %s", wrong[0], text)
		}
		if valid(changed) == nil {
			t.Errorf("%s instead of %s is valid", wrong[1], wrong[0])
		}
	}
}
