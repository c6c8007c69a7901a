package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// load reads a scenario that has no mistakes.
func load(t testing.TB, text string, params map[string]string) *spec.Scenario {
	t.Helper()
	l := &diag.List{}
	sc := spec.Load(source.New("test.yaml", []byte(text)), plan.Vocabulary(), spec.Options{Params: params}, l)
	if sc == nil {
		var b bytes.Buffer
		_ = diag.Write(&b, l.All(), diag.Style{})
		t.Fatalf("the scenario does not load:\n%s", b.String())
	}
	return sc
}

// outcome is a run as the tests look at it.
type outcome struct {
	*engine.Result
	t testing.TB
}

// runOn runs a scenario on an Engine.
func runOn(t testing.TB, e *engine.Engine, sc *spec.Scenario) *outcome {
	t.Helper()
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	return &outcome{res, t}
}

// run runs a scenario, whatever comes of it.
func run(t testing.TB, text string) *outcome {
	t.Helper()
	return runOn(t, shared, load(t, text, nil))
}

// passes runs a scenario that must pass.
func passes(t testing.TB, text string) *outcome {
	t.Helper()
	o := run(t, text)
	o.mustPass()
	return o
}

func (o *outcome) mustPass() {
	o.t.Helper()
	if o.Verdict.Result != event.Pass {
		o.t.Fatalf("result %s, ending %s, %s\n%s", o.Verdict.Result, o.Verdict.Ending, o.causeText(), o.dump())
	}
}

// cause is the event that decided.
func (o *outcome) cause() event.Event {
	o.t.Helper()
	if o.Verdict.Cause < 0 {
		o.t.Fatalf("nothing decided: %+v\n%s", o.Verdict, o.dump())
	}
	return o.Events[o.Verdict.Cause]
}

func (o *outcome) causeText() string {
	if o.Verdict.Cause < 0 {
		return "no cause"
	}
	b := &bytes.Buffer{}
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(o.Events[o.Verdict.Cause])
	return b.String()
}

// dump is the log, for a failed test.
func (o *outcome) dump() string {
	var b bytes.Buffer
	events := o.Events
	if len(events) > 60 {
		events = events[len(events)-60:]
	}
	_ = event.WriteAll(&b, events)
	return b.String()
}

// decided checks the verdict: its result, its ending, the line of the step
// that decided, 0 for none, and what the event says.
func (o *outcome) decided(result event.Result, ending string, line int, says string) {
	o.t.Helper()
	if o.Verdict.Result != result || o.Verdict.Ending != ending {
		o.t.Fatalf("result %s, ending %s; want %s, %s\n%s", o.Verdict.Result, o.Verdict.Ending, result, ending, o.dump())
	}
	c := o.cause()
	if c.Line != line {
		o.t.Errorf("the cause is at line %d, want %d: %s", c.Line, line, o.causeText())
	}
	if text := o.causeText(); !regexp.MustCompile(says).MatchString(text) {
		o.t.Errorf("the cause does not say /%s/: %s", says, text)
	}
}

// lineOf is the number of the first line of a scenario that holds a text.
func lineOf(t testing.TB, scenario, text string) int {
	t.Helper()
	for i, l := range strings.Split(scenario, "\n") {
		if strings.Contains(l, text) {
			return i + 1
		}
	}
	t.Fatalf("no line holds %q", text)
	return 0
}

// of lists the events of a type, about one process if proc is not empty.
func (o *outcome) of(k event.Kind, proc string) []event.Event {
	var out []event.Event
	for _, e := range o.Events {
		if e.Type == k.String() && (proc == "" || e.Proc == proc) {
			out = append(out, e)
		}
	}
	return out
}

// printed are the lines a process has printed.
func (o *outcome) printed(proc string) []string {
	var out []string
	for _, e := range o.of(event.Print, proc) {
		out = append(out, e.Value.(string))
	}
	return out
}

// wantPrinted checks them.
func (o *outcome) wantPrinted(proc string, lines ...string) {
	o.t.Helper()
	if got := o.printed(proc); !slices.Equal(got, lines) {
		o.t.Errorf("%s printed %q, want %q", proc, got, lines)
	}
}

// ended is how a process ended.
func (o *outcome) ended(proc string) string {
	o.t.Helper()
	e := o.of(event.Ended, proc)
	if len(e) != 1 {
		o.t.Fatalf("%s ended %d times\n%s", proc, len(e), o.dump())
	}
	return e[0].Status.String()
}

// driverFile is the shipped scenario that the tests bend.
func driverFile(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("../scenarios/driver.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// edit replaces the one place where a text holds old.
func edit(t testing.TB, text, old, now string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q occurs %d times", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, now, 1)
}
