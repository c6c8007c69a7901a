package cond

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// Env gives names their values. Values are canonical: nil, bool, int, float64,
// string, []any, map[string]any, and for objects optionally a Record; other
// integers, floats, slices and maps are converted at a cost. They are frozen:
// nothing may change them while an expression looks at them.
//
// Lookup returns false for a name that has no value yet, which is an error at
// the place where the name stands; a name whose value is nil is (nil, true).
// An Env may also implement Caller.
type Env interface {
	Lookup(name string) (any, bool)
}

// Caller is an Env that also computes functions. It is asked for those that
// the scope, or Bind, gave no Call.
type Caller interface {
	Call(name string, args []any) (any, error)
}

// Record is a value with named fields that are computed when asked for. Field
// is asked for single fields; Map, a canonical value of all of them, for
// everything else. A field whose value is an error makes the expression fail with
// it: the field is there, and nobody knows what it is.
type Record interface {
	Field(name string) (any, bool)
	Map() map[string]any
}

// Error is an expression that could not be evaluated. From and To are rune
// offsets of the part that failed.
type Error struct {
	Source   string
	From, To int
	Message  string
	Err      error // what a function returned, or nil
}

func (e *Error) Error() string {
	part := string([]rune(e.Source)[e.From:e.To])
	if part == e.Source {
		return fmt.Sprintf("%s: %s", e.Source, e.Message)
	}
	return fmt.Sprintf("%s: %s, in %s", part, e.Message, e.Source)
}

// Unwrap is the error of the function that failed, if one did.
func (e *Error) Unwrap() error { return e.Err }

// failure is how an operation gives up; Eval turns it into an Error.
type failure struct {
	node ast.Node
	text string
	err  error
}

func (f *failure) error(t *tree) error {
	e := &Error{Source: t.src, Message: f.text, Err: f.err}
	e.From, e.To = t.span(f.node)
	return e
}

func fail(n ast.Node, format string, args ...any) {
	panic(&failure{node: n, text: fmt.Sprintf(format, args...)})
}

// attempt runs f and reports the failure that ended it, if one did.
func attempt(f func()) (fl *failure, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if fl, ok = r.(*failure); !ok {
				panic(r)
			}
			ok = false
		}
	}()
	f()
	return nil, true
}

// Eval computes the value of the expression, which is canonical (see Env). An
// error is an *Error, or says why a trusted expression does not compile. It
// blocks only if a function of the scope does.
func (e *Expr) Eval(env Env) (any, error) {
	c := e.ready()
	if c.err != nil {
		return nil, c.err
	}
	v, err := c.eval(env, e.calls)
	if err != nil {
		return nil, err
	}
	if v.kind == isOther {
		return canonical(v.x), nil
	}
	return v.any(), nil
}

func (c *code) eval(env Env, calls *calls) (v value, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*failure)
			if !ok {
				panic(r)
			}
			err = f.error(c.tree)
		}
	}()
	return c.run(env, calls), nil
}

// EvalBool is Eval where only true or false will do.
func (e *Expr) EvalBool(env Env) (bool, error) {
	c := e.ready()
	if c.err != nil {
		return false, c.err
	}
	v, err := c.eval(env, e.calls)
	if err != nil {
		return false, err
	}
	if v.kind != isBool {
		what := "nil"
		if x := v.any(); x != nil {
			what = show(x) + " (" + describe(x) + ")"
		}
		return false, &Error{Source: e.src, To: len([]rune(e.src)), Message: "is " + what + ", not true or false"}
	}
	return v.truth(), nil
}

// look is the value of a name.
func look(n ast.Node, env Env, name string) any {
	if env != nil {
		if x, ok := env.Lookup(name); ok {
			return x
		}
	}
	fail(n, "%s has no value yet", name)
	return nil
}

// invoke calls a function of the scope.
func invoke(n ast.Node, env Env, c *calls, name string, args []any) any {
	var out any
	var err error
	if f := c.find(name); f != nil {
		out, err = f(args...)
	} else if caller, ok := env.(Caller); ok {
		out, err = caller.Call(name, args)
	} else {
		fail(n, "%s cannot be called here", name)
	}
	if err != nil {
		panic(&failure{node: n, text: err.Error(), err: err})
	}
	return out
}

func elements(n int) string {
	switch n {
	case 0:
		return "no elements"
	case 1:
		return "1 element"
	}
	return strconv.Itoa(n) + " elements"
}
