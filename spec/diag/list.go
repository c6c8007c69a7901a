package diag

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// List collects diagnostics. The zero value is ready for use. It is not safe
// for concurrent use.
type List struct {
	all   []*Diagnostic
	files map[string]int // name of a file to its rank: the order of the first Add
}

// Add appends d; nil is ignored. The list keeps d, which must not change
// afterwards.
func (l *List) Add(d *Diagnostic) {
	if d == nil {
		return
	}
	if l.files == nil {
		l.files = make(map[string]int)
	}
	if _, ok := l.files[d.FileName()]; !ok {
		l.files[d.FileName()] = len(l.files)
	}
	l.all = append(l.all, d)
}

// Len is the number of diagnostics added, repetitions included.
func (l *List) Len() int { return len(l.all) }

// HasErrors reports whether anything more serious than a warning was added.
func (l *List) HasErrors() bool {
	return slices.ContainsFunc(l.all, func(d *Diagnostic) bool { return d.Severity == Error })
}

// All returns the diagnostics in reading order: files in the order in which
// they were first mentioned, in each file by line, column and code. One that
// says the same at the same place as another is left out. The slice is the
// caller's.
func (l *List) All() []*Diagnostic {
	ds := slices.Clone(l.all)
	slices.SortStableFunc(ds, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(l.files[a.FileName()], l.files[b.FileName()]),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Col, b.Span.Start.Col),
			cmp.Compare(a.Code, b.Code),
		)
	})
	type key struct {
		file, code, summary string
		line, col           int
		severity            Severity
	}
	seen := make(map[key]bool, len(ds))
	return slices.DeleteFunc(ds, func(d *Diagnostic) bool {
		k := key{d.FileName(), d.Code, d.Summary, d.Span.Start.Line, d.Span.Start.Col, d.Severity}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// Err returns nil if the list has no errors, else one error that carries all
// of them, without the warnings, in the order of All. errors.As finds each
// *Diagnostic in it; its text has one line for each.
func (l *List) Err() error {
	var m *multierror.Error
	for _, d := range l.All() {
		if d.Severity == Error {
			m = multierror.Append(m, d)
		}
	}
	if m == nil { // not ErrorOrNil: a nil pointer in an interface is not nil
		return nil
	}
	m.ErrorFormat = func(errs []error) string {
		lines := make([]string, len(errs))
		for i, err := range errs {
			lines[i] = err.Error()
		}
		return strings.Join(lines, "\n")
	}
	return m
}
