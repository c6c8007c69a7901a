package spec_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

func load(text string, params map[string]string) (*spec.Scenario, *diag.List) {
	l := &diag.List{}
	sc := spec.Load(source.New("x.yaml", []byte(text)), plan.Vocabulary(), spec.Options{Params: params}, l)
	return sc, l
}

// scenarios are the files that ship with the project.
func scenarios(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir("../scenarios", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatal("no scenarios", err)
	}
	return out
}

func TestShippedScenariosLoad(t *testing.T) {
	for path, data := range scenarios(t) {
		l := &diag.List{}
		sc := spec.Load(source.New(path, data), plan.Vocabulary(), spec.Options{}, l)
		for _, d := range l.All() {
			t.Error(d)
		}
		if sc == nil {
			t.Errorf("%s: not loaded", path)
			continue
		}
		for i, s := range sc.All[1:] {
			if s == nil || int(s.ID) != i+1 {
				t.Errorf("%s: step %d has the wrong number", path, i+1)
			}
		}
	}
}

const withParams = `
name: x
timeout: ${limit}
params: {n: 2, factor: 1.5, who: ada, on: true, list: [1], limit: 3s, free: null}
processes:
  a[n]:
    steps:
      - assert: factor > 0 && len(who) >= 0 && on != (1 > 2) && len(list) >= 0 && free != 7
      - sleep: ${limit}
`

func TestParamsReplaced(t *testing.T) {
	sc, l := load(withParams, map[string]string{"n": "3", "factor": "2", "who": "12", "on": "false", "list": "[a, b]", "limit": "50ms", "free": "9"})
	if sc == nil {
		t.Fatal(l.Err())
	}
	want := map[string]any{"n": 3, "factor": 2.0, "who": "12", "on": false, "list": []any{"a", "b"}, "limit": "50ms", "free": 9}
	if !reflect.DeepEqual(sc.Params, want) {
		t.Errorf("params are %v, want %v", sc.Params, want)
	}
	if sc.Procs[0].Count != 3 || sc.Timeout != 50*time.Millisecond {
		t.Errorf("%d processes, timeout %s", sc.Procs[0].Count, sc.Timeout)
	}
}

func TestParamsRefused(t *testing.T) {
	for _, test := range []struct{ param, text, want string }{
		{"n", "three", `x.yaml:4:10: error[IPC124]: --param n=three is text, the scenario's n is a whole number`},
		{"n", "2.5", `x.yaml:4:10: error[IPC124]: --param n=2.5 is a number, the scenario's n is a whole number`},
		{"n", "", `x.yaml:4:10: error[IPC124]: --param n= is text, the scenario's n is a whole number`},
		{"n", "0", `x.yaml:6:3: error[IPC125]: there cannot be 0 of a`},
		{"n", "0755", `x.yaml:4:10: error[IPC124]: --param n=0755 is text, the scenario's n is a whole number`},
		{"n", "{a: [", `x.yaml:4:10: error[IPC124]: --param n={a: [ is text, the scenario's n is a whole number`},
		{"factor", "true", `x.yaml:4:16: error[IPC124]: --param factor=true is true or false, the scenario's factor is a number`},
		{"on", "yes", `x.yaml:4:39: error[IPC124]: --param on=yes is text, the scenario's on is true or false`},
		{"list", "3", `x.yaml:4:49: error[IPC124]: --param list=3 is a whole number, the scenario's list is a list`},
		{"limit", "50", "x.yaml:3:10: error[IPC111]: the duration 50 has no unit\nx.yaml:9:16: error[IPC111]: the duration 50 has no unit"},
		{"fatcor", "3", `x.yaml: error[IPC124]: --param fatcor: the scenario has no such param`},
	} {
		sc, l := load(withParams, map[string]string{test.param: test.text})
		if sc != nil {
			t.Errorf("%s=%s was accepted", test.param, test.text)
			continue
		}
		if got := l.Err().Error(); got != test.want {
			t.Errorf("%s=%s:\ngot  %s\nwant %s", test.param, test.text, got, test.want)
		}
	}
}

func TestNestedTooDeeply(t *testing.T) {
	const deep = 70
	text := "name: x\nprocesses:\n  a: {steps: [" + strings.Repeat("{repeat: 1, do: [", deep) + "{print: hi}" + strings.Repeat("]}", deep) + "]}\n"
	sc, l := load(text, nil)
	if sc != nil || len(l.All()) != 1 || l.All()[0].Code != "IPC013" {
		t.Errorf("got %v, %v", sc != nil, l.Err())
	}
}

// TestEverythingAtOnce: one look at a file shows all of its mistakes.
func TestEverythingAtOnce(t *testing.T) {
	_, l := load(`
name: [x]
tiemout: 5s
primitives:
  gate: lok
  total: {value: q, initial: "${n}"}
processes:
  a:
    parent: b
    signals: {SIGKIL: ignore}
    steps:
      - acquire: gate
      - ad: total
      - {read: total, into: 1st}
      - exit: zero
steps:
  - assert: a.exitcode == 0
  - expect: ""
    from: b
`, nil)
	var got []string
	for _, d := range l.All() {
		got = append(got, fmt.Sprintf("%d:%d %s", d.Span.Start.Line, d.Span.Start.Col, d.Code))
	}
	want := []string{"2:7 IPC100", "3:1 IPC101", "5:9 IPC130", "6:33 IPC110", "9:13 IPC103", "10:15 IPC112",
		"13:9 IPC106", "14:29 IPC105", "15:15 IPC100", "17:15 IPC110", "18:13 IPC115", "19:11 IPC103"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v\n%v", got, want, l.Err())
	}
}

// BenchmarkLoad loads a file of 10,000 steps.
func BenchmarkLoad(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("name: x\nprimitives:\n  total: {value: i}\nprocesses:\n")
	for p := range 10 {
		fmt.Fprintf(&text, "  p%d:\n    steps:\n", p)
		for i := range 1000 {
			switch i % 4 {
			case 0:
				text.WriteString("      - {read: total, into: seen}\n")
			case 1:
				text.WriteString("      - {write: total, value: \"${seen + 1}\", when: seen >= 0}\n")
			case 2:
				text.WriteString("      - print: seen ${seen} of ${total.value}\n")
			default:
				fmt.Fprintf(&text, "      - assert: total.value > %d\n", i)
			}
		}
	}
	f := source.New("x.yaml", text.Bytes())
	for b.Loop() {
		l := &diag.List{}
		if sc := spec.Load(f, plan.Vocabulary(), spec.Options{}, l); sc == nil {
			b.Fatal(l.Err())
		}
	}
}
