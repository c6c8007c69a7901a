package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ipcrun/cmd/ipcrun/internal/sigprobe"
	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc/sig"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// TestTableAgreesWithKernel: the table of signals says of each what the
// running kernel says.
func TestTableAgreesWithKernel(t *testing.T) {
	for n := 1; n <= sigprobe.Most; n++ {
		s, a := sig.Sig(n), sigprobe.Ask(n)
		if n == 32 || n == 33 {
			// The kernel has them, but C libraries keep them to themselves.
			if !a.Exists || s.Valid() {
				t.Errorf("%d: exists %v, in the table %v", n, a.Exists, s.Valid())
			}
			continue
		}
		if a.Exists != s.Valid() || a.Handled != s.Catchable() || a.Blockable != s.Catchable() {
			t.Errorf("%v: the kernel says %+v; the table: valid %v, catchable %v", s, a, s.Valid(), s.Catchable())
		}
	}
	if last := sigprobe.Last(); last != int(sig.RTMAX) {
		t.Errorf("the kernel's last signal is %d, the table's %d", last, sig.RTMAX)
	}
}

// TestDefaultActions sends each signal to a process that has made no
// arrangement, and sees what happens to it. Whether a core is dumped depends on
// the machine, and is not looked at.
func TestDefaultActions(t *testing.T) {
	var names, script strings.Builder
	for _, s := range sig.All() {
		if s.Realtime() && s != sig.RTMIN && s != sig.RTMIN+15 && s != sig.RTMAX {
			continue
		}
		name := fmt.Sprintf("s%d", int(s))
		fmt.Fprintf(&names, "  %s: idle\n", name)
		send := fmt.Sprintf("  - {kill: %s, signal: %v}\n", name, s)
		switch s.Default() {
		case sig.Terminate, sig.Core:
			fmt.Fprintf(&script, "%s  - {wait: %s}\n  - assert: %[2]s.exit_signal == %[3]q\n", send, name, s.String())
		case sig.Stop:
			fmt.Fprintf(&script, "%s  - {eventually: %s.state == \"stopped\"}\n  - {kill: %[2]s, signal: SIGKILL}\n", send, name)
		case sig.Continue:
			fmt.Fprintf(&script, "  - {kill: %s, signal: SIGSTOP}\n  - {eventually: %[1]s.state == \"stopped\"}\n%s  - {in: %[1]s, print: going on}\n", name, send)
		case sig.Ignore:
			fmt.Fprintf(&script, "%s  - {in: %s, print: still here}\n  - assert: %[2]s.exit_signal == nil\n", send, name)
		default:
			t.Errorf("%v has no default action", s)
		}
	}
	text := "name: default actions\nprocesses:\n" + names.String() + "steps:\n" + script.String()
	l := &diag.List{}
	sc := spec.Load(source.New("defaults", []byte(text)), plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		t.Fatalf("%s\n%s", l.All()[0].Summary, text)
	}
	e, err := engine.New(engine.Options{Timeout: 5 * time.Minute, StepTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict.Result != event.Pass {
		ev := res.Events[max(res.Verdict.Cause, 0)]
		t.Errorf("%s: %s %s: %+v", res.Verdict.Result, sc.File.Line(ev.Line), ev.Detail, ev.Check)
	}
	if res.Verdict.Processes != 31+3 {
		t.Errorf("%d signals were tried", res.Verdict.Processes)
	}
}

func TestSignalsInChinese(t *testing.T) {
	var b strings.Builder
	writeSignals(&b, []sig.Sig{sig.INT, sig.KILL}, true, false, 1000)
	lines := strings.Split(b.String(), "\n")
	for i, want := range []string{"信号名称", "SIGINT 终止 可以 中断", "SIGKILL 终止 不可以 强制终止"} {
		if got := strings.Join(strings.Fields(lines[i]), " "); !strings.Contains(got, want) {
			t.Errorf("line %d is %q, want %q in it", i, got, want)
		}
	}
	// Aligned by cells: 中 and 强 begin in the same column.
	if a, b := cellsBefore(lines[1], "中断"), cellsBefore(lines[2], "强制"); a != b || a < 0 {
		t.Errorf("columns %d and %d", a, b)
	}
	for _, s := range sig.All() {
		if signalsChinese.actions[s.Default()] == "" || signalsEnglish.actions[s.Default()] == "" {
			t.Errorf("%v: %v has no word", s, s.Default())
		}
	}
}

func cellsBefore(line, text string) int {
	i := strings.Index(line, text)
	if i < 0 {
		return -1
	}
	return source.Cells(line[:i])
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"a short line", 30, "a short line"},
		{"  spaces   do not\nmatter ", 30, "spaces do not matter"},
		{"twelve words of four and more letters here", 24, "twelve words of four and|more letters here"},
		{"司机开车了司机开车了司机开车了", 24, "司机开车了司机开车了司机|开车了"},
		{"unbreakable-0123456789-0123456789 x", 24, "unbreakable-0123456789-0|123456789 x"},
		{"", 30, ""},
	} {
		if got := strings.Join(wrap(c.text, c.width), "|"); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.width, got, c.want)
		}
	}
	rows := columns([][]string{{"1", "a", "  one two three four five six seven"}, {"22", "bb", ""}}, 36)
	if got, want := strings.Join(rows, "|"), "1   a     one two three four five|          six seven|22  bb"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
