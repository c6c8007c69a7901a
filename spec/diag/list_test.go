package diag

import (
	"errors"
	"testing"

	"ipcrun/spec/source"
)

func TestListOrder(t *testing.T) {
	b, a := source.New("b", nil), source.New("a", nil)
	var l List
	if l.Err() != nil || l.HasErrors() || l.Len() != 0 || len(l.All()) != 0 {
		t.Fatal("the zero list is not empty")
	}
	l.Add(nil)
	l.Add(&Diagnostic{Code: "IPC002", File: b, Span: span(2, 1, 2, 2), Summary: "w", Severity: Warning})
	if l.Err() != nil || l.HasErrors() {
		t.Fatal("a warning counts as an error")
	}
	l.Add(&Diagnostic{Code: "IPC001", File: a, Span: span(1, 1, 1, 2), Summary: "other file"})
	l.Add(&Diagnostic{Code: "IPC003", File: b, Span: span(1, 5, 1, 6), Summary: "c"})
	l.Add(&Diagnostic{Code: "IPC002", File: b, Span: span(1, 5, 1, 6), Summary: "d"})
	l.Add(&Diagnostic{Code: "IPC002", File: b, Span: span(1, 5, 1, 9), Summary: "d"})
	l.Add(&Diagnostic{Code: "IPC009", Name: "b", Summary: "whole file"})

	want := []string{
		"b: error[IPC009]: whole file",
		"b:1:5: error[IPC002]: d",
		"b:1:5: error[IPC003]: c",
		"b:2:1: warning[IPC002]: w",
		"a:1:1: error[IPC001]: other file",
	}
	all := l.All()
	if len(all) != len(want) || l.Len() != 6 {
		t.Fatalf("%d of %d left, want %d of 6", len(all), l.Len(), len(want))
	}
	for i, d := range all {
		if d.Error() != want[i] {
			t.Errorf("%d: %s, want %s", i, d.Error(), want[i])
		}
	}

	err := l.Err()
	if text := want[0] + "\n" + want[1] + "\n" + want[2] + "\n" + want[4]; err.Error() != text {
		t.Errorf("got %q, want %q", err, text)
	}
	if d, ok := errors.AsType[*Diagnostic](err); !ok || d != all[0] {
		t.Errorf("errors.As finds %v", d)
	}
	if !errors.Is(err, all[4]) {
		t.Error("errors.Is does not find the last one")
	}
}

func TestDiagnosticError(t *testing.T) {
	for _, tt := range []struct {
		d    Diagnostic
		want string
	}{
		{Diagnostic{Summary: "s"}, "error: s"},
		{Diagnostic{Summary: "two\nlines", Name: "x"}, "x: error: two␊lines"},
		{Diagnostic{Summary: "s", Span: source.Span{Start: source.Pos{Line: 3}}, Name: "x"}, "x:3: error: s"},
		{Diagnostic{Summary: "s", Code: "IPC001", Severity: Warning, Span: span(3, 1, 3, 2)}, "3:1: warning[IPC001]: s"},
	} {
		if got := tt.d.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestRegister(t *testing.T) {
	const code = "IPC999"
	t.Cleanup(func() { delete(codes, code) })
	if got := Register(code, "a test", "Only in tests."); got != code {
		t.Errorf("got %q", got)
	}
	all := Codes()
	if last := all[len(all)-1]; last != (CodeInfo{code, "a test", "Only in tests."}) {
		t.Errorf("last code is %v", last)
	}
	for _, bad := range [][3]string{{code, "again", "x"}, {"IPC1", "short", "x"}, {"IPC998", "", "x"}, {"IPC998", "x", ""}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) did not panic", bad)
				}
			}()
			Register(bad[0], bad[1], bad[2])
		}()
	}
}
