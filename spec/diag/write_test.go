package diag

import (
	"errors"
	"strings"
	"testing"

	"ipcrun/spec/source"
)

func span(l1, c1, l2, c2 int) source.Span {
	return source.Span{Start: source.Pos{Line: l1, Col: c1}, End: source.Pos{Line: l2, Col: c2}}
}

func TestWrite(t *testing.T) {
	long := strings.Repeat("0123456789", 12)
	tests := []struct {
		name  string
		data  string
		d     Diagnostic
		width int
		want  string
	}{
		{
			name: "verb",
			data: "steps:\n  - prnt: hello\n",
			d: Diagnostic{Code: "IPC214", Span: span(2, 5, 2, 9), Summary: `unknown verb "prnt"`,
				Hint: `did you mean "print"?`, Detail: "a step has exactly one verb"},
			want: `a.yaml:2:5: error[IPC214]: unknown verb "prnt"
    2 |   - prnt: hello
      |     ^^^^ did you mean "print"?
  a step has exactly one verb
`,
		}, {
			name: "warning without a code or an end",
			data: "a: b\n",
			d:    Diagnostic{Severity: Warning, Span: source.Span{Start: source.Pos{Line: 1, Col: 4}}, Summary: "odd"},
			want: `a.yaml:1:4: warning: odd
    1 | a: b
      |    ^
`,
		}, {
			name: "chinese before and under the caret",
			data: "司机: 老司机开车了 # x\n",
			d:    Diagnostic{Code: "IPC001", Span: span(1, 5, 1, 8), Summary: "s"},
			want: `a.yaml:1:5: error[IPC001]: s
    1 | 司机: 老司机开车了 # x
      |       ^^^^^^
`,
		}, {
			name: "tabs",
			data: "a\tb\tcd e\n",
			d:    Diagnostic{Span: span(1, 5, 1, 7), Summary: "s", Hint: "h"},
			want: `a.yaml:1:5: error: s
    1 | a   b   cd e
      |         ^^ h
`,
		}, {
			name: "under a tab",
			data: "a:\n\tb: 1\n",
			d:    Diagnostic{Span: span(2, 1, 2, 2), Summary: "s"},
			want: "a.yaml:2:1: error: s\n    2 |     b: 1\n      | ^^^^\n",
		}, {
			name: "emoji and combining marks",
			data: "👨\u200d👩\u200d👧 e\u0301 🇨🇳 x y\n",
			d:    Diagnostic{Span: span(1, 13, 1, 14), Summary: "s"},
			want: "a.yaml:1:13: error: s\n    1 | 👨\u200d👩\u200d👧 e\u0301 🇨🇳 x y\n      |         ^\n",
		}, {
			name: "under the mark of a character",
			data: "ae\u0301b\n",
			d:    Diagnostic{Span: span(1, 3, 1, 4), Summary: "s"},
			want: "a.yaml:1:3: error: s\n    1 | ae\u0301b\n      |  ^\n",
		}, {
			name: "end of the line",
			data: "key:\n",
			d:    Diagnostic{Span: span(1, 5, 1, 5), Summary: "s", Hint: "value?"},
			want: `a.yaml:1:5: error: s
    1 | key:
      |     ^ value?
`,
		}, {
			name: "end of the file",
			data: "key:\n",
			d:    Diagnostic{Span: span(2, 1, 2, 1), Summary: "s"},
			want: `a.yaml:2:1: error: s
    2 |
      | ^
`,
		}, {
			name: "empty line",
			data: "a:\n\nb:\n",
			d:    Diagnostic{Span: source.Span{Start: source.Pos{Line: 2, Col: 1}}, Summary: "s"},
			want: `a.yaml:2:1: error: s
    2 |
      | ^
`,
		}, {
			name: "crlf",
			data: "a: 1\r\nb: 2\r\n",
			d:    Diagnostic{Span: span(2, 4, 2, 5), Summary: "s"},
			want: `a.yaml:2:4: error: s
    2 | b: 2
      |    ^
`,
		}, {
			name: "several lines underline the first",
			data: "a:\n  - one\n  - two\n",
			d:    Diagnostic{Span: span(2, 3, 3, 8), Summary: "s"},
			want: `a.yaml:2:3: error: s
    2 |   - one
      |   ^^^^^
`,
		}, {
			name: "line without a column",
			data: "a: 1\n",
			d:    Diagnostic{Span: source.Span{Start: source.Pos{Line: 1}}, Summary: "s", Hint: "h"},
			want: "a.yaml:1: error: s\n    1 | a: 1\n  h\n",
		}, {
			name: "control characters",
			data: "a: \x1b[31mred\x00 x\xff\n",
			d:    Diagnostic{Span: span(1, 12, 1, 13), Summary: "bad \x1b", Hint: "\x07", Detail: "see\x08"},
			want: "a.yaml:1:12: error: bad ␛\n    1 | a: ␛[31mred␀ x\\xff\n      |            ^ ␇\n  see␈\n",
		}, {
			name:  "long line, in the middle",
			data:  long,
			d:     Diagnostic{Span: span(1, 61, 1, 65), Summary: "s"},
			width: 40,
			want: `a.yaml:1:61: error: s
    1 | …789012345678901234567890123456…
      |               ^^^^
`,
		}, {
			name:  "long line, at its start, hint has no room",
			data:  long,
			d:     Diagnostic{Span: span(1, 2, 1, 4), Summary: "s", Hint: "a hint of thirty cells or more"},
			width: 40,
			want: `a.yaml:1:2: error: s
    1 | 0123456789012345678901234567890…
      |  ^^
  a hint of thirty cells or more
`,
		}, {
			name:  "long line, at its end",
			data:  long,
			d:     Diagnostic{Span: span(1, 121, 1, 121), Summary: "s"},
			width: 40,
			want: `a.yaml:1:121: error: s
    1 | …012345678901234567890123456789
      |                                ^
`,
		}, {
			name:  "long chinese line",
			data:  strings.Repeat("老司机", 30),
			d:     Diagnostic{Span: span(1, 40, 1, 42), Summary: "s"},
			width: 40,
			want: `a.yaml:1:40: error: s
    1 | …老司机老司机老司机老司机老司…
      |              ^^^^
`,
		}, {
			name:  "span wider than the window",
			data:  long,
			d:     Diagnostic{Span: span(1, 11, 1, 110), Summary: "s"},
			width: 40,
			want: `a.yaml:1:11: error: s
    1 | …345678901234567890123456789012…
      |         ^^^^^^^^^^^^^^^^^^^^^^^
`,
		}, {
			name:  "detail is wrapped, examples are not",
			data:  "a\n",
			d:     Diagnostic{Span: span(1, 1, 1, 2), Summary: "s", Detail: "one two three four five six seven eight nine\n\n  - print: an example that is wider than forty cells\n每一个步骤只能有一个动词，其余的键都是它的参数，不认识的键是错误。"},
			width: 40,
			want: `a.yaml:1:1: error: s
    1 | a
      | ^
  one two three four five six seven
  eight nine

    - print: an example that is wider than forty cells
  每一个步骤只能有一个动词，其余的键都是
  它的参数，不认识的键是错误。
`,
		}, {
			name: "nothing to show",
			d:    Diagnostic{Name: "missing.yaml", Summary: "no such file", Hint: "h", Detail: "d"},
			want: "missing.yaml: error: no such file\n  h\n  d\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tt.d
			if d.Name == "" {
				d.File = source.New("a.yaml", []byte(tt.data))
			}
			var b strings.Builder
			if err := Write(&b, []*Diagnostic{&d}, Style{Width: tt.width}); err != nil {
				t.Fatal(err)
			}
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
			if tt.width == 0 {
				return
			}
			for _, line := range strings.Split(b.String(), "\n") {
				if strings.Contains(line, " |") && source.Cells(line) > tt.width {
					t.Errorf("%d cells: %s", source.Cells(line), line)
				}
			}
		})
	}
}

func TestWriteRelated(t *testing.T) {
	f := source.New("a.yaml", []byte("gate: lock\ngate: queue\n"))
	d := &Diagnostic{Code: "IPC008", File: f, Span: span(2, 1, 2, 5), Summary: `"gate" is there twice`,
		Related: []Related{{File: f, Span: span(1, 1, 1, 5), Message: "first here"}}}
	w := &Diagnostic{Severity: Warning, File: f, Span: span(1, 7, 1, 11), Summary: "not used"}
	var b strings.Builder
	if err := Write(&b, []*Diagnostic{d, w}, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `a.yaml:2:1: error[IPC008]: "gate" is there twice
    2 | gate: queue
      | ^^^^
  first here: a.yaml:1:1
    1 | gate: lock
      | ^^^^

a.yaml:1:7: warning: not used
    1 | gate: lock
      |       ^^^^
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestWriteShortAndColor(t *testing.T) {
	f := source.New("a.yaml", []byte("x: 1\n"))
	d := &Diagnostic{Code: "IPC001", File: f, Span: span(1, 1, 1, 2), Summary: "unknown", Hint: "one of: y", Detail: "long"}
	var b strings.Builder
	if err := Write(&b, []*Diagnostic{d, d}, Style{Short: true}); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("a.yaml:1:1: error[IPC001]: unknown (one of: y)\n", 2); b.String() != want {
		t.Errorf("short: got %q, want %q", b.String(), want)
	}
	b.Reset()
	if err := Write(&b, []*Diagnostic{d}, Style{Color: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[31;1m") || !strings.Contains(b.String(), "\x1b[34m") {
		t.Errorf("no red and no blue in %q", b.String())
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

func TestWriteError(t *testing.T) {
	broken := errors.New("disk full")
	if err := Write(brokenWriter{broken}, []*Diagnostic{{Summary: "s"}}, Style{}); err != broken {
		t.Errorf("got %v", err)
	}
	if err := Write(brokenWriter{broken}, nil, Style{}); err != nil {
		t.Errorf("nothing to write, yet %v", err)
	}
}

// A caret never leaves the excerpt and no excerpt is wider than asked for,
// wherever the span lies and whatever the line is made of.
func TestExcerptStaysInside(t *testing.T) {
	for _, text := range []string{
		"", "abc", strings.Repeat("老司机 ", 60), strings.Repeat("a\t", 90), strings.Repeat("e\u0301\u0302", 200),
		strings.Repeat("\u0301", 3000), strings.Repeat("🇨🇳👨\u200d👩", 50), strings.Repeat("\x1b", 300), strings.Repeat("x", 5000),
	} {
		f := source.New("a", []byte(text))
		n := len([]rune(text))
		for _, first := range []int{1, 2, n / 3, n / 2, n - 1, n, n + 1, n + 50} {
			for _, size := range []int{0, 1, 5, 500} {
				line, from, to := visibleLine(f, span(1, max(1, first), 1, max(1, first)+size), 60)
				if cells := source.Cells(line); from < 0 || to <= from || cells > 60 || to > 60 || from > cells {
					t.Errorf("%.10q… %d+%d: carets %d to %d under %d cells", text, first, size, from, to, cells)
				}
			}
		}
	}
}
