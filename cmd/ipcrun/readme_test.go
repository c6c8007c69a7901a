package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// What the documents show is tried: commands are run, scenarios are run. A
// scenario that is meant not to pass has a comment of its own line before its
// block: <!-- meant to fail -->, or <!-- meant not to load -->.

const (
	markFails = "<!-- meant to fail -->"
	markWrong = "<!-- meant not to load -->"
)

// notRun are commands of the README that this test leaves out, and why.
var notRun = map[string]string{
	"go test ./...": "it would run this test again, and all others",
}

// inRepository are commands that work on the sources; they are run there, and
// what they write goes to the reader's folder.
var inRepository = regexp.MustCompile(`^(CGO_ENABLED=0 )?go build -o (\S+) (\./cmd/ipcrun)$`)

// block is a fenced block of a document.
type block struct {
	lang string
	line int // of its first line
	text string
	mark string // the line before it, if it is a comment
}

// fenced finds the blocks of a Markdown document.
func fenced(t *testing.T, path string) []block {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	var b *block
	before, fence := "", ""
	for i, line := range strings.Split(string(data), "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case b == nil && strings.HasPrefix(bare, "```"):
			fence = line[:strings.Index(line, "`")]
			b = &block{lang: strings.TrimLeft(bare, "`"), line: i + 2}
			if strings.HasPrefix(before, "<!--") {
				b.mark = before
			}
		case b != nil && bare == "```":
			out = append(out, *b)
			b = nil
		case b != nil:
			b.text += strings.TrimPrefix(line, fence) + "\n"
		}
		if bare != "" {
			before = bare
		}
	}
	if b != nil {
		t.Errorf("%s:%d: this block has no end", path, b.line)
	}
	return out
}

// documents are those whose scenarios are tried.
func documents(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob("../../docs/primitives/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"../../README.md", "../../docs/language.md"}, pages...)
}

func TestReadmeIsShort(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), "\n"); n >= 250 {
		t.Errorf("README.md has %d lines; it is to stay under 250", n)
	}
}

// TestReadmeCommands runs every command line of the README's sh blocks, in the
// order of the text, in a folder in which the repository's files are at hand,
// and with the scenarios that the README has its reader write.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds ipcrun")
	}
	python.First()
	dir, repo := t.TempDir(), repository(t)
	entries, err := os.ReadDir(repo)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "ipcrun" {
			continue
		}
		if err := os.Symlink(filepath.Join(repo, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	left := map[string]bool{}
	for c := range notRun {
		left[c] = true
	}
	ran := 0
	for _, b := range fenced(t, "../../README.md") {
		if b.lang == "yaml" {
			// Only a scenario of one's own can be named by a later command.
			if name := writtenAs(t, b); name != "" {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(b.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if b.lang != "sh" {
			continue
		}
		for i, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			command, _, _ := strings.Cut(line, "  #")
			command = strings.TrimSpace(command)
			if notRun[command] != "" {
				delete(left, command)
				continue
			}
			ran++
			if out, err := runLine(dir, repo, command); err != nil {
				t.Errorf("README.md:%d: %s: %v\n%s", b.line+i, command, err, out)
			}
		}
	}
	for c := range left {
		t.Errorf("the README no longer says %q", c)
	}
	if ran == 0 {
		t.Error("there is no command in the README")
	}
}

// TestExercisesPage follows docs/exercises.md from an empty folder: it writes
// what the page says to write, and runs its commands.
func TestExercisesPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it grades")
	}
	python.First()
	const page = "../../docs/exercises.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	dir, files, ran := t.TempDir(), 0, 0
	for _, b := range fenced(t, page) {
		if b.lang == "sh" {
			for i, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
				ran++
				if out, err := runLine(dir, dir, line); err != nil {
					t.Errorf("exercises.md:%d: %s: %v\n%s", b.line+i, line, err, out)
				}
			}
			continue
		}
		m := regexp.MustCompile("^Write `([\\w./-]+)`:$").FindStringSubmatch(lines[b.line-4])
		if m == nil {
			t.Errorf("exercises.md:%d: the page does not say where to write this: %q", b.line, lines[b.line-4])
			continue
		}
		files++
		name := filepath.Join(dir, m[1])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if files < 5 || ran < 4 {
		t.Errorf("only %d files and %d commands", files, ran)
	}
}

// repository is the folder of go.mod.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// writtenAs is the file that the README says to write a block into: the line
// before it ends with Write `first.yaml`: or the like.
func writtenAs(t *testing.T, b block) string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for i := b.line - 3; i >= 0 && i > b.line-7; i-- {
		if m := regexp.MustCompile("[Ww]rite `([\\w.-]+\\.yaml)`:$").FindStringSubmatch(lines[i]); m != nil {
			return m[1]
		}
	}
	return ""
}

// runLine runs a command line as a reader would; ipcrun is built already, so
// that go run needs no build of its own.
func runLine(dir, repo, line string) (string, error) {
	if rest, ok := strings.CutPrefix(line, "go run ./cmd/ipcrun"); ok {
		line = "ipcrun" + rest
	}
	at := dir
	if m := inRepository.FindStringSubmatch(line); m != nil {
		line, at = m[1]+"go build -o '"+filepath.Join(dir, m[2])+"' "+m[3], repo
	}
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = at
	cmd.Env = append(os.Environ(), "IPCRUN_TIMEOUT_SCALE="+patience)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestDocumentScenarios runs every whole scenario that the documents show. The
// parts of one are not tried: they are no scenario.
func TestDocumentScenarios(t *testing.T) {
	t.Parallel()
	e, err := engine.New(engine.Options{TimeoutScale: 6})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tried := 0
	for _, path := range documents(t) {
		for _, b := range fenced(t, path) {
			if b.lang != "yaml" || !regexp.MustCompile(`(?m)^name:`).MatchString(b.text) || !regexp.MustCompile(`(?m)^processes:`).MatchString(b.text) {
				continue
			}
			tried++
			checkShown(t, e, filepath.Base(path), b)
		}
	}
	if tried < 2 {
		t.Errorf("only %d scenarios", tried)
	}
}

// checkShown checks that a scenario does what its document says.
func checkShown(t *testing.T, e *engine.Engine, doc string, b block) {
	t.Helper()
	l := &diag.List{}
	sc := spec.Load(source.New(doc, []byte(b.text)), plan.Vocabulary(), spec.Options{}, l)
	switch {
	case b.mark == markWrong && sc == nil:
		return
	case b.mark == markWrong:
		t.Errorf("%s:%d: it loads", doc, b.line)
		return
	case sc == nil:
		for _, d := range l.All() {
			t.Errorf("%s:%d: %s %s", doc, b.line+d.Span.Start.Line-1, d.Summary, d.Detail)
		}
		return
	}
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		t.Errorf("%s:%d: %v", doc, b.line, err)
		return
	}
	good := res.Verdict.Result == event.Pass
	if good == (b.mark == markFails) {
		detail := ""
		if i := res.Verdict.Cause; i >= 0 {
			ev := res.Events[i]
			detail = sc.File.Line(ev.Line) + " " + ev.Error + " " + ev.Detail
		}
		t.Errorf("%s:%d: %q: %s %s", doc, b.line, sc.Name, res.Verdict.Result, detail)
	}
}

// TestReadmeReport takes the handler away that the README takes away, and compares
// the report with what the README shows. Where the conductor is the first to notice,
// its line is named; how the report begins then is not shown.
func TestReadmeReport(t *testing.T) {
	t.Parallel()
	blocks := fenced(t, "../../README.md")
	shown := slices.IndexFunc(blocks, func(b block) bool { return strings.HasPrefix(b.text, "fail  driver and conductor") })
	if shown < 1 || blocks[shown-1].lang != "yaml" {
		t.Fatal("the README shows no report behind its first scenario")
	}
	dir := t.TempDir()
	text := strings.Replace(blocks[shown-1].text, "      SIGINT: ignore\n", "", 1)
	if err := os.WriteFile(filepath.Join(dir, "driver.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "run", "--color", "never", "--timeout-scale", patience, "driver.yaml")
	cmd.Dir = dir
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	took := regexp.MustCompile(`\(\S+s\)\n`)
	got, want := took.ReplaceAllString(string(out), "\n"), took.ReplaceAllString(blocks[shown].text, "\n")
	if !strings.HasPrefix(got, want) && !strings.Contains(got, "--> driver.yaml:14:") {
		t.Errorf("README.md:%d: it shows\n%s\nand the report is\n%s", blocks[shown].line, want, got)
	}
}
