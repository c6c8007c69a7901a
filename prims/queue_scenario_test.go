//go:build linux

package prims_test

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
