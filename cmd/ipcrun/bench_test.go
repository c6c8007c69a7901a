package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/proc/python"
)

// The benchmarks of this file run ipcrun as its users do, as a whole process,
// beside what they would use instead, in turn, so that a machine that is busy
// is busy for both:
//
//	go test ./cmd/ipcrun -run '^$' -bench . -benchtime 20x
//
// IPCRUN_BENCH_UNDER is what both sides run under, as a command that takes a
// command: taskset -c 0 for one processor; chrt -f 1 before it, as root, where
// others are busy on the machine.

// peer is the interpreter that the programs in Python run by.
func peer(b *testing.B) string {
	path, err := python.Itself()
	if err != nil {
		b.Skip(err, ": nothing to compare with")
	}
	return path
}

// binary is where ipcrun is.
func binary(tb testing.TB) string {
	path, err := exec.LookPath("ipcrun")
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// command runs a program under IPCRUN_BENCH_UNDER.
func command(args ...string) *exec.Cmd {
	args = append(strings.Fields(os.Getenv("IPCRUN_BENCH_UNDER")), args...)
	return exec.Command(args[0], args[1:]...)
}

func timed(b *testing.B, name string, args ...string) time.Duration {
	b.Helper()
	start := time.Now()
	if out, err := command(append([]string{name}, args...)...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkDriver: scenarios/driver.yaml against a Python program that does the
// same exchange on a terminal with multiprocessing. Must reach a quarter.
func BenchmarkDriver(b *testing.B) {
	py, bin := peer(b), binary(b)
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, timed(b, bin, "../../scenarios/driver.yaml"))
		theirs = append(theirs, timed(b, py, "testdata/peers/driver.py"))
	}
	a, p := median(ours), median(theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Microseconds())/1000, "ms/ipcrun")
	b.ReportMetric(float64(p.Microseconds())/1000, "ms/python")
	b.ReportMetric(float64(a)/float64(p), "ratio")
}

// tills is one scenario for two of the loops.
const tills = `
primitives: {gate: lock, total: {value: i}}
processes:
  p[2]:
    - repeat: N
      do: [{acquire: gate}, {read: total, into: seen}, {write: total, value: "${seen + 1}"}, {release: gate}]`

// loops are the same loops as scenarios and in Python (testdata/peers/loops.py).
// N stands for the number of rounds.
var loops = []struct {
	peer, yaml string
	rounds     int
}{
	{"lock_alone", `
primitives: {gate: lock}
processes: {p: [{repeat: N, do: [{acquire: gate}, {release: gate}]}]}`, 200_000},
	{"event_alone", `
primitives: {ready: event}
processes: {p: [{repeat: N, do: [{set: ready}, {clear: ready}]}]}`, 200_000},
	{"two_tills", tills, 50_000},
	{"two_tills_default", tills, 50_000},
	{"pipe_round_trip", `
primitives: {link: pipe}
processes:
  ping: [{repeat: N, as: i, do: [{send: link.a, value: "${i}"}, {recv: link.a, into: x}]}]
  pong: [{repeat: N, do: [{recv: link.b, into: x}, {send: link.b, value: "${x}"}]}]`, 20_000},
	{"queue_put_get", `
primitives: {jobs: queue}
processes:
  producer: [{repeat: N, as: i, do: [{put: jobs, value: "${i}"}]}]
  consumer: [{repeat: N, do: [{get: jobs, into: x}]}]`, 100_000},
	{"manager_put_get", `
primitives: {jobs: {queue, manager: true}}
processes:
  producer: [{repeat: N, as: i, do: [{put: jobs, value: "${i}"}]}]
  consumer: [{repeat: N, do: [{get: jobs, into: x}]}]`, 10_000},
	{"semaphore_ping_pong", `
primitives: {ping: {semaphore: 0}, pong: {semaphore: 0}}
processes:
  a: [{repeat: N, do: [{release: ping}, {acquire: pong}]}]
  b: [{repeat: N, do: [{acquire: ping}, {release: pong}]}]`, 20_000},
	{"event_ping_pong", `
primitives: {ping: event, pong: event}
processes:
  a: [{repeat: N, do: [{set: ping}, {wait: pong}, {clear: pong}]}]
  b: [{repeat: N, do: [{wait: ping}, {clear: ping}, {set: pong}]}]`, 20_000},
	{"signal_round_trip", `
processes:
  a:
    signals:
      SIGUSR1:
        - let: {n: "${n + 1}"}
        - {exit: 0, when: n == N}
        - {kill: b, signal: SIGUSR1}
    steps: [{let: {n: 0}}, {kill: b, signal: SIGUSR1}, {repeat: forever, do: [pause]}]
  b:
    signals:
      SIGUSR1:
        - let: {n: "${n + 1}"}
        - {kill: a, signal: SIGUSR1}
        - {exit: 0, when: n == N}
    steps: [{let: {n: 0}}, {repeat: forever, do: [pause]}]`, 20_000},
	{"pool_apply", `
primitives: {crew: {pool: 2}}
tasks:
  square: {params: [x], result: "${x * x}"}
processes: {p: [{repeat: N, as: i, do: [{apply: crew, task: square, args: {x: "${i}"}, into: y}]}]}`, 10_000},
}

// BenchmarkLoops: steps with tracing on against the same loop in Python's
// multiprocessing, nanoseconds per round. The time is that from all processes
// being ready to the last one's end, from the event log.
func BenchmarkLoops(b *testing.B) {
	py, bin := peer(b), binary(b)
	for _, c := range loops {
		b.Run(c.peer, func(b *testing.B) {
			dir := b.TempDir()
			file, log := filepath.Join(dir, "loop.yaml"), filepath.Join(dir, "log")
			text := "name: loop\ntimeout: 60s\noutcome: pass" + strings.ReplaceAll(c.yaml, "N", strconv.Itoa(c.rounds)) + "\n"
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				b.Fatal(err)
			}
			procs := int64(1)
			if c.yaml == tills {
				procs = 2
			}
			var ours, theirs []time.Duration
			for b.Loop() {
				timed(b, bin, "run", "--log", log, file)
				ours = append(ours, time.Duration(span(b, log)/int64(c.rounds)/procs))
				out, err := command(py, "testdata/peers/loops.py", c.peer, strconv.Itoa(c.rounds)).Output()
				if err != nil {
					b.Fatal(err)
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					b.Fatal(err)
				}
				theirs = append(theirs, time.Duration(ns))
			}
			a, p := median(ours), median(theirs)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(a), "ns/ipcrun")
			b.ReportMetric(float64(p), "ns/python")
			b.ReportMetric(float64(a)/float64(p), "ratio")
		})
	}
}

// span is the time from the last process being ready to the last one's end.
func span(b *testing.B, log string) int64 {
	data, err := os.ReadFile(log)
	if err != nil {
		b.Fatal(err)
	}
	var ready, ended int64
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, `"ready"`) && !strings.Contains(line, `"ended"`) {
			continue
		}
		var e struct {
			At   int64
			Type string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			b.Fatal(err)
		}
		switch e.Type {
		case "ready":
			ready = max(ready, e.At)
		case "ended":
			ended = max(ended, e.At)
		}
	}
	return ended - ready
}
