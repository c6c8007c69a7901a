package event

import (
	"fmt"
	"strings"
	"testing"
)

// TestScore: what came of each check that earns points, whatever came of the run.
func TestScore(t *testing.T) {
	start := Event{Type: "start", Run: &Run{Scored: []ScoredStep{{Line: 1, Points: 2, Name: "first"}, {Line: 4, Points: 3}}}}
	at := func(line int, e Event) Event { e.Line = line; return e }
	held, failed := Event{Type: "check", Check: &Check{OK: true}}, Event{Type: "check", Check: &Check{}}
	late := Event{Type: "check", Check: &Check{}, Limit: &Limit{What: "step"}}
	for _, tt := range []struct {
		name string
		log  []Event
		want string
	}{
		{"nothing was done", nil, "first blocked 0/2, line 4 blocked 0/3"},
		{"both hold", []Event{at(1, held), at(4, held)}, "first pass 2/2, line 4 pass 3/3"},
		{"one fails, the other holds", []Event{at(1, failed), at(4, held)}, "first fail 0/2, line 4 pass 3/3"},
		{"in a loop, once it fails", []Event{at(1, held), at(1, failed), at(1, held)}, "first fail 0/2, line 4 blocked 0/3"},
		{"too late", []Event{at(1, late)}, "first timeout 0/2, line 4 blocked 0/3"},
		{"the run's own limit", []Event{at(1, held), at(4, Event{Type: "expired"})}, "first pass 2/2, line 4 timeout 0/3"},
		{"left out", []Event{at(1, failed), at(4, Event{Type: "blocked"})}, "first fail 0/2, line 4 blocked 0/3"},
		{"an error that was expected", []Event{at(1, Event{Type: "error", Expected: true})}, "first pass 2/2, line 4 blocked 0/3"},
		{"an error that was not", []Event{at(1, Event{Type: "error"})}, "first fail 0/2, line 4 blocked 0/3"},
		{"never its turn", []Event{at(1, held), at(4, Event{Type: "missed"})}, "first pass 2/2, line 4 blocked 0/3"},
		{"the runner broke", []Event{at(1, held), {Type: "broken"}}, "first pass 2/2, line 4 error 0/3"},
		{"events elsewhere", []Event{at(2, failed), at(3, held)}, "first blocked 0/2, line 4 blocked 0/3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range Score(append([]Event{start}, tt.log...)) {
				got = append(got, fmt.Sprintf("%s %s %v/%v", s.ID, s.Result, s.Earned, s.Points))
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("%s\nwant %s", text, tt.want)
			}
		})
	}
}
