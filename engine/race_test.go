package engine_test

import (
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// racy: two tills without a lock around what they do, and so few rounds that
// the total often comes out right. The lock is taken too late to help.
const racy = `
name: racy
primitives: {total: {value: i}, gate: lock}
processes:
  till[2]:
    steps:
      - {read: total, into: seen}
      - {write: total, value: "${seen + 1}"}
      - {acquire: gate}
      - {release: gate}
steps:
  - wait: till
  - assert: total.value > 0
`

// TestRaceIsFound: in every run, whatever the total.
func TestRaceIsFound(t *testing.T) {
	right := 0
	for range 100 {
		o := run(t, racy)
		if o.Verdict.Ending != "race" || o.Verdict.Result != event.Failed {
			t.Fatalf("%s, %s", o.Verdict.Result, o.Verdict.Ending)
		}
		cause := o.Events[o.Verdict.Cause]
		r := cause.Race
		if cause.Object != "total" || r == nil || r.First.Proc == r.Second.Proc || r.First.Verb != "write" && r.Second.Verb != "write" {
			t.Fatalf("%+v %+v", cause, r)
		}
		for _, e := range o.Events {
			if event.KindOf(e.Type) == event.Op && e.Verb == "write" && e.Value == 2 {
				right++
			}
		}
	}
	t.Logf("the total came out right in %d of 100 runs", right)
}

// TestRaceKey: race: and outcome: say what a race means.
func TestRaceKey(t *testing.T) {
	for _, c := range []struct {
		line   string
		result event.Result
		ending string
	}{
		{"race: error", event.Failed, "race"},
		{"race: warn", event.Pass, "pass"},
		{"race: off", event.Pass, "pass"},
		{"outcome: race", event.Pass, "race"},
	} {
		o := run(t, racy+c.line+"\n")
		if o.Verdict.Result != c.result || o.Verdict.Ending != c.ending {
			t.Errorf("%s: %s, %s", c.line, o.Verdict.Result, o.Verdict.Ending)
		}
		found := 0
		for _, e := range o.Events {
			if e.Race != nil {
				found++
			}
		}
		if (found == 0) != strings.HasSuffix(c.line, "off") {
			t.Errorf("%s: %d races in the log", c.line, found)
		}
	}
	// A scenario that was meant to race and does not fails.
	o := run(t, `
name: ordered
primitives: {total: {value: i}, gate: lock}
processes:
  till[2]:
    steps: [{with: gate, do: [{read: total, into: seen}, {write: total, value: "${seen + 1}"}]}]
steps: [{wait: till}, {assert: total.value == 2}]
outcome: race
`)
	if o.Verdict.Result != event.Failed || o.Verdict.Ending != "pass" {
		t.Errorf("%s, %s", o.Verdict.Result, o.Verdict.Ending)
	}
}
