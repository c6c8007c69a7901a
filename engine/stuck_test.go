package engine_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/event"
	"ipcrun/prims"
)

const twoLocks = `
name: two locks, two orders
primitives:
  left: lock
  right: lock
  ready[2]: event
processes:
  a:
    steps:
      - acquire: left
      - set: ready[0]
      - wait: ready[1]
      - acquire: right   # a wants
  b:
    steps:
      - acquire: right   # b has
      - set: ready[1]
      - wait: ready[0]
      - acquire: left
`

// TestTwoLocks: each process holds what the other wants. The run ends with the
// cycle: who waits for what, since when, and where the other took it.
func TestTwoLocks(t *testing.T) {
	for _, tt := range []struct{ name, script, at string }{
		{"while the script waits", "steps:\n  - wait: b\n", "- wait: b"},
		{"after the script", "", "# a wants"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := twoLocks + tt.script
			o := run(t, text)
			o.decided(event.Failed, "deadlock", lineOf(t, text, tt.at), `nobody can move any more`)
			o.foundSoon()
			s := o.cause().Stuck
			if !slices.Equal(s.Cycle, []string{"a", "b"}) {
				t.Errorf("cycle %v", s.Cycle)
			}
			if len(s.Waits) != 2 {
				t.Fatalf("waits %+v", s.Waits)
			}
			w := s.Waits[0]
			if w.Proc != "a" || w.Verb != "acquire" || w.On != "right" || w.Line != lineOf(t, text, "# a wants") ||
				!slices.Equal(w.For, []string{"b"}) || !slices.Equal(w.HeldSince, []int{lineOf(t, text, "# b has")}) ||
				w.Why != "it wants to acquire right, which b holds" || w.Since <= 0 {
				t.Errorf("%+v", w)
			}
		})
	}
}

// TestDiningPhilosophers: the cycle of five, and none when one of them takes
// the forks the other way round.
func TestDiningPhilosophers(t *testing.T) {
	dinner := func(together bool) string {
		return fmt.Sprintf(`
name: dinner
params: {together: %v}
primitives:
  fork[5]: lock
  seated[5]: event
processes:
  philosopher[5]:
    steps:
      - let: {first: "${index}", second: "${(index + 1) %% 5}"}
      - acquire: fork[first]
      - set: seated[index]
      - {each: [0, 1, 2, 3, 4], as: i, do: [{wait: "seated[i]", when: together}]}
      - acquire: fork[second]
      - release: fork[second]
      - release: fork[first]
steps:
  - wait: philosopher
`, together)
	}
	o := run(t, dinner(true))
	o.decided(event.Failed, "deadlock", lineOf(t, dinner(true), "- wait: philosopher"), "nobody can move")
	o.foundSoon()
	cycle := slices.Clone(o.cause().Stuck.Cycle)
	if len(cycle) != 5 {
		t.Fatalf("cycle %v", cycle)
	}
	for i, p := range cycle {
		// Each waits for its neighbour, who holds the second fork.
		n := int(p[len("philosopher[")] - '0')
		if want := fmt.Sprintf("philosopher[%d]", (n+1)%5); cycle[(i+1)%5] != want {
			t.Errorf("%s waits for %s, want %s", p, cycle[(i+1)%5], want)
		}
	}
	cured := strings.Replace(dinner(false), `"${index}", second: "${(index + 1) % 5}"`,
		`"${index < 4 ? index : 0}", second: "${index < 4 ? index + 1 : 4}"`, 1)
	passes(t, cured)
}

// TestDeadlockIsFoundAtOnce: the shipped dinner ends within 100 ms of the moment
// when the last philosopher began to wait. Three runs are to keep that limit, of as
// many as it takes: a finder that waits for something keeps it in none, and what
// else the machine does is not up to us.
func TestDeadlockIsFoundAtOnce(t *testing.T) {
	text := shipped(t, "classics/dining-deadlock.yaml")
	var took []time.Duration
	for kept := 0; kept < 3; {
		o := passes(t, text)
		s := o.cause().Stuck
		if len(s.Cycle) != 5 || len(s.Waits) != 5 {
			t.Fatalf("cycle %v, waits %+v", s.Cycle, s.Waits)
		}
		var last int64
		for i, w := range s.Waits {
			last = max(last, w.Since)
			if len(w.For) != 1 || w.For[0] != s.Cycle[(slices.Index(s.Cycle, w.Proc)+1)%5] {
				t.Errorf("wait %d: %+v in %v", i, w, s.Cycle)
			}
		}
		if last <= 0 || last > o.cause().At {
			t.Fatalf("blocked at %d, found at %d", last, o.cause().At)
		}
		took = append(took, time.Duration(o.cause().At-last))
		if took[len(took)-1] <= 100*time.Millisecond {
			kept++
		}
		if len(took) == 60 {
			t.Fatalf("found after %v", took)
		}
	}
	t.Logf("found after %v", took)
}

// TestForgottenEnd: the explanation of the shipped hang names the process and
// the descriptor that keep the end of file away.
func TestForgottenEnd(t *testing.T) {
	text := shipped(t, "pipes/forgotten-end.yaml")
	o := passes(t, text)
	s := o.cause().Stuck
	if s == nil || len(s.Waits) != 1 {
		t.Fatalf("%+v", o.cause())
	}
	w := s.Waits[0]
	if w.Proc != "reader" || w.Line != lineOf(t, text, "error: EOF") ||
		!regexp.MustCompile(`EOF cannot come: reader itself \(descriptor \d+\) still holds orders\.w`).MatchString(w.Why) {
		t.Errorf("%+v", w)
	}
}

// shipped is the text of a shipped scenario.
func shipped(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile("../scenarios/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStuckAlone: one process that waits for what nobody does.
func TestStuckAlone(t *testing.T) {
	for _, tt := range []struct{ name, text, at, why string }{
		{"an event", `
name: x
primitives: {ready: event}
processes: {a: {steps: [{wait: ready}]}}
`, "wait: ready", `it waits for ready`},
		{"its own lock", `
name: x
primitives: {gate: lock}
processes:
  a:
    steps:
      - acquire: gate
      - acquire: gate   # again
`, "# again", `it wants to acquire gate, which a holds`},
		{"a signal", `
name: x
processes: {a: {steps: [pause]}}
`, "pause", `it waits for a signal \(pause\)`},
		{"a child", `
name: x
processes:
  a: {steps: [{wait: b}]}
  b: {parent: a, steps: [pause]}
`, "wait: b", `it waits for b to end`},
		{"a signal that is blocked", `
name: x
processes:
  a:
    signals: {SIGUSR1: [{exit: 0}]}
    steps:
      - block: SIGUSR1
      - raise: SIGUSR1
      - pause
`, "- pause", `it waits for a signal`},
		{"a lock whose holder has ended", `
name: x
primitives: {gate: lock, taken: event}
processes:
  a: {steps: [{acquire: gate}, {set: taken}]}
  b: {steps: [{wait: taken}, {acquire: gate}]}
`, "b: {steps", `it wants to acquire gate, which a held when it ended`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := run(t, tt.text)
			o.decided(event.Failed, "deadlock", lineOf(t, tt.text, tt.at), tt.why)
			o.foundSoon()
		})
	}
}

// TestStoppedForEver: a stopped process cannot move either, whatever it was
// doing, and the explanation says so.
func TestStoppedForEver(t *testing.T) {
	const text = `
name: x
processes: {a: {steps: [{while: index0 != 1, do: [{let: {index0: 0}}]}]}}
steps:
  - kill: a
    signal: SIGSTOP
  - wait: a
`
	s := strings.Replace(text, "[{while", "[{let: {index0: 0}}, {while", 1)
	o := run(t, s)
	o.decided(event.Failed, "deadlock", lineOf(t, s, "- wait: a"), "it is stopped, and nobody sends SIGCONT")
	o.foundSoon()
}

// TestNotStuck: runs in which everybody looks blocked for a while and somebody
// can still move. None of them is a deadlock.
func TestNotStuck(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"somebody sleeps", `
name: x
primitives: {ready: event}
processes:
  a: {steps: [{wait: ready}]}
  b: {steps: [{sleep: 120ms}, {set: ready}]}
`},
		{"somebody computes", `
name: x
primitives: {ready: event}
processes:
  a: {steps: [{wait: ready}]}
  b: {steps: [{repeat: 60000, as: i, do: [{let: {n: "${i + 1}"}}]}, {set: ready}]}
`},
		{"an alarm is set", `
name: x
processes:
  a: {signals: {SIGALRM: [{exit: 0}]}, steps: [{alarm: 120ms}, {repeat: forever, do: [pause]}]}
`},
		{"a wait has a timeout", `
name: x
primitives: {ready: event}
processes:
  a: {steps: [{wait: ready}]}
  b: {steps: [{wait: ready, timeout: 120ms, error: Timeout}, {set: ready}]}
`},
		{"an order is under way", `
name: x
primitives: {ready: event}
processes: {a: idle, b: idle}
steps:
  - {in: a, wait: ready, background: w}
  - {in: b, sleep: 120ms}
  - {in: b, set: ready}
  - await: w
`},
		{"stopped and continued", `
name: x
primitives: {ready: event, go: event}
processes:
  a: {steps: [{wait: ready}]}
  b: {steps: [{wait: go}, {set: ready}]}
  c: {steps: [{kill: b, signal: SIGSTOP}, {set: go}, {sleep: 120ms}, {kill: b, signal: SIGCONT}]}
steps: [{wait: a}]
`},
		{"nothing to do for a daemon", `
name: x
primitives: {never: event}
processes:
  a: {steps: [{sleep: 60ms}]}
  b: {daemon: true, steps: [{wait: never}]}
`},
	} {
		t.Run(tt.name, func(t *testing.T) { passes(t, tt.text) })
	}
}

// TestNoDeadlockWithoutAnybodyStuck: a check that can never hold is a failure, also
// where a deadlock is declared, as long as no process waits for anything but the
// script. One that does, and the deadlock is as declared.
func TestNoDeadlockWithoutAnybodyStuck(t *testing.T) {
	for _, tt := range []struct{ name, text, ending string }{
		{"a text of a process that has ended", "processes:\n  a: [print: one]\nsteps:\n  - {expect: two, from: a}  # cause\n", "fail"},
		{"a condition when all have ended", "primitives: {v: {value: i}}\nprocesses:\n  a: [add: v]\nsteps:\n  - eventually: v.value == 2  # cause\n", "fail"},
		{"a condition when all wait for the script", "primitives: {v: {value: i}}\nprocesses:\n  a: idle\nsteps:\n  - {in: a, add: v}\n  - eventually: v.value == 2  # cause\n", "fail"},
		{"a condition when a daemon waits", "primitives: {q: queue}\nprocesses:\n  a: {daemon: true, steps: [{get: q}]}\n  b: [{put: q, value: 1}]\nsteps:\n  - eventually: q.size == 2  # cause\n", "fail"},
		{"a condition when workers wait for tasks", "primitives: {crew: {pool: 2}, v: {value: i}}\ntasks:\n  up: [add: v]\nprocesses:\n  a: [{apply: crew, task: up}]\nsteps:\n  - eventually: v.value == 2  # cause\n", "fail"},
		{"a condition when somebody waits", "primitives: {l: lock}\nprocesses:\n  a: [{acquire: l}, {acquire: l}]\nsteps:\n  - eventually: l.holder == \"b\"  # cause\n", "deadlock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "name: check in vain\noutcome: deadlock\nrace: off\n" + tt.text
			result := event.Failed
			if tt.ending == "deadlock" {
				result = event.Pass
			}
			run(t, text).decided(result, tt.ending, lineOf(t, text, "# cause"), "")
		})
	}
}

// TestTimeoutExpectedInVain: a step that is to end with Timeout does so as well where
// it ends before its time because what it waits for can never come.
func TestTimeoutExpectedInVain(t *testing.T) {
	for _, step := range []string{
		"{expect: two, from: a, timeout: 1h, error: Timeout}",
		"{expect: two, from: a, within: 1h, error: Timeout}",
		"{expect: two, from: a, error: Timeout}",
		"{eventually: v.value == 2, error: Timeout}",
	} {
		o := passes(t, "name: in vain\nprimitives: {v: {value: i}}\nprocesses:\n  a: [{print: one}, {add: v}]\nsteps:\n  - "+step+"\n")
		for _, e := range o.Events {
			if e.Error == prims.Timeout && !strings.Contains(e.Detail, "in vain") {
				t.Errorf("%s: %s", step, e.Detail)
			}
		}
	}
	text := "name: in vain\nprocesses:\n  a: [print: one]\nsteps:\n  - {expect: two, from: a, timeout: 1h}\n"
	run(t, text).decided(event.Failed, "fail", lineOf(t, text, "expect"), "two")
}

// TestInVainWithATimeout: a check is in vain as soon as nobody can move any more, long
// before the timeout that it declares, and says who waits for whom.
func TestInVainWithATimeout(t *testing.T) {
	for _, check := range []string{"{eventually: n.value == 1, timeout: 100s}", "{expect: x, from: c, timeout: 100s}"} {
		text := `
name: x
timeout: 200s
primitives: {g: lock, n: {value: i}}
processes:
  c: {steps: [{acquire: g}, {acquire: g}, {add: n}, {print: x}]}
steps:
  - ` + check + "\n"
		o := run(t, text)
		o.decided(event.Failed, "fail", 8, "nobody can move any more")
		s := o.Events[o.Verdict.Cause].Stuck
		if s == nil || len(s.Cycle) != 1 || s.Cycle[0] != "c" || o.Verdict.Duration > int64(50*time.Second) {
			t.Errorf("%s: %+v after %d ns", check, s, o.Verdict.Duration)
		}
		o = run(t, strings.Replace(text, "name: x", "name: x\noutcome: deadlock", 1))
		o.mustPass()
	}
}
