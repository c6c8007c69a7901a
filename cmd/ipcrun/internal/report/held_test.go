package report

import (
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestHeld: what a process has the kernel hold of it, in words, and what came of it.
func TestHeld(t *testing.T) {
	for _, tt := range []struct {
		set  map[string]any
		want string
	}{
		{map[string]any{"nice": 5}, "has the nice value 5 from here on"},
		{map[string]any{"nice": float64(-3), "cpu": float64(2), "umask": "077"}, "has the nice value -3, a limit of 2 s of processor time and the umask 077 from here on"},
	} {
		if got := held(&event.Event{Value: tt.set}); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.set, got, tt.want)
		}
	}
	end := func(signal string) event.Event {
		return event.Event{Type: "ended", At: 9, Proc: "a", Status: &event.Status{Signal: signal}}
	}
	told := event.Event{Type: "signal", At: 5, Proc: "a", Signal: "SIGXCPU", Peer: "kernel"}
	sent := event.Event{Type: "sent", At: 6, Proc: "b", Line: 7, Signal: "SIGXCPU", Peer: "a"}
	for _, tt := range []struct {
		log  []event.Event
		want string
	}{
		{[]event.Event{end("SIGXCPU")}, "as much processor time as its limit allows"},
		{[]event.Event{told, end("SIGKILL")}, "it went on after SIGXCPU and came to its hard limit"},
		{[]event.Event{sent, end("SIGXCPU")}, "which b sent (line 7)"},
		{[]event.Event{end("SIGKILL")}, "a was ended by SIGKILL."},
	} {
		r := Run{Log: tt.log}
		if got := r.killedBy(&tt.log[len(tt.log)-1]); !strings.Contains(got, tt.want) {
			t.Errorf("%q does not say %q", got, tt.want)
		}
	}
	refused := event.Event{Type: "error", Proc: "a", Line: 4, Col: 11, Verb: "nice:", Error: "Permission", Detail: "its nice value is 0"}
	var a account
	Run{Log: []event.Event{refused}}.explainFail(&a, &refused)
	if a.headline != "a cannot have this nice: its nice value is 0 (Permission)" || len(a.why) != 1 || strings.Contains(a.why[0], "error:") {
		t.Errorf("%q %q", a.headline, a.why)
	}
}

// TestBeyond: of a process that ipcrun has ended itself it says why.
func TestBeyond(t *testing.T) {
	for _, c := range []struct {
		limit event.Event
		want  string
	}{
		{event.Event{Type: "limit", Object: "p", Detail: "output", Value: 4096}, "p was ended by SIGKILL: it had printed more than 4096 bytes, which is its limit (limits: output:)."},
		{event.Event{Type: "limit", Object: "p", Detail: "it has more than 20 processes"}, "p was ended by SIGKILL: it has more than 20 processes."},
		{event.Event{Type: "limit", Object: "q", Detail: "output", Value: 4096}, "p was ended by SIGKILL."},
		{event.Event{Type: "limit", Object: "p", Detail: "supervisor"}, "p was ended by SIGKILL."},
	} {
		end := event.Event{Type: "ended", Proc: "p", Status: &event.Status{Signal: "SIGKILL"}}
		r := Run{Log: []event.Event{c.limit, end}}
		if got := r.killedBy(&r.Log[1]); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
