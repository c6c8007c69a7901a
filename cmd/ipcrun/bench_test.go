package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The benchmarks of this file run ipcrun as its users do, as a whole process,
// beside what they would use instead, in turn, so that a machine that is busy
// is busy for both:
//
//	go test ./cmd/ipcrun -run '^$' -bench . -benchtime 20x

// python is the interpreter itself: version managers put a slow script before
// it, which would be no fair peer.
func python(b *testing.B) string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		b.Skip("no python3 on this machine: nothing to compare with")
	}
	return strings.TrimSpace(string(out))
}

// binary builds ipcrun as it is released: without cgo, which package net would
// bring in where there is a C compiler, and with it a dynamic linker at the
// start of every process.
func binary(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "ipcrun")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

func timed(b *testing.B, name string, args ...string) time.Duration {
	b.Helper()
	start := time.Now()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
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
	py, bin := python(b), binary(b)
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

// BenchmarkLoops: steps with tracing on against the same loop in Python's
// multiprocessing, nanoseconds per round. The time is that between the first
// step and the end of the process, from the event log; Python's is that of the
// loop alone for a single process, and of start and join too for two.
func BenchmarkLoops(b *testing.B) {
	py, bin := python(b), binary(b)
	for _, c := range []struct {
		name, peer, prims, body string
		procs, rounds           int
	}{
		{"lock, one process", "lock_alone", "{gate: lock}", "[{acquire: gate}, {release: gate}]", 1, 200_000},
		{"event, one process", "event_alone", "{ready: event}", "[{set: ready}, {clear: ready}]", 1, 200_000},
		{"lock, read, write, two processes", "two_tills", "{gate: lock, total: {value: i}}",
			`[{acquire: gate}, {read: total, into: seen}, {write: total, value: "${seen + 1}"}, {release: gate}]`, 2, 50_000},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			file, log := filepath.Join(dir, "loop.yaml"), filepath.Join(dir, "log")
			text := fmt.Sprintf("name: loop\ntimeout: 60s\nprimitives: %s\nprocesses:\n  p[%d]:\n    steps:\n      - repeat: %d\n        do: %s\nsteps:\n  - {wait: p, timeout: 50s}\n  - assert: p[0].exit_code == 0\n",
				c.prims, c.procs, c.rounds, c.body)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				b.Fatal(err)
			}
			var ours, theirs []time.Duration
			for b.Loop() {
				timed(b, bin, "run", "--log", log, file)
				ours = append(ours, time.Duration(span(b, log)/int64(c.rounds*c.procs)))
				out, err := exec.Command(py, "testdata/peers/loops.py", c.peer, strconv.Itoa(c.rounds)).Output()
				if err != nil {
					b.Fatal(err)
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					b.Fatal(err)
				}
				theirs = append(theirs, time.Duration(ns/float64(c.procs)))
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
