package main

import (
	"strings"
	"testing"
	"time"

	"ipcrun/cmd/ipcrun/internal/bench"
	"ipcrun/spec/source"
)

func measured(group bench.Group, name string, size int, each ...int64) *bench.Result {
	return &bench.Result{Case: bench.Case{Group: group, Name: name, Size: size}, Rounds: 1, Runs: each}
}

func TestBenchTable(t *testing.T) {
	results := []*bench.Result{
		measured(bench.Message, "queue", 8, 2000, 1900, 2100),
		measured(bench.Message, "pipe", 8, 1000, 1000, 1000),
		measured(bench.Message, "queue", 1<<20, 1e6, 1e6, 1e6),
		measured(bench.Message, "pipe", 1<<20, 1.01e6, 0.99e6, 1.2e6),
		measured(bench.RoundTrip, "signal", 0, 40_000, 40_000, 40_000),
		measured(bench.RoundTrip, "lock", 0, 10_000, 10_000, 10_000),
	}
	var b strings.Builder
	writeBench(&b, results, bench.Effort{Time: 50 * time.Millisecond}, 60)
	text := b.String()
	for _, want := range []string{
		"         queue                  pipe\n",
		"  8 B    2.00 µs  3.81 MiB/s    1.00 µs  7.63 MiB/s\n",
		"8 B: pipe is 2.00 times as quick as queue\n",
		"1 MiB: queue is as quick as pipe within the spread\n",
		"Medians of 3 runs",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	// The slowest has the longest bar, and the others theirs in proportion.
	lock, signal := strings.Count(lineWith(text, "  lock "), "█"), strings.Count(lineWith(text, "  signal "), "█")
	if signal < 20 || lock != signal/4 {
		t.Errorf("bars of %d and %d cells:\n%s", lock, signal, text)
	}
	if strings.Index(text, "  lock ") > strings.Index(text, "  signal ") {
		t.Error("the quickest is not first")
	}
	for line := range strings.Lines(text) {
		if source.Cells(strings.TrimSuffix(line, "\n")) > 60 {
			t.Errorf("wider than 60: %q", line)
		}
	}
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

func TestThreeDigits(t *testing.T) {
	for ns, want := range map[float64]string{1: "1.00 ns", 999.4: "999 ns", 9.996: "10.0 ns", 12_345: "12.3 µs", 123_456_789: "123 ms", 2.5e9: "2.50 s"} {
		if got := took(ns); got != want {
			t.Errorf("%v is %q, want %q", ns, got, want)
		}
	}
	for r, want := range map[float64]string{1024: "1.00 KiB/s", 3 << 20: "3.00 MiB/s", 5 << 30: "5.00 GiB/s"} {
		if got := rate(r); got != want {
			t.Errorf("%v is %q, want %q", r, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for part, want := range map[float64]string{1: "████", 0.5: "██", 0.03125: "▏", 0.25 / 2: "▌", 0: "▏"} {
		if got := bar(part, 4); got != want {
			t.Errorf("%v of 4 is %q, want %q", part, got, want)
		}
	}
	if got := barLine(3, 12, "司机开车了", 40); source.Cells(got) > 40 || !strings.HasPrefix(got, "██████░") || !strings.Contains(got, "3/12") {
		t.Errorf("%q", got)
	}
	if got := barLine(0, 0, "", 100); strings.Count(got, "█") != 24 {
		t.Errorf("nothing to do is not all of it: %q", got)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{"8": 8, "64B": 64, "1KiB": 1024, "1 MiB": 1 << 20} {
		o := &benchOptions{runs: 1, sizes: []string{text}}
		if err := o.check(); err != nil || len(o.bytes) != 1 || o.bytes[0] != want {
			t.Errorf("%q: %v, %v; want %d", text, o.bytes, err, want)
		}
	}
	for _, text := range []string{"", "7", "4", "2MiB", "-8", "8kb", "9999999999999", "1.5KiB"} {
		if err := (&benchOptions{runs: 1, sizes: []string{text}}).check(); err == nil {
			t.Errorf("%q passes for a size", text)
		}
	}
}
