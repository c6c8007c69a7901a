//go:build linux

package scenes

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc/python"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// TestPipesBetweenProcesses: what only shows between real processes. Each case
// cites its source, see TestPipeConformance.
func TestPipesBetweenProcesses(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"4 MiB pass unchanged (test_connection)", `
primitives: {phone: pipe, line: {pipe: one-way}}
processes:
  sender:
    steps:
      - let: {text: '${join(map(1..1024, "0123456789abcdef"))}'}
      - let: {long: '${join(map(1..256, text))}'}
      - {send: phone.a, value: "${long}"}
      - {send: line.w, value: "${long}"}
  receiver:
    steps:
      - {recv: phone.b, into: got}
      - assert: len(got) == 4194304
      - {recv: line.r, into: again}
      - assert: got == again
`},
		{"closing in the child does not close in the parent (K fork07-10)", `
primitives: {line: {pipe: one-way}, closed: event}
processes:
  parent:
    steps:
      - wait: closed
      - {send: line.w, value: 1}
      - {send: line.w, value: 2}
  child: {parent: parent, steps: [{close: line.w}, {send: line.w, value: 0, error: Closed}, {set: closed}]}
  reader: {steps: [{recv: line.r, into: a}, {recv: line.r, into: b}, {assert: b == 2}, {recv: line.r, error: EOF}]}
`},
		{"the parent may close its copy after the start (test_spawn_close)", `
primitives: {phone: pipe}
processes:
  parent:
    steps:
      - fork: child
      - close: phone.b
      - {send: phone.a, value: hello}
      - {recv: phone.a, into: back}
      - assert: back == "hello"
      - {recv: phone.a, error: EOF}
      - wait: child
  child: {parent: parent, steps: [{recv: phone.b, into: got}, {send: phone.b, value: "${got}"}]}
`},
		{"a child does not inherit what its parent has closed", `
primitives: {line: {pipe: one-way}}
processes:
  parent:
    steps:
      - {send: line.w, value: 1}
      - close: line.w
      - fork: child
      - wait: child
  child: {parent: parent, steps: [{send: line.w, value: 2, error: Closed}]}
  reader: {steps: [{recv: line.r}, {recv: line.r, error: EOF}]}
`},
		{"who only hands an end on does not keep it", `
primitives: {line: {pipe: one-way}}
processes:
  parent: {steps: [{wait: child}, {sleep: 1ms}]}
  child: {parent: parent, steps: [{send: line.w, value: 1}]}
  reader: {steps: [{recv: line.r}, {recv: line.r, error: EOF}]}
`},
		{"a writer blocked on a full pipe can be killed (K pipe04)", `
primitives: {line: {pipe: one-way, capacity: 4096}, go: event}
processes:
  writer: {steps: [{send: line.w, value: '${join(map(1..8000, "x"))}'}]}
  reader: {steps: [{wait: go}, {recv: line.r, error: Torn}, {recv: line.r, error: EOF}]}
  other: idle
steps:
  - eventually: writer.blocked_on == "line"
  - {kill: writer, signal: SIGKILL}
  - wait: writer
  - assert: writer.exit_signal == "SIGKILL"
  - {in: other, set: go}
  - wait: reader
`},
		{"a reader that is killed takes its message with it, no other", `
primitives: {line: {pipe: one-way}}
processes:
  writer: idle
  first: {daemon: true, steps: [{recv: line.r}, pause]}
  second: idle
steps:
  - {in: writer, send: line.w, value: 1}
  - eventually: line.received == 1
  - {kill: first, signal: SIGKILL}
  - {in: writer, send: line.w, value: 2}
  - {in: second, recv: line.r, into: got}
  - assert: second.vars.got == 2
`},
		{"what comes before the end of file comes before it (no race)", `
primitives: {line: {pipe: one-way}, x: {value: i}, y: {value: i}}
processes:
  closes: {steps: [{write: x, value: 1}, {send: line.w, value: 1}, {close: line.w}, pause], daemon: true}
  exits: {uses: [line.w], steps: [{sleep: 5ms}, {write: y, value: 1}]}
  reader:
    steps:
      - {recv: line.r}
      - {recv: line.r, error: EOF}
      - {read: x, into: a}
      - {read: y, into: b}
      - assert: a == 1 and b == 1
`},
		{"a killed writer's writes come before the end of file, too (no race)", `
primitives: {line: {pipe: one-way}, x: {value: i}}
processes:
  victim: {steps: [{send: line.w, value: 1}, {write: x, value: 1}, {raise: SIGKILL}]}
  reader: {steps: [{recv: line.r}, {recv: line.r, error: EOF}, {read: x, into: a}, {assert: a == 1}]}
`},
		{"handlers run while a process is blocked, and may use the pipe", `
primitives: {phone: pipe, line: {pipe: one-way, capacity: 4096}}
processes:
  receiver:
    signals: {SIGUSR1: [{send: phone.a, value: handled}]}
    steps: [{recv: phone.a, into: got}, {assert: got == "at last"}]
  sender:
    signals:
      SIGUSR1:
        - {send: line.w, value: 1, error: Invalid}   # it is in the middle of another
        - print: handled
    steps: [{send: line.w, value: '${join(map(1..20000, "x"))}'}]
  other: idle
steps:
  - eventually: receiver.blocked_on == "phone" and sender.blocked_on == "line"
  - {kill: receiver, signal: SIGUSR1}
  - {in: other, recv: phone.b, into: said}
  - assert: other.vars.said == "handled"
  - {kill: receiver, signal: SIGUSR1}
  - {in: other, recv: phone.b, into: said}
  - {kill: sender, signal: SIGUSR1}
  - {expect: handled, from: sender}
  - {in: other, recv: line.r, into: long}
  - assert: len(other.vars.long) == 20000
  - {in: other, send: phone.b, value: at last}
`},
		{"without a declared disposition SIGPIPE is not sent, and kill still does it", `
primitives: {line: {pipe: one-way}, phone: pipe}
processes:
  writer: {steps: [{recv: phone.a}, {send: line.w, value: 1, error: BrokenPipe}, {print: alive}, pause]}
  reader: {steps: [{close: line.r}, {send: phone.b, value: go}]}
steps:
  - {expect: alive, from: writer}
  - {kill: writer, signal: SIGPIPE}
  - wait: writer
  - assert: writer.exit_signal == "SIGPIPE"
`},
		{"SIGPIPE that is ignored", `
primitives: {phone: pipe, line: {pipe: one-way}}
processes:
  writer: {signals: {SIGPIPE: ignore}, steps: [{recv: phone.a}, {send: line.w, value: 1, error: BrokenPipe}, {recv: phone.a, error: EOF}, {send: phone.a, value: 1, error: BrokenPipe}]}
  reader: {steps: [{close: line.r}, {send: phone.b, value: go}]}
`},
	} {
		t.Run(tt.name, func(t *testing.T) { ends(t, event.Pass, "name: x\n"+tt.text) })
	}
	// Without the end of file nothing orders them.
	res := ends(t, event.Failed, `
name: x
primitives: {line: {pipe: one-way}, x: {value: i}, seen: {value: i}}
processes:
  writer: {steps: [{send: line.w, value: 1}, {write: x, value: 1}]}
  reader: {steps: [{recv: line.r}, {read: x, into: a}]}
`)
	if res.Verdict.Ending != "race" {
		t.Errorf("it ended by %s", res.Verdict.Ending)
	}
}

// TestPipeStuck: a run in which nobody can move any more ends at once, and says
// who holds the ends that keep the others waiting, and by which descriptor.
func TestPipeStuck(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		cycle      []string
		why        map[string]string
	}{
		{"the reader itself", `
inherit: all
primitives: {orders: {pipe: one-way}}
processes:
  writer: {steps: [{send: orders.w, value: 1}, {close: orders.w}]}
  reader: {steps: [{recv: orders.r}, {recv: orders.r, error: EOF}]}
`, []string{"reader"}, map[string]string{"reader": `it waits to recv from orders\.r; EOF cannot come: reader itself \(descriptor \d+\) still holds orders\.w`}},
		{"its parent", `
primitives: {orders: {pipe: one-way}}
processes:
  boss: {steps: [{send: orders.w, value: 1}, {wait: reader}]}
  reader: {parent: boss, steps: [{recv: orders.r}, {recv: orders.r, error: EOF}]}
`, []string{"boss", "reader"}, map[string]string{"reader": `EOF cannot come: boss \(descriptor \d+\) still holds orders\.w`, "boss": "it waits for reader to end"}},
		{"each the other", `
primitives: {phone: pipe}
processes:
  client: {steps: [{recv: phone.a}]}
  server: {steps: [{recv: phone.b}]}
`, []string{"client", "server"}, map[string]string{"client": `server \(descriptor \d+\) still holds phone\.b`, "server": `client \(descriptor \d+\) still holds phone\.a`}},
		{"nobody reads", `
primitives: {orders: {pipe: one-way, capacity: 4096}, never: event}
processes:
  writer: {steps: [{repeat: forever, do: [{send: orders.w, value: 1}]}]}
  first: {steps: [{wait: never}, {recv: orders.r}]}
  second: {steps: [{wait: never}, {recv: orders.r}]}
`, nil, map[string]string{"writer": `it waits to send to orders\.w, which is full; BrokenPipe cannot come: first \(descriptor \d+\) and second \(descriptor \d+\) still hold orders\.r`}},
		{"half a message", `
primitives: {orders: {pipe: one-way, capacity: 4096}, never: event}
processes:
  writer: {steps: [{send: orders.w, value: '${join(map(1..9000, "x"))}'}]}
  late: {steps: [{send: orders.w, value: 1}]}
  reader: {steps: [{wait: never}, {recv: orders.r}]}
steps: [{eventually: writer.blocked_on == "orders" and late.blocked_on == "orders"}]
`, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			res := ends(t, event.Failed, "name: x\n"+tt.text)
			if took := time.Since(began); took > time.Minute { // and not after its limit
				t.Errorf("it took %v", took)
			}
			s := res.Events[res.Verdict.Cause].Stuck
			if s == nil {
				t.Fatalf("%+v", res.Events[res.Verdict.Cause])
			}
			if !sameCircle(s.Cycle, tt.cycle) {
				t.Errorf("cycle %v, want %v", s.Cycle, tt.cycle)
			}
			for _, w := range s.Waits {
				if want := tt.why[w.Proc]; want != "" && !regexp.MustCompile(want).MatchString(w.Why) {
					t.Errorf("%s: %s; want %s", w.Proc, w.Why, want)
				}
			}
		})
	}
}

func sameCircle(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// TestPipeDeclared: mistakes in a declaration are found when the file is
// loaded, at the key that is to blame.
func TestPipeDeclared(t *testing.T) {
	for text, want := range map[string]string{
		"{pipe: half-way}":             "does not know",
		"{pipe: two-way, ends: [x]}":   "a pipe has two ends, these are 1",
		"{pipe, capacity: 4096}":       "only a one-way pipe has a capacity",
		"{pipe: one-way, capacity: 1}": "capacity",
	} {
		if got := refused(t, "name: x\nprimitives: {p: "+text+"}\nprocesses: {a: {steps: [{close: p.a}]}}\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := refused(t, "name: x\nprimitives: {p: {pipe, ends: [x, y]}}\nprocesses: {a: {steps: [{send: p.a, value: 1}]}}\n"); !strings.Contains(got, `p has no part "a"`) {
		t.Error(got)
	}
}

// BenchmarkPipeRoundTrip: a message there and one back, as steps with tracing
// on, against Python's multiprocessing, nanoseconds per round trip. The time is
// that between the first and the last record.
func BenchmarkPipeRoundTrip(b *testing.B) {
	const rounds = 20_000
	const peer = `
import multiprocessing as mp, time, sys
def f(r, w, n):
    for i in range(n):
        r.recv(); w.send(1)
n = int(sys.argv[2])
if sys.argv[1] == "two-way":
    a, c = mp.Pipe()
    there, back, r, w = a, a, c, c
else:
    (r, there), (back, w) = mp.Pipe(False), mp.Pipe(False)
p = mp.Process(target=f, args=(r, w, n))
p.start()
there.send(1); back.recv()
t = time.perf_counter_ns()
for i in range(n - 1):
    there.send(1); back.recv()
print((time.perf_counter_ns() - t) / (n - 1))
p.join()
`
	for name, ends := range map[string][5]string{
		"two-way": {"{phone: pipe}", "phone.a", "phone.a", "phone.b", "phone.b"},
		"one-way": {"{there: {pipe: one-way}, back: {pipe: one-way}}", "there.w", "back.r", "there.r", "back.w"},
	} {
		b.Run(name, func(b *testing.B) {
			text := fmt.Sprintf(`
name: round trips
timeout: 60s
primitives: %s
processes:
  a: {steps: [{repeat: %d, do: [{send: %s, value: 1}, {recv: %s, into: x}]}]}
  b: {steps: [{repeat: %d, do: [{recv: %s, into: x}, {send: %s, value: 1}]}]}
steps: [{wait: a, timeout: 50s}, {assert: a.exit_code == 0}]
`, ends[0], rounds, ends[1], ends[2], rounds, ends[3], ends[4])
			sc := loaded(b, text)
			e, err := engine.New(engine.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			interpreter, missing := python.Itself()
			var ours, theirs []float64
			for b.Loop() {
				res, err := e.Run(b.Context(), sc)
				if err != nil || res.Verdict.Result != event.Pass {
					b.Fatal(err, res)
				}
				var first, last int64
				for _, x := range res.All() {
					if x.Type == event.Op.String() {
						if first == 0 {
							first = x.At
						}
						last = x.At
					}
				}
				ours = append(ours, float64(last-first)/rounds)
				if missing != nil {
					continue
				}
				if out, err := exec.Command(interpreter, "-c", peer, name, strconv.Itoa(rounds)).Output(); err == nil {
					if ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err == nil {
						theirs = append(theirs, ns)
					}
				}
			}
			middle := func(f []float64) float64 {
				if len(f) == 0 {
					return 0
				}
				slices.Sort(f)
				return f[len(f)/2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(middle(ours), "ns/ipcrun")
			b.ReportMetric(middle(theirs), "ns/python")
			if len(theirs) > 0 {
				b.ReportMetric(middle(ours)/middle(theirs), "ratio")
			}
		})
	}
}

// loaded is a scenario that has no mistakes.
func loaded(t testing.TB, text string) *spec.Scenario {
	t.Helper()
	l := &diag.List{}
	sc := spec.Load(source.New("test.yaml", []byte(text)), plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		t.Fatal(l.Err())
	}
	return sc
}

// refused are the mistakes that are found in a scenario.
func refused(t *testing.T, text string) string {
	t.Helper()
	l := &diag.List{}
	if sc := spec.Load(source.New("test.yaml", []byte(text)), plan.Vocabulary(), spec.Options{}, l); sc != nil {
		t.Errorf("it loads:\n%s", text)
		return ""
	}
	return l.Err().Error()
}

// TestClosedBeforeForks: what a process closed before it forked is none of its
// child's, nor of a child of that one.
func TestClosedBeforeForks(t *testing.T) {
	for _, tt := range []struct{ declared, closes, uses string }{
		{"{pipe: one-way}", "close: x.w", "send: x.w, value: 1"},
		{"unix_socket", "close: x.server, all: true", "accept: x.server"},
		{"mqueue", "close: x", "send: x, value: hello"},
	} {
		t.Run(tt.declared, func(t *testing.T) {
			ends(t, event.Pass, `
name: x
inherit: all
primitives: {x: `+tt.declared+`}
processes:
  top: {steps: [{`+tt.closes+`}, {fork: middle}, {wait: middle}]}
  middle: {parent: top, steps: [{`+tt.uses+`, error: Closed}, {fork: leaf}, {wait: leaf}]}
  leaf: {parent: middle, steps: [{`+tt.uses+`, error: Closed}]}
steps: [{wait: top}, {assert: leaf.exit_code == 0}]
`)
		})
	}
}
