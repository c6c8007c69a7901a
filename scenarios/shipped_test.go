package scenarios_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/scenarios"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// load reads every shipped scenario.
func load(t *testing.T) map[string]*spec.Scenario {
	t.Helper()
	out := map[string]*spec.Scenario{}
	err := fs.WalkDir(scenarios.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := scenarios.Files.ReadFile(path)
		if err != nil {
			return err
		}
		l := &diag.List{}
		sc := spec.Load(source.New(path, data), plan.Vocabulary(), spec.Options{}, l)
		if l.Len() > 0 {
			var b strings.Builder
			diag.Write(&b, l.All(), diag.Style{})
			t.Errorf("%s", b.String())
		}
		if sc != nil {
			out[path] = sc
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestShipped runs every shipped scenario for real.
func TestShipped(t *testing.T) {
	e, err := engine.New(engine.Options{TimeoutScale: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for path, sc := range load(t) {
		t.Run(path, func(t *testing.T) {
			res, err := e.Run(context.Background(), sc)
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict.Result != event.Pass {
				var b strings.Builder
				event.WriteAll(&b, res.Events)
				t.Errorf("%s: %s\n%s", res.Verdict.Result, res.Verdict.Ending, b.String())
			}
		})
	}
}

// TestCoverage: every kind of primitive and every verb is shown by a shipped
// scenario.
func TestCoverage(t *testing.T) {
	v := plan.Vocabulary()
	missing := map[string]bool{}
	for name := range v.Kinds {
		missing["kind "+name] = true
	}
	key := func(name, class string) string { return strings.TrimSpace("verb " + name + " " + class) }
	for i := range v.Verbs {
		missing[key(v.Verbs[i].Name, v.Verbs[i].Class)] = true
	}
	for _, sc := range load(t) {
		for _, p := range sc.Prims {
			delete(missing, "kind "+p.Kind.Name)
		}
		for _, s := range sc.All[1:] {
			delete(missing, key(s.Verb.Name, s.Verb.Class))
		}
	}
	for what := range missing {
		t.Errorf("no shipped scenario shows %s", what)
	}
}
