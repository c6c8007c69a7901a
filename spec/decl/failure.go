package decl

import (
	"fmt"
	"slices"
	"strings"
)

// Failure is the way a step ends when it cannot do what it says: a name from
// the vocabulary (Full, Timeout, NoProcess…) and what happened in this case.
// A step's error: key compares the Name alone.
type Failure struct {
	Name   string
	Detail string
}

func (f *Failure) Error() string {
	if f.Detail == "" {
		return f.Name
	}
	return f.Name + ": " + f.Detail
}

// Fail makes a Failure with a formatted detail.
func Fail(name, format string, args ...any) *Failure {
	return &Failure{Name: name, Detail: fmt.Sprintf(format, args...)}
}

// errs has room for more errors than there are: every agent registers them.
var errs = make([]Err, 0, 64)

// RegisterError adds a name to the errors that steps can end with. Each name may
// be registered once only.
func RegisterError(name, doc string) { errs = append(errs, Err{Name: name, Doc: doc}) }

// Errors lists the registered errors, sorted by name.
func Errors() []Err {
	out := slices.Clone(errs)
	slices.SortFunc(out, func(a, b Err) int { return strings.Compare(a.Name, b.Name) })
	return out
}
