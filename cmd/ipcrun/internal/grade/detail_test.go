package grade

import (
	"fmt"
	"testing"

	"ipcrun/engine/event"
)

// TestTailOf: a tail that leaves lines out says how many, and no other does.
func TestTailOf(t *testing.T) {
	var log []event.Event
	for i := range tailLines + 3 {
		log = append(log, event.Event{Type: "print", Proc: "p", Value: fmt.Sprintf("line %d", i)})
	}
	if got := tailOf(log[:tailLines], "p", ""); len(got) != tailLines || got[0] != "line 0" {
		t.Errorf("%q", got)
	}
	if got := tailOf(log, "p", ""); len(got) != tailLines+1 || got[0] != "… 3 more before" || got[1] != "line 3" {
		t.Errorf("%q", got)
	}
}
