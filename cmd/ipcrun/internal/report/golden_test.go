package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// load reads a recorded run: its source and its log.
func load(t *testing.T, name string) Run {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log, err := event.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return Run{File: source.New(name+".yaml", data), Log: log}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\n(go test -update accepts it)", got, want)
	}
}

func recorded(t *testing.T) []string {
	t.Helper()
	logs, err := filepath.Glob("testdata/*.jsonl")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no recorded logs: %v", err)
	}
	for i, l := range logs {
		logs[i] = strings.TrimSuffix(filepath.Base(l), ".jsonl")
	}
	return logs
}

// TestRecorded shows every recorded run in each way: what a student reads.
func TestRecorded(t *testing.T) {
	for _, name := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			r := load(t, name)
			var b bytes.Buffer
			section := func(title string, show func() error) {
				b.WriteString("== " + title + "\n")
				if err := show(); err != nil {
					t.Fatal(err)
				}
			}
			section("long", func() error { return Scenario(&b, r, Style{}) })
			section("short", func() error { return Scenario(&b, r, Style{Short: true}) })
			section("narrow, all output", func() error { return Scenario(&b, r, Style{Width: 60, Output: OutputAll}) })
			section("timeline", func() error { return Timeline(&b, r, Turns, Style{}) })
			golden(t, name, b.Bytes())
		})
	}
}

// TestHarmless: whatever a program prints, nothing reaches the terminal that
// it would obey, unless colours are on.
func TestHarmless(t *testing.T) {
	r := load(t, "swapped")
	for i := range r.Log {
		if s, ok := r.Log[i].Value.(string); ok && r.Log[i].Type == "print" {
			r.Log[i].Value = s + "\x1b[2J\r\x07\u202e"
		}
		if c := r.Log[i].Check; c != nil {
			for k := range c.Parts {
				c.Parts[k].Value += "\x1b]0;title\x07"
			}
		}
	}
	var b bytes.Buffer
	Scenario(&b, r, Style{Output: OutputAll})
	Timeline(&b, r, Details, Style{})
	for _, bad := range []string{"\x1b", "\r", "\x07", "\u202e"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%q came through:\n%s", bad, b.String())
		}
	}
	b.Reset()
	Scenario(&b, r, Style{Color: true})
	if !strings.Contains(b.String(), "\x1b[31;1mfail") {
		t.Errorf("no colour where it is asked for: %q", b.String())
	}
}

// TestWithoutSource: a log alone is enough for everything but the excerpt.
func TestWithoutSource(t *testing.T) {
	for _, name := range recorded(t) {
		r := load(t, name)
		r.File = nil
		var b bytes.Buffer
		if err := Scenario(&b, r, Style{}); err != nil || b.Len() == 0 {
			t.Errorf("%s: %v, %d bytes", name, err, b.Len())
		}
		if strings.Contains(b.String(), " | ") {
			t.Errorf("%s: an excerpt of nothing:\n%s", name, b.String())
		}
	}
}

// TestCutLog: a log that ends anywhere, as that of a killed runner does, is
// still shown.
func TestCutLog(t *testing.T) {
	for _, name := range recorded(t) {
		r := load(t, name)
		for n := range r.Log {
			cut := Run{File: r.File, Log: r.Log[:n]}
			var b bytes.Buffer
			if err := Scenario(&b, cut, Style{}); err != nil {
				t.Fatal(err)
			}
			if err := Timeline(&b, cut, Details, Style{}); err != nil {
				t.Fatal(err)
			}
			if b.Len() == 0 {
				t.Errorf("%s cut at %d: nothing shown", name, n)
			}
		}
	}
}
