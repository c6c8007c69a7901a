package decl

import "sort"

// Vocabulary is all that a scenario can say, put together from the registries
// of the packages that can do it.
type Vocabulary struct {
	Kinds        map[string]*Kind
	Verbs        []ClassedVerb
	ProcessFacts []Fact
	// Siginfo is the name under which a handler knows its signal, with SiginfoFacts.
	Siginfo      string
	SiginfoFacts []Fact
	Funcs        []Func
	Errors       []Err
	Signals      SignalTable
	Keys         []string
	// Duration reads a fixed duration and returns nanoseconds.
	Duration func(string) (int, error)
}

// ClassedVerb is a verb with the class of object that selects it among those
// of its name, "" where its object is no declared name or it is the only one.
type ClassedVerb struct {
	Verb
	Class string
	// Checks: it is a check, and a scenario in which it never ran has not passed.
	Checks bool
}

// SignalTable answers what signals there are.
type SignalTable interface {
	// Number finds a signal by its name, with or without SIG, or by number.
	Number(name string) (int, error)
	Name(number int) string
	// Catchable reports whether its disposition can be changed and it can be
	// blocked.
	Catchable(number int) bool
	Names() []string
}

// VerbNames lists the names of verbs, each once, sorted.
func (v *Vocabulary) VerbNames() []string {
	seen := map[string]bool{}
	var out []string
	for _, verb := range v.Verbs {
		if !seen[verb.Name] {
			seen[verb.Name] = true
			out = append(out, verb.Name)
		}
	}
	sort.Strings(out)
	return out
}

// Named lists the verbs of a name.
func (v *Vocabulary) Named(name string) []*ClassedVerb {
	var out []*ClassedVerb
	for i := range v.Verbs {
		if v.Verbs[i].Name == name {
			out = append(out, &v.Verbs[i])
		}
	}
	return out
}

// KindNames lists the kinds of primitives, sorted.
func (v *Vocabulary) KindNames() []string {
	out := make([]string, 0, len(v.Kinds))
	for n := range v.Kinds {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// ErrorNames lists the names of errors, sorted.
func (v *Vocabulary) ErrorNames() []string {
	out := make([]string, 0, len(v.Errors))
	for _, e := range v.Errors {
		out = append(out, e.Name)
	}
	sort.Strings(out)
	return out
}
