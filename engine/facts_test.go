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
  between: {daemon: true, steps: [{repeat: forever, do: [{print: noise}]}]}
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
