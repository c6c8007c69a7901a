package diag_test

import (
	"slices"
	"strings"
	"testing"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

func TestWriteExcerpt(t *testing.T) {
	f := source.New("a.yaml", []byte("steps:\n  - expect: 开车了\n"))
	s := source.Span{Start: source.Pos{Line: 2, Col: 13}, End: source.Pos{Line: 2, Col: 16}}
	var b strings.Builder
	if err := diag.WriteExcerpt(&b, f, s, diag.Style{}); err != nil {
		t.Fatal(err)
	}
	want := "    2 |   - expect: 开车了\n      |             ^^^^^^\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestWrap(t *testing.T) {
	got := diag.Wrap("one two 三四五 six", 8)
	want := []string{"one two", "三四五", "six"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
