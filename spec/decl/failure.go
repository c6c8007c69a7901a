package decl

import (
	"fmt"
	"sort"
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

var errNames = map[string]Err{}

// RegisterError adds a name to the errors that steps can end with and returns
// it. The same name with the same text may be registered once only.
func RegisterError(name, doc string) string {
	if _, dup := errNames[name]; dup {
		panic("decl: error " + name + " registered twice")
	}
	errNames[name] = Err{Name: name, Doc: doc}
	return name
}

// Errors lists the registered errors, sorted by name.
func Errors() []Err {
	out := make([]Err, 0, len(errNames))
	for _, e := range errNames {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
