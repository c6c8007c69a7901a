package engine_test

import (
	"regexp"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
)

// foundSoon checks that what decided was found well before any limit could have had
// a hand in it. How soon that is on an idle machine, TestDeadlockIsFoundAtOnce says.
func (o *outcome) foundSoon() {
	o.t.Helper()
	cause := o.cause()
	var last int64
	for _, e := range o.Events {
		if e.At < cause.At {
			last = max(last, e.At)
		}
	}
	if took := time.Duration(cause.At - last); took > patience()/2 {
		o.t.Errorf("it took %v to find out", took)
	}
}

func TestDriverPasses(t *testing.T) {
	o := passes(t, driverFile(t))
	o.wantPrinted("driver", "老司机开车了", "系好安全带，小心甩出去", "driver off")
	o.wantPrinted("conductor", "到站了，下车吧")
	if o.Verdict.Checks != 5 || o.Verdict.Ending != "pass" || o.Verdict.Cause != -1 {
		t.Errorf("%+v", o.Verdict)
	}
}

// TestDriverWithMistakes makes the mistakes that students make and checks what
// the verdict says of them: where, and why.
func TestDriverWithMistakes(t *testing.T) {
	original := driverFile(t)
	tests := []struct {
		name   string
		change func(string) string
		ending string
		at     string // in the line of the step that decides
		says   string
		orAt   string // another step that may be the first to notice
		orSays string
		also   func(*testing.T, *outcome)
	}{
		{
			name: "signals swapped in the conductor",
			change: func(s string) string {
				s = edit(t, s, "SIGINT: [{kill: driver, signal: SIGUSR1}]", "SIGINT: [{kill: driver, signal: SIGUSR2}]")
				return edit(t, s, "SIGQUIT: [{kill: driver, signal: SIGUSR2}]", "SIGQUIT: [{kill: driver, signal: SIGUSR1}]")
			},
			ending: "fail", at: "expect: 老司机开车了", says: `"value":"系好安全带，小心甩出去"`,
			also: func(t *testing.T, o *outcome) { o.foundSoon() },
		},
		{
			name: "SIGINT not ignored by the driver",
			change: func(s string) string {
				s = edit(t, s, "      SIGINT: ignore\n", "")
				return s + "finally:\n" +
					"  - assert: driver.exit_code == nil\n" +
					"  - assert: driver.exit_signal == \"SIGINT\"\n" +
					"  - assert: driver.exit_code != 2 && driver.exit_code != 130\n"
			},
			// Which of the two notices first is the kernel's affair: the script, or
			// the conductor, whose kill finds nobody.
			ending: "fail", at: "expect: 老司机开车了", says: `driver was ended by SIGINT: ctrl-c sends it to the whole foreground group`,
			orAt: "SIGINT: [{kill: driver", orSays: `"error":"NoProcess","detail":"driver has ended`,
			also: func(t *testing.T, o *outcome) {
				e := o.of(event.Ended, "driver")[0]
				if e.Status.ExitCode != nil || e.Status.Signal != "SIGINT" {
					t.Errorf("status %+v", e.Status)
				}
				if o.Verdict.Checks != 3 {
					t.Errorf("%d checks of finally held, want 3\n%s", o.Verdict.Checks, o.dump())
				}
				o.foundSoon()
			},
		},
		{
			name: "a line that nobody prints",
			change: func(s string) string {
				return edit(t, s, "expect: 系好安全带，小心甩出去", "expect: 系好安全带")
			},
			ending: "pass",
		},
		{
			name: "another line that nobody prints",
			change: func(s string) string {
				return edit(t, s, "expect: 系好安全带，小心甩出去", "expect: 下雨了")
			},
			ending: "fail", at: "expect: 下雨了", says: `nobody can move any more`,
			also: func(t *testing.T, o *outcome) {
				o.foundSoon()
				c := o.cause()
				if c.Check == nil || c.Check.OK || c.Check.Text != "下雨了" || c.Object != "driver" {
					t.Errorf("%s", o.causeText())
				}
				if c.Stuck == nil || len(c.Stuck.Waits) != 2 {
					t.Fatalf("who waits for what: %+v", c.Stuck)
				}
				for _, w := range c.Stuck.Waits {
					want := map[string]string{"driver": "conductor", "conductor": "signal"}[w.Proc]
					if w.On != want {
						t.Errorf("%s waits for %q, want %q", w.Proc, w.On, want)
					}
				}
			},
		},
		{
			name: "the conductor outlives the driver",
			change: func(s string) string {
				s = edit(t, s, "      SIGTSTP: [{kill: conductor, signal: SIGUSR1}]", "      SIGTSTP: [{kill: conductor, signal: SIGUSR1}, {exit: 0}]")
				s = edit(t, s, "{print: 到站了，下车吧}, {exit: 0}", "{print: 到站了，下车吧}, {pause: null, timeout: 100s}")
				return edit(t, s, "  - wait: driver\n", "  - wait: driver\n  - {kill: conductor, signal: SIGKILL}\n  - wait: conductor\n")
			},
			ending: "fail", at: "assert: conductor.ended < driver.ended", says: `"text":"conductor.ended","value":"`,
		},
		{
			name: "the conductor still lives when the order is asserted",
			change: func(s string) string {
				s = edit(t, s, "      SIGTSTP: [{kill: conductor, signal: SIGUSR1}]", "      SIGTSTP: [{kill: conductor, signal: SIGUSR1}, {exit: 0}]")
				return edit(t, s, "{print: 到站了，下车吧}, {exit: 0}", "{print: 到站了，下车吧}, {pause: null, timeout: 100s}")
			},
			ending: "fail", at: "assert: conductor.ended < driver.ended", says: `conductor.ended`,
		},
		{
			name: "the conductor never gets off",
			change: func(s string) string {
				return edit(t, s, "{print: 到站了，下车吧}, {exit: 0}", "{print: 到站了，下车吧}")
			},
			ending: "deadlock", at: "- wait: driver", says: `it waits for conductor to end`,
			also: func(t *testing.T, o *outcome) {
				o.foundSoon()
				if d := o.cause().Stuck.Doing; d != "wait driver" {
					t.Errorf("the script was doing %q", d)
				}
			},
		},
		{
			name: "wrong order of signals expected",
			change: func(s string) string {
				return edit(t, s, `["SIGUSR1", "SIGUSR2"]`, `["SIGUSR2", "SIGUSR1"]`)
			},
			ending: "fail", at: `assert: signals("conductor", "driver")`, says: `SIGUSR1.*SIGUSR2`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.change(original)
			o := run(t, text)
			if tt.ending == "pass" {
				o.mustPass()
				return
			}
			at, says := tt.at, tt.says
			if tt.orAt != "" && o.cause().Type == event.Fail.String() {
				at, says = tt.orAt, tt.orSays
			}
			o.decided(event.Failed, tt.ending, lineOf(t, text, at), says)
			if tt.also != nil {
				tt.also(t, o)
			}
		})
	}
}

// TestChecksFail: every way of checking something has a case in which it
// fails.
func TestChecksFail(t *testing.T) {
	tests := []struct {
		name, text, at, says string
	}{
		{"assert in the script", `
name: x
processes: {a: {steps: [{print: hi}]}}
steps:
  - wait: a
  - assert: a.exit_code == 1
`, "assert: a", `"text":"a.exit_code","value":"0"`},
		{"assert in a process", `
name: x
processes:
  a:
    steps:
      - let: {n: 3}
      - assert: n == 4
steps:
  - wait: a
`, "assert: n", `"proc":"a".*"text":"n","value":"3"`},
		{"assert that was to fail", `
name: x
processes:
  a:
    steps:
      - let: {n: 4}
      - {assert: n == 4, error: AssertionFailed}
`, "assert: n", `Unexpected`},
		{"assert that cannot be evaluated", `
name: x
processes: {a: {steps: [{let: {n: null}}, {assert: n.x == 4}]}}
`, "assert: n", `"why":".+"`},
		{"eventually, everybody has ended", `
name: x
processes: {a: {steps: [{print: hi}]}}
steps:
  - eventually: a.exit_code == 1
`, "eventually", `"text":"a.exit_code","value":"0"`},
		{"eventually, its timeout passes", `
name: x
processes: {a: {steps: [{pause: null, timeout: 100s}]}}
steps:
  - {eventually: a.exit_code == 1, timeout: 20ms}
`, "eventually", `its timeout passed`},
		{"expect a text, the process ends", `
name: x
processes: {a: {steps: [{print: hi}, {exit: 3}]}}
steps:
  - {expect: ho, from: a}
`, "expect", `a has ended without printing it; a exited with code 3.*"value":"hi"`},
		{"expect a text, its timeout passes", `
name: x
processes: {a: {steps: [{print: hi}, {pause: null, timeout: 100s}]}}
steps:
  - {expect: ho, from: a, timeout: 20ms}
`, "expect", `its timeout passed`},
		{"expect a regular expression", `
name: x
processes: {a: {steps: [{print: hi 12}]}}
steps:
  - {expect: {regex: "^hi [0-9]$"}, from: a}
`, "expect", `/\^hi \[0-9\]\$/`},
		{"expect passes each line once", `
name: x
processes: {a: {steps: [{print: hi}, {print: ho}]}}
steps:
  - {expect: ho, from: a}
  - {expect: hi, from: a}
`, "expect: hi", `a has ended without printing it`},
		{"an error that does not come", `
name: x
primitives: {gate: lock}
processes:
  a:
    steps:
      - {acquire: gate, block: false, error: WouldBlock}
`, "acquire", `Unexpected.*expected to end with WouldBlock, but it succeeded`},
		{"another error than expected", `
name: x
primitives: {gate: lock}
processes:
  a:
    steps:
      - acquire: gate
      - {acquire: gate, timeout: 10ms, error: WouldBlock}
`, "error: WouldBlock", `"error":"Timeout".*the step expects WouldBlock`},
		{"an error of an order that does not come", `
name: x
primitives: {gate: lock}
processes: {a: idle}
steps:
  - {in: a, acquire: gate, block: false, error: WouldBlock}
`, "acquire", `Unexpected`},
		{"an error of a step of the script that does not come", `
name: x
processes: {a: {steps: [{pause: null, timeout: 100s}]}}
steps:
  - {kill: a, signal: SIGTERM, error: NoProcess}
`, "kill", `Unexpected`},
		{"always, broken by a process", `
name: x
primitives: {total: {value: i}}
always:
  - total.value < 3
processes:
  a: {steps: [{repeat: 5, do: [{add: total}]}]}
`, "- total.value", `"proc":"a".*"text":"total.value","value":"3"`},
		{"a check that never ran", `
name: x
processes:
  a:
    signals:
      SIGUSR1: [{assert: index0 == 1}]
    steps: [{let: {index0: 1}}, {print: hi}]
`, "assert", `"type":"missed"`},
		{"a check behind an early exit", `
name: x
processes:
  a:
    signals: {SIGUSR1: [{exit: 0}]}
    steps:
      - let: {n: 0}
      - raise: SIGUSR1
      - assert: n == 0
steps:
  - wait: a
`, "assert", `"type":"missed"`},
		{"an expected error that never came to be tried", `
name: x
primitives: {gate: lock}
processes:
  a:
    signals: {SIGUSR1: [{exit: 0}]}
    steps:
      - raise: SIGUSR1
      - {release: gate, error: Invalid}
`, "release", `"type":"missed"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := run(t, tt.text)
			o.decided(event.Failed, "fail", lineOf(t, tt.text, tt.at), tt.says)
		})
	}
}

// TestChecksHold: the same checks, holding; so that none of the failures above
// is the failure of a check that cannot pass.
func TestChecksHold(t *testing.T) {
	o := passes(t, `
name: x
primitives: {gate: lock, total: {value: i}}
always:
  - total.value < 3
processes:
  a:
    steps:
      - {let: {n: 3}}
      - {assert: n == 3}
      - {add: total}
      - {acquire: gate}
      - {acquire: gate, block: false, error: WouldBlock}
      - {assert: n == 4, error: AssertionFailed}
      - {print: hi 1}
      - {print: ho}
      - {exit: 1}
  b: idle
steps:
  - {expect: {regex: "^hi [0-9]$"}, from: a}
  - {expect: ho, from: a}
  - eventually: a.exit_code == 1
  - assert: total.value == 1
  - {in: b, acquire: gate, block: false, error: WouldBlock, points: 2}
  - {in: b, assert: total.value == 1, points: 3}
finally:
  - assert: b.exit_code == 0
`)
	if o.Verdict.Checks != 7 || o.Verdict.Points != 5 || o.Verdict.MaxPoints != 5 {
		t.Errorf("%+v\n%s", o.Verdict, o.dump())
	}
}

// TestPointsWithoutValue: a check with points whose guard, or one of whose parameters,
// has no value costs its points, and the script goes on.
func TestPointsWithoutValue(t *testing.T) {
	text := `
name: x
primitives: {n: {value: i}}
processes: {a: [{print: x}]}
steps:
  - wait: a
  - {assert: n.value == 0, when: 1 / n.value > 0, points: 1}
  - {eventually: n.value == 0, timeout: "${1 / n.value}s", points: 2}
  - {assert: 1 / n.value > 0, points: 4}
  - {assert: n.value == 0, points: 8}
`
	o := run(t, text)
	o.decided(event.Failed, "fail", lineOf(t, text, "when:"), "a division by zero")
	if o.Verdict.Points != 8 || o.Verdict.MaxPoints != 15 {
		t.Errorf("%+v\n%s", o.Verdict, o.dump())
	}
}

// TestUncaughtError: an error that no step expects ends the process like an
// uncaught exception and fails the scenario at its line.
func TestUncaughtError(t *testing.T) {
	for _, tt := range []struct{ name, text, at, says, status string }{
		{"in steps", `
name: x
primitives: {gate: lock}
processes:
  a:
    steps:
      - print: before
      - release: gate
      - print: after
steps:
  - wait: a
`, "release", `"proc":"a".*"error":"Invalid".*nobody holds it`, "exited 1"},
		{"in a handler", `
name: x
primitives: {gate: lock}
processes:
  a:
    signals:
      SIGUSR1: [{release: gate}]
    steps:
      - raise: SIGUSR1
      - print: after
`, "release", `"proc":"a".*"error":"Invalid"`, "exited 1"},
		{"in an expression", `
name: x
processes:
  a:
    steps:
      - let: {n: [1, 2]}
      - print: "${n[7]}"
`, "print", `"proc":"a".*"error":"Invalid"`, "exited 1"},
		{"a value that does not fit", `
name: x
primitives: {c: {value: c, initial: a}}
processes:
  a:
    steps:
      - {write: c, value: too long}
`, "write", `one byte of text`, "exited 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := run(t, tt.text)
			o.decided(event.Failed, "fail", lineOf(t, tt.text, tt.at), tt.says)
			if got := o.ended("a"); got != tt.status {
				t.Errorf("a %s, want %s", got, tt.status)
			}
			for _, l := range o.printed("a") {
				if l == "after" {
					t.Error("a went on after its error")
				}
			}
		})
	}
}

// TestLimits: a deadline that passes is named: which one, how long it was, and
// who set it.
func TestLimits(t *testing.T) {
	const busy = `
name: x
processes: {a: {steps: [{while: index0 == 0, do: [{let: {index0: 0}}]}]}}
steps:
  - eventually: a.exit_code == 0
`
	withVar := func(s string) string {
		return regexp.MustCompile(`steps: \[\{while`).ReplaceAllString(s, "steps: [{let: {index0: 0}}, {while")
	}
	tests := []struct {
		name   string
		opt    engine.Options
		text   string
		at     string // "": not at a step
		orNone bool   // or not at a step
		want   event.Limit
	}{
		{
			name: "step, the default", opt: engine.Options{StepTimeout: 60 * time.Millisecond, StepTimeoutSetBy: "--step-timeout"},
			text: withVar(busy), at: "eventually", want: event.Limit{What: "step", After: int64(60 * time.Millisecond), SetBy: "--step-timeout"},
		},
		{
			name: "step, scaled", opt: engine.Options{StepTimeout: 20 * time.Millisecond, StepTimeoutSetBy: "--step-timeout", TimeoutScale: 3},
			text: withVar(busy), at: "eventually", want: event.Limit{What: "step", After: int64(60 * time.Millisecond), SetBy: "--step-timeout and --timeout-scale"},
		},
		{
			name: "scenario, a flag", opt: engine.Options{Timeout: time.Second, TimeoutSetBy: "--timeout"},
			text: withVar(busy), at: "eventually", want: event.Limit{What: "scenario", After: int64(time.Second), SetBy: "--timeout"},
		},
		{
			name: "scenario, the file", opt: engine.Options{Timeout: 9 * time.Second, TimeoutSetBy: "--timeout"},
			text: withVar(busy) + "timeout: 1s\n", at: "eventually", want: event.Limit{What: "scenario", After: int64(time.Second), SetBy: "the file"},
		},
		{
			name: "scenario, after the script", opt: engine.Options{Timeout: time.Second, TimeoutSetBy: "--timeout"},
			text: withVar("name: x\nprocesses: {a: {steps: [{while: index0 == 0, do: [{let: {index0: 0}}]}]}}\n"),
			want: event.Limit{What: "scenario", After: int64(time.Second), SetBy: "--timeout"},
		},
		{
			name: "scenario, a script that never waits", opt: engine.Options{Timeout: time.Second, TimeoutSetBy: "--timeout"},
			text: "name: x\nprocesses: {a: {steps: [{print: hi}]}}\nsteps: [{let: {n: 0}}, {while: n == 0, do: [{let: {n: 0}}]}, {expect: hi, from: a}]\n",
			at:   "while", want: event.Limit{What: "scenario", After: int64(time.Second), SetBy: "--timeout"},
		},
		{
			name: "scenario, a script that checks for ever", opt: engine.Options{Timeout: time.Second, TimeoutSetBy: "--timeout"},
			text: "name: x\nprocesses: {a: {steps: [{print: hi}]}}\nsteps: [{let: {n: 0}}, {while: n == 0, do: [{assert: 'n == 0 and sum(map(1..20000, # + n)) > 0'}]}, {expect: hi, from: a}]\n",
			at:   "do:", want: event.Limit{What: "scenario", After: int64(time.Second), SetBy: "--timeout"},
		},
		{
			name: "all runs", opt: engine.Options{Until: time.Now(), Total: event.Limit{What: "total", After: int64(time.Second), SetBy: "--total-timeout"}},
			// It is over while a is started, or before the first step.
			text: withVar(busy), at: "eventually", orNone: true, want: event.Limit{What: "total", After: int64(time.Second), SetBy: "--total-timeout"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := engine.New(tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			o := runOn(t, e, load(t, tt.text, nil))
			line := 0
			if tt.at != "" && !(tt.orNone && o.cause().Line == 0) {
				line = lineOf(t, tt.text, tt.at)
			}
			o.decided(event.Timeout, "timeout", line, `"type":"expired"`)
			if l := o.cause().Limit; l == nil || *l != tt.want {
				t.Errorf("limit %+v, want %+v", l, tt.want)
			}
			if after := o.cause().At; tt.want.What != "total" && after < tt.want.After {
				t.Errorf("it was over after %v, before its limit of %v", time.Duration(after), time.Duration(tt.want.After))
			}
		})
	}
}

// TestOwnTimeout: a step of the script waits as long as its timeout: says, multiplied
// as all limits are, while somebody is left who can move; one that is to wait in vain is
// not made to wait for longer, and
// neither is a process, whose program its timeouts are part of.
func TestOwnTimeout(t *testing.T) {
	const text = `
name: x
primitives: {jobs: queue}
processes:
  a: [{get: jobs, timeout: 20ms, error: Empty}, {print: gone on}, {sleep: 1000s}]
steps:
  - {expect: gone on, from: a}
  - {expect: never, from: a, timeout: 20ms, error: Timeout}
  - {eventually: a.exit_code == 0, timeout: 20ms}
`
	for _, tt := range []struct {
		scale float64
		want  event.Limit
	}{
		{1, event.Limit{What: "step", After: int64(20 * time.Millisecond), SetBy: "the file"}},
		{50, event.Limit{What: "step", After: int64(time.Second), SetBy: "the file and --timeout-scale"}},
	} {
		e, err := engine.New(engine.Options{TimeoutScale: tt.scale, Timeout: 2 * patience(), StepTimeout: patience()})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		o := runOn(t, e, load(t, text, nil))
		o.decided(event.Failed, "fail", lineOf(t, text, "eventually"), "its timeout passed")
		var steps []event.Event
		for _, x := range o.Events {
			if x.Type == "step" && x.Verb == "eventually" || x.Type == "check" {
				steps = append(steps, x)
			}
		}
		last := steps[len(steps)-1]
		if last.Limit == nil || *last.Limit != tt.want {
			t.Errorf("scale %v: limit %+v, want %+v", tt.scale, last.Limit, tt.want)
		}
		if waited := last.At - steps[len(steps)-2].At; waited < tt.want.After {
			t.Errorf("scale %v: waited %v", tt.scale, time.Duration(waited))
		}
	}
}

// TestLimitBeginsAfterTheLaunch: to start processes takes longer than a
// millisecond, and is not what the scenario has its time for; so everybody is there
// when it is over.
func TestLimitBeginsAfterTheLaunch(t *testing.T) {
	o := runProgram(t, `
name: x
timeout: 1ms
processes:
  a: {steps: [{sleep: 100s}]}
  p: {run: sleep 100}
steps: [{wait: a}]
`)
	o.decided(event.Timeout, "timeout", 7, `"type":"expired"`)
	if s := o.cause().Stuck; s == nil || len(s.Waits) != 2 {
		t.Errorf("who was there: %+v", s)
	}
}

// TestDeclaredTimeout: a timeout that the step itself declares is an error of
// the step, and no earlier than it says.
func TestDeclaredTimeout(t *testing.T) {
	o := run(t, `
name: x
processes: {a: {steps: [{pause: null, timeout: 100s}]}}
steps:
  - wait: a
    timeout: 50ms
`)
	o.decided(event.Failed, "fail", 5, `"error":"Timeout".*50ms passed`)
	if at := o.cause().At; at < int64(50*time.Millisecond) {
		t.Errorf("after %v", time.Duration(at))
	}
	passes(t, `
name: x
processes: {a: {signals: {SIGTERM: [{exit: 4}]}, steps: [{pause: null, timeout: 100s}]}}
steps:
  - {wait: a, timeout: 30ms, error: Timeout}
  - kill: a
  - {wait: a, timeout: 50s, into: st}
  - assert: st.exit_code == 4 && st.exit_signal == nil
`)
}

// TestOutcome: a scenario that declares how it ends passes by ending so, and
// fails when it does not.
func TestOutcome(t *testing.T) {
	const (
		stuck = "processes: {a: {steps: [pause]}}\nsteps: [{wait: a}]\n"
		fails = "processes: {a: {steps: [{exit: 1}]}}\nsteps: [{wait: a}, {assert: a.exit_code == 0}]\n"
		slow  = "processes: {a: {steps: [{sleep: 100s}]}}\ntimeout: 80ms\nsteps: [{wait: a}]\n"
		fine  = "processes: {a: {steps: [{exit: 0}]}}\nsteps: [{wait: a}, {assert: a.exit_code == 0}]\n"
		asked = "processes: {a: {steps: [pause]}}\nsteps: [{expect: hi, from: a}]\n"
	)
	for _, tt := range []struct {
		name, outcome, body, ending string
		result                      event.Result
	}{
		{"deadlock found", "deadlock", stuck, "deadlock", event.Pass},
		{"deadlock found by a check that waits", "deadlock", asked, "deadlock", event.Pass},
		{"no deadlock", "deadlock", fine, "pass", event.Failed},
		{"failure instead of deadlock", "deadlock", fails, "fail", event.Failed},
		{"fail", "fail", fails, "fail", event.Pass},
		{"no failure", "fail", fine, "pass", event.Failed},
		{"deadlock instead of failure", "fail", stuck, "deadlock", event.Failed},
		{"timeout", "timeout", slow, "timeout", event.Pass},
		{"no timeout", "timeout", fine, "pass", event.Failed},
		{"deadlock instead of timeout", "timeout", stuck, "deadlock", event.Failed},
		{"pass", "pass", fine, "pass", event.Pass},
		{"deadlock instead of pass", "pass", stuck, "deadlock", event.Failed},
		{"timeout instead of pass", "pass", slow, "timeout", event.Timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := run(t, "name: x\noutcome: "+tt.outcome+"\n"+tt.body)
			if o.Verdict.Result != tt.result || o.Verdict.Ending != tt.ending {
				t.Errorf("result %s, ending %s; want %s, %s\n%s", o.Verdict.Result, o.Verdict.Ending, tt.result, tt.ending, o.dump())
			}
		})
	}
}
