package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/event"
)

func TestExact(t *testing.T) {
	for in, want := range map[string]string{
		"plain":         "plain",
		"tail  ":        "tail··",
		" lead":         "·lead",
		"   ":           "···",
		"a b":           "a b",
		"tab\there":     "tab⇥here",
		"two\nlines":    "two⏎lines",
		"nb\u00a0space": "nb<U+00A0>space",
		"wide\u3000":    "wide<U+3000>",
		"bell\x07":      "bell␇",
	} {
		if got := exact(in); got != want {
			t.Errorf("exact(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for in, want := range map[time.Duration]string{
		950 * time.Nanosecond:   "0µs",
		12 * time.Microsecond:   "12µs",
		1500 * time.Microsecond: "1.5ms",
		37 * time.Millisecond:   "37ms",
		1234 * time.Millisecond: "1.23s",
		12 * time.Second:        "12.0s",
		90 * time.Second:        "1m30s",
	} {
		if got := span(int64(in)); got != want {
			t.Errorf("span(%v) = %q, want %q", in, got, want)
		}
	}
}

func TestSides(t *testing.T) {
	part := func(list ...string) []event.Part {
		var ps []event.Part
		for i := 0; i < len(list); i += 2 {
			ps = append(ps, event.Part{Text: list[i], Value: list[i+1]})
		}
		return ps
	}
	for _, c := range []struct {
		text             string
		parts            []event.Part
		expected, actual string
	}{
		{"total.value == 2 * rounds", part("total.value", "3", "2 * rounds", "4"), "total.value == 4", "total.value is 3"},
		{"a.exit_code == 0", part("a.exit_code", "1"), "a.exit_code == 0", "a.exit_code is 1"},
		{"a.ended < b.ended", part("a.ended", "2s", "b.ended", "1s"), "a.ended < 1s", "a.ended is 2s"},
		{"a.x == 1 && b.y == 2", part("a.x == 1", "false", "a.x", "0"), "a.x == 1 && b.y == 2", "a.x == 1 is false"},
		{"a.x == 1 || b.y", part("a.x", "0", "b.y", "false"), "a.x == 1 || b.y", "a.x is 0"},
		{"jobs.full", part("jobs.full", "false"), "jobs.full", "jobs.full is false"},
	} {
		got := compare(&event.Event{Verb: "assert", Check: &event.Check{Text: c.text, Parts: c.parts}})
		if got.expected != c.expected || len(got.actual) == 0 || got.actual[0] != c.actual {
			t.Errorf("%s: expected %q, actual %q; want %q, %q", c.text, got.expected, got.actual, c.expected, c.actual)
		}
	}
}

// TestFocus: two long texts are cut around the place where they part, not at
// their beginning.
func TestFocus(t *testing.T) {
	a := strings.Repeat("x", 300) + "one" + strings.Repeat("y", 300)
	b := strings.Repeat("x", 300) + "two" + strings.Repeat("y", 300)
	x, y, at := focus(a, b, parting(a, b), 60)
	if !strings.Contains(x, "one") || !strings.Contains(y, "two") {
		t.Fatalf("the difference was cut away: %q %q", x, y)
	}
	if []rune(x)[at] != 'o' || []rune(y)[at] != 't' {
		t.Errorf("the caret stands under %q and %q", []rune(x)[at], []rune(y)[at])
	}
	if len([]rune(x)) > 60 {
		t.Errorf("%d cells, want at most 60", len([]rune(x)))
	}
}

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		run  event.Run
		want string
	}{
		{event.Run{File: "a.yaml"}, "ipcrun run a.yaml"},
		{event.Run{File: "-"}, "ipcrun run -"},
		{event.Run{File: "-odd.yaml"}, "ipcrun run ./-odd.yaml"},
		{event.Run{File: "my file.yaml", Args: []string{"--param", "who=it's me"}}, `ipcrun run 'my file.yaml' --param 'who=it'\''s me'`},
		{event.Run{File: "课/车.yaml", Args: []string{"--timeout-scale", "2"}}, "ipcrun run 课/车.yaml --timeout-scale 2"},
	} {
		if got := Again(c.run); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestLostUpdates: only a write that undoes another one counts.
func TestLostUpdates(t *testing.T) {
	type op struct {
		proc, verb string
		value      int
	}
	for _, c := range []struct {
		name string
		ops  []op
		want string // in the sentence, "" if nothing was lost
	}{
		{"one after the other", []op{{"a", "read", 0}, {"a", "write", 1}, {"b", "read", 1}, {"b", "write", 2}}, ""},
		{"a read between is no harm", []op{{"a", "read", 0}, {"b", "read", 0}, {"a", "write", 1}, {"b", "read", 1}, {"b", "write", 2}}, ""},
		{"written over", []op{{"a", "read", 0}, {"b", "read", 0}, {"a", "write", 1}, {"b", "write", 1}}, "b read 0 (line 1), then a wrote 1 (line 1), then b wrote 1 over it"},
		{"blind writes lose nothing that was read", []op{{"a", "write", 1}, {"b", "write", 2}}, ""},
		{"an atomic add is no mistake", []op{{"a", "read", 0}, {"b", "add", 1}, {"a", "write", 1}}, ""},
	} {
		var r Run
		for i, o := range c.ops {
			r.Log = append(r.Log, event.Event{Type: "op", Proc: o.proc, Verb: o.verb, Object: "total", Seq: uint64(i + 1), Value: o.value, Line: 1})
		}
		// The order of the log is not that of the operations.
		for i, k := 0, len(r.Log)-1; i < k; i, k = i+1, k-1 {
			r.Log[i], r.Log[k] = r.Log[k], r.Log[i]
		}
		got := r.lostUpdates("total", len(r.Log))
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.name, got, c.want)
		}
	}
}

// TestUnmet: what a failed expect says of the time it had, and of what there was.
func TestUnmet(t *testing.T) {
	short, flag := &event.Limit{What: "step", After: 2e9, SetBy: "the file"}, &event.Limit{What: "step", After: 5e9, SetBy: "the default"}
	scaled := &event.Limit{What: "step", After: 4e9, SetBy: "the file" + event.AndScale}
	for _, c := range []struct {
		why   string
		limit *event.Limit
		stuck *event.Stuck
		says  string
	}{
		{"its timeout passed", nil, nil, "The step waited as long as its own timeout: says."},
		{"its timeout passed", short, nil, "The step waited 2s, as the file says."},
		{"its timeout passed", scaled, nil, "The step waited 4s: what the file says, multiplied by --timeout-scale."},
		{"its timeout passed", flag, nil, "The step waited 5s, which is as long as one without a timeout: of its own may; that limit was set by the default."},
		{"child has ended without printing it", nil, &event.Stuck{}, "Waiting longer would not have helped: nobody is left who could fork child."},
		{"parent has ended without printing it", nil, &event.Stuck{}, "Waiting longer would not have helped: parent has ended."},
		{"nobody can move any more", nil, &event.Stuck{}, "Waiting longer would not have helped: nobody could move any more."},
	} {
		log := []event.Event{
			{Type: "fork", Object: "parent"},
			{Type: "print", Proc: "parent", Value: "child 2"},
			{Type: "check", Verb: "expect", Object: "child", Limit: c.limit, Stuck: c.stuck,
				Check: &event.Check{Text: "child 2", Why: c.why, Parts: []event.Part{{Text: "printed since", Value: "child 2"}}}},
		}
		r := Run{Log: log}
		a := r.explain(event.Verdict{Cause: 2})
		if got := strings.Join(a.why, " "); !strings.HasSuffix(got, c.says) {
			t.Errorf("%q, want %q at its end", got, c.says)
		}
		var b strings.Builder
		compare(&log[2]).write(&b, Style{})
		if got := b.String(); strings.Contains(got, "differ") {
			t.Errorf("what is the same differs:\n%s", got)
		}
	}
}

func TestSeries(t *testing.T) {
	pass, fail, broken, stopped := load(t, "driver"), load(t, "swapped"), load(t, "broken"), load(t, "interrupted")
	for _, c := range []struct {
		name string
		runs []Run
		want event.Result
		text string
	}{
		{"all good", []Run{pass, pass, pass}, event.Pass, "passed 3 of 3 times (100%)"},
		{"never", []Run{fail, fail}, event.Failed, "passed 0 of 2 times (0%)"},
		{"now and then", []Run{pass, fail, pass, fail}, event.Flaky, "passed 2 of 4 times (50%)"},
		{"the runner broke", []Run{pass, broken, fail}, event.Error, "passed 1 of 3 times (33%)"},
		{"interrupted", []Run{pass, stopped}, event.Error, "passed 1 of 2 times (50%)"},
	} {
		var s Series
		for _, r := range c.runs {
			s.Add(r)
		}
		var b strings.Builder
		if err := s.Write(&b, Style{}); err != nil {
			t.Fatal(err)
		}
		if got := s.Verdict().Result; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if !strings.Contains(b.String(), c.text) {
			t.Errorf("%s: no %q in\n%s", c.name, c.text, b.String())
		}
		again := strings.Contains(b.String(), fmt.Sprintf("run swapped.yaml --repeat %d", len(c.runs)))
		if mixed := c.want == event.Flaky; mixed != again && c.name != "the runner broke" {
			t.Errorf("%s: that the failure takes several runs is said: %v", c.name, again)
		}
		if n := strings.Count(b.String(), "--> swapped.yaml"); n > 1 {
			t.Errorf("%s: the same failure is explained %d times", c.name, n)
		}
	}
}

func TestSummary(t *testing.T) {
	line := func(name string, r event.Result, ms int64) Line {
		return Line{Name: name, File: name + ".yaml", Verdict: event.Verdict{Result: r, Ending: string(r), Duration: ms * 1e6}}
	}
	var b strings.Builder
	err := Summary(&b, Totals{
		Lines: []Line{line("a", event.Pass, 1), line("b", event.Failed, 40), line("c", event.Pass, 30), line("d", event.Skip, 20),
			{Name: "e", Verdict: event.Verdict{Result: event.Error, Ending: "interrupted"}}},
		Invalid: 1, NotRun: 2, Why: "--fail-fast", Duration: 1.5e9, Seed: "42",
	}, Style{})
	if err != nil {
		t.Fatal(err)
	}
	want := `7 scenarios: 2 pass, 1 skip, 1 fail, 1 interrupted, 2 not run (--fail-fast), 1 file not usable in 1.50s
order shuffled with seed 42: the same order again with --seed 42
slowest:
    40ms  b  b.yaml
    30ms  c  c.yaml
    20ms  d  d.yaml
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestAccountNamesWhatIsMissing: the reason for a lost check says of what is not there
// yet that it is not, and nothing that would be another in the next run.
func TestAccountNamesWhatIsMissing(t *testing.T) {
	log := []event.Event{
		{Type: "start", Run: &event.Run{Points: 2, Scored: []event.ScoredStep{{Line: 9, Points: 2}}}},
		{Type: "check", Line: 9, Verb: "eventually", Points: 2, Check: &event.Check{Text: "all(worker, .ended != nil)", Parts: []event.Part{
			{Text: "all(worker, .ended != nil)", Value: "false"}, {Text: "worker[0].ended", Value: "0.25"}, {Text: "worker[1].ended", Value: "nil"},
		}}},
	}
	got := Run{Log: log}.Account(&event.Score(log)[0])
	if !strings.Contains(got, "worker[1].ended is nil.") || strings.Contains(got, "0.25") {
		t.Errorf("%q", got)
	}
}
