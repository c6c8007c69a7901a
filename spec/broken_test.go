package spec_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// leastCases keeps the collection of mistakes from shrinking unnoticed.
const leastCases = 300

// TestBroken loads every scenario of testdata/broken and holds what is reported
// against the comments in it:
//
//	acquire: gat # want "IPC103 nothing is called"
//
// says that an error must be reported on this line; the pattern, or text in
// backquotes, is looked for in
//
//	14-17 IPC103 nothing is called "gat" | did you mean "gate"? | the detail
//
// which begins with the columns. warn is for warnings. Several patterns may
// follow one word. want@+1 speaks of the next line, where a comment would change
// what the line means, and want@file of the file as a whole. A report that is
// missing and one that is surplus both fail, so one mistake must not be
// reported twice.
func TestBroken(t *testing.T) {
	count := 0
	for _, c := range brokenCases(t) {
		count++
		t.Run(c.name, func(t *testing.T) {
			l := &diag.List{}
			sc := spec.Load(c.file, plan.Vocabulary(), spec.Options{}, l)
			if (sc == nil) != l.HasErrors() {
				t.Errorf("Load returned %v, errors: %v", sc != nil, l.HasErrors())
			}
			c.compare(t, l.All())
			if t.Failed() {
				var b bytes.Buffer
				if err := diag.Write(&b, l.All(), diag.Style{}); err != nil {
					t.Fatal(err)
				}
				t.Log("\n" + b.String())
			}
		})
	}
	if count < leastCases {
		t.Errorf("only %d cases", count)
	}
}

// brokenCase is one chunk of a file in testdata/broken.
type brokenCase struct {
	name  string
	file  *source.File
	wants []*want
}

type want struct {
	line    int // 0: the file as a whole
	warning bool
	text    string
	re      *regexp.Regexp
	met     bool
}

var (
	caseMark = regexp.MustCompile(`(?m)^-- (.*) --\n`)
	wantText = regexp.MustCompile("`[^`]*`|\"(?:[^\"\\\\]|\\\\.)*\"")
	wantWord = regexp.MustCompile("# (want|warn)(@file|@\\+[0-9]+)? ((?:(?:" + wantText.String() + ") ?)+)")
)

func brokenCases(t testing.TB) []brokenCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	var out []brokenCase
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		marks := caseMark.FindAllSubmatchIndex(data, -1)
		for i, m := range marks {
			end := len(data)
			if i+1 < len(marks) {
				end = marks[i+1][0]
			}
			// Empty lines in front, so that positions are those of the file
			// that one would have to edit.
			above := bytes.Repeat([]byte("\n"), bytes.Count(data[:m[1]], []byte("\n")))
			c := brokenCase{
				name: strings.TrimSuffix(filepath.Base(path), ".txt") + "/" + string(data[m[2]:m[3]]),
				file: source.New(path, append(above, data[m[1]:end]...)),
			}
			c.wants = wantsOf(t, c.file)
			out = append(out, c)
		}
	}
	return out
}

func wantsOf(t testing.TB, f *source.File) []*want {
	t.Helper()
	var out []*want
	for n := 1; n <= f.Lines(); n++ {
		all := wantWord.FindAllStringSubmatch(f.Line(n), -1)
		if len(all) != strings.Count(f.Line(n), "# want")+strings.Count(f.Line(n), "# warn") {
			t.Fatalf("%s:%d: malformed: %s", f.Name, n, f.Line(n))
		}
		for _, m := range all {
			line := n
			switch {
			case m[2] == "@file":
				line = 0
			case m[2] != "":
				down, _ := strconv.Atoi(m[2][2:])
				line += down
			}
			for _, q := range wantText.FindAllString(m[3], -1) {
				out = append(out, &want{line: line, warning: m[1] == "warn", text: q, re: pattern(t, q)})
			}
		}
	}
	return out
}

// pattern is what a want says: "a regular expression", or `the text itself`.
func pattern(t testing.TB, q string) *regexp.Regexp {
	t.Helper()
	text, err := strconv.Unquote(q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	if q[0] == '`' {
		text = regexp.QuoteMeta(text)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	return re
}

// report is what patterns are searched in.
func report(d *diag.Diagnostic) string {
	parts := []string{fmt.Sprintf("%d-%d %s %s", d.Span.Start.Col, d.Span.End.Col, d.Code, d.Summary)}
	for _, s := range []string{d.Hint, d.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " | ")
}

func (c *brokenCase) compare(t *testing.T, got []*diag.Diagnostic) {
	t.Helper()
	for _, d := range got {
		text := report(d)
		met := false
		for _, w := range c.wants {
			if !w.met && w.line == d.Span.Start.Line && w.warning == (d.Severity == diag.Warning) && w.re.MatchString(text) {
				w.met, met = true, true
				break
			}
		}
		if !met {
			t.Errorf("%s:%d: surplus %s: %s", c.file.Name, d.Span.Start.Line, d.Severity, text)
		}
	}
	for _, w := range c.wants {
		if !w.met {
			t.Errorf("%s:%d: missing: %s", c.file.Name, w.line, w.text)
		}
	}
}
