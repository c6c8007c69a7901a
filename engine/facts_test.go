package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ipcrun/engine/event"
)

// TestOutput: what a process prints is what the facts, expect and the log say,
// with a terminal and without, however long the line.
func TestOutput(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		for _, n := range []int{0, 1, 4095, 4096, 5000, 40_000} {
			t.Run(fmt.Sprintf("terminal %v, %d bytes", terminal, n), func(t *testing.T) {
				long := strings.Repeat("x", n)
				o := passes(t, fmt.Sprintf(`
name: x
params: {n: %d}
processes:
  a:
    terminal: %v
    steps: [{print: first}, {print: "%s"}, {print: "两行\nof text"}, {print: last}]
steps:
  - {expect: {regex: "^f.rst$"}, from: a, into: line}
  - assert: line == "first"
  - {expect: of text, from: a}
  - {expect: last, from: a}
  - wait: a
  - assert: len(a.lines) == 5 && len(a.lines[1]) == n && a.lines[2] == "两行" && a.lines[4] == "last"
  - assert: a.output startsWith "first\n" && a.output endsWith "\n两行\nof text\nlast\n"
`, n, terminal, long))
				whole := ""
				for _, e := range o.of(event.Print, "a") {
					whole += e.Value.(string)
				}
				if want := "first" + long + "两行\nof textlast"; whole != want {
					t.Errorf("the log has %d bytes of output, want %d", len(whole), len(want))
				}
			})
		}
	}
}

// TestFunctions: what conditions can ask of the run.
func TestFunctions(t *testing.T) {
	passes(t, `
name: x
primitives: {n: {value: i}, go: event}
processes:
  a: {signals: {SIGUSR1: [{print: got it}]}, steps: [{add: n}, {add: n, name: second add}, {print: ready, name: says it}, {exit: 2}]}
  b: {signals: {SIGUSR2: ignore}, steps: [{wait: go}]}
  c: idle
steps:
  - {kill: b, signal: SIGUSR2}
  - {in: c, set: go}
  - wait: a
  - wait: b
  - assert: before("second add", "says it") && not before("says it", "second add") && not before("says it", "says it")
  - assert: len(filter(events("a"), .verb == "add")) == 2
  - assert: any(events("a"), .type == "op" && .object == "n" && .value == 2)
  - assert: all(events("a"), .at >= 0) && len(events("b")) > 0
  - assert: signals("script", "b") == ["SIGUSR2"] && signals("a", "b") == [] && signals("kernel", "b") == []
`)
}

// TestHeardOf: what a process has done is known when the script has heard of it from
// another, also where that one's ring was read after many others.
func TestHeardOf(t *testing.T) {
	for asks, rounds := range map[string]int{"len(first.lines) == i + 1": 30, `count(events("first"), .type == "print") == i + 1`: 3} {
		passes(t, fmt.Sprintf(`
name: x
params: {rounds: %d}
primitives: {next: queue, go: queue}
processes:
  first:
    steps:
      - {repeat: "${rounds}", as: i, do: [{print: "${i}"}, {put: next, value: "${i}"}, {get: go}]}
  between: {daemon: true, steps: [{repeat: 100000, do: [{print: noise}]}]}
  second:
    steps:
      - {repeat: "${rounds}", do: [{get: next, into: n}, {print: "it has printed ${n}"}]}
  starter: idle
steps:
  - repeat: ${rounds}
    as: i
    do:
      - {expect: "it has printed ${i}", from: second}
      - assert: %s
      - {in: starter, put: go, value: 1}
`, rounds, asks))
	}
}

// TestEventsOfSignals: what arrived is told from what was sent, and by its name.
func TestEventsOfSignals(t *testing.T) {
	passes(t, `
name: x
processes:
  a: {signals: {SIGUSR1: [{kill: a, signal: SIGUSR2}], SIGUSR2: [{exit: 0}]}, steps: [{repeat: forever, do: [pause]}]}
steps:
  - {kill: a, signal: SIGUSR1}
  - wait: a
  - assert: map(filter(events("a"), .type == "signal"), .signal) == ["SIGUSR1", "SIGUSR2"]
  - assert: map(filter(events("a"), .type == "sent"), .signal) == ["SIGUSR2"]
  - assert: all(filter(events("a"), .type == "print"), .signal == "")
`)
}

// TestFinally runs after the last process has ended, whatever happened, and
// sees how.
func TestFinally(t *testing.T) {
	text := `
name: x
processes:
  a: {steps: [{exit: 3}]}
  b: {steps: [{repeat: forever, do: [{sleep: 1ms}]}]}
steps:
  - wait: a
  - assert: a.exit_code == 4
finally:
  - print: over
  - assert: a.exit_code == 3 && a.state == "ended" && b.state == "ended" && b.exit_signal == "SIGKILL"
`
	o := run(t, text)
	o.decided(event.Failed, "fail", lineOf(t, text, "a.exit_code == 4"), `"value":"3"`)
	if lines := o.of(event.Print, ""); len(lines) != 1 || lines[0].Value != "over" {
		t.Errorf("%+v", lines)
	}
	if o.Verdict.Checks != 1 {
		t.Errorf("%d checks held, want the one of finally\n%s", o.Verdict.Checks, o.dump())
	}
}

// TestRunsAtOnce: an Engine runs several scenarios at once, and none gets in
// another's way.
func TestRunsAtOnce(t *testing.T) {
	texts := []string{driverFile(t), tillsFile(t), ordersScenario, blockedOnScenario}
	var wg sync.WaitGroup
	for i := range 8 {
		sc := load(t, texts[i%len(texts)], nil)
		wg.Go(func() {
			for range runs(3, 30) {
				res, err := shared.Run(context.Background(), sc)
				if err != nil {
					t.Error(err)
					return
				}
				if res.Verdict.Result != event.Pass {
					o := &outcome{res, t}
					t.Errorf("%s: %+v %s\n%s", sc.Name, res.Verdict, o.causeText(), o.dump())
				}
			}
		})
	}
	wg.Wait()
}

// TestBefore: what an operation lets another one do comes after it, also where the other
// process is quicker to say so; who still waits for room comes after who made some.
func TestBefore(t *testing.T) {
	const rounds = 40
	var first, second, asserts strings.Builder
	for i := range rounds {
		fmt.Fprintf(&first, `
      - {put: there, value: 1, name: put %[1]d}
      - {recv: back.r, name: received %[1]d}
      - {release: gate, name: opened %[1]d}`, i)
		fmt.Fprintf(&second, `
      - {get: there, name: got %[1]d}
      - {send: back.w, value: 1, name: sent %[1]d}
      - {acquire: gate, name: passed %[1]d}`, i)
		fmt.Fprintf(&asserts, `
  - assert: before("put %[1]d", "got %[1]d") && before("sent %[1]d", "received %[1]d") && before("opened %[1]d", "passed %[1]d")`, i)
	}
	passes(t, `
name: x
primitives: {there: queue, back: {pipe: one-way}, gate: {semaphore: 0}}
processes:
  first:
    steps:`+first.String()+`
  second:
    steps:`+second.String()+`
steps:
  - wait: first
  - wait: second`+asserts.String()+"\n")

	// Who still waits for room after a part of it was made ends after that.
	for _, c := range []struct{ line, more, room string }{
		{"pipe: one-way", "${text + text + text}", "recv: line.r"},
		{"pipe: one-way, bytes: true", "${text}", "recv: line.r, size: 1000"},
	} {
		passes(t, fmt.Sprintf(`
name: x
params: {text: %s}
primitives: {line: {%s}}
processes:
  receiver: idle
  sender:
    steps:
      - {send: line.w, value: "${text}"}
      - {send: line.w, value: "%s", name: sent}
steps:
  - eventually: sender.blocked_on == "line"
  - {in: receiver, %s, name: room}
  - {in: receiver, recv: line.r}
  - wait: sender
  - assert: before("room", "sent")
`, strings.Repeat("x", 60_000), c.line, c.more, c.room))
	}
}

// TestHeardOfEnd: who has seen by the end of a file that a process ends may tell the
// script before the kernel does.
func TestHeardOfEnd(t *testing.T) {
	for range 60 {
		passes(t, `
name: x
primitives: {line: {pipe: one-way}}
processes:
  writer: {steps: [{send: line.w, value: 1}]}
  reader: {daemon: true, steps: [{recv: line.r}, {recv: line.r, error: EOF}, {print: it has ended}, pause]}
steps:
  - {expect: it has ended, from: reader}
  - assert: writer.exit_code == 0 && writer.state == "ended"
`)
	}
}

// TestKilledBefore: a process that was killed has ended before those who end because they
// have noticed, however late the engine looks.
func TestKilledBefore(t *testing.T) {
	for range 8 {
		passes(t, `
name: x
primitives: {line: {pipe: one-way}, gate: {lock, robust: true}}
processes:
  parent: {signals: {SIGCHLD: [{exit: 0}]}, steps: [{repeat: forever, do: [pause]}]}
  victim:
    parent: parent
    steps: [{acquire: gate}, {send: line.w, value: 1}, pause]
  reader: {steps: [{recv: line.r}, {recv: line.r, error: EOF}]}
  heir: {steps: [{while: gate.holder == "", do: [{sleep: 1ms}]}, {acquire: gate, error: OwnerDied}]}
steps:
  - eventually: victim.blocked_on == "signal" && parent.blocked_on == "signal" && reader.blocked_on == "line" && heir.blocked_on == "gate"
  - {kill: victim, signal: SIGKILL}
  - wait: parent
  - wait: reader
  - wait: heir
  - assert: victim.ended < parent.ended && victim.ended < reader.ended && victim.ended < heir.ended
`)
	}
	passes(t, `
name: x
processes:
  guard: {signals: {SIGTERM: ignore}, steps: [{repeat: forever, do: [pause]}], daemon: true}
  other: idle
  victim: {steps: [{block: SIGTERM}, {print: blocked}, {sleep: 30ms}, {print: late}, {unblock: SIGTERM}, pause]}
steps:
  - {expect: blocked, from: victim}
  - {kill: victim, signal: SIGTERM}
  - {expect: late, from: victim}
  - wait: victim
  - assert: victim.exit_signal == "SIGTERM" && victim.ended - victim.started > 0.03
`)
}
