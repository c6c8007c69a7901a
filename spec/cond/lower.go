package cond

import (
	"regexp"

	"github.com/expr-lang/expr/ast"
)

// op is a lowered expression. It gives up by panicking with a *failure.
type op func(env Env, c *calls) value

// lowered is an op, or a constant.
type lowered struct {
	run op
	con bool
	val value
}

// lowerer turns a tree into closures. err is the first subtree that not even
// expr's machine accepts.
type lowerer struct {
	tree *tree
	err  error
}

func constant(v value) lowered {
	if v.kind == isInt || v.kind == isFloat {
		v.x = v.any() // box it once
	}
	return lowered{run: func(Env, *calls) value { return v }, con: true, val: v}
}

// folded is run, computed now if everything it depends on is constant. One
// that fails is left alone: it may stand behind a && that never lets it run.
func folded(run op, parts ...lowered) lowered {
	for _, p := range parts {
		if !p.con {
			return lowered{run: run}
		}
	}
	var v value
	if _, ok := attempt(func() { v = run(nil, nil) }); !ok {
		return lowered{run: run, con: true}
	}
	return constant(v)
}

func (l *lowerer) lower(n ast.Node) lowered {
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(value{})
	case *ast.BoolNode:
		return constant(boolValue(n.Value))
	case *ast.IntegerNode:
		return constant(intValue(n.Value))
	case *ast.FloatNode:
		return constant(floatValue(n.Value))
	case *ast.StringNode:
		return constant(value{kind: isString, x: n.Value})
	case *ast.IdentifierNode:
		name := n.Value
		return lowered{run: func(env Env, _ *calls) value { return valueOf(look(n, env, name)) }}
	case *ast.UnaryNode:
		return l.unary(n)
	case *ast.BinaryNode:
		return l.binary(n)
	case *ast.MemberNode:
		if !n.Optional {
			return l.member(n)
		}
	case *ast.ConditionalNode:
		return l.conditional(n)
	case *ast.ArrayNode:
		return l.array(n)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			return l.call(n, id.Value)
		}
	case *ast.BuiltinNode:
		if n.Name == "len" && len(n.Arguments) == 1 {
			return l.len(n)
		}
	}
	return l.program(n)
}

func (l *lowerer) unary(n *ast.UnaryNode) lowered {
	x := l.lower(n.Node)
	run := x.run
	switch n.Operator {
	case "!", "not":
		return folded(func(env Env, c *calls) value {
			v := run(env, c)
			if v.kind != isBool {
				fail(n.Node, "%s needs true or false, not %s", n.Operator, describe(v.any()))
			}
			return boolValue(v.n == 0)
		}, x)
	case "-":
		return folded(func(env Env, c *calls) value { return negated(n, run(env, c)) }, x)
	}
	return x
}

func (l *lowerer) conditional(n *ast.ConditionalNode) lowered {
	cond, yes, no := l.lower(n.Cond), l.lower(n.Exp1), l.lower(n.Exp2)
	return folded(func(env Env, c *calls) value {
		if truth(n.Cond, cond.run(env, c), "?") {
			return yes.run(env, c)
		}
		return no.run(env, c)
	}, cond, yes, no)
}

func truth(n ast.Node, v value, operator string) bool {
	if v.kind != isBool {
		fail(n, "%s needs true or false, not %s", operator, describe(v.any()))
	}
	return v.n != 0
}

func (l *lowerer) array(n *ast.ArrayNode) lowered {
	parts := make([]lowered, len(n.Nodes))
	for i, e := range n.Nodes {
		parts[i] = l.lower(e)
	}
	return folded(func(env Env, c *calls) value {
		out := make([]any, len(parts))
		for i := range parts {
			out[i] = parts[i].run(env, c).any()
		}
		return value{kind: isOther, x: out}
	}, parts...)
}

func (l *lowerer) call(n *ast.CallNode, name string) lowered {
	args := make([]lowered, len(n.Arguments))
	for i, a := range n.Arguments {
		args[i] = l.lower(a)
	}
	values := func(env Env, c *calls) []any {
		out := make([]any, len(args))
		for i := range args {
			out[i] = plain(args[i].run(env, c).any())
		}
		return out
	}
	if own, ok := ownFunc(name); ok && len(args) == len(own.Decl.Params) {
		return folded(func(env Env, c *calls) value {
			out, err := own.Call(values(env, c)...)
			if err != nil {
				panic(&failure{node: n, text: err.Error(), err: err})
			}
			return valueOf(out)
		}, args...)
	}
	return lowered{run: func(env Env, c *calls) value {
		return valueOf(invoke(n, env, c, name, values(env, c)))
	}}
}

func (l *lowerer) len(n *ast.BuiltinNode) lowered {
	x := l.lower(n.Arguments[0])
	return folded(func(env Env, c *calls) value {
		v := x.run(env, c)
		switch t := v.x.(type) {
		case string:
			return intValue(len([]rune(t)))
		case []any:
			return intValue(len(t))
		case map[string]any:
			return intValue(len(t))
		case Record:
			return intValue(len(t.Map()))
		}
		fail(n.Arguments[0], "%s has no length", describe(v.any()))
		return value{}
	}, x)
}

func (l *lowerer) member(n *ast.MemberNode) lowered {
	base := l.lower(n.Node)
	if field, ok := n.Property.(*ast.StringNode); ok {
		run, name := base.run, field.Value
		return folded(func(env Env, c *calls) value { return fieldOf(n, run(env, c), name) }, base)
	}
	by := l.lower(n.Property)
	return folded(func(env Env, c *calls) value {
		return l.elementAt(n, base.run(env, c), by.run(env, c))
	}, base, by)
}

func fieldOf(n *ast.MemberNode, base value, name string) value {
	switch t := base.x.(type) {
	case map[string]any:
		return valueOf(t[name])
	case Record:
		return known(n, t, name)
	}
	fail(n, "%s has no field %q", describe(base.any()), name)
	return value{}
}

// known is a field of a record, which may be one that nobody knows.
func known(n ast.Node, r Record, name string) value {
	x, _ := r.Field(name)
	if err, unknown := x.(error); unknown {
		fail(n, "%v", err)
	}
	return valueOf(x)
}

// elementAt is base[by]. Negative numbers count from the end, and a float is
// cut to a whole number, as in expr.
func (l *lowerer) elementAt(n *ast.MemberNode, base, by value) value {
	switch t := base.x.(type) {
	case map[string]any:
		switch by.kind {
		case isString:
			return valueOf(t[by.str()])
		case isNil:
			return valueOf(t[""])
		}
		fail(n.Property, "an entry of a map is picked by text, not by %s", describe(by.any()))
	case Record:
		if by.kind != isString {
			fail(n.Property, "a field is picked by text, not by %s", describe(by.any()))
		}
		return known(n, t, by.str())
	case []any:
		return valueOf(t[within(n, by, len(t))])
	case string:
		fail(n, noElements, l.tree.quote(n.Node))
	}
	fail(n, "%s has no elements", describe(base.any()))
	return value{}
}

func within(n *ast.MemberNode, by value, length int) int {
	if !by.number() {
		fail(n.Property, "an element is picked by a whole number, not by %s", describe(by.any()))
	}
	i := by.whole()
	if by.kind == isFloat {
		i = int(by.float())
	}
	at := i
	if at < 0 {
		at += length
	}
	if at < 0 || at >= length {
		are := "are"
		if length == 1 {
			are = "is"
		}
		fail(n, "index %d is out of range: there %s %s", i, are, elements(length))
	}
	return at
}

// matches lowers x matches "constant".
func (l *lowerer) matches(n *ast.BinaryNode, pattern string) (lowered, bool) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return lowered{}, false
	}
	x := l.lower(n.Left)
	return folded(func(env Env, c *calls) value {
		v := x.run(env, c)
		switch v.kind {
		case isNil:
			return boolValue(false)
		case isString:
			return boolValue(re.MatchString(v.str()))
		}
		fail(n.Left, "matches looks at text, not at %s", describe(v.any()))
		return value{}
	}, x), true
}
