package event

import "testing"

// TestJudge: the first event that decides wins, a broken runner outweighs
// everything, and what the scenario declares turns the result round.
func TestJudge(t *testing.T) {
	start := func(outcome string) Event {
		return Event{Type: "start", Run: &Run{Outcome: outcome, Points: 5, Procs: []string{"a", "b"},
			Scored: []ScoredStep{{Line: 1, Points: 2}, {Line: 4, Points: 2}, {Line: 9, Points: 3}}}}
	}
	held := func(line int, points float64) Event {
		return Event{At: int64(line), Type: "check", Line: line, Check: &Check{OK: true}, Points: points}
	}
	failed := Event{Type: "check", Line: 9, Check: &Check{}, Points: 3}
	var (
		uncaught = Event{Type: "error", Proc: "a", Error: "Invalid"}
		expected = Event{Type: "error", Line: 4, Error: "Full", Expected: true, Points: 2}
		missed   = Event{Type: "missed", Line: 4}
		expired  = Event{Type: "expired"}
		deadlock = Event{Type: "deadlock"}
		stopped  = Event{Type: "interrupted", Signal: "SIGTERM"}
		broken   = Event{Type: "broken"}
		skipped  = Event{Type: "skip"}
		clean    = Event{At: 77, Type: "clean"}
		dirty    = Event{Type: "clean", Value: []any{"a"}}
		race     = Event{Type: "race", Race: &Race{Severity: "error"}}
		warned   = Event{Type: "race", Race: &Race{Severity: "warn"}}
	)
	for _, tt := range []struct {
		name   string
		log    []Event
		result Result
		ending string
		cause  int
		checks int
		points float64
	}{
		{"nothing", nil, Pass, "pass", -1, 0, 0},
		{"nothing but the start", []Event{start("pass"), clean}, Pass, "pass", -1, 0, 0},
		{"no outcome is pass", []Event{start(""), clean}, Pass, "pass", -1, 0, 0},
		{"checks that hold", []Event{start("pass"), held(1, 2), held(2, 0), clean}, Pass, "pass", -1, 2, 2},
		{"a check that holds again counts once", []Event{start("pass"), held(1, 2), held(1, 2), clean}, Pass, "pass", -1, 1, 2},
		{"a check that fails", []Event{start("pass"), held(1, 2), failed, clean}, Failed, "fail", 2, 1, 2},
		{"a check that holds after the failure", []Event{start("pass"), failed, held(1, 2), clean}, Failed, "fail", 1, 1, 2},
		{"an error nobody expects", []Event{start("pass"), uncaught, clean}, Failed, "fail", 1, 0, 0},
		{"an expected error earns its points once", []Event{start("pass"), expected, expected, clean}, Pass, "pass", -1, 0, 2},
		{"a check that never ran", []Event{start("pass"), missed, clean}, Failed, "fail", 1, 0, 0},
		{"a deadline", []Event{start("pass"), expired, clean}, Timeout, "timeout", 1, 0, 0},
		{"a deadlock", []Event{start("pass"), deadlock, clean}, Failed, "deadlock", 1, 0, 0},
		{"the first cause wins", []Event{start("pass"), deadlock, expired, failed, clean}, Failed, "deadlock", 1, 0, 0},
		{"the first cause wins, the other way", []Event{start("pass"), failed, deadlock, clean}, Failed, "fail", 1, 0, 0},
		{"interrupted", []Event{start("pass"), held(1, 2), stopped, clean}, Error, "interrupted", 2, 1, 2},
		{"broken", []Event{start("pass"), broken, clean}, Error, "error", 1, 0, 0},
		{"broken after a failure", []Event{start("pass"), failed, broken, clean}, Error, "error", 2, 0, 0},
		{"broken twice", []Event{start("pass"), broken, broken}, Error, "error", 1, 0, 0},
		{"something is left", []Event{start("pass"), held(2, 0), dirty}, Error, "error", 2, 1, 0},
		{"skipped", []Event{start("pass"), skipped}, Skip, "skip", 1, 0, 0},
		{"a race", []Event{start("pass"), race, clean}, Failed, "race", 1, 0, 0},
		{"a race that is only to be told", []Event{start("pass"), warned, clean}, Pass, "pass", -1, 0, 0},

		{"meant to deadlock, and does", []Event{start("deadlock"), deadlock, clean}, Pass, "deadlock", 1, 0, 0},
		{"meant to deadlock, and does not", []Event{start("deadlock"), held(2, 0), clean}, Failed, "pass", -1, 1, 0},
		{"meant to deadlock, and fails", []Event{start("deadlock"), failed, clean}, Failed, "fail", 1, 0, 0},
		{"meant to deadlock, and times out", []Event{start("deadlock"), expired, clean}, Failed, "timeout", 1, 0, 0},
		{"meant to fail, and does", []Event{start("fail"), failed, clean}, Pass, "fail", 1, 0, 0},
		{"meant to fail, and passes", []Event{start("fail"), held(2, 0), clean}, Failed, "pass", -1, 1, 0},
		{"meant to time out, and does", []Event{start("timeout"), expired, clean}, Pass, "timeout", 1, 0, 0},
		{"meant to time out, and deadlocks", []Event{start("timeout"), deadlock, clean}, Failed, "deadlock", 1, 0, 0},
		{"meant to deadlock, and finally finds fault", []Event{start("deadlock"), deadlock, clean, failed, uncaught}, Failed, "deadlock", 3, 0, 0},
		{"meant to race, and finally finds nothing", []Event{start("race"), race, clean, held(2, 0)}, Pass, "race", 1, 1, 0},
		{"meant to fail, and finally finds fault, too", []Event{start("fail"), failed, clean, uncaught}, Failed, "fail", 3, 0, 0},
		{"meant to fail, and it is finally that does", []Event{start("fail"), clean, failed, uncaught}, Pass, "fail", 2, 0, 0},
		{"meant to fail, but broken", []Event{start("fail"), broken}, Error, "error", 1, 0, 0},
		{"meant to fail, but interrupted", []Event{start("fail"), stopped}, Error, "interrupted", 1, 0, 0},
		{"meant to fail, but skipped", []Event{start("fail"), skipped}, Skip, "skip", 1, 0, 0},
		{"meant to fail, and something is left", []Event{start("fail"), failed, dirty}, Error, "error", 2, 0, 0},

		{"events without what they should carry", []Event{{Type: "start"}, {Type: "check"}, {Type: "race"}, {Type: "unknown"}}, Failed, "fail", 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := Judge(tt.log)
			if v.Result != tt.result || v.Ending != tt.ending || v.Cause != tt.cause {
				t.Errorf("%s, %s, cause %d; want %s, %s, %d", v.Result, v.Ending, v.Cause, tt.result, tt.ending, tt.cause)
			}
			if v.Checks != tt.checks || v.Points != tt.points {
				t.Errorf("%d checks, %v points; want %d, %v", v.Checks, v.Points, tt.checks, tt.points)
			}
		})
	}
	v := Judge([]Event{start("pass"), stopped, clean})
	if v.Interrupted != "SIGTERM" || v.Duration != 77 || v.Processes != 2 || v.MaxPoints != 5 {
		t.Errorf("%+v", v)
	}
}

// TestEndOf: what ended a run is no check that earns points, behind which the script
// goes on.
func TestEndOf(t *testing.T) {
	lost := Event{Type: "check", Line: 9, Check: &Check{}, Points: 3}
	plain := Event{Type: "check", Line: 9, Check: &Check{}}
	for _, tt := range []struct {
		name  string
		log   []Event
		cause int
	}{
		{"nothing", []Event{{Type: "start"}}, -1},
		{"points alone were lost", []Event{lost, lost}, -1},
		{"a check without points", []Event{lost, plain, lost}, 1},
		{"a step that failed", []Event{lost, {Type: "error", Error: "NoProcess"}}, 1},
		{"a step with points that failed", []Event{{Type: "error", Error: "NoProcess", Points: 1}}, -1},
		{"the time was over", []Event{lost, {Type: "expired"}}, 1},
		{"the time was over amid a check with points", []Event{lost, {Type: "expired", Points: 3, Limit: &Limit{What: "scenario"}}}, 1},
		{"a check with points took too long", []Event{{Type: "expired", Points: 3, Limit: &Limit{What: "step"}}}, -1},
		{"the runner broke", []Event{plain, {Type: "broken"}}, 1},
	} {
		if v := EndOf(tt.log); v.Cause != tt.cause {
			t.Errorf("%s: event %d, want %d", tt.name, v.Cause, tt.cause)
		}
	}
}
