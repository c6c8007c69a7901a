//go:build linux

package scenes

import (
	"testing"

	"ipcrun/engine/event"
)

// TestQueueOrders: what a process does before a put comes before what the one
// that gets the item does; nothing else does.
func TestQueueOrders(t *testing.T) {
	ends(t, event.Pass, `
name: a message says that it is done
primitives:
  done: queue
  x: {value: i}
processes:
  writer: {steps: [{write: x, value: 1}, {put: done, value: 1}]}
  reader: {steps: [{get: done}, {read: x, into: got}, {assert: got == 1}]}
`)
	res := ends(t, event.Failed, `
name: the wrong way round
primitives:
  done: queue
  x: {value: i}
processes:
  writer: {steps: [{put: done, value: 1}, {write: x, value: 1}]}
  reader: {steps: [{get: done}, {read: x, into: got}]}
`)
	if res.Verdict.Ending != "race" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestQueueOfTheKilled: whoever is killed in the middle of whatever it does,
// by the engine or by another process, the others go on.
func TestQueueOfTheKilled(t *testing.T) {
	ends(t, event.Pass, `
name: the others go on
primitives:
  jobs: {queue: 2}
processes:
  putter[3]: {daemon: true, steps: [{repeat: forever, do: [{put: jobs, value: ["${index}", text]}]}]}
  getter[3]: {daemon: true, steps: [{repeat: forever, do: [{get: jobs, into: job}, {assert: 'job[1] == "text"'}]}]}
  other: idle
steps:
  - repeat: 20
    do:
      - {in: other, get: jobs, into: a}
  - {kill: "putter[0]", signal: SIGKILL}
  - {kill: "getter[0]", signal: SIGKILL}
  - {kill: "getter[1]", signal: SIGSTOP}
  - repeat: 20
    do:
      - {in: other, get: jobs, into: b}
  - {kill: "putter[1]", signal: SIGKILL}
  - {kill: "putter[2]", signal: SIGKILL}
  - wait: putter
  - eventually: 'jobs.empty and "getter[2]" in jobs.waiters'
  - {in: other, put: jobs, value: [3, text]}
  - eventually: jobs.empty
  - assert: other.vars.a[1] == "text" and other.vars.b[1] == "text"
`)
}

// TestQueueDeadlock: nobody puts any more, and that is said at once.
func TestQueueDeadlock(t *testing.T) {
	res := ends(t, event.Failed, `
name: each waits for the other
primitives: {a: {queue: 1}, b: {queue: 1}}
processes:
  x: {steps: [{get: a}, {put: b, value: 1}]}
  y: {steps: [{get: b}, {put: a, value: 1}]}
`)
	if res.Verdict.Ending != "deadlock" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestArrayRaces: accesses that nothing orders are a race on the same element,
// and none on different ones.
func TestArrayRaces(t *testing.T) {
	ends(t, event.Pass, `
name: each its own element
primitives: {row: {array: i, size: 4}}
processes:
  worker[2]:
    steps:
      - {write: "row[2 * index : 2 * index + 2]", value: ["${index}", "${index}"]}
      - {read: "row[2 * index]", into: got}
steps: [{wait: worker}, {assert: 'row.value == [0, 0, 1, 1]'}]
`)
	res := ends(t, event.Failed, `
name: one element in common
primitives: {row: {array: i, size: 4}}
processes:
  worker[2]:
    steps:
      - {write: "row[index : index + 2]", value: [1, 1]}
`)
	if res.Verdict.Ending != "race" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestOwnLockOrders: accesses under the lock of a value are no race.
func TestOwnLockOrders(t *testing.T) {
	ends(t, event.Pass, `
name: under its lock
primitives: {total: {value: i}, row: {array: i, size: 2}}
processes:
  till[2]:
    steps:
      - repeat: 20
        do:
          - with: total
            do: [{read: total, into: seen}, {write: total, value: "${seen + 1}"}]
          - with: row
            do: [{read: row, into: all}, {write: row, value: ["${all[0] + 1}", "${all[1] + 2}"]}]
steps: [{wait: till}, {assert: 'total.value == 40 and row.value == [40, 80]'}]
`)
}

// TestManagerInScenarios: a manager is a process of the run like any other.
func TestManagerInScenarios(t *testing.T) {
	for _, text := range []string{`
name: what a manager is
primitives: {jobs: {queue: 2, manager: true}}
processes:
  user: idle
steps:
  - eventually: jobs.manager.blocked_on == "jobs"
  - assert: jobs.manager.pid > 1 and jobs.manager.pid != user.pid and jobs.manager.ignores == ["SIGINT"] and jobs.waiters == []
  - {in: user, put: jobs, value: [1, {two: null}]}
  - {in: user, full: jobs, into: full}
  - {in: user, qsize: jobs, into: n}
  - assert: jobs.size == 1 and not jobs.full and user.vars.n == 1 and not user.vars.full
  - {in: user, get: jobs, into: got}
  - {in: user, empty: jobs, into: empty}
  - assert: 'user.vars.got == [1, {two: nil}] and user.vars.empty'
  - {in: user, get: jobs, block: false, error: Empty}
  - {in: user, get: jobs, timeout: 5ms, error: Empty}
  - {kill: jobs.manager, signal: SIGINT}
  - {in: user, put: jobs, value: 7}
finally:
  - assert: jobs.manager.exit_code == 0 and jobs.size == 1
`, `
name: a client that is killed or stopped
primitives: {jobs: {queue: 1, manager: true}}
processes:
  getter[2]: {daemon: true, steps: [{get: jobs, into: x}]}
  putter: {daemon: true, steps: [{put: jobs, value: 1}, {put: jobs, value: 2}, {put: jobs, value: 3}]}
  user: idle
steps:
  - eventually: all(getter, .exit_code == 0) and jobs.size == 1
  - wait: putter
  - {in: user, put: jobs, value: 4, background: late}
  - eventually: jobs.waiters == ["user"]
  - {kill: user, signal: SIGSTOP}
  - eventually: user.state == "stopped"
  - {kill: user, signal: SIGKILL}
  - {wait: user}
  - assert: jobs.size == 1 and jobs.waiters == []
`, `
name: the manager is killed
primitives: {jobs: {queue: 1, manager: true}}
processes:
  waiting: [{put: jobs, value: 1}, {put: jobs, value: 2, error: ManagerDied}]
  later: idle
steps:
  - eventually: jobs.waiters == ["waiting"]
  - {kill: jobs.manager, signal: SIGKILL}
  - wait: waiting
  - {in: later, get: jobs, error: ManagerDied}
  - wait: jobs.manager
  - assert: jobs.manager.exit_signal == "SIGKILL" and jobs.empty
`, `
name: handlers run while a process is blocked, and use the queue themselves
primitives: {jobs: {queue: 1, manager: true}, other: {queue, manager: true}}
processes:
  p:
    signals:
      SIGUSR1:
        - {get: jobs, block: false, error: Empty}
        - {put: other, value: handled}
      SIGUSR2:
        - {get: jobs, into: mine}
        - {put: other, value: "${mine}"}
    steps: [{get: jobs, into: got}, {print: "got ${got}"}]
  q: idle
steps:
  - eventually: jobs.waiters == ["p"]
  - {kill: p, signal: SIGUSR1}
  - {in: q, get: other, into: said}
  - assert: q.vars.said == "handled"
  - {kill: p, signal: SIGUSR2}
  - {in: q, put: jobs, value: first}
  - {in: q, put: jobs, value: second}
  - {expect: got, from: p}
  - wait: p
  - {in: q, get: other, into: said}
  - assert: p.exit_code == 0 and (q.vars.said == "first" or q.vars.said == "second")
`, `
name: children use it, those of a fork step as well
primitives: {jobs: {queue, manager: true}, back: {queue, manager: true}}
processes:
  parent: [{put: jobs, value: 1}, {fork: child}, {get: back, into: x}, {assert: x == 2}, {wait: child}]
  child: {parent: parent, steps: [{get: jobs, into: x}, {assert: x == 1}, {put: back, value: 2}]}
inherit: all
steps: [{wait: child}]
`} {
		ends(t, event.Pass, text)
	}
}

// TestManagerOrders: through a manager, too, what comes before a put comes before
// the get of its item.
func TestManagerOrders(t *testing.T) {
	ends(t, event.Pass, `
name: a message says that it is done
primitives: {done: {queue, manager: true}, x: {value: i}}
processes:
  writer: {steps: [{write: x, value: 1}, {put: done, value: 1}]}
  reader: {steps: [{get: done}, {read: x, into: got}, {assert: got == 1}]}
`)
	res := ends(t, event.Failed, `
name: the wrong way round
primitives: {done: {queue, manager: true}, x: {value: i}}
processes:
  writer: {steps: [{put: done, value: 1}, {write: x, value: 1}]}
  reader: {steps: [{get: done}, {read: x, into: got}]}
`)
	if res.Verdict.Ending != "race" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestManagerDeadlock: that nobody can move any more is said at once, and why.
func TestManagerDeadlock(t *testing.T) {
	res := ends(t, event.Failed, `
name: each waits for the other
primitives: {a: {queue: 1, manager: true}, b: {queue: 1, manager: true}}
processes:
  x: {steps: [{get: a}, {put: b, value: 1}]}
  y: {steps: [{put: b, value: 1}, {put: b, value: 2}]}
`)
	if res.Verdict.Ending != "deadlock" {
		t.Fatalf("it ended by %s", res.Verdict.Ending)
	}
	why := map[string]string{}
	for _, w := range res.Events[res.Verdict.Cause].Stuck.Waits {
		why[w.Proc] = w.Why
	}
	for proc, want := range map[string]string{
		"x":         "it wants to get something from a, which a.manager keeps and which is empty",
		"y":         "it wants to put something into b, which b.manager keeps and which is full",
		"a.manager": "it waits for others to ask it for something",
	} {
		if why[proc] != want {
			t.Errorf("%s: %q, want %q", proc, why[proc], want)
		}
	}
	res = ends(t, event.Failed, `
name: a manager that is stopped
primitives: {a: {queue: 1, manager: true}}
processes:
  x: idle
steps:
  - {kill: a.manager, signal: SIGSTOP}
  - eventually: a.manager.state == "stopped"
  - {in: x, put: a, value: 1, timeout: 1s}
`)
	if res.Verdict.Ending != "deadlock" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}
