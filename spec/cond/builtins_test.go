package cond

import (
	"slices"
	"strings"
	"testing"

	exprs "github.com/expr-lang/expr/builtin"

	"ipcrun/spec/decl"
)

// exampleScope is what the examples of the functions speak of.
func exampleScope() (*Scope, Env) {
	process := Object(map[string]Type{
		"lines": ListOf(Of(decl.String, decl.None)), "output": Of(decl.String, decl.None), "exit_code": Of(decl.Int, decl.None), "pid": Of(decl.Int, decl.None),
		"started": Of(decl.Float, decl.None), "ended": Of(decl.Float, decl.None), "blocked_on": Of(decl.String, decl.None), "vars": Of(decl.Map, decl.None),
	}).Named("process")
	sc := &Scope{Names: map[string]Type{
		"conductor": process, "till": ListOf(process),
		"total": Object(map[string]Type{"value": Of(decl.Int, decl.None)}), "jobs": Object(map[string]Type{"size": Of(decl.Int, decl.None)}),
	}}
	env := exampleEnv{
		"conductor": map[string]any{"lines": []any{"ding", "go", "ding"}, "output": "ding\ngo\nding\n", "exit_code": 0, "pid": 40, "started": 2.4, "ended": 2.5,
			"blocked_on": "", "vars": map[string]any{"stop": "town", "bell": 1}},
		"till":  []any{map[string]any{"exit_code": 0, "pid": 42, "blocked_on": ""}, map[string]any{"exit_code": 0, "pid": 41, "blocked_on": ""}},
		"total": map[string]any{"value": -7}, "jobs": map[string]any{"size": 2},
	}
	return sc, env
}

type exampleEnv map[string]any

func (e exampleEnv) Lookup(name string) (any, bool) {
	v, ok := e[name]
	return v, ok
}

// TestBuiltinsAreDescribed: each function has a text, a name for each argument,
// and an example that uses it and is true.
func TestBuiltinsAreDescribed(t *testing.T) {
	if !slices.IsSortedFunc(builtins[:], func(a, b builtin) int { return strings.Compare(a.name, b.name) }) {
		t.Fatal("they are not sorted")
	}
	sc, env := exampleScope()
	list := Builtins()
	if len(list) != len(builtins)+len(ownFuncs) {
		t.Errorf("%d are described", len(list))
	}
	for _, f := range list {
		if f.Doc == "" || strings.HasSuffix(f.Doc, ".") || len(f.Params) == 0 || f.Result == decl.None {
			t.Errorf("%+v", f)
		}
		if b, ok := builtinCalled(f.Name); ok {
			if _, _, letters := b.arity(); len(letters) != len(f.Params) {
				t.Errorf("%s: %d names for %d arguments", f.Name, len(f.Params), len(letters))
			}
		}
		if !strings.Contains(f.Example, f.Name+"(") {
			t.Errorf("%s: %s is no example of it", f.Name, f.Example)
		}
		e, problems := Compile(f.Example, sc, WantBool)
		if len(problems) > 0 {
			t.Errorf("%s: %v", f.Example, problems)
			continue
		}
		if v, err := e.Eval(env); v != true || err != nil {
			t.Errorf("%s is %v (%v)", f.Example, v, err)
		}
	}
}

// TestEveryFunctionOfExpr is kept, or refused with a reason.
func TestEveryFunctionOfExpr(t *testing.T) {
	for _, f := range exprs.Builtins {
		_, kept := builtinCalled(f.Name)
		_, own := ownFunc(f.Name)
		if (kept || own) == (Instead(f.Name) != "") {
			t.Errorf("%s: kept %v, refused: %q", f.Name, kept || own, Instead(f.Name))
		}
	}
}

// TestOrderOfEntries: a map has no order, what a condition sees of it has.
func TestOrderOfEntries(t *testing.T) {
	sc, env := exampleScope()
	for _, src := range []string{
		`all(1..50, keys({"c": 1, "a": #, "b": 3}) == ["a", "b", "c"])`,
		`all(1..50, values({"c": 1, "a": #, "b": 3})[1:] == [3, 1])`,
		`keys(conductor)[0] == "blocked_on"`,
	} {
		e, problems := Compile(src, sc, WantBool)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", src, problems)
		}
		if v, err := e.Eval(env); v != true || err != nil {
			t.Errorf("%s is %v (%v)", src, v, err)
		}
	}
	if _, problems := Compile("keys(jobs.size) == []", sc, WantBool); len(problems) != 1 || !strings.Contains(problems[0].Message, "keys wants a map as its argument map") {
		t.Errorf("%v", problems)
	}
}
