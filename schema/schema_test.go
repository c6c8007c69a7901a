package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ipcrun/engine/plan"
	"ipcrun/schema"
	"ipcrun/spec/decl"
)

var update = flag.Bool("update", false, "write the generated files anew")

// TestFresh holds the committed files against the vocabulary.
func TestFresh(t *testing.T) {
	data, err := schema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, schema.Path, data)
	fresh(t, "docs/reference.md", []byte(schema.Reference()))
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := schema.Readme(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, "README.md", []byte(text))
}

func fresh(t *testing.T, path string, want []byte) {
	t.Helper()
	path = filepath.Join("..", path)
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; go test ./schema -update writes it anew", path)
	}
}

// parsed is the schema as plain data.
func parsed(t *testing.T) any {
	t.Helper()
	data, err := schema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestIsASchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	meta, err := c.Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	doc := parsed(t)
	if err := meta.Validate(doc); err != nil {
		t.Error(err)
	}
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("scenario.json"); err != nil {
		t.Error(err)
	}
}

// TestDescribes: every key that an author can type explains itself.
func TestDescribes(t *testing.T) {
	doc := parsed(t).(map[string]any)
	keys := 0
	walk(doc, func(o map[string]any) {
		props, ok := o["properties"].(map[string]any)
		if !ok || o["type"] != "object" {
			return // the condition of an if or not
		}
		for key, v := range props {
			keys++
			if description(doc, v) == "" && !signalName(key) {
				t.Errorf("%v: %s: has no description", o["title"], key)
			}
		}
	})
	if keys < 100 {
		t.Errorf("only %d keys", keys)
	}
}

func signalName(key string) bool { return strings.HasPrefix(key, "SIG") }

// description is that of a schema or of what it refers to.
func description(doc map[string]any, v any) string {
	o, _ := v.(map[string]any)
	if s, ok := o["description"].(string); ok {
		return s
	}
	if ref, ok := o["$ref"].(string); ok {
		return description(doc, doc["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")])
	}
	return ""
}

// TestRefersToWhatThereIs: no $ref dangles and no definition is left over.
func TestRefersToWhatThereIs(t *testing.T) {
	doc := parsed(t).(map[string]any)
	defs := doc["$defs"].(map[string]any)
	used := map[string]bool{}
	walk(doc, func(o map[string]any) {
		if ref, ok := o["$ref"].(string); ok {
			used[strings.TrimPrefix(ref, "#/$defs/")] = true
		}
	})
	for name := range used {
		if _, ok := defs[name].(map[string]any); !ok {
			t.Errorf("%s is not defined", name)
		}
	}
	for name := range defs {
		if !used[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

func walk(v any, f func(map[string]any)) {
	switch x := v.(type) {
	case map[string]any:
		f(x)
		for _, e := range x {
			walk(e, f)
		}
	case []any:
		for _, e := range x {
			walk(e, f)
		}
	}
}

// TestModelines: an editor finds the schema of every shipped scenario.
func TestModelines(t *testing.T) {
	count := 0
	err := filepath.WalkDir("../scenarios", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		count++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Dir(path), filepath.Join("..", schema.Path))
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(string(data), "\n")
		if want := "# yaml-language-server: $schema=" + filepath.ToSlash(rel); first != want {
			t.Errorf("%s begins with %q, want %q", path, first, want)
		}
		return nil
	})
	if err != nil || count == 0 {
		t.Error(count, err)
	}
}

// TestStable: the same vocabulary gives the same bytes.
func TestStable(t *testing.T) {
	a, err := schema.JSON()
	if err != nil {
		t.Fatal(err)
	}
	b, err := schema.JSON()
	if err != nil || !bytes.Equal(a, b) {
		t.Error("two calls differ", err)
	}
	if !json.Valid(a) || a[len(a)-1] != '\n' {
		t.Error("not JSON with a line feed at its end")
	}
}

// TestPagesOfPrimitives: each kind has a page, which lists the facts that there are.
func TestPagesOfPrimitives(t *testing.T) {
	for name, k := range plan.Vocabulary().Kinds {
		path := "docs/primitives/" + name + ".md"
		data, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			t.Errorf("%s has no page: %v", name, err)
			continue
		}
		if fault := factsFault(string(data), k.Facts); fault != "" {
			t.Errorf("%s: %s", path, fault)
		}
		if factsFault(string(data), append(slices.Clone(k.Facts), decl.Fact{Name: "more"})) == "" {
			t.Errorf("%s: that a fact is missing is not noticed", path)
		}
	}
}

// factsFault is what is wrong with the line of a page that begins with Facts.
func factsFault(page string, facts []decl.Fact) string {
	line := regexp.MustCompile(`(?m)^Facts: .*$`).FindString(page)
	line = regexp.MustCompile(`\([^)]*\)`).ReplaceAllString(line, "") // what is said of one
	var got, want []string
	for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(line, -1) {
		got = append(got, m[1])
	}
	for _, f := range facts {
		want = append(want, f.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	got = slices.Compact(got) // more may be said of one
	if !slices.Equal(got, want) {
		return fmt.Sprintf("lists the facts %q, and there are %q", got, want)
	}
	return ""
}
