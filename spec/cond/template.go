package cond

import (
	"errors"
	"strings"

	"ipcrun/spec/decl"
)

// Template is text with expressions in it: "seen ${seen + 1} of ${rounds}". It
// is immutable and may be evaluated by many goroutines at once.
type Template struct {
	src   string
	parts []piece
}

// piece is an expression or, if that is nil, literal text.
type piece struct {
	text string
	expr *Expr
	from int // rune offset of the expression
}

// IsTemplate reports whether s holds anything that ParseTemplate would treat
// as other than plain text.
func IsTemplate(s string) bool { return strings.Contains(s, "${") }

// ParseTemplate compiles the expressions in s against the scope. $${ stands for
// a literal ${. If there are problems the Template is nil; positions are rune
// offsets in s.
func ParseTemplate(s string, sc *Scope) (*Template, []Problem) {
	parts, problem := cutTemplate(s)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	var problems []Problem
	for i, p := range parts {
		if p.from < 0 {
			continue
		}
		e, ps := Compile(p.text, sc, WantAny)
		for _, q := range ps {
			q.From += p.from
			q.To += p.from
			if p.text == "" { // ${}: there is nothing inside to point at
				q.From, q.To = p.from-2, p.from+1
			}
			problems = append(problems, q)
		}
		parts[i].expr = e
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return &Template{src: s, parts: parts}, nil
}

// ParseTemplateTrusted takes a template that ParseTemplate has accepted before,
// in another process. See CompileTrusted.
func ParseTemplateTrusted(s string) (*Template, error) {
	parts, problem := cutTemplate(s)
	if problem != nil {
		return nil, errors.New(s + ": " + problem.Message)
	}
	for i, p := range parts {
		if p.from < 0 {
			continue
		}
		e, err := CompileTrusted(p.text)
		if err != nil {
			return nil, err
		}
		parts[i].expr = e
	}
	return &Template{src: s, parts: parts}, nil
}

// Source is the text the template was parsed from.
func (t *Template) Source() string { return t.src }

// Eval is the value of the template: of a single ${…} that is all there is,
// the value of its expression with its type; otherwise a string, in which
// values print as Text does.
func (t *Template) Eval(env Env) (any, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		return t.parts[0].expr.Eval(env)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		v, err := p.expr.Eval(env)
		if err != nil {
			return nil, err
		}
		b.WriteString(Text(v))
	}
	return b.String(), nil
}

// Refs is Expr.Refs for all expressions of the template, with positions in the
// template.
func (t *Template) Refs() []Ref {
	var found []occurrence
	for _, p := range t.parts {
		if p.expr == nil {
			continue
		}
		for _, r := range p.expr.Refs() {
			bare := Ref{Root: r.Root, Func: r.Func, Param: r.Param, Class: r.Class}
			for _, u := range r.Uses {
				u.From += p.from
				u.To += p.from
				found = append(found, occurrence{ref: bare, use: u, whole: r.Whole})
			}
		}
	}
	return gather(found)
}

// Const is the value of a template that depends on no name.
func (t *Template) Const() (any, bool) {
	for _, p := range t.parts {
		if p.expr == nil {
			continue
		}
		if _, ok := p.expr.Const(); !ok {
			return nil, false
		}
	}
	v, err := t.Eval(nil)
	return v, err == nil
}

// Shape is the static type of the result; Any means unknown.
func (t *Template) Shape() decl.Shape {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		return t.parts[0].expr.Shape()
	}
	return decl.String
}

// Bind is Expr.Bind for all expressions of the template.
func (t *Template) Bind(functions map[string]Call) *Template {
	b := &Template{src: t.src, parts: append([]piece(nil), t.parts...)}
	for i, p := range b.parts {
		if p.expr != nil {
			b.parts[i].expr = p.expr.Bind(functions)
		}
	}
	return b
}

// cutTemplate separates text from expressions. Expressions have their source
// as text and a from that is not negative.
func cutTemplate(s string) ([]piece, *Problem) {
	var parts []piece
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, piece{text: text.String(), from: -1})
			text.Reset()
		}
	}
	r := []rune(s)
	is := func(i int, c rune) bool { return i < len(r) && r[i] == c }
	for i := 0; i < len(r); i++ {
		switch {
		case r[i] == '$' && is(i+1, '$') && is(i+2, '{'):
			text.WriteString("${")
			i += 2
		case r[i] == '$' && is(i+1, '{'):
			end := closingBrace(r, i+2)
			if end < 0 {
				return nil, &Problem{From: i, To: i + 2, Message: "this ${ is never closed", Hint: "add the missing }, or write $${ for the two characters themselves"}
			}
			flush()
			parts = append(parts, piece{text: string(r[i+2 : end]), from: i + 2})
			i = end
		default:
			text.WriteRune(r[i])
		}
	}
	flush()
	if len(parts) == 0 {
		parts = append(parts, piece{from: -1})
	}
	return parts, nil
}

// closingBrace is the index of the } that ends an expression starting at i, or
// -1. Braces of the expression's own and those in quotes do not count.
func closingBrace(r []rune, i int) int {
	depth := 0
	for ; i < len(r); i++ {
		switch r[i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\'', '`':
			quote := r[i]
			for i++; i < len(r) && r[i] != quote; i++ {
				if r[i] == '\\' && quote != '`' {
					i++
				}
			}
		}
	}
	return -1
}
