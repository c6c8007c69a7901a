package grade

import (
	"testing"

	"ipcrun/engine/event"
)

// TestDetailOf: why a program could not be tried is never said with no words.
func TestDetailOf(t *testing.T) {
	for _, c := range []struct {
		event event.Event
		want  string
	}{
		{event.Event{Type: event.Broken.String(), Detail: "no memory"}, "no memory"},
		{event.Event{Type: event.Clean.String(), Value: []any{"p"}}, "something is left that ipcrun could not end"},
	} {
		log := []event.Event{c.event}
		if got := detailOf(log, event.Verdict{Result: event.Error, Cause: 0}); got != c.want {
			t.Errorf("%s: %q, want %q", c.event.Type, got, c.want)
		}
	}
	if got := detailOf(nil, event.Verdict{Cause: -1}); got == "" {
		t.Error("no words")
	}
}
