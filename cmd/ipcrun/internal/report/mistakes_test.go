package report

import (
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestMistakes: in each run of testdata/mistakes just the mistake shows that was
// made in it, and none in those of programs without one.
func TestMistakes(t *testing.T) {
	made := map[string]string{
		"key":       "the key's signal killed a process",
		"unready":   "no handler yet when the signal came",
		"coalesced": "signals that coalesced",
		"guess":     "a guessed pid",
		"zombie":    "a child never waited for",
		"busy":      "busy waiting",
		"doubled":   "a line doubled by fork",
		"inherited": "a write end that was inherited",
		"lost":      "output lost in a buffer",
		"unflushed": "output lost in a buffer",
		"good":      "", "game": "", "reaped": "",
	}
	seen := map[string]bool{}
	for name, want := range made {
		r := load(t, "mistakes/"+name)
		at := event.Judge(r.Log).Cause
		if at < 0 {
			at = len(r.Log) - 1
		}
		for _, m := range mistakes {
			s := m.shows(r, at)
			switch {
			case m.name == want && s == "":
				t.Errorf("%s: %s is not seen", name, want)
			case m.name != want && s != "":
				t.Errorf("%s: %s is seen: %s", name, m.name, s)
			case s != "":
				seen[m.name] = true
				if !strings.HasSuffix(s, ".") || strings.Contains(s, "\n") {
					t.Errorf("%s: no sentence: %s", name, s)
				}
				t.Log(name, "\n", s)
			}
		}
	}
	for _, m := range mistakes {
		if !seen[m.name] {
			t.Errorf("no run shows %s", m.name)
		}
	}
}

// TestMistakesNotTold: the evidence is what decides. With one piece of it changed, the
// same run shows no mistake.
func TestMistakesNotTold(t *testing.T) {
	tests := []struct {
		run    string
		change func(e *event.Event)
	}{
		{"key", func(e *event.Event) { // the script ended it, and no key
			if e.Peer == "kernel" {
				e.Peer = "script"
			}
		}},
		{"unready", func(e *event.Event) { // it was caught
			if e.Detail == "default" {
				e.Detail = "caught"
			}
		}},
		{"coalesced", func(e *event.Event) { // nobody handled SIGCHLD
			if e.Signal == "SIGCHLD" {
				e.Detail = "default"
			}
		}},
		{"guess", func(e *event.Event) { e.Detail = strings.Replace(e.Detail, "kill(pid ", "kill(pid 9", 1) }},
		{"zombie", func(e *event.Event) { parts(e, "zombie", "ended") }},
		{"busy", func(e *event.Event) { parts(e, "", "signal") }},
		{"doubled", func(e *event.Event) { // nobody was forked
			if e.Type == event.Forked.String() {
				e.Detail = ""
			}
		}},
		{"lost", func(e *event.Event) { // it was written
			if e.Type == event.Lost.String() {
				e.Type = event.Print.String()
			}
		}},
		{"unflushed", func(e *event.Event) { // something else was expected
			if e.Type == event.Lost.String() {
				e.Value = "something else"
			}
		}},
		{"inherited", func(e *event.Event) {
			if e.Check != nil {
				e.Check.Why = strings.Replace(e.Check.Why, ownWriteEnd, "and nothing is there", 1)
			}
		}},
	}
	for _, x := range tests {
		r := load(t, "mistakes/"+x.run)
		at := event.Judge(r.Log).Cause
		if len(r.classics(at)) != 1 {
			t.Fatalf("%s: %q", x.run, r.classics(at))
		}
		for i := range r.Log {
			x.change(&r.Log[i])
		}
		if s := r.classics(at); s != nil {
			t.Errorf("%s: %q", x.run, s)
		}
	}
}

// parts changes what a check says of its parts.
func parts(e *event.Event, from, to string) {
	if e.Check == nil {
		return
	}
	for i := range e.Check.Parts {
		if strings.Trim(e.Check.Parts[i].Value, `"`) == from {
			e.Check.Parts[i].Value = to
		}
	}
}
