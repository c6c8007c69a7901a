package script_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ipcrun/engine/script"
	"ipcrun/spec/decl"
)

func TestMachine(t *testing.T) {
	errOurs := errors.New("the disk is full")
	tests := []struct {
		name    string
		body    string
		fails   map[string][]error
		signals map[string][]int
		vals    map[string]any
		did     []string
		code    int
		error   string // the uncaught one: its name, or its text
		step    uint32 // the number of the step that ended with it
	}{
		{
			name: "one after the other",
			body: `steps: [{print: one}, {acquire: gate}, {add: total, value: 2}, {release: gate}, {print: two}]`,
			did:  []string{"print one", "acquire 0", "add 1 value=2", "release 0", "print two"},
		},
		{
			name: "exit ends it, modulo 256",
			body: `steps: [{print: one}, {exit: "${three + 256 * 2}"}]`,
			did:  []string{"print one"}, code: 3,
		},
		{
			name: "exit without a code, from the middle of loops",
			body: `steps: [{repeat: 3, do: [{each: "${list}", do: [{print: "${item}"}, {exit: null, when: item == 20}]}]}, {print: never}]`,
			did:  []string{"print 10", "print 20"},
		},
		{
			name: "guards",
			body: `steps: [{print: one, when: "yes"}, {print: two, when: not yes}, {repeat: 2, when: three == 3, do: [{print: three}]}, {print: four, when: three > 3}]`,
			did:  []string{"print one", "print three", "print three"},
		},
		{
			name: "repeat counts from 0, and nests",
			body: `steps: [{repeat: 2, as: i, do: [{repeat: 2, as: j, do: [{print: "${i}${j}"}]}]}, {repeat: 0, do: [{print: never}]}, {repeat: "${three - 5}", do: [{print: never}]}]`,
			did:  []string{"print 00", "print 01", "print 10", "print 11"},
		},
		{
			name: "repeat keeps its number when its variable is assigned",
			body: `steps: [{repeat: 3, as: i, do: [{print: "${i}"}, {let: {i: 7}}]}]`,
			did:  []string{"print 0", "print 1", "print 2"},
		},
		{
			name: "repeat forever",
			body: `steps: [{let: {n: 0}}, {repeat: forever, do: [{let: {n: "${n + 1}"}}, {exit: "${n}", when: n == 5}]}]`,
			code: 5,
		},
		{
			name: "repeat of no number", body: `steps: [{let: {n: 2.5}}, {repeat: "${n}", do: [{print: x}]}]`,
			error: "Invalid", step: 2,
		},
		{
			name: "each, nested, over the empty list, as something",
			body: `steps: [{each: "${list}", as: x, do: [{each: [a, b], as: y, do: [{print: "${x}${y}"}]}]}, {each: "${[]}", do: [{print: never}]}, {each: [1], do: [{print: "${item}"}]}]`,
			did:  []string{"print 10a", "print 10b", "print 20a", "print 20b", "print 30a", "print 30b", "print 1"},
		},
		{
			name: "each evaluates its list once",
			body: `steps: [{let: {l: [1, 2]}}, {each: "${l}", do: [{let: {l: []}}, {print: "${item}"}]}]`,
			did:  []string{"print 1", "print 2"},
		},
		{
			name: "each of no list", body: `steps: [{let: {n: 5}}, {each: "${n}", do: [{print: x}]}]`,
			error: "Invalid", step: 2,
		},
		{
			name: "while asks before every round",
			body: `steps: [{let: {n: 3}}, {while: n > 0, do: [{print: "${n}"}, {let: {n: "${n - 1}"}}]}, {while: n > 0, do: [{print: never}]}]`,
			did:  []string{"print 3", "print 2", "print 1"},
		},
		{
			name: "if, then, else",
			body: `steps: [{if: three == 3, then: [{print: a}], else: [{print: b}]}, {if: three == 4, then: [{print: c}], else: [{print: d}]}, {if: three == 4, then: [{print: e}]}, {print: f}]`,
			did:  []string{"print a", "print d", "print f"},
		},
		{
			name: "let, several at once in the order of their names, and types",
			body: `steps: [{let: {k: 1, l: "${k + 1}", m: "${[k, l]}", n: text}}, {print: "${k} ${l} ${m} ${n}"}, {let: {e: 0.5}}, {print: "${e}"}]`,
			did:  []string{"print 1 2 [1,2] text", "print 0.5"},
		},
		{
			name: "with acquires and releases",
			body: `steps: [{with: gate, timeout: 10ns, do: [{print: inside}]}, {print: outside}]`,
			did:  []string{"acquire 0 until 11", "print inside", "release 0", "print outside"},
		},
		{
			name:  "with whose acquire fails does not do its body",
			body:  `steps: [{with: gate, timeout: 10ns, do: [{print: inside}]}]`,
			fails: map[string][]error{"acquire 0": {fail("Timeout")}},
			did:   []string{"acquire 0 until 11"}, code: 1, error: "Timeout", step: 1,
		},
		{
			name:  "with whose acquire fails as expected does not do its body, and releases nothing",
			body:  `steps: [{with: gate, timeout: 10ns, error: Timeout, do: [{print: inside}]}, {print: after}]`,
			fails: map[string][]error{"acquire 0": {fail("Timeout")}},
			did:   []string{"acquire 0 until 11", "print after"},
		},
		{
			name: "with that gets the lock against what is expected",
			body: `steps: [{with: gate, timeout: 10ns, error: Timeout, do: [{print: inside}]}, {print: after}]`,
			did:  []string{"acquire 0 until 11"}, error: "Unexpected", step: 1,
		},
		{
			name:  "an expected error, and after it the next step",
			body:  `steps: [{acquire: gate, block: false, error: WouldBlock}, {print: after}]`,
			fails: map[string][]error{"acquire 0 nowait": {fail("WouldBlock")}},
			did:   []string{"acquire 0 nowait", "print after"},
		},
		{
			name:  "another error than the expected one",
			body:  `steps: [{acquire: gate, block: false, error: WouldBlock}, {print: after}]`,
			fails: map[string][]error{"acquire 0 nowait": {fail("Timeout")}},
			did:   []string{"acquire 0 nowait"}, error: "Timeout", step: 1,
		},
		{
			name: "success where an error is expected",
			body: `steps: [{print: before}, {release: gate, error: Invalid}, {print: after}]`,
			did:  []string{"print before", "release 0"}, error: "Unexpected", step: 2,
		},
		{
			name:  "an error that nobody expects",
			body:  `steps: [{release: gate}, {print: after}]`,
			fails: map[string][]error{"release 0": {fail("Invalid")}},
			did:   []string{"release 0"}, error: "Invalid", step: 1,
		},
		{
			name:  "an error of ours is not one of the vocabulary, whatever is expected",
			body:  `steps: [{release: gate, error: Invalid}, {print: after}]`,
			fails: map[string][]error{"release 0": {errOurs}},
			did:   []string{"release 0"}, error: "the disk is full", step: 1,
		},
		{
			name:  "into of a yes-or-no verb receives false where it would block or time out",
			body:  `steps: [{acquire: gate, block: false, into: got}, {print: "${got}"}, {acquire: gate, timeout: 5ns, into: got}, {print: "${got}"}, {acquire: gate, into: got}, {print: "${got}"}]`,
			fails: map[string][]error{"acquire 0 nowait": {fail("WouldBlock")}, "acquire 0": {fail("Timeout")}},
			vals:  map[string]any{"acquire 0": true},
			did:   []string{"acquire 0 nowait", "print false", "acquire 0 until 6", "print false", "acquire 0", "print true"},
		},
		{
			name:  "into does not swallow other errors",
			body:  `steps: [{acquire: gate, into: got}]`,
			fails: map[string][]error{"acquire 0": {fail("Invalid")}},
			did:   []string{"acquire 0"}, error: "Invalid", step: 1,
		},
		{
			name: "into and error together: the error is asserted",
			body: `steps: [{acquire: gate, block: false, into: got, error: WouldBlock}]`,
			did:  []string{"acquire 0 nowait"}, error: "Unexpected", step: 1,
		},
		{
			name: "results",
			body: `steps: [{read: total, into: seen}, {write: total, value: "${seen + 1}"}, {alarm: 2s, into: left}, {print: "${left}"}, {wait: c, into: st}, {print: "${st.exit_code}"}]`,
			vals: map[string]any{"read 1": 41, "wait [2]": map[string]any{"exit_code": 7}},
			did:  []string{"read 1", "write 1 value=42", "alarm 2000000000", "print 1.5", "wait [2]", "print 7"},
		},
		{
			name: "kill, raise, fork, block, unblock",
			body: `steps: [{kill: b}, {kill: b, signal: SIGUSR1, value: "${three}"}, {raise: SIGINT}, {fork: c}, {block: [SIGINT, SIGUSR1]}, {unblock: SIGINT}]`,
			did:  []string{"kill 1 signal 15", "kill 1 signal 10 value 3", "kill -1 signal 2", "fork 2", "block [2 10]", "unblock [2]"},
		},
		{
			name: "assert holds, fails, and was meant to fail",
			body: `steps: [{let: {n: 3}}, {assert: n == 3}, {assert: n == 4, error: AssertionFailed}, {assert: n == 5}, {print: never}]`,
			did:  []string{"check true n == 3", "check false n == 5 n=3"}, error: "AssertionFailed", step: 4,
		},
		{
			name: "a condition that cannot be evaluated",
			body: `steps: [{let: {n: [1]}}, {assert: "n[5] == 4"}]`,
			did:  []string{"check false n[5] == 4 n=[1] because"}, error: "Invalid", step: 2,
		},
		{
			name:    "timeouts begin anew for every step and stay the same when it is interrupted",
			body:    "signals: {SIGUSR1: [{print: handler}]}\nsteps: [{acquire: gate, timeout: 100ns}, {acquire: gate, timeout: 100ns}]",
			signals: map[string][]int{"acquire 0": {10, 10}},
			did: []string{"acquire 0 interrupted", "print handler", "handled 10", "acquire 0 interrupted", "print handler", "handled 10",
				"acquire 0 until 101", "acquire 0 until 102"},
		},
		{
			name:    "sleep keeps its deadline too",
			body:    "signals: {SIGUSR1: [{sleep: 5ns}]}\nsteps: [{sleep: 100ns}]",
			signals: map[string][]int{"sleep": {10}},
			did:     []string{"sleep interrupted", "sleep until 7", "handled 10", "sleep until 101"},
		},
		{
			name: "handlers see and set the variables, nest, and the step is done after all of them",
			body: "signals:\n  SIGUSR1: [{let: {n: \"${n + 1}\"}}, {print: \"one ${n}\"}, {if: n < 3, then: [{acquire: gate}]}]\n" +
				"  SIGUSR2: [{let: {n: 10}}, {print: two}]\nsteps: [{let: {n: 0}}, {print: x}, {print: \"main ${n}\"}]",
			signals: map[string][]int{"print x": {10}, "acquire 0": {12}},
			did: []string{"print x interrupted", "print one 1", "acquire 0 interrupted", "print two", "handled 12", "acquire 0", "handled 10",
				"print x", "print main 10"},
		},
		{
			name:    "a signal without a handler changes nothing",
			body:    "signals: {SIGUSR2: ignore}\nsteps: [{print: x}]",
			signals: map[string][]int{"print x": {12, 10}},
			did:     []string{"print x interrupted", "print x interrupted", "print x"},
		},
		{
			name:    "exit in a handler",
			body:    "signals: {SIGUSR1: [{exit: 4}]}\nsteps: [{print: x}, {print: y}]",
			signals: map[string][]int{"print x": {10}},
			did:     []string{"print x interrupted"}, code: 4,
		},
		{
			name:    "an uncaught error in a handler ends the process at the handler's step",
			body:    "signals: {SIGUSR1: [{release: gate}]}\nsteps: [{print: x}, {print: y}]",
			signals: map[string][]int{"print x": {10}},
			fails:   map[string][]error{"release 0": {fail("Invalid")}},
			did:     []string{"print x interrupted", "release 0"}, error: "Invalid", step: 1,
		},
		{
			name:    "handlers installed later, replaced and taken away",
			body:    "steps: [{signal: SIGUSR1, handler: [{print: first}]}, {print: x}, {signal: [SIGUSR1, SIGUSR2], handler: [{print: second}]}, {print: y}, {print: z}, {signal: SIGUSR1, handler: ignore}, {print: w}]",
			signals: map[string][]int{"print x": {10}, "print y": {10}, "print z": {12}, "print w": {10}},
			did: []string{"signal 10 handle", "print x interrupted", "print first", "handled 10", "print x",
				"signal 10 handle", "signal 12 handle", "print y interrupted", "print second", "handled 10", "print y",
				"print z interrupted", "print second", "handled 12", "print z",
				"signal 10 ignore", "print w interrupted", "print w"},
		},
		{
			name: "facts are fresh in every expression and one snapshot within one",
			body: `steps: [{print: "${total.value + total.value}"}, {print: "${b.pid} ${three}"}]`,
			did:  []string{"print 0", "print 42 3"},
		},
		{
			name: "a duration that is no duration", body: `steps: [{let: {d: soon}}, {sleep: "${d}"}]`,
			error: "Invalid", step: 2,
		},
		{
			name: "a duration that is too long", body: `steps: [{let: {d: 876001h}}, {sleep: "${d}"}]`,
			error: "Invalid", step: 2,
		},
		{
			name: "durations out of variables",
			body: `steps: [{let: {d: 5ms}}, {sleep: "${d}"}, {acquire: gate, timeout: "${d}"}]`,
			did:  []string{"sleep until 5000001", "acquire 0 until 5000002"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, f := machine(t, tt.body)
			for k, v := range tt.fails {
				f.fails[k] = slices.Clone(v)
			}
			for k, v := range tt.signals {
				f.signals[k] = slices.Clone(v)
			}
			if tt.vals != nil {
				f.vals = tt.vals
			}
			work(t, m, f, 200)
			if !slices.Equal(f.did, tt.did) {
				t.Errorf("it did\n %q, want\n %q", f.did, tt.did)
			}
			end := m.End()
			if end == nil {
				t.Fatal("it has no end")
			}
			if tt.error == "" {
				if end.Uncaught != nil {
					t.Fatalf("uncaught %+v", end.Uncaught)
				}
				if end.Code != tt.code {
					t.Errorf("exit %d, want %d", end.Code, tt.code)
				}
				return
			}
			u := end.Uncaught
			if u == nil {
				t.Fatalf("exit %d, want the error %s", end.Code, tt.error)
			}
			name := ""
			if u.Failure != nil {
				name = u.Failure.Name
			} else {
				name = u.Err.Error()
			}
			if name != tt.error || end.Code != 1 {
				t.Errorf("error %s, exit %d; want %s, exit 1", name, end.Code, tt.error)
			}
			if u.Step != tt.step {
				t.Errorf("the error is at step %d, want %d", u.Step, tt.step)
			}
		})
	}
}

// TestUncaughtStep: an error is reported at its own step, also in a body.
func TestUncaughtStep(t *testing.T) {
	m, f := machine(t, "steps:\n  - print: one\n  - repeat: 2\n    do:\n      - print: two\n      - release: gate\n")
	f.fails["release 0"] = []error{nil, fail("Invalid")}
	work(t, m, f, 20)
	// Steps are numbered in the order of the file: print, repeat, print, release.
	if u := m.End().Uncaught; u == nil || u.Step != 4 {
		t.Errorf("%+v", u)
	}
	if want := []string{"print one", "print two", "release 0", "print two", "release 0"}; !slices.Equal(f.did, want) {
		t.Errorf("%q", f.did)
	}
}

// TestSignalBetweenSteps: a signal that comes between two steps has its
// handler run before the next one.
func TestSignalBetweenSteps(t *testing.T) {
	m, f := machine(t, "signals: {SIGUSR1: [{print: handler}]}\nsteps: [{repeat: 2, as: i, do: [{print: \"${i}\"}]}]")
	for n := 0; ; n++ {
		a := m.Next()
		if a == nil {
			break
		}
		res, err := a.Verb.Run(f, a)
		m.Done(a, res, err)
		if n == 0 {
			m.Interrupt(10, script.Siginfo{Signal: "SIGUSR1", Pid: 7, Value: 3})
			if m.InHandler() != 10 || !m.Running(10) || m.Running(12) {
				t.Errorf("in handler %d", m.InHandler())
			}
		}
	}
	if want := []string{"print 0", "print handler", "handled 10", "print 1"}; !slices.Equal(f.did, want) {
		t.Errorf("%q", f.did)
	}
	if m.InHandler() != 0 || !m.Handles(10) || m.Handles(12) {
		t.Errorf("in handler %d", m.InHandler())
	}
}

// TestHandlerWithinItself: a handler that is interrupted by itself, or by another signal
// with the same steps, goes on where it was: its loops, and the step that was blocked.
func TestHandlerWithinItself(t *testing.T) {
	for _, c := range []struct{ handler, want string }{
		{"repeat: 2, as: i, do: [{print: \"${i}\"}]", "0 0 1 h12 1 h10"},
		{"each: [a, b, c], as: x, do: [{print: \"${x}\"}]", "a a b c h12 b c h10"},
		{"each: [a, b], as: x, do: [{repeat: 2, do: [{print: \"${x}\"}]}]", "a a a b b h12 b b b h10"},
	} {
		m, f := machine(t, "steps: [{signal: [SIGUSR1, SIGUSR2], handler: [{"+c.handler+"}]}, {print: x}, {print: y}]")
		sent := 0
		for a := m.Next(); a != nil; a = m.Next() {
			res, err := a.Verb.Run(f, a)
			m.Done(a, res, err)
			switch {
			case f.did[len(f.did)-1] == "print x" && sent == 0:
				sent++
				m.Interrupt(10, script.Siginfo{Signal: "SIGUSR1"})
			case m.InHandler() == 10 && sent == 1:
				sent++
				m.Interrupt(12, script.Siginfo{Signal: "SIGUSR2"})
			}
		}
		got := strings.NewReplacer("print ", "", "handled ", "h").Replace(strings.Join(f.did, " "))
		if !strings.HasSuffix(got, "x "+c.want+" y") {
			t.Errorf("%s: %q, want %q", c.handler, got, c.want)
		}
	}
}

// TestBlockedHandlerWithinItself: a step of a handler that is blocked keeps its deadline
// and its parameters while the same step is done anew.
func TestBlockedHandlerWithinItself(t *testing.T) {
	m, _ := machine(t, "signals: {SIGUSR1: [{let: {n: \"${n + 1}\"}}, {acquire: gate, timeout: \"${n * 100}ns\"}]}\nsteps: [{let: {n: 0}}, {print: x}]")
	m.Next() // print x
	m.Interrupt(10, script.Siginfo{Signal: "SIGUSR1"})
	first := m.Next()
	deadline, since := first.Deadline, first.Since()
	m.Done(first, nil, script.ErrInterrupted)
	m.Interrupt(10, script.Siginfo{Signal: "SIGUSR1"})
	second := m.Next()
	if second.Deadline-second.Since() != 200 || second.Resumed != 0 {
		t.Errorf("the second waits for %d ns, resumed %d times", second.Deadline-second.Since(), second.Resumed)
	}
	m.Done(second, nil, nil)
	again := m.Next()
	if again.Deadline != deadline || again.Since() != since || again.Resumed != 1 || again.Step != first.Step {
		t.Errorf("the first goes on until %d, which was to be %d; resumed %d times", again.Deadline, deadline, again.Resumed)
	}
	m.Done(again, nil, nil)
	if a := m.Next(); a == nil || a.Verb.Name != "print" {
		t.Errorf("then comes %+v", a)
	}
}

// TestSignalInLocalLoop: a script that goes round without an action is interrupted
// now and then, and can be ended.
func TestSignalInLocalLoop(t *testing.T) {
	for _, loop := range []string{"repeat: forever, do: [{let: {n: 1}}]", "while: 1 < 2, do: [{let: {n: 1}}]", "repeat: forever, do: [{each: [1, 2], do: [{if: 1 < 2, then: [{let: {n: 1}}]}]}]"} {
		m, f := machine(t, "signals: {SIGUSR1: [{print: handler}]}\nsteps: [{"+loop+"}]")
		f.turning = func(n int) bool {
			if n == 3 {
				m.Interrupt(10, script.Siginfo{Signal: "SIGUSR1", Pid: 7, Value: 3})
			}
			return n == 7
		}
		for a := m.Next(); a != nil; a = m.Next() {
			res, err := a.Verb.Run(f, a)
			m.Done(a, res, err)
		}
		if want := []string{"print handler", "handled 10"}; !slices.Equal(f.did, want) || f.turns != 7 {
			t.Errorf("%s: %q after %d turns", loop, f.did, f.turns)
		}
		if m.End() != nil || m.Where() == 0 {
			t.Errorf("%s: %+v, at step %d", loop, m.End(), m.Where())
		}
	}
}

// TestOrders: an idle program does one order at a time, with variables of the
// script and its own, and keeps what it has assigned.
func TestOrders(t *testing.T) {
	p := &script.Program{
		Name: "a", Idle: true, Vars: []string{"seen", "theirs"},
		Orders: []*script.Step{
			{ID: 1, Verb: "read", Class: "value", Obj: &script.Arg{Ref: &script.Ref{Name: "total"}}, Into: "seen"},
			{ID: 2, Verb: "print", Obj: &script.Arg{Tmpl: "${seen} ${theirs}"}},
			{ID: 3, Verb: "release", Class: "lock", Obj: &script.Arg{Ref: &script.Ref{Name: "gate"}}, Error: "Invalid"},
			{ID: 4, Verb: "exit", Obj: script.Lit(6)},
		},
	}
	c, _ := process(t, "steps: [{print: hi}]")
	f := &fake{vals: map[string]any{"read 1": 5}, fails: map[string][]error{"release 0": {fail("Invalid")}}}
	m, err := script.New(c, p, -1, f)
	if err != nil {
		t.Fatal(err)
	}
	f.m = m
	order := func(n int, vars map[string]any) (any, bool) {
		if err := m.Order(n, vars); err != nil {
			t.Fatal(err)
		}
		work(t, m, f, 10)
		return m.OrderDone()
	}
	if res, done := order(0, nil); res != 5 || !done {
		t.Errorf("%v %v", res, done)
	}
	if _, done := order(1, map[string]any{"theirs": "x", "unknown": 1}); !done {
		t.Error("not done")
	}
	if res, done := order(2, nil); res != nil || !done || m.End() != nil {
		t.Errorf("%v %v %+v", res, done, m.End())
	}
	if want := []string{"read 1", "print 5 x", "release 0"}; !slices.Equal(f.did, want) {
		t.Errorf("%q", f.did)
	}
	if v := m.Vars(); v["seen"] != 5 || len(v) != 1 {
		t.Errorf("%v", v)
	}
	// A name that the script has as well: the script's value while the order is carried
	// out, and then what the process has assigned, in this order or before.
	f.did = nil
	for range 2 {
		if _, done := order(1, map[string]any{"seen": 1, "theirs": "y"}); !done || m.Vars()["seen"] != 5 {
			t.Errorf("%v %v", done, m.Vars())
		}
	}
	if want := []string{"print 1 y", "print 1 y"}; !slices.Equal(f.did, want) {
		t.Errorf("%q", f.did)
	}
	f.vals["read 1"] = 7
	if res, done := order(0, map[string]any{"seen": 7}); res != 7 || !done || m.Vars()["seen"] != 7 {
		t.Errorf("%v %v %v", res, done, m.Vars())
	}
	if err := m.Order(4, nil); err == nil {
		t.Error("there is no order 4")
	}
	if _, done := order(3, nil); done || m.End() == nil || m.End().Code != 6 {
		t.Errorf("after an exit: %v %+v", done, m.End())
	}
}

// TestSnapshot: within one expression a thing has one set of facts; the next
// expression sees a new one.
func TestSnapshot(t *testing.T) {
	m, f := machine(t, `steps: [{print: "${total.value + total.value}"}, {print: "${total.value}"}]`)
	a := m.Next()
	if f.asked != 1 {
		t.Errorf("facts of total were asked for %d times in one expression", f.asked)
	}
	f.total = 8
	m.Done(a, nil, nil)
	a = m.Next()
	if a.Obj != 8 {
		t.Errorf("the next expression sees %v", a.Obj)
	}
}

// TestIndex: each process of name[n] knows its own number.
func TestIndex(t *testing.T) {
	c, p := travelled2(t, `steps: [{print: hi}]`)
	p.Steps[0].Obj = &script.Arg{Tmpl: "number ${index}"}
	for _, index := range []int{0, 3} {
		f := &fake{}
		m, err := script.New(c, p, index, f)
		if err != nil {
			t.Fatal(err)
		}
		work(t, m, f, 5)
		if want := "number " + string(rune('0'+index)); len(f.did) != 1 || f.did[0] != "print "+want {
			t.Errorf("%q, want %q", f.did, want)
		}
	}
}

// TestTargets: an element of name[n] by its index, all of them without one,
// and indexes that there are not.
func TestTargets(t *testing.T) {
	common := &script.Common{Names: map[string]script.Name{
		"w":    {Class: script.ClassProcess, First: 2, Count: 3},
		"fork": {Class: script.ClassPrimitive, Kind: "lock", First: 5, Count: 2},
	}}
	for _, tt := range []struct {
		step  *script.Step
		did   string
		error string
	}{
		{&script.Step{Verb: "kill", Class: "", Obj: &script.Arg{Ref: &script.Ref{Name: "w", Index: "1 + 1"}}}, "kill 4 signal 15", ""},
		{&script.Step{Verb: "acquire", Class: "lock", Obj: &script.Arg{Ref: &script.Ref{Name: "fork", Index: "(7 + 1) / 8"}}}, "acquire 6", ""},
		{&script.Step{Verb: "acquire", Class: "lock", Obj: &script.Arg{Ref: &script.Ref{Name: "fork", Index: "2"}}}, "", "Invalid"},
		{&script.Step{Verb: "acquire", Class: "lock", Obj: &script.Arg{Ref: &script.Ref{Name: "fork", Index: "-1"}}}, "", "Invalid"},
		{&script.Step{Verb: "acquire", Class: "lock", Obj: &script.Arg{Ref: &script.Ref{Name: "fork", Index: "0.5"}}}, "", "Invalid"},
		{&script.Step{Verb: "wait", Class: script.ClassProcess, Obj: &script.Arg{Ref: &script.Ref{Name: "w"}}}, "wait [2 3 4]", ""},
	} {
		tt.step.ID = 1
		f := &fake{}
		m, err := script.New(common, &script.Program{Steps: []*script.Step{tt.step}}, -1, f)
		if err != nil {
			t.Fatal(err)
		}
		work(t, m, f, 5)
		switch end := m.End(); {
		case tt.error != "":
			if end.Uncaught == nil || end.Uncaught.Failure == nil || end.Uncaught.Failure.Name != tt.error {
				t.Errorf("%+v: %+v", tt.step.Obj.Ref, end.Uncaught)
			}
		case len(f.did) != 1 || f.did[0] != tt.did || end.Uncaught != nil:
			t.Errorf("%+v: %q, want %q", tt.step.Obj.Ref, f.did, tt.did)
		}
	}
}

// TestBrokenPrograms: what cannot come from a loaded scenario is an error, no
// panic.
func TestBrokenPrograms(t *testing.T) {
	for name, s := range map[string]*script.Step{
		"no such verb": {Verb: "dance"},
		"no such name": {Verb: "kill", Obj: &script.Arg{Ref: &script.Ref{Name: "nobody"}}},
	} {
		if _, err := script.New(&script.Common{}, &script.Program{Steps: []*script.Step{s}}, -1, &fake{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := script.ReadText([]byte{1, 0}); err == nil {
		t.Error("a text that is cut short was read")
	}
	if err := script.Decode([]byte("{"), &script.Program{}); err == nil {
		t.Error("half a program was decoded")
	}
}

// TestDurations reads what the language calls a duration.
func TestDurations(t *testing.T) {
	for _, tt := range []struct {
		text string
		ns   int
	}{{"0", 0}, {"500ms", 5e8}, {"2s", 2e9}, {"1.5s", 15e8}, {"1m30s", 90e9}, {"10us", 1e4}} {
		if got, err := script.ParseDuration(tt.text); err != nil || got != tt.ns {
			t.Errorf("%s: %d, %v", tt.text, got, err)
		}
	}
	for _, text := range []string{"", "5", "-1s", "soon", "5 s", "1d"} {
		_, err := script.ParseDuration(text)
		if f, ok := errors.AsType[*decl.Failure](err); !ok || f.Name != "Invalid" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestText: programs in shared memory are found again.
func TestText(t *testing.T) {
	parts := [][]byte{[]byte("common"), []byte("one"), {}}
	slots := []script.SlotInfo{
		{Part: 1, Index: -1, Parent: -1, Flags: script.SlotTerminal},
		{Part: 2, Index: 0, Parent: 0, Flags: script.SlotForked | script.SlotIdle},
		{Part: 2, Index: 1, Parent: 0},
	}
	text, err := script.ReadText(script.MakeText(parts, slots))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range parts {
		if string(text.Part(i)) != string(p) {
			t.Errorf("part %d is %q", i, text.Part(i))
		}
	}
	for i, s := range slots {
		if text.Slot(i) != s {
			t.Errorf("slot %d is %+v", i, text.Slot(i))
		}
	}
	if text.Slots() != 3 || !slices.Equal(text.Children(0), []int{1, 2}) || text.Children(1) != nil {
		t.Errorf("%d slots, children %v", text.Slots(), text.Children(0))
	}
}
