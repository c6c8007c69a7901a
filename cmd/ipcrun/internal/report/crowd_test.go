package report

import (
	"fmt"
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestCrowds: of many that do the same, or have printed the same, the first are shown
// and the others counted; nobody who does something else is lost among them.
func TestCrowds(t *testing.T) {
	for _, c := range []struct {
		n    int
		want string
	}{
		{4, "  w[0]   wants slots\n  w[1]   wants slots\n  w[2]   wants slots\n  other  wants jobs\n  w[3]   wants slots\n"},
		{9, "  w[0]   wants slots\n  w[1]   wants slots\n  w[2]   wants slots\n  other  wants jobs\n  … 6 more as w[2]: w[3] to w[8]\n"},
	} {
		var s event.Stuck
		for i := range c.n {
			if i == 3 {
				s.Waits = append(s.Waits, event.Waiting{Proc: "other", On: "jobs", Why: "it wants jobs"})
			}
			s.Waits = append(s.Waits, event.Waiting{Proc: fmt.Sprintf("w[%d]", i), On: "slots", Why: "it wants slots"})
		}
		var b strings.Builder
		if !writeStuck(&b, &s, Style{}) || b.String() != c.want {
			t.Errorf("%d:\n%swant\n%s", c.n, b.String(), c.want)
		}
	}

	var r Run
	for i := range 9 {
		if i == 3 {
			r.Log = append(r.Log, event.Event{Type: "print", Proc: "other", Value: "hello"})
		}
		r.Log = append(r.Log, event.Event{Type: "print", Proc: fmt.Sprintf("w[%d]", i), Value: "ready"})
	}
	for _, c := range []struct {
		most int
		want string
	}{
		{tailLines, "  w[0]|stdout|  ready\n  w[1]|stdout|  ready\n  w[2]|stdout|  ready\n  other|stdout| hello\n  … 6 more printed the same as w[2]\n"},
		{0, "  w[0]|stdout|  ready\n  w[1]|stdout|  ready\n  w[2]|stdout|  ready\n  other|stdout| hello\n  w[3]|stdout|  ready\n"},
	} {
		var b strings.Builder
		if !r.writeOutput(&b, c.most, Style{}) || !strings.HasPrefix(b.String(), c.want) {
			t.Errorf("%d:\n%swant\n%s", c.most, b.String(), c.want)
		}
	}
}
