package cond

import (
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/expr-lang/expr/ast"

	"ipcrun/spec/decl"
)

// Expr is a compiled expression. It is immutable and may be evaluated by many
// goroutines at once.
type Expr struct {
	src   string
	typ   Type
	scope *Scope // nil: compiled without one
	calls *calls

	// What a trusted expression computes only when it is first needed.
	code *code
}

type code struct {
	once sync.Once
	tree *tree
	run  op
	con  *value // the value of a constant
	err  error
}

// Compile checks src against the scope and makes it ready to run. If there are
// problems the Expr is nil; they are sorted by position. A syntax error is the
// only problem reported, mistakes in names and types are reported together.
func Compile(src string, sc *Scope, want Want) (*Expr, []Problem) {
	if sc == nil {
		sc = &Scope{}
	}
	t, err := parse(src)
	if err != nil {
		return nil, []Problem{syntaxProblem(src, err)}
	}
	if strings.Contains(src, "//") || strings.Contains(src, "/*") {
		if p, ok := comment(t.extents()); ok {
			return nil, []Problem{p}
		}
	}
	c := &typer{tree: t, scope: sc, done: map[ast.Node]Type{}}
	typ := c.check(t.root)
	c.want(want)
	if len(c.problems) > 0 {
		sort.SliceStable(c.problems, func(i, j int) bool { return c.problems[i].From < c.problems[j].From })
		return nil, c.problems
	}
	e := &Expr{src: src, typ: typ, scope: sc, code: &code{}, calls: callsOf(sc)}
	e.code.once.Do(func() { e.code.compile(t) })
	if err := e.code.err; err != nil {
		return nil, []Problem{asProblem(t, err)}
	}
	return e, nil
}

// CompileTrusted takes an expression that Compile has accepted before, in
// another process. Parsing is left to the first evaluation, so it costs next to
// nothing; an expression that was not accepted after all fails there. The error
// is non-nil if src is empty or too long.
func CompileTrusted(src string) (*Expr, error) {
	if len(src) > maxBytes {
		return nil, errTooLong
	}
	if src == "" {
		return nil, errEmpty
	}
	return &Expr{src: src, code: &code{}}, nil
}

func (e *Expr) ready() *code {
	e.code.once.Do(func() {
		t, err := parse(e.src)
		if err != nil {
			e.code.err = fmt.Errorf("%s: %w", e.src, err)
			return
		}
		e.code.compile(t)
	})
	return e.code
}

func (c *code) compile(t *tree) {
	c.tree = t
	l := &lowerer{tree: t}
	n := l.lower(t.root)
	c.run, c.err = n.run, l.err
	if n.con {
		c.con = &n.val
		if f, ok := attempt(func() { n.run(nil, nil) }); !ok {
			c.con = nil
			c.err = f.error(t)
		}
	}
}

// Source is the text the expression was compiled from.
func (e *Expr) Source() string { return e.src }

// Shape is the static type of the result. Any means that it is known only at
// run time, as it always is for a trusted expression.
func (e *Expr) Shape() decl.Shape { return e.typ.Shape() }

// Const is the value of the expression if it depends on no name and on no
// function of the scope.
func (e *Expr) Const() (any, bool) {
	c := e.ready()
	if c.con == nil {
		return nil, false
	}
	return canonical(c.con.any()), true
}

// Bind returns a copy of e whose calls go to the given functions, by name. A
// name that is absent keeps what it had.
func (e *Expr) Bind(functions map[string]Call) *Expr {
	b := *e
	b.calls = e.calls.with(functions)
	return &b
}

// calls are the functions of a scope that can be called.
type calls struct{ byName map[string]Call }

func callsOf(sc *Scope) *calls {
	var c *calls
	for _, f := range sc.Funcs {
		if f.Call == nil {
			continue
		}
		if c == nil {
			c = &calls{byName: map[string]Call{}}
		}
		if _, taken := c.byName[f.Decl.Name]; !taken {
			c.byName[f.Decl.Name] = f.Call
		}
	}
	return c
}

func (c *calls) with(functions map[string]Call) *calls {
	out := &calls{byName: map[string]Call{}}
	if c != nil {
		for name, f := range c.byName {
			out.byName[name] = f
		}
	}
	for name, f := range functions {
		out.byName[name] = f
	}
	return out
}

func (c *calls) find(name string) Call {
	if c == nil {
		return nil
	}
	return c.byName[name]
}

// asProblem is an error of a constant or of expr's own checker as a problem.
func asProblem(t *tree, err error) Problem {
	if e, ok := err.(*Error); ok {
		return Problem{From: e.From, To: e.To, Message: e.Message}
	}
	return Problem{From: 0, To: len([]rune(t.src)), Message: err.Error()}
}
