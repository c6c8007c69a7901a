package engine_test

import (
	"testing"

	"ipcrun/engine/event"
)

// TestOrders: idle processes do what the script says, one thing at a time,
// with the script's variables, and keep their own.
func TestOrders(t *testing.T) {
	o := passes(t, ordersScenario)
	if n := len(o.of(event.OrderDone, "a")); n != 4 {
		t.Errorf("a carried out %d orders, want 4\n%s", n, o.dump())
	}
}

const ordersScenario = `
name: x
primitives: {gate: lock, n: {value: i}}
processes: {a: idle, b: idle}
steps:
  - let: {five: 5}
  - {in: a, write: n, value: "${five * 2}"}
  - {in: b, read: n, into: seen}
  - assert: b.vars.seen == 10 && n.value == 10
  - {in: a, acquire: gate}
  - {in: b, acquire: gate, background: second}
  - eventually: b.blocked_on == "gate"
  - assert: gate.holder == "a" && gate.locked && gate.waiters == ["b"] && b.state == "blocked"
  - {in: a, acquire: gate, block: false, into: again}
  - assert: a.vars.again == false
  - {in: a, release: gate}
  - {await: second, into: got}
  - assert: got == true && gate.holder == "b" && gate.waiters == []
  - {in: b, print: "seen ${seen}"}
  - {expect: seen 10, from: b}
  - in: b
    repeat: 3
    do: [{add: n}, {let: {rounds: 3}}]
  - assert: n.value == 13 && b.vars.rounds == 3
`

// TestOrderOfAnEndedProcess: an order that its process does not live to carry
// out fails.
func TestOrderOfAnEndedProcess(t *testing.T) {
	text := `
name: x
primitives: {never: event}
processes: {a: idle}
steps:
  - {in: a, wait: never, background: w}
  - eventually: a.blocked_on == "never"
  - kill: a
    signal: SIGKILL
  - wait: a
  - await: w
`
	o := run(t, text)
	o.decided(event.Failed, "fail", lineOf(t, text, "- await"), `"error":"NoProcess".*a ended before it was done: SIGKILL`)
}

// TestOrderedExit: an exit that is ordered is done when its process has ended; an exit
// in a handler leaves the order undone. The script goes on behind both.
func TestOrderedExit(t *testing.T) {
	passes(t, `
name: x
primitives: {never: event}
processes: {a: idle, b: idle, c: {idle: true, signals: {SIGUSR1: [{exit: 4}]}}}
steps:
  - {in: a, exit: 3}
  - {in: b, if: a.state != "unborn", then: [{exit: 5}], else: [{print: x}], background: ends}
  - await: ends
  - {in: c, wait: never, background: undone}
  - eventually: c.blocked_on == "never"
  - {kill: c, signal: SIGUSR1}
  - {await: undone, error: NoProcess}
  - assert: a.exit_code == 3 && b.exit_code == 5 && c.exit_code == 4
`)
}

// TestOrdersAndNames: the script and a process may each have a variable of one name.
func TestOrdersAndNames(t *testing.T) {
	passes(t, `
name: x
primitives: {n: {value: i, initial: 5}}
processes: {a: idle}
steps:
  - let: {x: 1}
  - {in: a, read: n, into: x}
  - assert: a.vars.x == 5 && x == 1
  - {in: a, print: "${x}"}
  - assert: a.lines == ["1"] && a.vars.x == 5
`)
}

// TestIdleHandlesSignals: an idle process handles signals while it waits for
// orders and while it carries one out.
func TestIdleHandlesSignals(t *testing.T) {
	o := passes(t, `
name: x
primitives: {ready: event}
processes:
  a: {idle: true, signals: {SIGUSR1: [{let: {n: "${n + 1}"}}, {print: "handled ${n}"}], SIGINT: [{exit: 8}], SIGUSR2: [{print: early}]}}
  b: idle
steps:
  - {kill: a, signal: SIGUSR2}   # before it was told anything
  - {expect: early, from: a}
  - {in: a, let: {n: 0}}
  - {kill: a, signal: SIGUSR1}
  - {expect: handled 1, from: a}
  - {in: a, wait: ready, background: w}
  - eventually: a.blocked_on == "ready"
  - {kill: a, signal: SIGUSR1}
  - {expect: handled 2, from: a}
  - {in: b, set: ready}
  - await: w
  - {in: a, print: still here}
  - {expect: still here, from: a}
  - {kill: a, signal: SIGINT}
  - wait: a
  - assert: a.exit_code == 8
`)
	o.wantPrinted("a", "early", "handled 1", "handled 2", "still here")
}

// TestBlockedOn names what a process waits for, whatever it is.
func TestBlockedOn(t *testing.T) {
	passes(t, blockedOnScenario)
}

const blockedOnScenario = `
name: x
primitives:
  gate: lock
  ready: event
  over: event
processes:
  holder: {steps: [{acquire: gate}, {print: has it}, {wait: over}, {release: gate}]}
  locks: {steps: [{wait: ready}, {acquire: gate}]}
  waits: {steps: [{wait: over}]}
  pauses: {signals: {SIGTERM: [{exit: 0}]}, steps: [{repeat: forever, do: [pause]}]}
  sleeps: {signals: {SIGTERM: [{exit: 0}]}, steps: [{sleep: 100s}]}
  parent: {steps: [{wait: child}]}
  child: {parent: parent, steps: [{wait: over}]}
  idle1: idle
steps:
  - {expect: has it, from: holder}
  - {in: idle1, set: ready}
  - eventually: locks.blocked_on == "gate"
  - eventually: waits.blocked_on == "over"
  - eventually: pauses.blocked_on == "signal"
  - eventually: sleeps.blocked_on == "time"
  - eventually: parent.blocked_on == "child"
  - eventually: idle1.blocked_on == "orders"
  - eventually: holder.blocked_on == "over" && len(over.waiters) == 3
  - assert: gate.holder == "holder" && gate.waiters == ["locks"]
  - {kill: sleeps}
  - {kill: pauses}
  - {in: idle1, set: over}
  - wait: locks
  - assert: locks.blocked_on == "" && locks.exit_code == 0
`

// TestFds: a process has what its script uses open, and nothing of the
// engine's counts.
func TestFds(t *testing.T) {
	passes(t, `
name: x
primitives:
  n: {value: i}
  gate: lock
  go: event
processes:
  nothing: {steps: [{wait: go}]}
  handles: {signals: {SIGUSR1: [{print: hi}], SIGINT: [{print: hi}]}, steps: [{wait: go}]}
  shares: {steps: [{add: n}, {wait: go}]}
  parent: {steps: [{wait: go}, {wait: child}]}
  child: {parent: parent, steps: [{add: n}, {wait: go}]}
  obeys: idle
steps:
  - eventually: len(go.waiters) == 5
  - assert: nothing.fds == 3 && handles.fds == 3 && obeys.fds == 3
  - assert: shares.fds == 3 && parent.fds == 3 && child.fds == 3
  - {in: obeys, set: go}
`)
}

// TestMasksAndCatches: the facts that the kernel knows of dispositions.
func TestMasksAndCatches(t *testing.T) {
	passes(t, `
name: x
processes:
  a: {idle: true, signals: {SIGUSR1: [{print: hi}], SIGINT: [{print: hi}], SIGTERM: ignore}}
  b: idle
steps:
  - assert: a.catches == ["SIGINT", "SIGUSR1"] && a.ignores == ["SIGTERM"] && a.blocks == []
  - {in: a, block: [SIGUSR2, SIGINT]}
  - assert: a.blocks == ["SIGINT", "SIGUSR2"]
  - {in: a, unblock: SIGINT}
  - assert: a.blocks == ["SIGUSR2"] && a.catches == ["SIGINT", "SIGUSR1"]
  - {in: b, block: [SIGTERM, SIGUSR1]}
  - assert: b.blocks == ["SIGUSR1", "SIGTERM"] && b.catches == [] && b.ignores == []
  - {in: b, unblock: [SIGTERM, SIGUSR1]}
  - assert: b.blocks == [] && b.catches == []
  - {kill: b, signal: SIGTERM}
  - wait: b
  - assert: b.exit_signal == "SIGTERM"
`)
}
