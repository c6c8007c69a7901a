package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc/python"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// TestStatements: each exercise tells students, in both languages, what is checked
// and what it is worth, and every file that it names is there.
func TestStatements(t *testing.T) {
	found := 0
	for name, sc := range load(t) {
		if sc.Exercise == nil {
			continue
		}
		found++
		dir := path.Dir(name)
		for _, f := range sc.Exercise.Files {
			if _, err := os.Stat(path.Join(dir, f.Path)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, language := range []string{"en", "zh"} {
			text, err := os.ReadFile(path.Join(dir, sc.Exercise.Statement[language]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			rows := strings.Count(string(text), "\n| ")
			total := 0.0
			for _, s := range sc.Scored() {
				total += s.Points
				rows--
				if row := fmt.Sprintf("\n| %s | %g |\n", s.Name, s.Points); !strings.Contains(string(text), row) {
					t.Errorf("%s: the %s statement has no row %q", name, language, row)
				}
			}
			if sum := fmt.Sprintf(" | %g |\n\n", total); !strings.Contains(string(text), sum) || rows < 2 {
				t.Errorf("%s: the %s statement does not say that all is worth %g", name, language, total)
			}
		}
	}
	if found < 8 {
		t.Errorf("%d exercises", found)
	}
}

// TestSolutions: the solutions of each exercise, which know nothing of us, earn every
// point. ipcrun verify tries those with mistakes as well, which takes minutes; see
// .ci/judge.
func TestSolutions(t *testing.T) {
	e, err := engine.New(engine.Options{TimeoutScale: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, sc := range load(t) {
		if sc.Exercise == nil {
			continue
		}
		files := []string{"solution.c"}
		if sc.Exercise.Submission.Name == "driver" {
			files = append(files, "solution.py")
		}
		for _, file := range files {
			t.Run(path.Join(path.Dir(name), file), func(t *testing.T) {
				program := spec.Program{Argv: command(t, path.Join(path.Dir(name), file))}
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				l := &diag.List{}
				bound := spec.Load(source.New(name, data), plan.Vocabulary(), spec.Options{Bind: map[string]spec.Program{sc.Exercise.Submission.Name: program}}, l)
				if l.HasErrors() {
					t.Fatal(l.All())
				}
				res, err := e.Run(context.Background(), bound)
				if err != nil {
					t.Fatal(err)
				}
				if res.Verdict.Result == event.Skip {
					t.Skip(res.Verdict.Ending)
				}
				for _, c := range event.Score(res.Events) {
					if c.Result != event.Pass {
						t.Errorf("%s: %s", c.ID, c.Result)
					}
				}
				if res.Verdict.Result != event.Pass {
					var b strings.Builder
					event.WriteAll(&b, res.Events)
					t.Errorf("%s: %s\n%s", res.Verdict.Result, res.Verdict.Ending, b.String())
				}
			})
		}
	}
}

// command runs a solution: by the interpreter itself, since what a version manager
// puts in its place is slow, or compiled.
func command(t *testing.T, file string) []string {
	t.Helper()
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(file, ".py") {
		path, err := python.Itself()
		if err != nil {
			t.Skip(err)
		}
		return []string{path, file}
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc on this machine")
	}
	binary := filepath.Join(t.TempDir(), "solution")
	if out, err := exec.Command("gcc", "-O1", "-Wall", "-Werror", "-pthread", "-o", binary, file, "-lrt").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return []string{binary}
}
