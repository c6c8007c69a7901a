package cond

import (
	"sort"
	"strings"

	"ipcrun/spec/decl"
)

// Scope is what an expression may mention. It is only read, so one Scope may
// serve many compilations at once.
type Scope struct {
	Names map[string]Type
	// Funcs may list a name several times with different numbers of
	// parameters. A name that is also a built-in function is never reached.
	Funcs []Func
	// Suggest returns the candidate that word was most probably meant to be,
	// or "". nil: no suggestions.
	Suggest func(word string, candidates []string) string
	// Signals, if set, knows the names of signals.
	Signals decl.SignalTable
	// Why, if set, is asked about a path that is not in scope ("signals",
	// "driver.ended") and may return a hint, such as where it can be used.
	Why func(path string) string
}

// Func is a function that expressions may call. Call may be nil while a file
// is only checked; see Expr.Bind.
type Func struct {
	Decl decl.Func
	Call Call
}

// Call computes a function. Its arguments are canonical values (see Env), and
// so must its result be. It must check their types itself: an argument whose
// type is known only at run time arrives unchecked.
type Call = func(args ...any) (any, error)

// Want is what the place of an expression needs it to yield.
type Want uint8

const (
	WantAny    Want = iota
	WantBool        // true or false
	WantInt         // a whole number
	WantNumber      // a whole number or a float
	WantString      // text
)

func (w Want) String() string {
	switch w {
	case WantBool:
		return "true or false"
	case WantInt:
		return "a whole number"
	case WantNumber:
		return "a number"
	case WantString:
		return "text"
	}
	return "any value"
}

func (w Want) accepts(t Type) bool {
	switch w {
	case WantBool:
		return t.maybe(boolKind)
	case WantInt:
		return t.maybe(intKind)
	case WantNumber:
		return t.maybeNumber()
	case WantString:
		return t.maybe(stringKind)
	}
	return true
}

// Problem is one mistake in an expression. From and To are rune offsets in the
// source text, To exclusive; To is greater than From except in an empty text.
// Message says what is wrong, Hint what to do about it, if that is known.
type Problem struct {
	From, To      int
	Message, Hint string
}

// overloads are the functions called name, in the order of declaration.
func (s *Scope) overloads(name string) []Func {
	if own, ok := ownFunc(name); ok {
		return []Func{*own}
	}
	var fs []Func
	for _, f := range s.Funcs {
		if f.Decl.Name == name {
			fs = append(fs, f)
		}
	}
	return fs
}

func (s *Scope) suggest(word string, candidates []string) string {
	if s.Suggest == nil || len(candidates) == 0 {
		return ""
	}
	return s.Suggest(word, candidates)
}

func (s *Scope) why(path string) string {
	if s.Why == nil {
		return ""
	}
	return s.Why(path)
}

func (s *Scope) names() []string {
	names := make([]string, 0, len(s.Names))
	for n := range s.Names {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (s *Scope) funcNames() []string {
	seen := map[string]bool{}
	for i := range ownFuncs {
		seen[ownFuncs[i].Decl.Name] = true
	}
	for _, f := range s.Funcs {
		seen[f.Decl.Name] = true
	}
	for i := range builtins {
		seen[builtins[i].name] = true
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// list joins names for a hint and stops after a dozen, so that a hint stays
// one line.
func list(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
