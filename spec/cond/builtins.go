package cond

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ipcrun/spec/decl"
)

// builtin describes a function of the language. args has one letter for each
// argument: l list, s text, n number, i whole number, c text, list or map, m map,
// a anything, p predicate. Those after a slash may be left out; a star lets the
// last one repeat. The table of them is laid out by the compiler: every agent
// starts with it, and one that evaluates nothing pays nothing.
type builtin struct {
	name   string
	args   string
	params string // what the arguments are called, in their order
	result func(args []Type) Type
	doc    string
	// example is true where it stands in the tests of this package.
	example string
}

func yieldsInt([]Type) Type   { return Type{kind: intKind} }
func yieldsFloat([]Type) Type { return Type{kind: floatKind} }
func yieldsText([]Type) Type  { return Type{kind: stringKind} }
func yieldsBool([]Type) Type  { return Type{kind: boolKind} }
func yieldsTexts([]Type) Type { return ListOf(Type{kind: stringKind}) }
func yieldsList([]Type) Type  { return ListOf(Type{kind: anyKind}) }

func first(args []Type) Type { return args[0] }

func elementOf(args []Type) Type { return args[0].element() }

func unknown([]Type) Type { return Type{} }

// mapped is a list of what a predicate's body yields.
func mapped(args []Type) Type { return ListOf(args[1]) }

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
// and map[string]any. They are sorted by name.
var builtins = [...]builtin{
	{name: "abs", args: "n", params: "number", result: first,
		doc: "a number without its sign", example: `abs(total.value) == 7`},
	{name: "all", args: "lp", params: "list test", result: yieldsBool,
		doc: "whether the test holds of every element, .x or # of it; true of an empty list", example: `all(till, .exit_code == 0)`},
	{name: "any", args: "lp", params: "list test", result: yieldsBool,
		doc: "whether the test holds of one element or more", example: `any(conductor.lines, # == "go")`},
	{name: "bitand", args: "ii", params: "a b", result: yieldsInt,
		doc: "the bits that both numbers have", example: `bitand(jobs.size, 6) == 2`},
	{name: "bitnand", args: "ii", params: "a b", result: yieldsInt,
		doc: "the bits of the first number that the second has not", example: `bitnand(7, jobs.size) == 5`},
	{name: "bitnot", args: "i", params: "a", result: yieldsInt,
		doc: "all bits of a number turned round", example: `bitnot(jobs.size) == -3`},
	{name: "bitor", args: "ii", params: "a b", result: yieldsInt,
		doc: "the bits that one of two numbers has", example: `bitor(jobs.size, 5) == 7`},
	{name: "bitshl", args: "ii", params: "a by", result: yieldsInt,
		doc: "the bits of a number moved to the left", example: `bitshl(jobs.size, 3) == 16`},
	{name: "bitshr", args: "ii", params: "a by", result: yieldsInt,
		doc: "the bits of a number moved to the right, the sign kept", example: `bitshr(jobs.size, 1) == 1`},
	{name: "bitushr", args: "ii", params: "a by", result: yieldsInt,
		doc: "the bits of a number moved to the right, zeroes put in", example: `bitushr(jobs.size, 1) == 1`},
	{name: "bitxor", args: "ii", params: "a b", result: yieldsInt,
		doc: "the bits that just one of two numbers has", example: `bitxor(jobs.size, 6) == 4`},
	{name: "ceil", args: "n", params: "number", result: yieldsFloat,
		doc: "the next whole number above, as a float", example: `ceil(conductor.ended) == 3`},
	{name: "concat", args: "l*", params: "lists", result: yieldsList,
		doc: "the elements of several lists, one list behind the other", example: `len(concat(conductor.lines, ["end"])) == 4`},
	{name: "count", args: "l/p", params: "list test", result: yieldsInt,
		doc: "of how many elements the test holds, or how many are true", example: `count(conductor.lines, # == "ding") == 2`},
	{name: "filter", args: "lp", params: "list test", result: first,
		doc: "the elements of which the test holds", example: `len(filter(conductor.lines, # == "ding")) == 2`},
	{name: "find", args: "lp", params: "list test", result: elementOf,
		doc: "the first element of which the test holds, nil if there is none", example: `find(conductor.lines, hasPrefix(#, "g")) == "go"`},
	{name: "findIndex", args: "lp", params: "list test", result: yieldsInt,
		doc: "the index of the first element of which the test holds, nil if there is none", example: `findIndex(conductor.lines, # == "go") == 1`},
	{name: "findLast", args: "lp", params: "list test", result: elementOf,
		doc: "the last element of which the test holds, nil if there is none", example: `findLast(conductor.lines, # != "go") == "ding"`},
	{name: "findLastIndex", args: "lp", params: "list test", result: yieldsInt,
		doc: "the index of the last element of which the test holds, nil if there is none", example: `findLastIndex(conductor.lines, # == "ding") == 2`},
	{name: "first", args: "l", params: "list", result: elementOf,
		doc: "the first element of a list, nil if it is empty", example: `first(conductor.lines) == "ding"`},
	{name: "flatten", args: "l", params: "list", result: yieldsList,
		doc: "a list with the elements of the lists in it in their place", example: `flatten([conductor.lines, ["end"]])[3] == "end"`},
	{name: "float", args: "a", params: "value", result: yieldsFloat,
		doc: "a number, or the number that a text is, as one with a fraction", example: `float("1.5") < conductor.ended`},
	{name: "floor", args: "n", params: "number", result: yieldsFloat,
		doc: "the next whole number below, as a float", example: `floor(conductor.ended) == 2`},
	{name: "fromJSON", args: "s", params: "text", result: unknown,
		doc: "the value that a JSON text means", example: `fromJSON("[1, 2]")[0] < jobs.size`},
	{name: "get", args: "aa", params: "value key", result: unknown,
		doc: "the element of a list with an index, or of a map with a key, nil if there is none", example: `get(conductor.lines, 9) == nil`},
	{name: "hasPrefix", args: "ss", params: "text prefix", result: yieldsBool,
		doc: "whether a text begins with another", example: `hasPrefix(conductor.output, "ding")`},
	{name: "hasSuffix", args: "ss", params: "text suffix", result: yieldsBool,
		doc: "whether a text ends with another", example: `hasSuffix(conductor.lines[0], "ng")`},
	{name: "int", args: "a", params: "value", result: yieldsInt,
		doc: "a number without its fraction, or the number that a text is", example: `int("42") == conductor.exit_code + 42`},
	{name: "join", args: "l/s", params: "list separator", result: yieldsText,
		doc: "the texts of a list as one text, with a separator between them", example: `join(conductor.lines, " ") == "ding go ding"`},
	{name: "last", args: "l", params: "list", result: elementOf,
		doc: "the last element of a list, nil if it is empty", example: `last(conductor.lines) == "ding"`},
	{name: "len", args: "c", params: "value", result: yieldsInt,
		doc: "how many characters a text has, elements a list, or entries a map", example: `len(conductor.lines) == 3`},
	{name: "lower", args: "s", params: "text", result: yieldsText,
		doc: "a text in small letters", example: `lower(conductor.lines[1]) == "go"`},
	{name: "map", args: "lp", params: "list expression", result: mapped,
		doc: "what an expression yields for each element", example: `map(till, .exit_code) == [0, 0]`},
	{name: "max", args: "a*", params: "numbers", result: unknown,
		doc: "the largest of some numbers, or of a list of them", example: `max(jobs.size, 5) == 5`},
	{name: "mean", args: "a*", params: "numbers", result: yieldsFloat,
		doc: "the average of some numbers, or of a list of them", example: `mean(jobs.size, 4) == 3`},
	{name: "median", args: "a*", params: "numbers", result: yieldsFloat,
		doc: "the middle one of some numbers, or of a list of them", example: `median([jobs.size, 9, 3]) == 3`},
	{name: "min", args: "a*", params: "numbers", result: unknown,
		doc: "the smallest of some numbers, or of a list of them", example: `min(map(till, .exit_code)) == 0`},
	{name: "none", args: "lp", params: "list test", result: yieldsBool,
		doc: "whether the test holds of no element", example: `none(till, .blocked_on == "jobs")`},
	{name: "one", args: "lp", params: "list test", result: yieldsBool,
		doc: "whether the test holds of just one element", example: `one(conductor.lines, # == "go")`},
	{name: "replace", args: "sss/i", params: "text old new times", result: yieldsText,
		doc: "a text with one piece replaced by another, everywhere, or so many times from its start", example: `replace(conductor.lines[0], "d", "r") == "ring"`},
	{name: "reverse", args: "l", params: "list", result: first,
		doc: "a list from its last element to its first", example: `reverse(conductor.lines)[1] == "go"`},
	{name: "round", args: "n", params: "number", result: yieldsFloat,
		doc: "the nearest whole number, as a float; a half goes away from zero", example: `round(conductor.ended) == 3`},
	{name: "sort", args: "l/s", params: "list order", result: first,
		doc: `a list of numbers or of texts in order; order is "asc" or "desc"`, example: `sort(conductor.lines) == ["ding", "ding", "go"]`},
	{name: "sortBy", args: "lp/s", params: "list expression order", result: first,
		doc: `a list in the order of what an expression yields for each element; order is "asc" or "desc"`, example: `sortBy(till, .pid)[0].exit_code == 0`},
	{name: "split", args: "ss/i", params: "text separator most", result: yieldsTexts,
		doc: "the pieces of a text between separators; with most at most so many, of which the last holds the rest", example: `split(conductor.output, "\n")[1] == "go"`},
	{name: "splitAfter", args: "ss/i", params: "text separator most", result: yieldsTexts,
		doc: "like split, each piece together with the separator behind it", example: `splitAfter(conductor.output, "\n")[1] == "go\n"`},
	{name: "string", args: "a", params: "value", result: yieldsText,
		doc: "a value as text, as ${…} prints it", example: `string(conductor.exit_code) == "0"`},
	{name: "sum", args: "l/p", params: "list expression", result: summed,
		doc: "the numbers of a list, or what an expression yields for each element, added up", example: `sum(till, .exit_code) == 0`},
	{name: "take", args: "li", params: "list most", result: first,
		doc: "the first elements of a list, at most so many", example: `take(conductor.lines, 2) == ["ding", "go"]`},
	{name: "trim", args: "s/s", params: "text characters", result: yieldsText,
		doc: "a text without the blanks, or the given characters, at its two ends", example: `trim(conductor.output) == "ding\ngo\nding"`},
	{name: "trimPrefix", args: "s/s", params: "text prefix", result: yieldsText,
		doc: "a text without what it begins with", example: `trimPrefix(conductor.lines[0], "di") == "ng"`},
	{name: "trimSuffix", args: "s/s", params: "text suffix", result: yieldsText,
		doc: "a text without what it ends with", example: `trimSuffix(conductor.lines[0], "ng") == "di"`},
	{name: "type", args: "a", params: "value", result: yieldsText,
		doc: "what a value is: nil, bool, int, float, string, array or map", example: `type(conductor.exit_code) == "int"`},
	{name: "uniq", args: "l", params: "list", result: first,
		doc: "a list without what is in it before", example: `uniq(conductor.lines) == ["ding", "go"]`},
	{name: "upper", args: "s", params: "text", result: yieldsText,
		doc: "a text in capitals", example: `upper(conductor.lines[1]) == "GO"`},
}

// builtinCalled finds a function of the language.
func builtinCalled(name string) (*builtin, bool) {
	i, found := slices.BinarySearchFunc(builtins[:], name, func(b builtin, name string) int { return strings.Compare(b.name, name) })
	if !found {
		return nil, false
	}
	return &builtins[i], true
}

// tests reports whether the predicate must yield true or false.
func (b *builtin) tests() bool { return strings.Contains(b.params, " test") }

// Builtins describes the functions that every expression may call, sorted by
// name.
func Builtins() []decl.Func {
	out := make([]decl.Func, 0, len(builtins)+len(ownFuncs))
	for i := range builtins {
		out = append(out, builtins[i].describe())
	}
	for i := range ownFuncs {
		out = append(out, ownFuncs[i].Decl)
	}
	slices.SortFunc(out, func(a, b decl.Func) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// describe is the function as the rest of the vocabulary is described.
func (b *builtin) describe() decl.Func {
	f := decl.Func{Name: b.name, Doc: b.doc, Example: b.example}
	least, most, letters := b.arity()
	var args []Type
	for i, name := range strings.Fields(b.params) {
		p := decl.Param{Name: name, Shape: shapeOf(letters[i]), Optional: i >= least, Repeats: most < 0 && i == len(letters)-1}
		if letters[i] == 'p' && b.tests() {
			p.Shape = decl.Cond
		}
		f.Params = append(f.Params, p)
		args = append(args, Of(p.Shape, decl.Any))
	}
	f.Result = b.result(args).Shape()
	return f
}

// shapeOf is what a letter of args stands for.
func shapeOf(letter byte) decl.Shape {
	switch letter {
	case 'l':
		return decl.List
	case 's':
		return decl.String
	case 'n':
		return decl.Float
	case 'i':
		return decl.Int
	case 'm':
		return decl.Map
	case 'p':
		return decl.Expr
	}
	return decl.Any
}

// Instead says what to write where an expression of the general language has a
// function that conditions do not, "" for any other word.
func Instead(function string) string {
	switch function {
	case "now", "date", "timezone":
		return "a condition must not depend on the clock; compare facts such as started and ended"
	case "reduce":
		return "use sum, count, all, any or map"
	case "repeat":
		return "write the text out, or use a repeat step"
	case "toBase64", "fromBase64":
		return "compare the text itself"
	case "toJSON":
		return "compare the value itself"
	case "groupBy":
		return "use count or filter once for each group"
	case "toPairs":
		return "use keys and values"
	case "fromPairs":
		return "write a map, as in {name: value}"
	}
	return ""
}

// arity splits args of a builtin: how many there must be, how many there may
// be (-1: any number), and the letter of each.
func (b *builtin) arity() (least, most int, letters []byte) {
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
		return t.maybe(listKind) || t.kind == stringKind || t.kind == mapKind, "text, a list or a map"
	}
	return true, ""
}

// ownFuncs replace functions of expr: a duration of expr compares with nothing
// but itself, its keys and values come in an order that is never the same, and
// it finds a piece of text at a byte.
var ownFuncs = [...]Func{
	{
		Decl: decl.Func{
			Name:    durationName,
			Params:  []decl.Param{{Name: "span", Shape: decl.String}},
			Result:  decl.Duration,
			Doc:     "the seconds in a time span written with a unit",
			Example: `conductor.ended - conductor.started < duration("200ms")`,
		},
		Call: secondsOf,
	},
	{
		Decl: decl.Func{
			Name:    "indexOf",
			Params:  []decl.Param{{Name: "text", Shape: decl.String}, {Name: "piece", Shape: decl.String}},
			Result:  decl.Int,
			Doc:     "the character at which a piece begins in a text for the first time, counted from 0; -1 if nowhere",
			Example: `indexOf(conductor.output, "go") == 5`,
		},
		Call: characterOf("indexOf", strings.Index),
	},
	{
		Decl: decl.Func{
			Name:    "keys",
			Params:  []decl.Param{{Name: "map", Shape: decl.Map}},
			Result:  decl.List,
			Doc:     "the keys of a map, sorted",
			Example: `keys(conductor.vars) == ["bell", "stop"]`,
		},
		Call: func(args ...any) (any, error) {
			keys, _, err := sortedEntries("keys", args[0])
			return keys, err
		},
	},
	{
		Decl: decl.Func{
			Name:    "lastIndexOf",
			Params:  []decl.Param{{Name: "text", Shape: decl.String}, {Name: "piece", Shape: decl.String}},
			Result:  decl.Int,
			Doc:     "the character at which a piece begins in a text for the last time, counted from 0; -1 if nowhere",
			Example: `lastIndexOf(conductor.output, "ding") == 8`,
		},
		Call: characterOf("lastIndexOf", strings.LastIndex),
	},
	{
		Decl: decl.Func{
			Name:    "values",
			Params:  []decl.Param{{Name: "map", Shape: decl.Map}},
			Result:  decl.List,
			Doc:     "the values of a map, in the order of its keys",
			Example: `values(conductor.vars) == [1, "town"]`,
		},
		Call: func(args ...any) (any, error) {
			_, values, err := sortedEntries("values", args[0])
			return values, err
		},
	},
}

const durationName = "duration"

// ownFunc finds one of ours.
func ownFunc(name string) (*Func, bool) {
	for i := range ownFuncs {
		if ownFuncs[i].Decl.Name == name {
			return &ownFuncs[i], true
		}
	}
	return nil, false
}

func secondsOf(args ...any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("duration wants text such as \"200ms\", not %s", describe(args[0]))
	}
	if decl.TooLong(s) {
		return nil, fmt.Errorf("%q is too long; a duration is %s", s, decl.LongestDurationText())
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration; write a number with a unit, as in \"200ms\" or \"1.5s\"", s)
	}
	return d.Seconds(), nil
}

func sortedEntries(name string, x any) (keys, values []any, err error) {
	m, ok := canonical(x).(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("%s wants a map, not %s", name, describe(x))
	}
	keys, values = make([]any, 0, len(m)), make([]any, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		keys, values = append(keys, k), append(values, m[k])
	}
	return keys, values, nil
}
