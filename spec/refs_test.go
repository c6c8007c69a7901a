package spec_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// withTable is the vocabulary and a kind whose verbs name elements and parts.
func withTable() *decl.Vocabulary {
	v := *plan.Vocabulary()
	object := &decl.Field{Name: "touch", Shape: decl.Ref, Required: true, Refs: []string{"table"}}
	k := &decl.Kind{
		Name: "table", Elements: true,
		Parts: func(_ any, fields map[string]any) []string {
			if fields["parts"] == nil {
				return nil
			}
			return []string{"a", "b"}
		},
		Fields: []decl.Field{{Name: "parts", Shape: decl.Bool}},
		Verbs:  []decl.Verb{{Name: "touch", Place: decl.InProcess, Object: object}},
	}
	v.Kinds = maps.Clone(v.Kinds)
	v.Kinds["table"] = k
	v.Verbs = append([]decl.ClassedVerb{{Verb: k.Verbs[0], Class: "table"}}, v.Verbs...)
	return &v
}

// TestRefs: which thing, which element and which part a step names.
func TestRefs(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"one", "one"},
		{"one[2]", "one elem 2"},
		{"one[-1]", "one elem -1"},
		{"one[1:3]", "one elem 1 to 3 slice"},
		{"one[:n]", "one to n slice"},
		{"one[n:]", "one elem n slice"},
		{"one[:]", "one slice"},
		{"one[n > 1 ? 1:2]", "one elem n > 1 ? 1:2"},
		{"one[(n > 1 ? 1:2):n]", "one elem (n > 1 ? 1:2) to n slice"},
		{`one[len("a]:b")]`, `one elem len("a]:b")`},
		{"many[1]", "many index 1"},
		{"many[n - 1][2]", "many index n - 1 elem 2"},
		{"many[0][[1, 2][0]:2]", "many index 0 elem [1, 2][0] to 2 slice"},
		{"split.a", "split part a"},
		{"split[1:2].b", "split elem 1 to 2 slice part b"},

		{"many", `7:14: error[IPC113]: many is 3 of them: say which, as many[0] or many[index]`},
		{"many[3]", `7:14: error[IPC113]: there is no many[3]: they go from 0 to 2`},
		{"one[1][2]", `7:14: error[IPC113]: too many brackets behind one`},
		{"one[]", `7:14: error[IPC113]: the index of one is empty`},
		{"one[x]", `7:18: error[IPC110]: unknown name "x"`},
		{"one[1:x]", `7:20: error[IPC110]: unknown name "x"`},
		{"many[x][y]", "7:19: error[IPC110]: unknown name \"x\"\n7:22: error[IPC110]: unknown name \"y\""},
		{"split.c", `7:14: error[IPC108]: split has no part "c"`},
		{"split.", `7:14: error[IPC108]: split has no part ""`},
		{"one.a", `7:14: error[IPC108]: one has no parts to name behind a dot`},
		{"one[1", `7:14: error[IPC113]: "one[1" has a [ without a ]`},
		{"one[1]]", `7:14: error[IPC113]: "one[1]]" goes on behind its ]`},
	} {
		text := `name: x
params: {n: 2}
primitives: {one: table, "many[3]": table, split: {table: , parts: true}}
processes:
  a:
    steps:
    - touch: ` + test.text + "\n"
		l := &diag.List{}
		sc := spec.Load(source.New("", []byte(text)), withTable(), spec.Options{}, l)
		got := ""
		if sc != nil {
			got = described(sc.All[1].Obj.Refs[0])
		} else {
			got = l.Err().Error()
		}
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.text, got, test.want)
		}
	}
}

func described(r *spec.Ref) string {
	var b strings.Builder
	b.WriteString(r.Name)
	if r.Index != nil {
		fmt.Fprintf(&b, " index %s", r.Index.Source())
	}
	if r.Elem != nil {
		fmt.Fprintf(&b, " elem %s", r.Elem.Source())
	}
	if r.To != nil {
		fmt.Fprintf(&b, " to %s", r.To.Source())
	}
	if r.Slice {
		b.WriteString(" slice")
	}
	if r.Part != "" {
		b.WriteString(" part " + r.Part)
	}
	return b.String()
}
