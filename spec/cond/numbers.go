package cond

import (
	"errors"
	"math"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// A whole number has 64 bits. What does not fit is an error, never another number:
// expr's machine would go on with the lowest 64 bits.

const unfit = "does not fit into 64 bits"

func added(n ast.Node, a, b int) value {
	sum := a + b
	if (sum > a) != (b > 0) {
		fail(n, "%d + %d "+unfit, a, b)
	}
	return intValue(sum)
}

func subtracted(n ast.Node, a, b int) value {
	left := a - b
	if (left < a) != (b > 0) {
		fail(n, "%d - %d "+unfit, a, b)
	}
	return intValue(left)
}

func multiplied(n ast.Node, a, b int) value {
	product := a * b
	if int(int32(a)) == a && int(int32(b)) == b { // most are that small, and need no division
		return intValue(product)
	}
	if b != 0 && (product/b != a || a == math.MinInt && b == -1) {
		fail(n, "%d * %d "+unfit, a, b)
	}
	return intValue(product)
}

func negated(n *ast.UnaryNode, v value) value {
	switch v.kind {
	case isInt:
		if v.whole() == math.MinInt {
			fail(n, "-(%d) "+unfit, v.whole())
		}
		return intValue(-v.whole())
	case isFloat:
		return floatValue(-v.float())
	}
	fail(n.Node, "- needs a number, not %s", describe(v.any()))
	return value{}
}

// fitsInt fails where int() of a value would be some other number.
func fitsInt(n ast.Node, x any) {
	switch x := x.(type) {
	case float64:
		switch {
		case math.IsNaN(x):
			fail(n, "NaN is no whole number")
		case x < -1<<63 || x >= 1<<63:
			fail(n, "%s "+unfit, Text(x))
		}
	case string:
		if _, err := strconv.Atoi(x); errors.Is(err, strconv.ErrRange) {
			fail(n, "%s "+unfit, cut(x, 40))
		}
	}
}

// fitsAbs fails where abs() of a value would be negative.
func fitsAbs(n ast.Node, x any) {
	if i, ok := x.(int); ok && i == math.MinInt {
		fail(n, "%d without its sign "+unfit, i)
	}
}

// sumOf adds the elements of a list up.
func sumOf(n *ast.BuiltinNode, x any) any {
	sum := intValue(0)
	for _, e := range listOf(n, x) {
		v := valueOf(e)
		switch {
		case sum.kind == isInt && v.kind == isInt:
			sum = added(n, sum.whole(), v.whole())
		case v.number():
			sum = floatValue(sum.float() + v.float())
		default:
			fail(n, "sum adds numbers, not %s", describe(v.any()))
		}
	}
	return sum.any()
}

// uniqOf leaves out what was there before.
func uniqOf(n *ast.BuiltinNode, x any) any {
	out := []any{}
next:
	for _, e := range listOf(n, x) {
		for _, before := range out {
			if equal(valueOf(e), valueOf(before)) {
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

// listOf is a list that a function was given.
func listOf(n *ast.BuiltinNode, x any) []any {
	list, ok := valueOf(x).x.([]any)
	if !ok {
		fail(n.Arguments[0], "%s wants a list here, not %s", n.Name, describe(valueOf(x).any()))
	}
	return list
}
