package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// BenchmarkSteps is what a step of a process costs in a real run, tracing on:
// from a line printed before a loop to the line after it.
func BenchmarkSteps(b *testing.B) {
	const rounds = 50_000
	for _, c := range []struct {
		name, body string
		steps      int
	}{
		{"acquire+release", "{acquire: gate}, {release: gate}", 2},
		{"read+write", `{read: total, into: seen}, {write: total, value: "${seen + 1}"}`, 2},
		{"add", "{add: total}", 1},
		{"set+clear", "{set: ready}, {clear: ready}", 2},
	} {
		b.Run(c.name, func(b *testing.B) {
			sc := load(b, fmt.Sprintf(`
name: x
primitives: {gate: lock, total: {value: i}, ready: event}
processes:
  p:
    uses: [gate, total, ready]
    steps: [{print: begin}, {repeat: %d, do: [%s]}, {print: end}]
steps: [{wait: p}]
`, rounds, c.body), nil)
			var spent int64
			runs := 0
			for b.Loop() {
				o := runOn(b, shared, sc)
				o.mustPass()
				lines := o.of(event.Print, "p")
				spent += lines[1].At - lines[0].At
				runs++
			}
			b.ReportMetric(float64(spent)/float64(runs*rounds*c.steps), "ns/step")
		})
	}
}

// BenchmarkPingPong is a round trip between two processes: each waits for an
// event of its own and sets the other's, or answers a signal with a signal.
func BenchmarkPingPong(b *testing.B) {
	const rounds = 5000
	for _, c := range []struct{ name, text string }{
		{"events", `
name: x
primitives: {ping: event, pong: event}
processes:
  a: {steps: [{print: begin}, {repeat: ROUNDS, do: [{set: ping}, {wait: pong}, {clear: pong}]}, {print: end}]}
  b: {steps: [{repeat: ROUNDS, do: [{wait: ping}, {clear: ping}, {set: pong}]}]}
steps: [{wait: a}]
`},
		{"signals", `
name: x
processes:
  a:
    signals: {SIGUSR1: [{let: {n: "${n + 1}"}}, {if: n < ROUNDS, then: [{kill: b, signal: SIGUSR1}], else: [{print: end}, {kill: b}, {exit: 0}]}]}
    steps: [{let: {n: 0}}, {print: begin}, {kill: b, signal: SIGUSR1}, {repeat: forever, do: [pause]}]
  b:
    signals: {SIGUSR1: [{kill: a, signal: SIGUSR1}], SIGTERM: [{exit: 0}]}
    steps: [{repeat: forever, do: [pause]}]
steps: [{wait: a}]
`},
	} {
		b.Run(c.name, func(b *testing.B) {
			sc := load(b, strings.ReplaceAll(c.text, "ROUNDS", strconv.Itoa(rounds)), nil)
			var spent int64
			runs := 0
			for b.Loop() {
				o := runOn(b, shared, sc)
				o.mustPass()
				lines := o.of(event.Print, "a")
				spent += lines[1].At - lines[0].At
				runs++
			}
			b.ReportMetric(float64(spent)/float64(runs*rounds), "ns/round-trip")
		})
	}
}

// BenchmarkLoad is what it takes from the bytes of a file to machines that
// could run it, by its number of steps. 10,000 must stay under 0.2 s.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var text bytes.Buffer
			text.WriteString("name: x\nprimitives: {gate: lock, total: {value: i}}\nprocesses:\n  p:\n    steps:\n")
			for i := range n / 4 {
				fmt.Fprintf(&text, "      - acquire: gate\n      - {read: total, into: seen}\n      - {write: total, value: \"${seen + %d}\"}\n      - release: gate\n", i%7)
			}
			text.WriteString("steps:\n  - wait: p\n")
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				l := &diag.List{}
				sc := spec.Load(source.New("x.yaml", text.Bytes()), plan.Vocabulary(), spec.Options{}, l)
				if sc == nil {
					b.Fatal(l.All()[0].Summary)
				}
				p, err := plan.Make(sc)
				if err != nil {
					b.Fatal(err)
				}
				for _, prog := range p.Programs {
					if _, err := script.New(&p.Common, prog, -1, nil); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkProcesses starts n processes and ends them again. ms/process is the
// time from the start of the run until the last one is ready, for each.
func BenchmarkProcesses(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			e, err := engine.New(engine.Options{Timeout: time.Minute, TimeoutSetBy: "the benchmark"})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			sc := load(b, fmt.Sprintf("name: x\nprocesses:\n  p[%d]: {steps: [{print: hi}]}\nsteps: [{wait: p}]\n", n), nil)
			var ready int64
			runs := 0
			for b.Loop() {
				o := runOn(b, e, sc)
				o.mustPass()
				list := o.of(event.Ready, "")
				if len(list) != n {
					b.Fatalf("%d processes were ready", len(list))
				}
				ready += list[n-1].At
				runs++
			}
			b.ReportMetric(float64(ready)/1e6/float64(runs*n), "ms/process")
		})
	}
}

// BenchmarkDeadlock: two processes that wait for each other, after so many rounds with
// their locks. ms/found is the time from the last of them being blocked until it is seen,
// ms/explained that until the run is over, which is when one hears of it.
func BenchmarkDeadlock(b *testing.B) {
	for _, rounds := range []int{1, 100_000} {
		b.Run(strconv.Itoa(rounds), func(b *testing.B) {
			e, err := engine.New(engine.Options{Timeout: time.Minute, TimeoutSetBy: "the benchmark"})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			text := "name: x\noutcome: deadlock\nprimitives: {x: lock, y: lock, met: {barrier: 2}}\nprocesses:\n"
			for _, p := range [][3]string{{"a", "x", "y"}, {"b", "y", "x"}} {
				text += fmt.Sprintf("  %s: [{repeat: %d, do: [{acquire: %[3]s}, {release: %[3]s}]}, {acquire: %[3]s}, {wait: met}, {acquire: %[4]s}]\n", p[0], rounds, p[1], p[2])
			}
			sc := load(b, text, nil)
			var found, over int64
			runs := 0
			for b.Loop() {
				o := runOn(b, e, sc)
				o.mustPass()
				var since int64
				list := o.of(event.Deadlock, "")
				if len(list) != 1 {
					b.Fatal(list)
				}
				for _, w := range list[0].Stuck.Waits {
					since = max(since, w.Since)
				}
				found += list[0].At - since
				over += o.of(event.Finished, "")[0].At - since
				runs++
			}
			b.ReportMetric(float64(found)/1e6/float64(runs), "ms/found")
			b.ReportMetric(float64(over)/1e6/float64(runs), "ms/explained")
		})
	}
}

// BenchmarkSharing is a thousand processes that share one semaphore and one
// queue, from the start of the run to its end, and what they take up while all
// of them wait for the semaphore.
//
//	go test ./engine -run '^$' -bench Sharing -benchtime 3x
func BenchmarkSharing(b *testing.B) {
	const n = 1000
	e, err := engine.New(engine.Options{Timeout: time.Minute, TimeoutSetBy: "the benchmark"})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	text := sharing(n)
	sc := load(b, text, nil)
	var took time.Duration
	runs := 0
	for b.Loop() {
		start := time.Now()
		o := runOn(b, e, sc)
		took += time.Since(start)
		runs++
		o.mustPass()
	}
	b.StopTimer()
	// The script sleeps: if it waited for them as well it were a deadlock, which ends
	// the run before anybody has looked.
	waiting := strings.NewReplacer("semaphore: 4", "semaphore: 0", "- wait: w", "- sleep: 50s").Replace(text)
	_, pss := resident(b, e, load(b, waiting, nil), n, "w[")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took.Seconds()/float64(runs), "s/run")
	b.ReportMetric(took.Seconds()*1e3/float64(runs*n), "ms/process")
	b.ReportMetric(pss*n/1024, "MiB-PSS")
	b.ReportMetric(pss/1024, "MiB-PSS/process")
}

// BenchmarkMemory is what a process that waits takes up: its resident pages,
// and its share of them (PSS), which is what one more process costs.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			e, err := engine.New(engine.Options{Timeout: time.Minute, TimeoutSetBy: "the benchmark"})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			sc := load(b, fmt.Sprintf("name: x\nprocesses:\n  p[%d]: {steps: [{pause: null, timeout: 50s}]}\n", n), nil)
			var rss, pss, measured float64
			for b.Loop() {
				r, p := resident(b, e, sc, n, "p[")
				rss, pss, measured = rss+r, pss+p, measured+1
			}
			b.ReportMetric(rss/measured/1024, "MiB-RSS/process")
			b.ReportMetric(pss/measured/1024, "MiB-PSS/process")
		})
	}
}

// resident runs a scenario of which n processes come to a stand, and stops it
// then. It returns the resident memory of one of them, KiB, and its share of
// that.
func resident(b *testing.B, e *engine.Engine, sc *spec.Scenario, n int, name string) (rss, pss float64) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := e.Run(ctx, sc)
		done <- err
	}()
	eventually(b, "all processes wait", func() bool {
		live, _ := family()
		if len(live) != n {
			return false
		}
		for _, pid := range live {
			f, err := proc.ReadFacts(pid)
			if err != nil || f.State != 'S' || !strings.HasPrefix(f.Name, name) {
				return false
			}
		}
		return true
	})
	live, _ := family()
	for _, pid := range live {
		rss += rollup(b, pid, "Rss:")
		pss += rollup(b, pid, "Pss:")
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return rss / float64(len(live)), pss / float64(len(live))
}

// rollup is a line of the summary of a process's memory, KiB.
func rollup(b *testing.B, pid int, key string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Skip(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == key {
			kib, _ := strconv.ParseFloat(f[1], 64)
			return kib
		}
	}
	b.Fatalf("no %s in\n%s", key, text)
	return 0
}
