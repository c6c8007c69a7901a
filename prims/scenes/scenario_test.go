//go:build linux

package scenes

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// Primitives in whole scenarios: what only shows between processes, the engine
// that sees them die, and happens-before.

// patientOptions are limits that no run of the tests comes near, however busy the
// machine is, and under which those that files set are not short.
var patientOptions = engine.Options{Timeout: 40 * time.Second, StepTimeout: 20 * time.Second, TimeoutScale: 5}

// runs runs a scenario and reports how it went.
func runs(t *testing.T, text string) *engine.Result {
	t.Helper()
	l := &diag.List{}
	sc := spec.Load(source.New("test.yaml", []byte(text)), plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		var b bytes.Buffer
		_ = diag.Write(&b, l.All(), diag.Style{})
		t.Fatalf("the scenario does not load:\n%s", b.String())
	}
	t.Setenv("TMPDIR", t.TempDir())
	e, err := engine.New(patientOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func ends(t *testing.T, want event.Result, text string) *engine.Result {
	t.Helper()
	res := runs(t, text)
	if res.Verdict.Result != want {
		_ = event.WriteAll(os.Stderr, res.Events)
		t.Fatalf("%s, want %s", res.Verdict.Result, want)
	}
	return res
}

// TestWaitReleases: what a process does before a wait comes before what the
// next holder does, and a notify before what the woken one does. Nothing here
// is a race: a race would fail the scenario.
func TestWaitReleases(t *testing.T) {
	res := ends(t, event.Pass, `
name: a wait gives the lock up
primitives:
  changed: condition
  x: {value: i}
processes:
  waiter:
    steps:
      - acquire: changed
      - {write: x, value: 1}
      - {wait: changed, until: x.value == 2}
      - {read: x, into: got}
      - assert: got == 2
      - release: changed
  changer: idle
steps:
  - eventually: changed.waiting == 1
  - {in: changer, acquire: changed}
  - {in: changer, write: x, value: 2}
  - {in: changer, notify: changed}
  - {in: changer, release: changed}
  - wait: waiter
`)
	var ops []string
	for _, e := range res.Events {
		if e.Type == event.Op.String() && e.Proc == "waiter" && e.Object == "changed" {
			ops = append(ops, e.Verb)
		}
	}
	if len(ops) != 4 || ops[1] != "release" || ops[2] != "wait" {
		t.Errorf("the waiter's operations are %v", ops)
	}
}

// TestBarrierOrders: what anybody does before a barrier comes before what
// everybody does behind it, for the first to arrive as for the last.
func TestBarrierOrders(t *testing.T) {
	res := ends(t, event.Pass, `
name: before and behind a barrier
primitives:
  meet: {barrier: 3}
  cell[3]: {value: i}
processes:
  party[3]:
    steps:
      - repeat: 5
        as: round
        do:
          - {write: "cell[index]", value: "${round}"}
          - wait: meet
          - {read: "cell[(index + 1) % 3]", into: got}
          - assert: got == round
          - {read: "cell[(index + 2) % 3]", into: got}
          - assert: got == round
          - wait: meet
`)
	// Each operation has a number, and all arrivals of a round come before any of
	// its goings on.
	arrived := map[uint64]bool{}
	for _, e := range res.Events {
		if e.Type == event.Op.String() && e.Object == "meet" {
			if _, dup := arrived[e.Seq]; dup || e.Seq == 0 || e.Seq > 60 {
				t.Fatalf("number %d", e.Seq)
			}
			arrived[e.Seq] = e.Value == "arrived"
		}
	}
	came, went := 0, 0
	for n := uint64(1); n <= 60; n++ {
		if arrived[n] {
			came++
		} else {
			went++
		}
		if came < (went+2)/3*3 {
			t.Fatalf("with number %d, %d have arrived and %d have gone on", n, came, went)
		}
	}
	res = ends(t, event.Failed, `
name: without the second one it is a race
primitives:
  meet: {barrier: 2}
  x: {value: i}
processes:
  party[2]:
    steps:
      - wait: meet
      - {write: x, value: "${index}"}
`)
	if res.Verdict.Ending != "race" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestEngineTellsOfDeaths: the waiters of a robust lock are woken when the
// holder dies, by a signal or by itself, and what the dead did comes before.
func TestEngineTellsOfDeaths(t *testing.T) {
	for name, end := range map[string]string{"killed": "{raise: SIGKILL}", "exited": "{exit: 0}"} {
		t.Run(name, func(t *testing.T) {
			res := ends(t, event.Pass, `
name: the holder dies
primitives:
  gate: {lock, robust: true}
  held: event
  x: {value: i}
processes:
  careless:
    steps:
      - acquire: gate
      - {write: x, value: 1}
      - set: held
      - sleep: 20ms
      - `+end+`
  heir:
    steps:
      - wait: held
      - {acquire: gate, error: OwnerDied}
      - assert: gate.holder == "heir"
      - {write: x, value: 2}
      - release: gate
      - {with: gate, do: [{write: x, value: 3}]}
steps:
  - wait: heir
`)
			told := false
			for _, e := range res.Events {
				told = told || e.Proc == "heir" && e.Verb == "acquire" && e.Detail == "careless, which held it, had ended"
			}
			if !told {
				t.Error("the log does not say whose lock it was")
			}
		})
	}
	// Without robust the waiter is stuck, and the run says so at once.
	res := ends(t, event.Pass, `
name: the holder dies for good
outcome: deadlock
primitives: {gate: rlock, held: event}
processes:
  careless: {steps: [{acquire: gate}, {set: held}, {exit: 0}]}
  heir: {steps: [{wait: held}, {acquire: gate}]}
`)
	if res.Verdict.Result != event.Pass {
		t.Error(res.Verdict)
	}
}

// TestLostNotify: who waits for a notify that has been lost is stuck, and the
// run ends at once instead of waiting for its timeout.
func TestLostNotify(t *testing.T) {
	ends(t, event.Pass, `
name: notified before it waited
outcome: deadlock
primitives: {changed: condition, done: event}
processes:
  early: {steps: [{with: changed, do: [notify_all: changed]}, {set: done}]}
  late: {steps: [{wait: done}, {with: changed, do: [wait: changed]}]}
`)
	ends(t, event.Pass, `
name: a party is missing
outcome: deadlock
primitives: {meet: {barrier: 3}, slots: {semaphore: 0}}
processes:
  first: {steps: [wait: meet]}
  second: {steps: [wait: meet]}
  third: {steps: [acquire: slots, wait: meet]}
`)
}

// TestSignalsDuringWaits: a handler runs while its process waits, may use the
// condition itself, and the wait goes on as before (PEP 475).
func TestSignalsDuringWaits(t *testing.T) {
	ends(t, event.Pass, `
name: signals during waits
primitives:
  changed: condition
  meet: {barrier: 2}
  slots: {semaphore: 0}
processes:
  sleeper:
    signals:
      SIGUSR1:
        - acquire: changed
        - {wait: changed, error: Invalid}     # it waits on it already
        - release: changed
        - print: handled
      SIGUSR2: [{print: handled}]
    steps:
      - acquire: changed
      - acquire: changed
      - {wait: changed, into: notified}
      - assert: notified and changed.depth == 2
      - release: changed
      - release: changed
      - {wait: meet, into: place}
      - assert: place == 0
      - acquire: slots
  other: idle
steps:
  - eventually: sleeper.blocked_on == "changed"
  - {kill: sleeper, signal: SIGUSR1}
  - {expect: handled, from: sleeper}
  - {kill: sleeper, signal: SIGUSR1}
  - {expect: handled, from: sleeper}
  - assert: changed.waiting == 1 and not changed.locked
  - {in: other, acquire: changed}
  - {in: other, notify: changed}
  - {in: other, release: changed}
  - eventually: meet.waiting == 1
  - {kill: sleeper, signal: SIGUSR2}
  - {expect: handled, from: sleeper}
  - {in: other, wait: meet, into: place}
  - assert: other.vars.place == 1
  - eventually: slots.waiters == ["sleeper"]
  - {kill: sleeper, signal: SIGUSR2}
  - {expect: handled, from: sleeper}
  - {in: other, release: slots}
  - wait: sleeper
  - assert: sleeper.exit_code == 0
`)
}
