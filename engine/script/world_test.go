package script_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/plan"
	"ipcrun/engine/script"
	"ipcrun/spec"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// fake is a World in which nothing happens: it writes down what the machine
// asks of it, and fails or is interrupted where the test says so.
type fake struct {
	m    *script.Machine
	did  []string
	now  int64
	vals map[string]any // results, by what is done

	// fails yields the errors of an action, in order, by what is done.
	fails map[string][]error
	// signals interrupt an action, in order, by what is done: it is done again
	// after the handlers.
	signals map[string][]int
	total   int // the value of total, as a fact
	asked   int // how often facts were asked for
	// turning says whether a script that goes round alone is over; turns is how
	// often it was asked.
	turning func(n int) bool
	turns   int
}

// do writes an action down and decides what becomes of it.
func (f *fake) do(a *script.Action, format string, args ...any) (any, error) {
	what := fmt.Sprintf(format, args...)
	if s := f.signals[what]; len(s) > 0 {
		f.signals[what] = s[1:]
		f.did = append(f.did, what+" interrupted")
		f.m.Interrupt(s[0], script.Siginfo{})
		return nil, script.ErrInterrupted
	}
	if a.Deadline != 0 {
		f.did = append(f.did, fmt.Sprintf("%s until %d", what, a.Deadline))
	} else {
		f.did = append(f.did, what)
	}
	if e := f.fails[what]; len(e) > 0 {
		f.fails[what] = e[1:]
		if e[0] != nil {
			return nil, e[0]
		}
	}
	return f.vals[what], nil
}

func (f *fake) Fact(name string) (any, bool) {
	f.asked++
	switch name {
	case "total":
		return map[string]any{"value": f.total}, true
	case "gate":
		return map[string]any{"locked": false, "holder": "", "waiters": []any{}}, true
	case "b":
		return map[string]any{"pid": 42, "state": "running"}, true
	}
	return nil, false
}

func (f *fake) Func(string, []any) (any, error)                       { return nil, fmt.Errorf("no functions here") }
func (f *fake) Limit(_ *script.Action, d time.Duration) time.Duration { return d }
func (f *fake) Now() int64                                            { f.now++; return f.now }
func (f *fake) Turning() bool {
	f.turns++
	return f.turning != nil && f.turning(f.turns)
}
func (f *fake) HandlerDone(signal int) error {
	f.did = append(f.did, fmt.Sprintf("handled %d", signal))
	return nil
}

func (f *fake) Op(a *script.Action) (any, error) {
	what := fmt.Sprintf("%s %d", a.Verb.Name, a.Targets[0])
	for i, n := range a.Args.Names {
		what += fmt.Sprintf(" %s=%s", n, cond.Text(a.Args.Vals[i]))
	}
	if a.NoWait() {
		what += " nowait"
	}
	return f.do(a, "%s", what)
}

func (f *fake) Print(a *script.Action, text string) error {
	_, err := f.do(a, "print %s", text)
	return err
}

func (f *fake) Sleep(a *script.Action) error {
	_, err := f.do(a, "sleep")
	return err
}

func (f *fake) Check(a *script.Action, c script.Check) {
	parts := ""
	for _, p := range c.Parts {
		parts += " " + p.Text + "=" + p.Value
	}
	f.did = append(f.did, fmt.Sprintf("check %v %s%s%s", c.OK, c.Text, parts, map[bool]string{true: " because"}[c.Why != ""]))
}

func (f *fake) Kill(a *script.Action, slot, signal int, value *int) error {
	with := ""
	if value != nil {
		with = fmt.Sprintf(" value %d", *value)
	}
	_, err := f.do(a, "kill %d signal %d%s", slot, signal, with)
	return err
}

func (f *fake) Wait(a *script.Action, slots []int, _ bool) (any, error) {
	return f.do(a, "wait %v", slots)
}

func (f *fake) Fork(a *script.Action, slot int) error {
	_, err := f.do(a, "fork %d", slot)
	return err
}

func (f *fake) Pause(a *script.Action) error {
	_, err := f.do(a, "pause")
	return err
}

func (f *fake) Alarm(a *script.Action, ns int64) (float64, error) {
	_, err := f.do(a, "alarm %d", ns)
	return 1.5, err
}

func (f *fake) Mask(a *script.Action, how string, signals []int) error {
	_, err := f.do(a, "%s %v", how, signals)
	return err
}

func (f *fake) Dispose(a *script.Action, signal int, disposition string) error {
	_, err := f.do(a, "signal %d %s", signal, disposition)
	return err
}

// process plans a process named a (slot 0) out of its YAML, beside primitives
// gate (0) and total (1), process b (slot 1), its child c (slot 2), and params.
func process(t testing.TB, body string) (*script.Common, *script.Program) {
	t.Helper()
	text := "name: x\nparams: {three: 3, yes: true, list: [10, 20, 30]}\nprimitives: {gate: lock, total: {value: i}}\nprocesses:\n" +
		"  a:\n    uses: [gate, total]\n" + indent(body) + "\n  b: {steps: [{print: hi}]}\n  c: {parent: a, steps: [{print: hi}]}\n"
	l := &diag.List{}
	sc := spec.Load(source.New("x.yaml", []byte(text)), plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		var b bytes.Buffer
		_ = diag.Write(&b, l.All(), diag.Style{})
		t.Fatalf("%s\n%s", b.String(), text)
	}
	p, err := plan.Make(sc)
	if err != nil {
		t.Fatal(err)
	}
	return &p.Common, p.Programs[0]
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.Trim(s, "\n"), "\n", "\n    ")
}

// travelled is a program as an agent receives it.
func travelled(t testing.TB, c *script.Common, p *script.Program) (*script.Common, *script.Program) {
	t.Helper()
	c2, p2 := &script.Common{}, &script.Program{}
	for _, x := range []struct{ from, to script.Parcel }{{c, c2}, {p, p2}} {
		b, err := script.Encode(x.from)
		if err != nil {
			t.Fatal(err)
		}
		if err := script.Decode(b, x.to); err != nil {
			t.Fatal(err)
		}
	}
	return c2, p2
}

// machine makes a machine and its world.
func machine(t testing.TB, body string) (*script.Machine, *fake) {
	t.Helper()
	c, p := travelled2(t, body)
	f := &fake{vals: map[string]any{}, fails: map[string][]error{}, signals: map[string][]int{}}
	m, err := script.New(c, p, -1, f)
	if err != nil {
		t.Fatal(err)
	}
	f.m = m
	return m, f
}

func travelled2(t testing.TB, body string) (*script.Common, *script.Program) {
	t.Helper()
	c, p := process(t, body)
	return travelled(t, c, p)
}

// work runs a machine to its end, at most n actions.
func work(t testing.TB, m *script.Machine, f *fake, n int) {
	t.Helper()
	for range n {
		a := m.Next()
		if a == nil {
			return
		}
		res, err := a.Verb.Run(f, a)
		m.Done(a, res, err)
	}
	t.Fatalf("it does not end: %q", f.did)
}

func fail(name string) error { return decl.Fail(name, "as the test says") }
