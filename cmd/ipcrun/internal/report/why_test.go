package report

import (
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestWrittenToStandardError: what expect does not look at is not said to have come
// too early.
func TestWrittenToStandardError(t *testing.T) {
	for stream, want := range map[string]string{
		"stderr": "p wrote it to its standard error, at 2.000ms: expect looks at its standard output, and p.errors is the other.",
		"":       "but before the line that the step before this one found",
	} {
		r := Run{Log: []event.Event{
			{Type: event.Forked.String(), Object: "p"},
			{Type: event.Print.String(), Proc: "p", Stream: stream, Value: "all is well", At: 2e6},
			{Type: event.Checked.String(), Verb: "expect", Check: &event.Check{Text: "all is well"}},
		}}
		why := strings.Join(r.whyNotPrinted("p", 2), " ")
		if !strings.Contains(why, want) {
			t.Errorf("%q: %s", stream, why)
		}
		if none := strings.Contains(why, "p has printed no line."); none != (stream != "") {
			t.Errorf("%q: %s", stream, why)
		}
	}
}
