package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/event"
)

// TestHandlerInterruptsBlockedStep: a step that is blocked is interrupted by a
// handler and goes on afterwards with the deadline it had (PEP 475). The
// signals keep coming until it is over: a deadline that began anew with each of
// them would never pass.
func TestHandlerInterruptsBlockedStep(t *testing.T) {
	for _, tt := range []struct {
		name, step string
		end        event.Kind
	}{
		{"acquire", `{acquire: gate, timeout: %v, error: Timeout}`, event.Fail},
		{"wait for an event", `{wait: ready, timeout: %v, error: Timeout}`, event.Fail},
		{"wait for a child", `{wait: child, timeout: %v, error: Timeout}`, event.Fail},
		{"sleep", `{sleep: %v}`, event.Slept},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limit := 100 * time.Millisecond
			for interrupted(t, fmt.Sprintf(tt.step, limit), tt.end, limit) < 2 {
				// It had no turn meanwhile, and nothing was shown.
				if limit *= 4; limit > patience()/4 {
					t.Fatal("no handlers run while it is blocked")
				}
			}
		})
	}
}

// interrupted runs a step that takes limit while signals come, and returns how many
// handlers ran before it was over.
func interrupted(t *testing.T, step string, kind event.Kind, limit time.Duration) (handled int) {
	t.Helper()
	o := passes(t, fmt.Sprintf(`
name: x
primitives: {gate: lock, ready: event, begun: event, done: event, over: event}
processes:
  a:
    signals: {SIGUSR1: [{print: handled}]}
    steps:
      - acquire: gate
      - print: begin
      - set: begun
      - %s
      - set: done
      - wait: over
  child:
    parent: a
    steps: [{wait: over}]
  b:
    steps:
      - wait: begun
      - let: {enough: false}
      - while: not enough
        do: [{kill: a, signal: SIGUSR1}, {sleep: 10ms}, {is_set: done, into: enough}]
      - set: over
`, step))
	begin := o.of(event.Print, "a")[0].At
	ends := o.of(kind, "a")
	if len(ends) != 1 {
		t.Fatalf("%d ends\n%s", len(ends), o.dump())
	}
	if took := time.Duration(ends[0].At - begin); took < limit {
		t.Errorf("it was over after %v, before its %v", took, limit)
	}
	for _, e := range o.of(event.Got, "a") {
		if e.At < ends[0].At {
			handled++
		}
	}
	return handled
}

// TestHandlersWhileBlocked: handlers run while a process is blocked in each
// kind of step, in order, and the blocked step ends the way it would have.
func TestHandlersWhileBlocked(t *testing.T) {
	for _, s := range []string{"SIGUSR1", "SIGINT", "SIGRTMIN+3"} {
		t.Run(s, func(t *testing.T) {
			passes(t, withSignal(`
name: x
primitives: {gate: lock, ready: event}
processes:
  holder: idle
  a: idle
  child: {parent: a, signals: {SIGTERM: [{exit: 7}]}, steps: [{repeat: forever, do: [pause]}]}
  b:
    signals: {THE_SIGNAL: [{print: handled}]}
    steps:
      - acquire: gate
      - print: acquired
      - wait: ready
      - print: awaited
      - pause
      - print: paused
steps:
  - {expect: acquired, from: b}
  - {in: holder, acquire: gate, background: held}
  - eventually: b.blocked_on == "ready" && holder.blocked_on == "gate"
  - {kill: b, signal: THE_SIGNAL}
  - {expect: handled, from: b}
  - eventually: b.blocked_on == "ready"
  - {kill: b, signal: THE_SIGNAL}
  - {expect: handled, from: b}
  - {in: a, set: ready}
  - {expect: awaited, from: b}
  - eventually: b.blocked_on == "signal"
  - {kill: b, signal: THE_SIGNAL}
  - {expect: paused, from: b}
  - {in: a, release: gate}
  - await: held
  - {kill: child, signal: SIGTERM}
  - {in: a, wait: child, into: st}
  - assert: a.vars.st.exit_code == 7
`, s))
		})
	}
}

// TestPause: it ends when a handler has run since it began, and not by a
// signal that came before, nor by an ignored one.
func TestPause(t *testing.T) {
	o := passes(t, `
name: x
processes:
  a:
    signals: {SIGUSR1: [{print: handled}], SIGUSR2: ignore}
    steps:
      - raise: SIGUSR1
      - {pause: null, timeout: 40ms, error: Timeout}
      - print: first over
      - pause
      - print: second over
steps:
  - {expect: first over, from: a}
  - eventually: a.blocked_on == "signal"
  - {kill: a, signal: SIGUSR2}
  - assert: a.blocked_on == "signal"
  - {kill: a, signal: SIGUSR1}
  - {expect: second over, from: a}
  - wait: a
  - assert: signals("script", "a") == ["SIGUSR2", "SIGUSR1"]
`)
	o.wantPrinted("a", "handled", "first over", "handled", "second over")
}

// TestNestedHandlers: a handler is itself interrupted by another signal, also
// while it is blocked.
func TestNestedHandlers(t *testing.T) {
	o := passes(t, `
name: x
primitives: {gate: lock, go: event}
processes:
  holder: idle
  a:
    signals:
      SIGUSR1: [{print: one begins}, {raise: SIGUSR2}, {print: one waits}, {acquire: gate}, {print: one ends}]
      SIGUSR2: [{print: two begins}, {raise: SIGTERM}, {print: two ends}]
      SIGTERM: [{print: three}]
    steps: [{wait: go}, {raise: SIGUSR1}, {print: main}]
steps:
  - {in: holder, acquire: gate}
  - {in: holder, set: go}
  - {expect: one waits, from: a}
  - eventually: a.blocked_on == "gate"
  - {kill: a, signal: SIGUSR2}
  - {expect: two ends, from: a}
  - {in: holder, release: gate}
  - {expect: main, from: a}
`)
	o.wantPrinted("a", "one begins", "two begins", "three", "two ends", "one waits",
		"two begins", "three", "two ends", "one ends", "main")
}

// coalescing are signals that reach a process in different ways: through a
// signalfd, and through a handler of the process's own because the runtime
// does not let them be blocked.
var coalescing = []string{"SIGUSR1", "SIGINT", "SIGTERM", "SIGCHLD", "SIGHUP"}

// TestBlockedDuringItsOwnHandler: while the handler of a signal runs the same
// signal is blocked; however often it comes meanwhile, it is delivered once
// afterwards.
func TestBlockedDuringItsOwnHandler(t *testing.T) {
	for _, s := range coalescing {
		for _, steps := range []int{0, 200} {
			t.Run(fmt.Sprintf("%s after %d steps", s, steps), func(t *testing.T) {
				o := passes(t, fmt.Sprintf(`
name: x
primitives: {c: {value: i}}
processes:
  a:
    signals:
      %[1]s:
        - let: {n: "${n + 1}"}
        - print: begin ${n}
        - if: n == 1
          then: [{raise: %[1]s}, {raise: %[1]s}, {raise: %[1]s}]
        - print: end ${n}
    steps:
      - let: {n: 0}
      - repeat: %[2]d
        do: [{add: c}]
      - raise: %[1]s
      - repeat: 200
        do: [{add: c}]
      - print: main
`, s, steps))
				o.wantPrinted("a", "begin 1", "end 1", "begin 2", "end 2", "main")
			})
		}
	}
}

// TestBlockedByTheScript: a standard signal that comes five times while it is
// blocked is delivered once, and before the step behind unblock.
func TestBlockedByTheScript(t *testing.T) {
	for _, s := range coalescing {
		for _, how := range []string{"kill: a", "raise"} {
			t.Run(s+" "+how, func(t *testing.T) {
				kills := "- repeat: 5\n        do: [{kill: a, signal: " + s + "}]"
				own := ""
				if how == "raise" {
					kills, own = "- print: none", "- repeat: 5\n        do: [{raise: "+s+"}]"
				}
				o := passes(t, fmt.Sprintf(`
name: x
primitives: {blocked: event, sent: event}
processes:
  a:
    signals: {%[1]s: [{print: handled}]}
    steps:
      - block: %[1]s
      - set: blocked
      - wait: sent
      %[3]s
      - print: unblocking
      - unblock: %[1]s
      - print: unblocked
  b:
    steps:
      - wait: blocked
      %[2]s
      - set: sent
`, s, kills, own))
				o.wantPrinted("a", "unblocking", "handled", "unblocked")
			})
		}
	}
}

// TestRealtimeSignalsQueue: five real-time signals are five deliveries, in
// order, each with its value and sender.
func TestRealtimeSignalsQueue(t *testing.T) {
	o := passes(t, `
name: x
primitives: {blocked: event, sent: event}
processes:
  a:
    signals:
      SIGRTMIN+1: [{print: one}]
      SIGUSR1: [{print: standard}]
    steps:
      - block: [SIGRTMIN+1, SIGUSR1]
      - set: blocked
      - wait: sent
      - unblock: [SIGRTMIN+1, SIGUSR1]
      - print: unblocked
  b:
    steps:
      - wait: blocked
      - repeat: 5
        as: i
        do: [{kill: a, signal: SIGRTMIN+1, value: "${10 * i + 1}"}, {kill: a, signal: SIGUSR1, value: "${i}"}]
      - set: sent
`)
	o.wantPrinted("a", "standard", "one", "one", "one", "one", "one", "unblocked")
	var values []any
	for _, e := range o.of(event.Got, "a") {
		if e.Peer != "b" || e.Code != "queue" {
			t.Errorf("%s from %s, code %s", e.Signal, e.Peer, e.Code)
		}
		if e.Signal != "SIGUSR1" {
			values = append(values, e.Value)
		}
	}
	if !slices.Equal(values, []any{1, 11, 21, 31, 41}) {
		t.Errorf("values %v", values)
	}
}

// TestHandlerInLocalLoop: a process that goes round without doing anything that
// others see hears its signals all the same, whichever way they reach it.
func TestHandlerInLocalLoop(t *testing.T) {
	for _, s := range []string{"SIGUSR1", "SIGTERM"} {
		t.Run(s, func(t *testing.T) {
			passes(t, withSignal(`
name: x
processes:
  a:
    signals: {THE_SIGNAL: [{let: {n: "${n + 1}"}}, {print: "${n}"}]}
    steps:
      - let: {n: 0}
      - while: n < 2
        do: [{let: {idly: 1}}]
      - print: heard
steps:
  - {kill: a, signal: THE_SIGNAL}
  - {expect: "1", from: a}
  - {kill: a, signal: THE_SIGNAL}
  - {expect: heard, from: a}
`, s))
		})
	}
}

// TestRaise: the handler runs before the next step, every time, however long
// the process has been running.
func TestRaise(t *testing.T) {
	for _, s := range []string{"SIGUSR1", "SIGINT", "SIGCHLD", "SIGRTMIN"} {
		t.Run(s, func(t *testing.T) {
			passes(t, withSignal(`
name: x
processes:
  a:
    signals: {THE_SIGNAL: [{let: {n: "${n + 1}"}}]}
    steps:
      - let: {n: 0}
      - repeat: 300
        as: i
        do: [{raise: THE_SIGNAL}, {assert: n == i + 1}]
`, s))
		})
	}
}

// TestAlarm: a new alarm replaces the former one and yields what it had left,
// 0 cancels; SIGALRM comes from the kernel.
func TestAlarm(t *testing.T) {
	o := passes(t, `
name: x
primitives: {rang: event}
processes:
  a:
    signals: {SIGALRM: [{print: ring}, {set: rang}]}
    steps:
      - {alarm: 10000s, into: first}
      - {alarm: 5000s, into: second}
      - {alarm: 0, into: third}
      - {alarm: 0, into: fourth}
      - assert: first == 0 && second > 9000 && second <= 10000 && third > 4000 && third <= 5000 && fourth == 0
      - {alarm: 8000s}
      - {alarm: 30ms}
      - wait: rang
      - {alarm: 0, into: fifth}
      - assert: fifth == 0
`)
	o.wantPrinted("a", "ring")
	got := o.of(event.Got, "a")
	if len(got) != 1 || got[0].Code != "kernel" || got[0].Peer != "kernel" {
		t.Fatalf("%+v", got)
	}
	set := o.of(event.Alarmed, "a")
	if waited := time.Duration(got[0].At - set[5].At); waited < 30*time.Millisecond {
		t.Errorf("it rang after %v", waited)
	}
}

// TestAlarmCancelled: one that had time left when it was cancelled does not ring.
func TestAlarmCancelled(t *testing.T) {
	limit := 30 * time.Millisecond
	for {
		o := passes(t, fmt.Sprintf(`
name: x
processes:
  a:
    signals: {SIGALRM: [{let: {rang: true}}]}
    steps:
      - let: {rang: false}
      - {alarm: %[1]v}
      - {alarm: 0, into: left}
      - if: left > 0
        then: [{pause: null, timeout: %[2]v, error: Timeout}, {assert: not rang}, {print: cancelled}]
`, limit, 2*limit))
		if len(o.printed("a")) == 1 {
			return
		}
		// It rang before it could be cancelled.
		if limit *= 4; limit > patience()/4 {
			t.Fatal("an alarm has never any time left")
		}
	}
}

// TestDispositions: default, ignore and handlers that a process installs later
// are what the kernel does, and what the facts say.
func TestDispositions(t *testing.T) {
	passes(t, `
name: x
processes:
  a:
    signals: {SIGUSR1: ignore, SIGTERM: [{print: term}]}
    steps:
      - raise: SIGUSR1
      - {signal: SIGUSR1, handler: [{print: now handled}]}
      - raise: SIGUSR1
      - {signal: SIGTERM, handler: ignore}
      - raise: SIGTERM
      - print: changed
      - pause
steps:
  - {expect: changed, from: a}
  - assert: '"SIGUSR1" in a.catches && "SIGTERM" in a.ignores && not ("SIGINT" in a.catches) && not ("SIGINT" in a.ignores)'
  - assert: a.lines == ["now handled", "changed"]
  - {kill: a, signal: SIGINT}
  - wait: a
  - assert: a.exit_signal == "SIGINT" && a.exit_code == nil
`)
	for _, s := range []string{"SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGSEGV", "SIGPIPE", "SIGALRM", "SIGCHLD", "SIGURG", "SIGPROF", "SIGRTMIN+2"} {
		t.Run("default of "+s, func(t *testing.T) {
			want := s
			if s == "SIGCHLD" || s == "SIGURG" {
				want = "" // ignored by default
			}
			passes(t, fmt.Sprintf(`
name: x
processes: {a: {steps: [{raise: %s}, {exit: 3}]}}
steps:
  - wait: a
  - assert: %s
`, s, map[bool]string{true: `a.exit_signal == "` + want + `"`, false: `a.exit_code == 3`}[want != ""]))
		})
	}
}

// TestPingPong: two processes answer each other's signals from within their
// handlers, many times; none gets lost.
func TestPingPong(t *testing.T) {
	for _, s := range []string{"SIGUSR1", "SIGINT", "SIGRTMIN"} {
		t.Run(s, func(t *testing.T) {
			o := passes(t, withSignal(`
name: x
processes:
  a:
    signals:
      THE_SIGNAL: [{let: {n: "${n + 1}"}}, {if: n < 200, then: [{kill: b, signal: THE_SIGNAL}], else: [{kill: b, signal: SIGTERM}, {exit: 0}]}]
    steps:
      - let: {n: 0}
      - kill: b
        signal: THE_SIGNAL
      - repeat: forever
        do: [pause]
  b:
    signals:
      THE_SIGNAL: [{kill: a, signal: THE_SIGNAL}]
      SIGTERM: [{exit: 0}]
    steps:
      - repeat: forever
        do: [pause]
steps:
  - wait: a
  - wait: b
  - assert: len(signals("a", "b")) == 201 && len(signals("b", "a")) == 200
`, s))
			if n := len(o.of(event.Got, "a")); n != 200 {
				t.Errorf("a handled %d signals, want 200", n)
			}
		})
	}
}

// withSignal puts a signal into a scenario.
func withSignal(text, signal string) string {
	return strings.ReplaceAll(text, "THE_SIGNAL", signal)
}

// TestBlockedDefault: a signal that would end the process is held back while
// it is blocked, stays pending, and ends it when it is let through.
func TestBlockedDefault(t *testing.T) {
	for _, s := range []string{"SIGUSR1", "SIGTERM", "SIGINT", "SIGRTMIN+1"} {
		t.Run(s, func(t *testing.T) {
			o := passes(t, withSignal(blockedDefault, s))
			o.wantPrinted("a", "still here")
			o.wantPrinted("c", "first", "handled")
		})
	}
}

const blockedDefault = `
name: x
primitives: {blocked: event, sent: event}
processes:
  a:
    steps:
      - block: THE_SIGNAL
      - set: blocked
      - wait: sent
      - print: still here
      - unblock: THE_SIGNAL
      - print: too late
  b:
    steps: [{wait: blocked}, {kill: a, signal: THE_SIGNAL}, {set: sent}]
  c:
    steps:
      - block: THE_SIGNAL
      - {signal: THE_SIGNAL, handler: [{print: handled}]}
      - raise: THE_SIGNAL
      - print: first
      - unblock: THE_SIGNAL
      - {signal: THE_SIGNAL, handler: default}
      - block: THE_SIGNAL
      - raise: THE_SIGNAL
      - {signal: THE_SIGNAL, handler: ignore}
      - unblock: THE_SIGNAL
      - exit: 5
steps:
  - wait: a
  - assert: a.exit_signal == "THE_SIGNAL"
  - wait: c
  - assert: c.exit_code == 5
`
