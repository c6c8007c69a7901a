package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestCasesDoWhatTheySay: each loads without a complaint, passes, and its
// rounds all happen between its begin and its end.
func TestCasesDoWhatTheySay(t *testing.T) {
	e := newEngine(t)
	const n = 20
	// What happens once in every round.
	once := map[string]string{
		"message pipe": "recv", "message queue": "get", "message shared memory": "read", "round trip pipe": "send", "round trip queue": "put",
		"round trip semaphore": "acquire", "round trip lock": "acquire", "round trip event": "clear", "round trip barrier": "wait", "round trip signal": "signal",
	}
	cases := Cases(plan.Vocabulary(), []int{LeastSize, 1 << 10, MostSize})
	if len(cases) < 3 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(string(c.Group)+" "+c.Title(), func(t *testing.T) {
			l := &diag.List{}
			sc := spec.Load(source.New(c.Title(), []byte(c.Scenario(n))), plan.Vocabulary(), spec.Options{}, l)
			for _, d := range l.All() {
				t.Errorf("line %d: %s %s", d.Span.Start.Line, d.Summary, d.Detail)
			}
			if sc == nil {
				t.Fatal(c.Scenario(n))
			}
			res, err := e.Run(context.Background(), sc)
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict.Result != event.Pass {
				t.Fatal(why(res))
			}
			var begin, end int64
			per := map[string]int{}
			for _, ev := range res.All() {
				switch {
				case ev.Type == "print" && ev.Value == "begin":
					begin = ev.At
				case ev.Type == "print" && ev.Value == "end":
					end = ev.At
				}
			}
			for _, ev := range res.All() {
				if ev.At >= begin && ev.At <= end {
					word := ev.Type
					if word == "op" {
						word = ev.Verb
					}
					per[ev.Proc+" "+word]++
				}
			}
			want := once[string(c.Group)+" "+c.Name]
			if c.Group == Message {
				want = "receiver " + want
			} else {
				want = "first " + want
			}
			// A barrier's arrival and going on are two operations.
			if got := per[want]; got != n && !(c.Name == "barrier" && got == 2*n) {
				t.Errorf("%d times %q between begin and end, want %d: %v", got, want, n, per)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	e := newEngine(t)
	c := Cases(plan.Vocabulary(), nil)
	r, err := Measure(context.Background(), e, c[len(c)-1], Effort{Time: 2 * time.Millisecond, Runs: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 3 || r.Rounds < fewest || r.Each() <= 0 || r.Rate() != 0 {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	cancel(gone)
	if _, err := Measure(ctx, e, c[0], Effort{Time: time.Millisecond}); !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestMissingKinds: what needs a kind that is not there is not offered.
func TestMissingKinds(t *testing.T) {
	names := func(kinds ...string) string {
		v := &decl.Vocabulary{Kinds: map[string]*decl.Kind{}}
		for _, k := range kinds {
			v.Kinds[k] = &decl.Kind{Name: k}
		}
		var out []string
		for _, c := range Cases(v, []int{8, 16}) {
			out = append(out, c.Title())
		}
		return strings.Join(out, "; ")
	}
	for want, kinds := range map[string][]string{
		"signal":                                 nil,
		"event; signal":                          {"event"},
		"queue, 8 B; queue, 16 B; queue; signal": {"queue"},
		"semaphore; signal":                      {"semaphore"},
		"shared memory, 8 B; shared memory, 16 B; semaphore; signal": {"semaphore", "array"},
	} {
		if got := names(kinds...); got != want {
			t.Errorf("with %v: %s; want %s", kinds, got, want)
		}
	}
}

func TestResult(t *testing.T) {
	r := Result{Case: Case{Group: Message, Size: 1000}, Rounds: 10, Runs: []int64{300, 100, 200}}
	if r.Each() != 20 || r.Spread() != 0.5 || r.Rate() != 50e9 {
		t.Errorf("each %v, spread %v, rate %v", r.Each(), r.Spread(), r.Rate())
	}
	for n, want := range map[int]string{8: "8 B", 1024: "1 KiB", 65536: "64 KiB", 1 << 20: "1 MiB", 1536: "1536 B"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
