package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc/python"
	"ipcrun/prims"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// What docs/programs.md shows is what runs here: each of its scenarios with each
// of the programs that it shows for it. A comment before a block names its file.
// Behind the name of a scenario stand the kinds that it is about, where they are
// not its name; behind that of a program the part that comes before it.

const programsPage = "../../docs/programs.md"

var fileMark = regexp.MustCompile(`^<!-- (\w+)\.(\w+)(?:: (.*?))? -->$`)

// pageFile is a file that the page shows.
type pageFile struct {
	block
	stem, ext, note string
}

func programsOfPage(t *testing.T) (files []pageFile) {
	t.Helper()
	for _, b := range fenced(t, programsPage) {
		if m := fileMark.FindStringSubmatch(b.mark); m != nil {
			files = append(files, pageFile{b, m[1], m[2], m[3]})
		}
	}
	return files
}

// conversation is how many messages a program and a declared process exchange.
// asks says that each of them costs several steps that are asked for. With
// IPCRUN_TEST_LONG, which .ci/long sets, it is longer.
func conversation(asks bool) int {
	switch {
	case os.Getenv("IPCRUN_TEST_LONG") != "":
		return 10_000
	case asks:
		return 500
	}
	return 1000
}

// TestProgramsPage runs every program of the page against its scenario, as long
// conversations; every answer is compared. Every kind must have one in Python and
// one in C.
func TestProgramsPage(t *testing.T) {
	t.Parallel()
	files := programsOfPage(t)
	dir := t.TempDir()
	part := map[string]string{}
	for _, f := range files {
		text := f.text
		if before, ok := strings.CutSuffix(f.note, " and"); ok {
			if part[before] == "" {
				t.Errorf("%s:%d: no part %s before it", programsPage, f.line, before)
			}
			text = part[before] + text
		}
		part[f.stem+"."+f.ext] = text
		if err := os.WriteFile(filepath.Join(dir, f.stem+"."+f.ext), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e, err := engine.New(engine.Options{Timeout: 20 * time.Minute, StepTimeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	shown := map[string]bool{}
	for _, sc := range files {
		if sc.ext != "yaml" {
			continue
		}
		kinds := strings.Split(sc.note, ", ")
		if sc.note == "" {
			kinds = []string{sc.stem}
		}
		for _, kind := range kinds {
			if prims.Get(kind) == nil {
				t.Errorf("%s:%d: %s is no kind", programsPage, sc.line, kind)
			}
			text := sc.text
			if gate := "gate: " + kinds[0] + "\n"; strings.Contains(text, gate) {
				text = strings.Replace(text, gate, "gate: "+kind+"\n", 1)
			}
			for _, f := range files {
				if f.stem != sc.stem || f.ext == "yaml" {
					continue
				}
				shown[kind+" "+f.ext] = true
				if kind != kinds[0] && text == sc.text {
					continue // the same scenario is about several kinds
				}
				t.Run(sc.stem+"/"+kind+"/"+f.ext, func(t *testing.T) {
					t.Parallel()
					converse(t, e, dir, source.New(filepath.Join(dir, sc.stem+".yaml"), []byte(text)), f)
				})
			}
		}
	}
	for _, d := range prims.All() {
		for _, ext := range []string{"py", "c"} {
			if !shown[d.Name+" "+ext] {
				t.Errorf("%s shows no program in %s for the kind %s", programsPage, ext, d.Name)
			}
		}
	}
}

// converse runs a scenario with a program of the page as its process other.
func converse(t *testing.T, e *engine.Engine, dir string, file *source.File, f pageFile) {
	path := filepath.Join(dir, f.stem+"."+f.ext)
	argv := []string{path}
	rounds := conversation(strings.Contains(f.text, "ask(") || f.note != "")
	switch f.ext {
	case "py":
		interpreter, err := python.Itself()
		if err != nil {
			t.Skip(err)
		}
		argv = []string{interpreter, path}
	case "c":
		argv[0] = strings.TrimSuffix(path, ".c")
		gcc, err := exec.LookPath("gcc")
		if err != nil {
			t.Skipf("no gcc on this machine: %v", err)
		}
		if out, err := exec.Command(gcc, "-Wall", "-Wextra", "-Werror", "-O1", "-o", argv[0], path, "-lrt", "-pthread").CombinedOutput(); err != nil {
			t.Fatalf("%s:%d: gcc: %v\n%s", programsPage, f.line, err, out)
		}
	case "sh":
		if _, err := exec.LookPath("bash"); err != nil {
			t.Skipf("no bash on this machine: %v", err)
		}
		argv, rounds = []string{"bash", path}, 100
	default:
		t.Fatalf("%s:%d: what is a file .%s run by?", programsPage, f.line, f.ext)
	}
	l := &diag.List{}
	sc := spec.Load(file, plan.Vocabulary(), spec.Options{Params: map[string]string{"rounds": strconv.Itoa(rounds)}}, l)
	if sc == nil {
		for _, d := range l.All() {
			t.Errorf("%s: %v: %s %s", file.Name, d.Span.Start, d.Summary, d.Detail)
		}
		return
	}
	for _, p := range sc.Procs {
		if p.Run != nil {
			if p.Run.Argv[1] != f.stem+".py" {
				t.Errorf("%s runs %v", file.Name, p.Run.Argv)
			}
			p.Run.Argv = argv
		}
	}
	began := time.Now()
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if v := res.Verdict; v.Result != event.Pass {
		why := ""
		for _, ev := range res.Events {
			if ev.Error != "" || ev.Stream != "" || ev.Proc == "other" && ev.Value != nil && ev.Verb == "" {
				why += fmt.Sprintln("\n", ev.Type, ev.Proc, ev.Line, ev.Error, ev.Detail, ev.Value)
			}
		}
		t.Fatalf("%d messages: %s%s", rounds, v.Result, why)
	}
	t.Logf("%d messages in %v", rounds, time.Since(began).Round(time.Millisecond))
}
