package cond

import (
	"fmt"
	"time"

	"ipcrun/spec/decl"
)

// builtin is how a function of the language is called. args has one letter
// for each argument: l list, s text, n number, i whole number, c text, list or
// map, m map, a anything, p predicate. Those after a slash may be left out; a
// star lets the last one repeat.
type builtin struct {
	args   string
	result func(args []Type) Type
}

func always(k kind) func([]Type) Type {
	return func([]Type) Type { return Type{kind: k} }
}

func listOf(k kind) func([]Type) Type {
	return func([]Type) Type { return ListOf(Type{kind: k}) }
}

func first(args []Type) Type { return args[0] }

func elementOf(args []Type) Type { return args[0].element() }

func unknown([]Type) Type { return Type{} }

// summed is the type of a predicate's body, which is the last argument, or that
// of an element where there is no predicate.
func summed(args []Type) Type {
	if len(args) > 1 {
		return args[1]
	}
	return args[0].element()
}

// builtins are those of expr's functions that conditions keep: pure, of one
// obvious meaning, with results made of nil, bool, int, float64, string, []any
// and map[string]any.
var builtins = map[string]builtin{
	"len":    {"c", always(intKind)},
	"type":   {"a", always(stringKind)},
	"int":    {"a", always(intKind)},
	"float":  {"a", always(floatKind)},
	"string": {"a", always(stringKind)},

	"abs":    {"n", first},
	"ceil":   {"n", always(floatKind)},
	"floor":  {"n", always(floatKind)},
	"round":  {"n", always(floatKind)},
	"max":    {"a*", unknown},
	"min":    {"a*", unknown},
	"mean":   {"a*", always(floatKind)},
	"median": {"a*", always(floatKind)},

	"bitand":  {"ii", always(intKind)},
	"bitor":   {"ii", always(intKind)},
	"bitxor":  {"ii", always(intKind)},
	"bitnand": {"ii", always(intKind)},
	"bitnot":  {"i", always(intKind)},
	"bitshl":  {"ii", always(intKind)},
	"bitshr":  {"ii", always(intKind)},
	"bitushr": {"ii", always(intKind)},

	"trim":        {"s/s", always(stringKind)},
	"trimPrefix":  {"s/s", always(stringKind)},
	"trimSuffix":  {"s/s", always(stringKind)},
	"upper":       {"s", always(stringKind)},
	"lower":       {"s", always(stringKind)},
	"split":       {"ss/i", listOf(stringKind)},
	"splitAfter":  {"ss/i", listOf(stringKind)},
	"replace":     {"sss/i", always(stringKind)},
	"join":        {"l/s", always(stringKind)},
	"indexOf":     {"ss", always(intKind)},
	"lastIndexOf": {"ss", always(intKind)},
	"hasPrefix":   {"ss", always(boolKind)},
	"hasSuffix":   {"ss", always(boolKind)},
	"fromJSON":    {"s", unknown},

	"first":   {"l", elementOf},
	"last":    {"l", elementOf},
	"get":     {"aa", unknown},
	"take":    {"li", first},
	"keys":    {"m", listOf(stringKind)},
	"values":  {"m", listOf(anyKind)},
	"reverse": {"l", first},
	"uniq":    {"l", first},
	"concat":  {"l*", listOf(anyKind)},
	"flatten": {"l", listOf(anyKind)},
	"sort":    {"l/s", first},

	"all":           {"lp", always(boolKind)},
	"none":          {"lp", always(boolKind)},
	"any":           {"lp", always(boolKind)},
	"one":           {"lp", always(boolKind)},
	"filter":        {"lp", first},
	"map":           {"lp", func(args []Type) Type { return ListOf(args[1]) }},
	"count":         {"l/p", always(intKind)},
	"sum":           {"l/p", summed},
	"find":          {"lp", elementOf},
	"findIndex":     {"lp", always(intKind)},
	"findLast":      {"lp", elementOf},
	"findLastIndex": {"lp", always(intKind)},
	"sortBy":        {"lp/s", first},
}

// tests are the predicates that must yield true or false.
var tests = map[string]bool{
	"all": true, "none": true, "any": true, "one": true, "filter": true, "count": true,
	"find": true, "findIndex": true, "findLast": true, "findLastIndex": true,
}

// refused are expr's functions that conditions do not have, and what to do
// instead.
var refused = map[string]string{
	"now":        "a condition must not depend on the clock; compare facts such as started and ended",
	"date":       "a condition must not depend on the clock; compare facts such as started and ended",
	"timezone":   "a condition must not depend on the clock; compare facts such as started and ended",
	"reduce":     "use sum, count, all, any or map",
	"repeat":     "write the text out, or use a repeat step",
	"toBase64":   "compare the text itself",
	"fromBase64": "compare the text itself",
	"toJSON":     "compare the value itself",
	"groupBy":    "use count or filter once for each group",
	"toPairs":    "use keys and values",
	"fromPairs":  "write a map, as in {name: value}",
}

// arity splits args of a builtin: how many there must be, how many there may
// be (-1: any number), and the letter of each.
func (b builtin) arity() (least, most int, letters []byte) {
	least = -1
	for i := range len(b.args) {
		switch c := b.args[i]; c {
		case '/':
			least = len(letters)
		case '*':
			return len(letters), -1, letters
		default:
			letters = append(letters, c)
		}
	}
	if least < 0 {
		least = len(letters)
	}
	return least, len(letters), letters
}

// takes reports whether an argument of type t will do for a letter, and in
// words what it wants.
func takes(letter byte, t Type) (bool, string) {
	switch letter {
	case 'l':
		return t.maybe(listKind), "a list"
	case 's':
		return t.maybe(stringKind), "text"
	case 'n':
		return t.maybeNumber(), "a number"
	case 'i':
		return t.maybe(intKind), "a whole number"
	case 'm':
		return t.maybe(mapKind) || t.kind == objectKind, "a map"
	case 'c':
		return t.maybe(listKind) || t.kind == stringKind || t.kind == mapKind || t.kind == objectKind, "text, a list or a map"
	}
	return true, ""
}

// durationFunc replaces expr's function of that name, whose result compares
// with nothing but itself.
var durationFunc = Func{
	Decl: decl.Func{
		Name:    "duration",
		Params:  []decl.Param{{Name: "span", Shape: decl.String}},
		Result:  decl.Duration,
		Doc:     "the seconds in a time span written with a unit",
		Example: `conductor.ended - conductor.started < duration("200ms")`,
	},
	Call: func(args ...any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return nil, fmt.Errorf("duration wants text such as \"200ms\", not %s", describe(args[0]))
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration; write a number with a unit, as in \"200ms\" or \"1.5s\"", s)
		}
		return d.Seconds(), nil
	},
}
