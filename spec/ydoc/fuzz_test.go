package ydoc

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// FuzzParse checks, for whatever bytes, that Parse ends without a panic, that
// it says what is wrong when it returns nothing, and that each node lies in
// the file and each scalar's text really spells its value.
func FuzzParse(f *testing.F) {
	for _, tt := range broken {
		f.Add([]byte(tt.data))
	}
	for _, s := range []string{
		"", "---\n---\n", "a: &a [*a]\n", "? [a]\n: b\n", "a: |2-\n   x\n", "a: >+\n\n x\n  y\n\n", "{a, b: , ? c}", "- - - x\n", "'a': \"b\\\n  c\"\n",
		"\ufeffa: 老司机 # x\r\n", "!!map {a: !x b}", "a: !!str\nb: &x\nc: *x\n", "[a: b, 'c': d]", "a:\n- b\n-\n  - c\n", "!\n 0", "&2:2",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		file := source.New("x", data)
		var l diag.List
		n := Parse(file, &l)
		if n == nil {
			if !l.HasErrors() {
				t.Fatalf("%q: no node and no error", data)
			}
		} else {
			checkNode(t, n)
			if _, err := n.Data(); err == nil {
				_ = n.Surprise()
			}
		}
		for _, d := range l.All() {
			if d.Code == CodeInternal {
				t.Errorf("%q: %v", data, d)
			}
			if p := d.Span.Start; p.IsValid() && file.PosAt(file.Offset(p)) != p {
				t.Errorf("%q: %v is no place in the file", data, d)
			}
		}
		if err := diag.Write(new(strings.Builder), l.All(), diag.Style{}); err != nil {
			t.Error(err)
		}
	})
}

func checkNode(t *testing.T, n *Node) {
	t.Helper()
	data := n.file.Data
	if n.Span.End.Before(n.Span.Start) {
		t.Errorf("%q: %v ends before it starts", data, n.Span)
	}
	if n.Kind == Scalar {
		count := 0
		end, exact := trace(data, n.start, n.style, n.Value, func(int) { count++ })
		if !exact || count != utf8.RuneCountInString(n.Value) || n.file.PosAt(end) != n.Span.End {
			t.Errorf("%q: the text of %q at %v is not found: %d runes to %v", data, n.Value, n.Span, count, n.file.PosAt(end))
		}
	}
	for _, item := range n.Items {
		checkNode(t, item)
	}
	for _, p := range n.Pairs {
		checkNode(t, p.Key)
		checkNode(t, p.Value)
	}
}

// bigFile has n steps on lines of their own.
func bigFile(n int) string {
	var b strings.Builder
	b.WriteString("steps:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {in: worker, put: jobs, value: %d}\n", i)
	}
	return b.String()
}

func BenchmarkParse10000Steps(b *testing.B) {
	data := []byte(bigFile(10_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var l diag.List
		if Parse(source.New("x", data), &l) == nil {
			b.Fatal(l.Err())
		}
	}
}

func BenchmarkSyntaxErrorIn10000Steps(b *testing.B) {
	data := []byte(bigFile(10_000) + "bogus\n")
	for b.Loop() {
		var l diag.List
		Parse(source.New("x", data), &l)
		if d := l.All(); len(d) != 1 || d[0].Span.Start.Line != 10_002 {
			b.Fatal(d)
		}
	}
}
