package engine_test

import (
	"strings"
	"testing"
	"time"

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
	n := runs(40, 1000)
	for range n {
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
	t.Logf("the total came out right in %d of %d runs", right, n)
}

// TestTillsRace: the shipped scenario without its lock. With so few rounds the
// total comes out right in many runs and wrong in others, and each of them has
// the race in its log.
func TestTillsRace(t *testing.T) {
	sc := load(t, tillsFile(t), map[string]string{"rounds": "2", "locked": "false"})
	right := 0
	n := runs(100, 1000)
	for i := range n {
		o := runOn(t, shared, sc)
		races := 0
		for _, e := range o.Events {
			if e.Race != nil && e.Object == "total" && e.Race.First.Proc != e.Race.Second.Proc {
				races++
			}
		}
		if races == 0 {
			t.Fatalf("run %d: no race in the log: %+v\n%s", i, o.Verdict, o.dump())
		}
		if o.Verdict.Result != event.Failed {
			t.Fatalf("run %d: %+v", i, o.Verdict)
		}
		if o.Verdict.Ending == "race" {
			right++ // the check of the total held
		}
	}
	t.Logf("the total came out right in %d of %d runs", right, n)
}

// TestRaceOfARightTotal: the second till waits until the first one is surely
// done, but by the clock alone, which orders nothing. The total is right, the
// check holds, and the race is what the run ends by.
func TestRaceOfARightTotal(t *testing.T) {
	nap := 60 * time.Millisecond
	for !raceOfARightTotal(t, nap) {
		// The first one was held up for longer.
		if nap *= 4; nap > patience()/4 {
			t.Fatal("the first till is never done before the second one begins")
		}
	}
}

// raceOfARightTotal has the second till sleep, and reports whether that was enough.
func raceOfARightTotal(t *testing.T, nap time.Duration) (enough bool) {
	t.Helper()
	late := strings.ReplaceAll(`
name: right by luck
primitives: {total: {value: i}}
processes:
  first: {steps: [{read: total, into: seen}, {write: total, value: "${seen + 1}"}]}
  second: {steps: [{sleep: NAP}, {read: total, into: seen}, {write: total, value: "${seen + 1}"}]}
steps:
  - wait: first
  - wait: second
  - assert: total.value == 2
`, "NAP", nap.String())
	o := run(t, late)
	var written, read int64
	for _, e := range o.of(event.Op, "") {
		switch {
		case e.Proc == "first" && e.Verb == "write":
			written = e.At
		case e.Proc == "second" && e.Verb == "read":
			read = e.At
		}
	}
	if written >= read {
		return false
	}
	o.decided(event.Failed, "race", lineOf(t, late, "second: {"), `"race":`)
	if o.Verdict.Checks != 1 {
		t.Errorf("%d checks held: the total should have been right\n%s", o.Verdict.Checks, o.dump())
	}
	// Where an event says so there is no race.
	passes(t, strings.NewReplacer("{total: {value: i}}", "{total: {value: i}, done: event}",
		"{sleep: "+nap.String()+"}", "{wait: done}", `seen + 1}"}]}`+"\n  second", `seen + 1}"}, {set: done}]}`+"\n  second").Replace(late))
	return true
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

// TestRaceInsideASemaphore: one that lets two in orders nothing between them, whoever
// happened to be out before the other came.
func TestRaceInsideASemaphore(t *testing.T) {
	for range runs(10, 100) {
		for places, outcome := range map[string]string{"2": "race", "1": "pass"} {
			o := run(t, `
name: x
outcome: `+outcome+`
primitives: {v: {value: i}, s: {semaphore: `+places+`}}
processes:
  a: [{with: s, do: [{write: v, value: 1}]}]
  b: [{with: s, do: [{write: v, value: 2}]}]
`)
			o.mustPass()
		}
	}
}

// TestLooksOrder: who is made to wait by an eventually: of the script, or by a SIGCHLD,
// comes after what was waited for, in every run.
func TestLooksOrder(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"that it is blocked", `
primitives: {v: {value: i}, e: event}
processes: {a: [{write: v, value: 1}, {wait: e}], b: idle}
steps:
  - eventually: a.blocked_on == "e"
  - {in: b, write: v, value: 2}
  - {in: b, set: e}
`},
		{"what a primitive is", `
primitives: {v: {value: i}, e: event}
processes: {a: [{write: v, value: 1}, {set: e}, pause], b: idle}
steps:
  - eventually: e.set
  - {in: b, write: v, value: 2}
  - {kill: a, signal: SIGKILL}
`},
		{"who waits for it", `
primitives: {v: {value: i}, e: event}
processes: {"a[2]": [{read: v}, {wait: e}], b: idle}
steps:
  - eventually: len(e.waiters) == 2
  - {in: b, write: v, value: 2}
  - {in: b, set: e}
`},
		{"the memory itself", `
primitives: {v: {value: i}}
processes: {a: [{write: v, value: 1}, pause], b: {signals: {SIGUSR1: [{write: v, value: 2}]}, steps: [pause]}}
steps:
  - eventually: v.value == 1 && b.blocked_on == "signal"
  - {kill: b, signal: SIGUSR1}
  - wait: b
  - {kill: a, signal: SIGKILL}
`},
		{"who has ended long before", `
primitives: {v: {value: i}, e: event}
processes: {a: [{write: v, value: 1}, {set: e}], b: idle}
steps:
  - wait: a
  - {in: b, write: v, value: 2}
  - eventually: e.set
`},
		{"the end of a child", `
primitives: {v: {value: i}}
processes:
  a: {signals: {SIGCHLD: [{read: v, into: x}, {assert: x == 1}]}, steps: [{fork: c}, {wait: c}]}
  c: {parent: a, steps: [{write: v, value: 1}]}
steps: [wait: a]
`},
	} {
		t.Run(tt.name, func(t *testing.T) { passes(t, "name: x"+tt.text) })
	}
}

// TestLooksOrderNoMore: a look at one process says nothing of another, and nothing of
// what comes behind it.
func TestLooksOrderNoMore(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"of another", `
primitives: {v: {value: i}, e: event}
processes: {a: [{write: v, value: 1}, pause], c: [{wait: e}], b: idle}
steps:
  - eventually: c.blocked_on == "e"
  - sleep: 50ms
  - {in: b, write: v, value: 2}
  - {in: b, set: e}
  - {kill: a, signal: SIGKILL}
`},
		{"before it", `
primitives: {v: {value: i}, e: event}
processes: {a: [{set: e}, {sleep: 300ms}, {write: v, value: 1}], b: idle}
steps:
  - eventually: e.set
  - {in: b, write: v, value: 2}
`},
		{"the end of another child", `
primitives: {v: {value: i}}
processes:
  a: {signals: {SIGCHLD: [{write: v, value: 2}]}, steps: [{fork: d}, {fork: c}, {wait: c}, {wait: d}]}
  c: {parent: a, steps: [{exit: 0}]}
  d: {parent: a, signals: {SIGUSR1: [{write: v, value: 1}, {print: done}]}, steps: [pause, pause]}
steps:
  - wait: c
  - eventually: d.blocked_on == "signal"
  - {kill: d, signal: SIGUSR1}
  - {expect: done, from: d}
  - {kill: d, signal: SIGKILL}
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if o := run(t, "name: x\n"+tt.text); o.Verdict.Ending != "race" {
				t.Errorf("%+v\n%s", o.Verdict, o.dump())
			}
		})
	}
}

// TestClearOrders: who has asked until an event was clear comes after who cleared it, and
// who waits for it does not.
func TestClearOrders(t *testing.T) {
	passes(t, `
name: x
primitives: {v: {value: i}, e: event, ready: event}
processes:
  a: [{set: e}, {set: ready}, {write: v, value: 1}, {clear: e}]
  b:
    - wait: ready
    - {is_set: e, into: still}
    - {while: still, do: [{is_set: e, into: still}]}
    - {write: v, value: 2}
`)
	o := run(t, `
name: x
primitives: {v: {value: i}, e: event}
processes:
  a: [{write: v, value: 1}, {clear: e}]
  b: [{sleep: 50ms}, {wait: e}, {write: v, value: 2}]
  c: [{sleep: 20ms}, {set: e}]
`)
	if o.Verdict.Ending != "race" {
		t.Errorf("%+v\n%s", o.Verdict, o.dump())
	}
}

// TestLooksAtAQueueOrder: who has asked until something was there, or nothing was left,
// comes after who put it there or took it.
func TestLooksAtAQueueOrder(t *testing.T) {
	for _, more := range []string{"", ", manager: true"} {
		passes(t, `
name: x
primitives: {v: {value: i}, w: {value: i}, q: {queue: 3`+more+`}}
processes:
  a: [{write: v, value: 1}, {put: q, value: x}, {sleep: 20ms}, {write: w, value: 1}, {get: q}]
  b:
    - let: {none: true, n: 1}
    - {while: none, do: [{empty: q, into: none}]}
    - {write: v, value: 2}
    - {while: n > 0, do: [{qsize: q, into: n}]}
    - {write: w, value: 2}
`)
	}
}

// TestGetOfAnotherItem: a get comes after the puts up to that of its item, and not after
// those behind it.
func TestGetOfAnotherItem(t *testing.T) {
	for outcome, gets := range map[string]string{"race": "{get: q}", "pass": "{get: q}, {get: q}"} {
		run(t, `
name: x
outcome: `+outcome+`
primitives: {v: {value: i}, q: queue, e: event}
processes:
  a: [{put: q, value: 1}, {set: e}]
  b: [{wait: e}, {write: v, value: 1}, {put: q, value: 2}]
  c: [{sleep: 50ms}, `+gets+`, {write: v, value: 2}]
`).mustPass()
	}
}

// TestBeginningOrders: who receives the beginning of what is still being written comes
// after what its writer did before.
func TestBeginningOrders(t *testing.T) {
	text := strings.Repeat("x", 300_000)
	passes(t, `
name: x
primitives: {v: {value: i}, q: {pipe: one-way, bytes: true}}
processes:
  a: [{write: v, value: 1}, {send: q.w, value: `+text+`, error: BrokenPipe}]
  b: [{recv: q.r}, {write: v, value: 2}]
`)
}

// TestForkOrdersAll: a fork comes before all that the child's own children do, whom it
// forks at its start.
func TestForkOrdersAll(t *testing.T) {
	passes(t, `
name: x
primitives: {v: {value: i}}
processes:
  a: [{write: v, value: 1}, {fork: b}, {wait: b}]
  b: {parent: a, steps: [{wait: c}]}
  c: {parent: b, steps: [{write: v, value: 2}]}
`)
}
