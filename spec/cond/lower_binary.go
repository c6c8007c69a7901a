package cond

import (
	"math"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (l *lowerer) binary(n *ast.BinaryNode) lowered {
	switch n.Operator {
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok {
			if m, ok := l.matches(n, s.Value); ok {
				return m
			}
		}
		return l.program(n)
	case "..":
		return l.program(n)
	case "&&", "and":
		a, b := l.lower(n.Left), l.lower(n.Right)
		return folded(func(env Env, c *calls) value {
			v := a.run(env, c)
			if !truth(n.Left, v, n.Operator) {
				return v
			}
			return b.run(env, c)
		}, a, b)
	case "||", "or":
		a, b := l.lower(n.Left), l.lower(n.Right)
		return folded(func(env Env, c *calls) value {
			v := a.run(env, c)
			if truth(n.Left, v, n.Operator) {
				return v
			}
			return b.run(env, c)
		}, a, b)
	case "??":
		a, b := l.lower(n.Left), l.lower(n.Right)
		return folded(func(env Env, c *calls) value {
			if v := a.run(env, c); v.kind != isNil {
				return v
			}
			return b.run(env, c)
		}, a, b)
	}
	compute := operation(n)
	if compute == nil {
		return l.program(n)
	}
	a, b := l.lower(n.Left), l.lower(n.Right)
	left, right := a.run, b.run
	if b.con { // one closure less on the commonest shape, name op literal
		k := b.val
		if quick := withInt(n, k); quick != nil {
			return folded(func(env Env, c *calls) value {
				v := left(env, c)
				if v.kind == isInt {
					return quick(v.whole())
				}
				return compute(v, right(env, c))
			}, a, b)
		}
	}
	return folded(func(env Env, c *calls) value {
		v := left(env, c)
		return compute(v, right(env, c))
	}, a, b)
}

// withInt is the operation on two whole numbers whose right one is known, or
// nil.
func withInt(node *ast.BinaryNode, k value) func(int) value {
	if k.kind != isInt {
		return nil
	}
	n := k.whole()
	switch node.Operator {
	case "+":
		return func(v int) value { return added(node, v, n) }
	case "-":
		return func(v int) value { return subtracted(node, v, n) }
	case "==":
		return func(v int) value { return boolValue(v == n) }
	case "!=":
		return func(v int) value { return boolValue(v != n) }
	case "<":
		return func(v int) value { return boolValue(v < n) }
	case ">":
		return func(v int) value { return boolValue(v > n) }
	}
	return nil
}

// operation is what n does with its two values, or nil if that is not lowered.
func operation(n *ast.BinaryNode) func(a, b value) value {
	switch n.Operator {
	case "==":
		return func(a, b value) value { return boolValue(equal(a, b)) }
	case "!=":
		return func(a, b value) value { return boolValue(!equal(a, b)) }
	case "<":
		return compare(n, func(c int) bool { return c < 0 })
	case "<=":
		return compare(n, func(c int) bool { return c <= 0 })
	case ">":
		return compare(n, func(c int) bool { return c > 0 })
	case ">=":
		return compare(n, func(c int) bool { return c >= 0 })
	case "+":
		return func(a, b value) value {
			switch {
			case a.kind == isInt && b.kind == isInt:
				return added(n, a.whole(), b.whole())
			case a.number() && b.number():
				return floatValue(a.float() + b.float())
			case a.kind == isString && b.kind == isString:
				return value{kind: isString, x: a.str() + b.str()}
			}
			return mixed(n, "add", a, b)
		}
	case "-":
		return func(a, b value) value {
			switch {
			case a.kind == isInt && b.kind == isInt:
				return subtracted(n, a.whole(), b.whole())
			case a.number() && b.number():
				return floatValue(a.float() - b.float())
			}
			return mixed(n, "subtract", a, b)
		}
	case "*":
		return func(a, b value) value {
			switch {
			case a.kind == isInt && b.kind == isInt:
				return multiplied(n, a.whole(), b.whole())
			case a.number() && b.number():
				return floatValue(a.float() * b.float())
			}
			return mixed(n, "multiply", a, b)
		}
	case "/":
		return func(a, b value) value {
			if !a.number() || !b.number() {
				return mixed(n, "divide", a, b)
			}
			if b.float() == 0 {
				// Infinity is greater than all that is asked for: as in Python, no value.
				fail(n, "a division by zero has no value")
			}
			return floatValue(a.float() / b.float())
		}
	case "**", "^":
		return func(a, b value) value {
			if !a.number() || !b.number() {
				return mixed(n, "raise", a, b)
			}
			x, y := a.float(), b.float()
			switch r := math.Pow(x, y); {
			case x == 0 && y < 0:
				fail(n, "zero to a negative power is a division by zero, which has no value")
			case math.IsNaN(r) && x == x && y == y:
				fail(n, "a fractional power of a negative number has no value")
			case math.IsInf(r, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
				fail(n, "this power is too large for a number")
			default:
				return floatValue(r)
			}
			return value{}
		}
	case "%":
		return func(a, b value) value {
			if a.kind != isInt || b.kind != isInt {
				return mixed(n, "take the remainder of", a, b)
			}
			if b.n == 0 {
				fail(n, "the remainder of a division by zero has no value")
			}
			return intValue(a.whole() % b.whole())
		}
	case "in":
		return func(a, b value) value { return boolValue(contains(n, a, b)) }
	case "contains":
		return textual(n, strings.Contains)
	case "startsWith":
		return textual(n, strings.HasPrefix)
	case "endsWith":
		return textual(n, strings.HasSuffix)
	}
	return nil
}

func mixed(n ast.Node, verb string, a, b value) value {
	fail(n, "cannot %s %s and %s", verb, describe(a.any()), describe(b.any()))
	return value{}
}

func compare(n *ast.BinaryNode, holds func(int) bool) func(a, b value) value {
	return func(a, b value) value {
		switch {
		case a.kind == isInt && b.kind == isInt:
			return boolValue(holds(order(a.whole(), b.whole())))
		case a.number() && b.number():
			x, y := a.float(), b.float()
			if x != x || y != y { // NaN is in no order with anything
				return boolValue(false)
			}
			return boolValue(holds(order(x, y)))
		case a.kind == isString && b.kind == isString:
			return boolValue(holds(strings.Compare(a.str(), b.str())))
		}
		return mixed(n, "compare", a, b)
	}
}

func order[T int | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func contains(n *ast.BinaryNode, a, b value) bool {
	switch t := b.x.(type) {
	case []any:
		for _, e := range t {
			if equal(valueOf(e), a) {
				return true
			}
		}
		return false
	case Record:
		b.x = t.Map()
		return contains(n, a, b)
	case map[string]any:
		switch a.kind {
		case isString:
			_, ok := t[a.str()]
			return ok
		case isNil:
			_, ok := t[""]
			return ok
		}
		fail(n, "the keys of a map are text, not %s", describe(a.any()))
	}
	if b.kind != isNil {
		fail(n, "in looks into a list or a map, not into %s", describe(b.any()))
	}
	return false
}

func textual(n *ast.BinaryNode, holds func(s, part string) bool) func(a, b value) value {
	return func(a, b value) value {
		switch {
		case a.kind == isNil || b.kind == isNil:
			return boolValue(false)
		case a.kind == isString && b.kind == isString:
			return boolValue(holds(a.str(), b.str()))
		}
		fail(n, "%s looks at text, not at %s and %s", n.Operator, describe(a.any()), describe(b.any()))
		return value{}
	}
}
