package cond

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

var (
	errEmpty   = errors.New("there is no expression here")
	errTooLong = error(tooLong{})
)

type tooLong struct{}

func (tooLong) Error() string {
	return fmt.Sprintf("an expression may have at most %d bytes", maxBytes)
}

// syntaxProblem puts a parse error into words that say what to write instead.
// The parser stops at the first error, so there is exactly one.
func syntaxProblem(src string, err error) Problem {
	x := newExtents(src)
	whole := Problem{From: 0, To: len(x.runes), Message: err.Error()}
	if errors.Is(err, errEmpty) {
		whole.Hint = "write a condition such as jobs.size == 1"
		return whole
	}
	if errors.Is(err, errTooLong) {
		whole.Hint = "split it into several"
		return whole
	}
	if x.lexed != nil {
		if p, ok := lexicalProblem(x); ok {
			return p
		}
	}
	var fe *file.Error
	if !errors.As(err, &fe) {
		return whole
	}
	if strings.Contains(fe.Message, "maximum allowed nodes") {
		whole.Message = fmt.Sprintf("this expression is too long: it has more than %d parts", maxNodes)
		whole.Hint = "split it into several"
		return whole
	}
	if p, ok := numberProblem(x); ok && strings.Contains(fe.Message, "literal") {
		return p
	}
	i := x.find(fe.From)
	if strings.HasSuffix(strings.TrimSuffix(fe.Message, ")"), "unexpected token EOF") {
		i = len(x.toks) // whose location is that of the last rune
	}
	for _, look := range []func(*extents, int) (Problem, bool){mistakenOperator, unbalanced, endsEarly} {
		if p, ok := look(x, i); ok {
			return p
		}
	}
	return unexpected(x, i, fe)
}

// find is the index of the token at or just before a rune offset; len(toks) is
// the end of the text.
func (x *extents) find(offset int) int {
	if i, ok := x.at[offset]; ok {
		return i
	}
	for i, t := range x.toks {
		if t.From <= offset && offset < t.To && i+1 < len(x.toks) {
			return i
		}
	}
	return len(x.toks)
}

func (x *extents) problem(i int, hint, format string, args ...any) Problem {
	p := Problem{Message: fmt.Sprintf(format, args...), Hint: hint}
	if i >= 0 && i < len(x.toks) {
		p.From, p.To = x.toks[i].From, x.toks[i].To
	} else { // the last rune, since nothing stands where something is missing
		p.To = len(strings.TrimRight(string(x.runes), " \t\r\n"))
		p.To = len([]rune(string(x.runes)[:p.To]))
		p.From = max(p.To-1, 0)
	}
	return p
}

func (x *extents) value(i int) string {
	if i < 0 || i >= len(x.toks) {
		return ""
	}
	return x.toks[i].Value
}

// mistakenOperator knows what other languages write. The parser may give up a
// token or two after the culprit, so those before are looked at as well.
func mistakenOperator(x *extents, at int) (Problem, bool) {
	for i := at; i >= max(at-2, 0); i-- {
		if i >= len(x.toks) || x.toks[i].Kind == lexer.String {
			continue
		}
		prev, next := x.value(i-1), x.value(i+1)
		touching := i > 0 && x.toks[i-1].To == x.toks[i].From
		here := i == at
		switch v := x.toks[i].Value; {
		case v == "=" && touching && (prev == "==" || prev == "!="):
			p := x.problem(i, "write "+prev, "there is no operator %s=", prev)
			p.From = x.toks[i-1].From
			return p, true
		case v == "=" && touching && strings.Contains("+ - * / % ^ **", prev):
			p := x.problem(i, "a condition only looks; to change a value, use a step", "%s= would assign", prev)
			p.From = x.toks[i-1].From
			return p, true
		case v == "=" && x.value(i-2) != "let":
			hint := "write == to compare"
			if next == ">" || next == "<" {
				hint = "write " + next + "= to compare"
			}
			return x.problem(i, hint, "= does not compare"), true
		case v == "&":
			return x.problem(i, "write && (or the word and)", "there is no operator &"), true
		case v == "|":
			return x.problem(i, "write || (or the word or)", "a single | only passes a value on to a function, as in xs | len()"), true
		case here && v == ">" && prev == "<" && touching:
			p := x.problem(i, "write !=", "there is no operator <>")
			p.From = x.toks[i-1].From
			return p, true
		case here && v == "{" && prev == "$":
			p := x.problem(i, "leave out ${ and }", "this is an expression already, without ${…}")
			p.From = x.toks[i-1].From
			return p, true
		case here && elsewhere(v) != "" && x.toks[i].Kind == lexer.Identifier:
			return x.problem(i, "write "+elsewhere(v), "there is no operator %s", v), true
		case here && v == "is":
			hint := "write =="
			if next == "not" {
				hint = "write !="
			}
			return x.problem(i, hint, "there is no operator is"), true
		case here && (v == "#" || v == ".") && x.outside(i):
			return x.problem(i, "name the list: all(list, .field == 1), any(list, # > 2)",
				"%s stands for an element and means something only inside all(…), any(…), count(…) and their like", v), true
		case here && v == ";":
			return x.problem(i, "join them with && or write two conditions", "; is not allowed here"), true
		}
	}
	return Problem{}, false
}

// outside reports whether no bracket is open before token i.
func (x *extents) outside(i int) bool {
	depth := 0
	for _, t := range x.toks[:i] {
		if t.Kind != lexer.Bracket {
			continue
		}
		if strings.Contains("([{", t.Value) {
			depth++
		} else {
			depth--
		}
	}
	return depth <= 0
}

// grouped reports whether the innermost bracket that is open before token i is one
// that only groups: no function is called with it.
func (x *extents) grouped(i int) bool {
	for depth := 0; i > 0; {
		i--
		if x.toks[i].Kind != lexer.Bracket {
			continue
		}
		if !strings.Contains("([{", x.toks[i].Value) {
			depth++
		} else if depth--; depth < 0 {
			return x.toks[i].Value == "(" && (i == 0 || !operand(x.toks[i-1]))
		}
	}
	return false
}

func unbalanced(x *extents, _ int) (Problem, bool) {
	if x.stray >= 0 {
		v := x.value(x.stray)
		return x.problem(x.stray, "remove it, or open one before it", "this %s closes nothing", v), true
	}
	if n := len(x.open); n > 0 {
		i := x.open[n-1]
		shut := map[string]string{"(": ")", "[": "]", "{": "}"}[x.value(i)]
		return x.problem(i, "add the missing "+shut, "this %s is never closed", x.value(i)), true
	}
	return Problem{}, false
}

func endsEarly(x *extents, i int) (Problem, bool) {
	if i < len(x.toks) {
		return Problem{}, false
	}
	last := len(x.toks) - 1
	if last < 0 {
		return x.problem(-1, "", "there is no expression here"), true
	}
	if t := x.toks[last]; t.Kind == lexer.Operator {
		return x.problem(last, "", "something is missing after %s", t.Value), true
	}
	if x.value(last-1) == "?" || x.hasTernary() {
		return x.problem(last, "write condition ? this : that", "the : of this ? is missing"), true
	}
	return x.problem(last, "", "the expression ends too early"), true
}

func (x *extents) hasTernary() bool {
	open := 0
	for _, t := range x.toks {
		if t.Kind == lexer.Operator && t.Value == "?" {
			open++
		}
		if t.Kind == lexer.Operator && t.Value == ":" {
			open--
		}
	}
	return open > 0
}

func unexpected(x *extents, i int, fe *file.Error) Problem {
	switch m := fe.Message; {
	case strings.HasPrefix(m, "expected name"):
		for j := min(i, len(x.toks)-1); j >= 0; j-- { // the parser is past it already
			if v := x.value(j); v == "." || v == "?." {
				i = j
				break
			}
		}
		return x.problem(i, "", "a name must follow the dot")
	case strings.HasPrefix(m, "wrap predicate"):
		return x.problem(i, "join them with &&", "; is not allowed here")
	case strings.HasPrefix(m, "a map key"):
		return x.problem(i, "write {name: value}", "a key of a map must be a name, text or a number")
	case strings.HasPrefix(m, "Operator (") && strings.Contains(m, "??"):
		return x.problem(i, "put one of them in parentheses", "?? cannot be mixed with %s", x.value(i))
	case strings.HasPrefix(m, "expected at least"):
		return x.problem(i, "write the list and a condition on its elements, as in all(list, .field == 1)", "an argument is missing")
	case !strings.HasPrefix(m, "unexpected token"):
		return x.problem(i, "", "%s", m)
	}
	if i >= len(x.toks) {
		return x.problem(i, "", "the expression ends too early")
	}
	t := x.toks[i]
	quoted := fmt.Sprintf("%q", x.text(t))
	switch {
	case i > 0 && t.Kind == lexer.String && x.toks[i-1].Kind == lexer.String && x.toks[i-1].To == t.From:
		quote := x.text(t)[:1]
		p := x.problem(i, "write \\"+quote+" for a quote inside text", "a doubled quote ends the text and begins another")
		p.From = x.toks[i-1].From
		return p
	case i > 0 && operand(t) && operand(x.toks[i-1]):
		return x.problem(i, "put an operator such as == or && between the two", "%s cannot follow %s directly", x.text(t), x.text(x.toks[i-1]))
	case t.Kind == lexer.Operator && i > 0 && x.toks[i-1].Kind == lexer.Operator:
		return x.problem(i, "", "%s cannot follow %s", t.Value, x.toks[i-1].Value)
	case t.Kind == lexer.Operator && i == 0:
		return x.problem(i, "", "something is missing before %s", t.Value)
	case t.Value == "," && x.grouped(i):
		return x.problem(i, "a list stands in brackets, as in [0, 1]", "%s is not expected here", quoted)
	}
	return x.problem(i, "", "%s is not expected here", quoted)
}

func (x *extents) text(t lexer.Token) string { return string(x.runes[t.From:t.To]) }

func operand(t lexer.Token) bool {
	switch t.Kind {
	case lexer.Identifier, lexer.Number, lexer.String:
		return true
	}
	return t.Kind == lexer.Bracket && (t.Value == ")" || t.Value == "]")
}

// numberProblem finds the whole number that does not fit; the parser blames
// the token after it.
func numberProblem(x *extents) (Problem, bool) {
	for i, t := range x.toks {
		if t.Kind != lexer.Number {
			continue
		}
		digits := strings.ReplaceAll(t.Value, "_", "")
		if _, err := strconv.ParseInt(digits, 0, 64); errors.Is(err, strconv.ErrRange) {
			return x.problem(i, "the largest is 9223372036854775807", "%s is too large for a whole number", cut(t.Value, 30)), true
		}
		if _, err := strconv.ParseFloat(digits, 64); errors.Is(err, strconv.ErrRange) {
			return x.problem(i, "", "%s is too large for a number", cut(t.Value, 30)), true
		}
	}
	return Problem{}, false
}

var (
	// withUnit is compiled when needed: every agent pays for what is done at
	// start, and none of them reports syntax errors.
	withUnit = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[0-9][0-9_.]*(ns|us|µs|μs|ms|s|m|h)`)
	})
	// lookalikes are what an input method or a word processor puts in place of
	// ASCII.
	lookalikes = []struct {
		wide  rune
		ascii string
	}{
		{'（', "("}, {'）', ")"}, {'【', "["}, {'】', "]"}, {'［', "["}, {'］', "]"}, {'｛', "{"}, {'｝', "}"},
		{'，', ","}, {'、', ","}, {'。', "."}, {'．', "."}, {'；', ";"}, {'：', ":"}, {'？', "?"}, {'！', "!"},
		{'＝', "="}, {'＜', "<"}, {'＞', ">"}, {'＋', "+"}, {'－', "-"}, {'＊', "*"}, {'／', "/"}, {'％', "%"},
		{'＆', "&"}, {'｜', "|"}, {'＃', "#"}, {'“', `"`}, {'”', `"`}, {'‘', "'"}, {'’', "'"}, {'＂', `"`}, {'＇', "'"},
		{'≤', "<="}, {'≥', ">="}, {'≠', "!="}, {'×', "*"}, {'÷', "/"}, {'−', "-"}, {'–', "-"}, {'—', "-"},
		{'∧', "&&"}, {'∨', "||"}, {'¬', "!"},
	}
)

// lexicalProblem explains what the lexer could not read.
func lexicalProblem(x *extents) (Problem, bool) {
	var fe *file.Error
	if !errors.As(x.lexed, &fe) {
		return Problem{}, false
	}
	// The text after the last token starts with what could not be read.
	start := 0
	if n := len(x.toks); n > 0 {
		start = x.toks[n-1].To
	}
	for start < len(x.runes) && strings.ContainsRune(" \t\r\n", x.runes[start]) {
		start++
	}
	rest := string(x.runes[start:])
	at := func(from, to int, hint, format string, args ...any) (Problem, bool) {
		from = max(min(from, len(x.runes)-1), 0)
		to = min(max(to, from+1), len(x.runes))
		return Problem{From: from, To: to, Message: fmt.Sprintf(format, args...), Hint: hint}, true
	}
	switch m := fe.Message; {
	case strings.HasPrefix(m, "literal not terminated"):
		return at(start, len(x.runes), "", "this text has no closing quote")
	case strings.HasPrefix(m, "bad number"):
		if unit := withUnit().FindString(rest); unit != "" {
			return at(start, start+len([]rune(unit)), fmt.Sprintf("write duration(%q), which gives seconds", unit), "a number has no unit in an expression")
		}
		return at(start, fe.To, "a name cannot start with a digit; text goes in quotes", "%s is not a number", strings.TrimSpace(string(x.runes[start:min(fe.To, len(x.runes))])))
	case strings.HasPrefix(m, "unclosed comment"):
		return at(start, len(x.runes), "remove it", "this comment never ends")
	case strings.Contains(m, "escape"):
		return at(fe.From, fe.To, "write \\\\ for one backslash, or use backquotes: `…`", "this is not a valid escape in text")
	case strings.HasPrefix(m, "unrecognized character"):
		r := x.runes[min(fe.From, len(x.runes)-1)]
		for _, l := range lookalikes {
			if l.wide == r {
				return at(fe.From, fe.To, "write "+l.ascii, "%c is not the ASCII character it looks like", r)
			}
		}
		return at(fe.From, fe.To, "", "%c has no meaning in an expression", r)
	}
	return at(fe.From, fe.To, "", "%s", fe.Message)
}

// comment finds a // or /* between tokens. expr would skip it, and with it the
// half of a // b that matters.
func comment(x *extents) (Problem, bool) {
	end := 0
	gap := func(to int) (Problem, bool) {
		s := string(x.runes[end:to])
		for _, mark := range []string{"//", "/*"} {
			if i := strings.Index(s, mark); i >= 0 {
				from := end + len([]rune(s[:i]))
				hint := "comments go into the file's own # comments"
				if mark == "//" && end > 0 {
					hint = "for a whole division write int(a / b)"
				}
				return Problem{From: from, To: from + 2, Message: mark + " starts a comment, which is not allowed in an expression", Hint: hint}, true
			}
		}
		return Problem{}, false
	}
	for _, t := range x.toks {
		if p, ok := gap(t.From); ok {
			return p, true
		}
		end = t.To
	}
	return gap(len(x.runes))
}
