//go:build linux

package scenes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
)

// Pools with real processes, as scenarios.

// opsOf are the operations of a verb on the pool, by process.
func opsOf(res *engine.Result, verb string) map[string]int {
	out := map[string]int{}
	for _, e := range res.All() {
		if e.Type == event.Op.String() && e.Object == "crew" && e.Verb == verb {
			out[e.Proc]++
		}
	}
	return out
}

// TestPoolMany: 200 tasks over 4 workers, each a process of its own, and each
// task is done once (facts, Pool: size n has n workers).
func TestPoolMany(t *testing.T) {
	res := ends(t, event.Pass, `
name: many
primitives: {crew: {pool: 4}, done: {value: i}, four: {barrier: 4}}
tasks:
  count: {params: [x], steps: [{add: done}, {wait: four}], result: "${x}"}   # by four workers at once
processes:
  boss:
    steps:
      - {map: crew, task: count, over: "${1..200}", into: got}
      - assert: got == 1..200
steps:
  - wait: boss
  - assert: done.value == 200
  - assert: len(sort(map(crew.worker, .pid))) == 4
`)
	taken := opsOf(res, "take")
	n := 0
	pids := map[int]bool{}
	for _, e := range res.Events {
		if strings.HasPrefix(e.Proc, "crew.worker") && e.Type == event.Ready.String() {
			pids[e.Pid] = true
		}
	}
	for _, k := range taken {
		n += k
	}
	if len(taken) != 4 || n != 200 || len(pids) != 4 {
		t.Errorf("taken %v, pids %v", taken, pids)
	}
}

// TestPoolErrors: the error of a task comes to the caller with its name, its
// text and the line where it happened; when nobody asks it fails the scenario.
func TestPoolErrors(t *testing.T) {
	const text = `
name: errors
primitives: {crew: {pool: 2}}
tasks:
  check:
    params: [x]
    steps:
      - assert: x > 0
    result: ${1 / x}
processes:
  boss:
    steps:
      - %s
steps:
  - wait: boss
`
	for _, c := range []struct {
		step, verb string
		line       int
		says       string
	}{
		{"{apply: crew, task: check, args: {x: -1}}", "apply", 13, "x > 0, where x is -1; in line 8, task check, by crew.worker["},
		{"{map: crew, task: check, over: [1, -2, 3]}", "map", 13, "where x is -2; in line 8"},
		{"{imap: crew, task: check, over: [-3], as: y, do: [{print: no}]}", "next", 13, "where x is -3; in line 8"},
		{"{apply_async: crew, task: check, args: [-4]}", "", 8, "where x is -4"},
		{"{apply: crew, task: check, args: {x: text}}", "apply", 13, "; in line 8, task check"},
	} {
		res := ends(t, event.Failed, fmt.Sprintf(text, c.step))
		if res.Verdict.Cause < 0 {
			t.Fatalf("%s: no cause", c.step)
		}
		e := res.Events[res.Verdict.Cause]
		if e.Line != c.line || !strings.Contains(e.Detail, c.says) {
			t.Errorf("%s: line %d: %s: %s", c.step, e.Line, e.Error, e.Detail)
		}
	}
	// Whoever has asked and given up has asked.
	ends(t, event.Pass, `
name: given up
primitives: {crew: {pool: 1}, given_up: event}
tasks:
  slow: [{wait: given_up}, {assert: crew.size == 2}]
processes:
  boss:
    steps:
      - {apply: crew, task: slow, timeout: 1ms, error: Timeout}
      - set: given_up
steps: [{wait: boss}]
`)
}

// TestPoolResultFails: the result of a task is no step, so its error has no verb.
func TestPoolResultFails(t *testing.T) {
	res := ends(t, event.Failed, `
name: division
primitives: {crew: {pool: 1}}
tasks: {divide: {params: [x], result: "${1 / x}"}}
processes: {boss: {steps: [{map: crew, task: divide, over: [1, 0]}]}}
steps: [{wait: boss}]
`)
	found := false
	for _, e := range res.Events {
		if e.Travels {
			found = true
			if e.Verb != "" || !strings.Contains(e.Detail, "division by zero") {
				t.Errorf("%q: %s", e.Verb, e.Detail)
			}
		}
	}
	if !found {
		t.Error("no error has gone to the caller")
	}
}

// TestPoolWorkerKilled: where multiprocessing waits for ever, the caller is told
// which worker died, and how.
func TestPoolWorkerKilled(t *testing.T) {
	res := ends(t, event.Pass, `
name: killed
primitives: {crew: {pool: 2}, started: {value: i}}
tasks:
  long: [{add: started}, {sleep: 1h}]
  short: {result: "ok"}
processes: {boss: idle}
steps:
  - {in: boss, apply: crew, task: long, background: first, error: WorkerDied}
  - eventually: started.value == 1
  - eventually: any(crew.worker, .blocked_on == "time")
  - {kill: "crew.worker[0]", signal: SIGKILL, when: 'crew.worker[0].blocked_on == "time"'}
  - {kill: "crew.worker[1]", signal: SIGKILL, when: 'crew.worker[1].blocked_on == "time"'}
  - await: first
  - {in: boss, apply: crew, task: short, into: got}
  - assert: boss.vars.got == "ok" and one(crew.worker, .exit_signal == "SIGKILL")
`)
	for _, e := range res.Events {
		if e.Error == "WorkerDied" && strings.Contains(e.Detail, "was ended by SIGKILL before the task was done") {
			return
		}
	}
	t.Error("nobody says how the worker died")
}

// TestPoolTerminate: long tasks end at once [test_terminate].
func TestPoolTerminate(t *testing.T) {
	res := ends(t, event.Pass, `
name: terminate
primitives: {crew: {pool: 3}}
tasks:
  long: {params: [x], steps: [{sleep: 1h}]}
processes: {boss: idle, other: idle}
steps:
  - {in: boss, map: crew, task: long, over: "${1..100}", background: all, error: WorkerDied}
  - eventually: crew.running == 3
  - {in: other, terminate: crew}
  - assert: all(crew.worker, .exit_signal == "SIGTERM")
  - await: all
  - {in: boss, apply: crew, task: long, args: [1], error: Closed}
`)
	if res.Verdict.Duration > int64(time.Minute) {
		t.Errorf("it took %d ms", res.Verdict.Duration/1e6)
	}
}

// TestPoolOrders: what a caller does before apply comes before the task, and the
// task before what the caller does with its result; two tasks are not ordered.
func TestPoolOrders(t *testing.T) {
	const text = `
name: order
primitives: {crew: {pool: 2}, x: {value: i}, both: {barrier: 2}}
tasks:
  inc: [{read: x, into: seen}, {write: x, value: "${seen + 1}"}]
  meet: {params: [i], steps: [{wait: both}, {add: x, value: 0}, {write: x, value: "${i}"}]}
  alone: {params: [i], steps: [{write: x, value: "${i}"}]}
processes:
  boss:
    steps:
%s
steps: [{wait: boss}, {assert: x.value >= 0}]
`
	for _, c := range []struct {
		want  event.Result
		steps string
	}{
		{event.Pass, `
      - {write: x, value: 1}
      - repeat: 40
        do: [{apply: crew, task: inc}, {read: x, into: y}, {write: x, value: "${y + 1}"}]`},
		{event.Pass, `
      - {write: x, value: 1}
      - {apply_async: crew, task: inc, into: job}
      - {get: crew, job: "${job}"}
      - {write: x, value: 1}
      - {apply_async: crew, task: inc, into: job}
      - let: {done: false}
      - {while: not done, do: [{ready: crew, job: "${job}", into: done}]}
      - {write: x, value: 1}
      - {get: crew, job: "${job}"}
      - {apply_async: crew, task: inc, into: job}
      - close: crew
      - join: crew
      - {write: x, value: 1}
      - {get: crew, job: "${job}"}`},
		{event.Pass, `
      - {map: crew, task: alone, over: [1]}
      - {write: x, value: 1}
      - {imap: crew, task: alone, over: [1], as: y, do: [{write: x, value: 1}]}
      - {imap_unordered: crew, task: alone, over: [1], as: y, do: [{write: x, value: 1}]}`},
		{event.Failed, `
      - {map: crew, task: alone, over: [1, 2], into: y}
      - {apply_async: crew, task: inc, into: job}
      - {write: x, value: 7}
      - {get: crew, job: "${job}"}`},
		{event.Failed, `
      - {map: crew, task: meet, over: [1, 2]}`},
	} {
		res := ends(t, c.want, fmt.Sprintf(text, c.steps))
		if c.want == event.Failed && res.Verdict.Ending != "race" {
			t.Errorf("it ends in %s:%s", res.Verdict.Ending, c.steps)
		}
	}
}

// TestPoolDeadlock: a caller that holds what its task needs waits for ever, and
// so is everybody told.
func TestPoolDeadlock(t *testing.T) {
	res := ends(t, event.Pass, `
name: deadlock
outcome: deadlock
primitives: {crew: {pool: 2}, gate: lock}
tasks:
  need: [{acquire: gate}, {release: gate}]
processes:
  boss: [{acquire: gate}, {apply: crew, task: need}]
steps: [{wait: boss}]
`)
	s := res.Events[res.Verdict.Cause].Stuck
	if s == nil || len(s.Cycle) != 2 || !strings.Contains(fmt.Sprint(s.Cycle), "boss") || !strings.Contains(fmt.Sprint(s.Cycle), "crew.worker[") {
		t.Fatalf("%+v", s)
	}
	// Workers that wait for tasks are no deadlock as long as somebody moves.
	ends(t, event.Pass, `
name: no deadlock
primitives: {crew: {pool: 2}}
tasks:
  nothing: {result: 1}
processes:
  boss: [{sleep: 80ms}, {apply: crew, task: nothing, into: one}, {assert: one == 1}]
steps: [{wait: boss}]
`)
}

// TestPoolLife: how a pool and its workers end.
func TestPoolLife(t *testing.T) {
	for _, text := range []string{`
name: the pool closes by itself, and its workers exit
primitives: {crew: {pool: 2}}
tasks: {nothing: {result: 1}}
processes: {boss: [{apply: crew, task: nothing}]}
steps: [{wait: boss}]
finally:
  - assert: all(crew.worker, .exit_code == 0)
`, `
name: a task that has begun is done although its caller has ended
primitives: {crew: {pool: 1}, done: {value: i}, begun: event}
tasks: {slow: [{set: begun}, {sleep: 30ms}, {add: done}]}
processes: {boss: [{apply_async: crew, task: slow}, {wait: begun}]}
steps: [{wait: boss}]
finally: [{assert: done.value == 1}]
`, `
name: a daemon may use a pool for as long as there is anybody
primitives: {crew: {pool: 2}}
tasks: {echo: {params: [x], result: "${x}"}}
processes:
  d: {daemon: true, steps: [{repeat: forever, do: [{apply: crew, task: echo, args: [1]}]}]}
  boss: [{apply: crew, task: echo, args: [1], into: x}, {assert: x == 1}]
steps: [{wait: boss}]
`, `
name: variables of one task are unknown to the next
primitives: {crew: {pool: 1}}
tasks:
  sets: {params: [x], steps: [{let: {y: "${x}"}}], result: "${y}"}
  asks: {params: [z], steps: [{let: {y: 1}, when: z == 1}], result: "${y}"}
processes:
  boss:
    steps:
      - {apply: crew, task: sets, args: [1], into: a}
      - {apply: crew, task: asks, args: [2], error: Invalid}
      - assert: a == 1
steps: [{wait: boss}]
`, `
name: a worker handles signals between tasks and in them
primitives: {crew: {pool: 1}, got: {value: i}}
tasks:
  install: [{signal: SIGUSR1, handler: [{add: got}]}]
  twice: [{raise: SIGUSR1}, {sleep: 1ms}]
processes: {boss: idle}
steps:
  - {in: boss, apply: crew, task: install}
  - {kill: "crew.worker[0]", signal: SIGUSR1}
  - eventually: got.value == 1
  - {in: boss, apply: crew, task: twice}
  - assert: got.value == 2
`, `
name: a handler uses the pool while a map waits
primitives: {crew: {pool: 2}, n: {value: i}, go: event}
tasks:
  slow: {params: [x], steps: [{wait: go, when: x == 1}, {add: n}], result: "${x}"}
  quick: {result: 7}
processes:
  boss:
    signals:
      SIGUSR1: [{apply: crew, task: quick, into: seven}, {print: "handled ${seven}"}]
    steps:
      - {map: crew, task: slow, over: "${1..10}", into: all}
      - assert: all == 1..10 and seven == 7
      - {imap_unordered: crew, task: slow, over: "${1..4}", as: y, do: [{raise: SIGUSR1}]}
  other: idle
always: [crew.running <= 2 and crew.queued <= 10]
steps:
  - eventually: n.value >= 2
  - {kill: boss, signal: SIGUSR1}
  - {expect: handled 7, from: boss}
  - {in: other, set: go}
  - wait: boss
`, `
name: expected errors of loops
primitives: {crew: {pool: 2}}
tasks: {half: {params: [x], steps: [{assert: x % 2 == 0}], result: "${x / 2}"}}
processes:
  boss:
    steps:
      - let: {got: 0}
      - {imap: crew, task: half, over: [2, 4, 5, 7, 6], as: y, error: AssertionFailed, do: [{let: {got: "${got + y}"}}]}
      - assert: got == 3
      - close: crew
      - {imap: crew, task: half, over: [2], as: y, error: Closed, do: [{let: {got: 100}}]}
      - assert: got == 3
steps: [{wait: boss}]
`} {
		ends(t, event.Pass, text)
	}
	for _, text := range []string{`
name: a loop that was to fail
primitives: {crew: {pool: 2}}
tasks: {half: {params: [x], result: "${x / 2}"}}
processes:
  boss: [{imap: crew, task: half, over: [2, 4], as: y, error: Invalid, do: [{print: "${y}"}]}]
steps: [{wait: boss}]
`, `
name: a check of a task that never ran
primitives: {crew: {pool: 2}}
tasks: {never: [{assert: crew.size == 2}]}
processes:
  boss: [{apply_async: crew, task: never, when: crew.size == 3}]
steps: [{wait: boss}]
`} {
		ends(t, event.Failed, text)
	}
}
