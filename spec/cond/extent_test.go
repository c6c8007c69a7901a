package cond

import (
	"testing"

	"github.com/expr-lang/expr/ast"
)

// TestExtent finds in each text the one part of a kind and compares its source.
// Parentheses around a part are not its own.
func TestExtent(t *testing.T) {
	for _, test := range []struct {
		src  string
		is   func(ast.Node) bool
		want string
	}{
		{"x == (if a { 1 } else { 2 }) + 1", isNode[*ast.ConditionalNode], "if a { 1 } else { 2 }"},
		{"if a { 1 } else if b { 2 } else { 3 }", isNode[*ast.ConditionalNode], "if a { 1 } else if b { 2 } else { 3 }"},
		{"map(xs, {if # { 1 } else { 2 }})", isNode[*ast.ConditionalNode], "if # { 1 } else { 2 }"},
		{"1 + (a ? b : (c)) + 2", isNode[*ast.ConditionalNode], "a ? b : (c)"},
		{"(a + b) * (c)", isNode[*ast.BinaryNode], "(a + b) * (c)"},
		{"1 + -(a)", isNode[*ast.UnaryNode], "-(a)"},
		{"a not in [b]", isNode[*ast.UnaryNode], "a not in [b]"},
		{"a + b.c[(d)].e + f", isNode[*ast.MemberNode], "b.c[(d)].e"},
		{"a + b[1:(c)]", isNode[*ast.SliceNode], "b[1:(c)]"},
		{"a + f(g(1), (2)) + b", isNode[*ast.CallNode], "f(g(1), (2))"},
		{"a + count(xs, {.y > (1)}) + b", isNode[*ast.BuiltinNode], "count(xs, {.y > (1)})"},
		{"a + count(xs, {.y > (1)}) + b", isNode[*ast.PredicateNode], "{.y > (1)}"},
		{"all(xs, .老.b == '到')", isNode[*ast.MemberNode], ".老.b"},
		{"map(xs, #index)", isNode[*ast.PointerNode], "#index"},
		{"f(let v = 1; v + 2)", isNode[*ast.VariableDeclaratorNode], "let v = 1; v + 2"},
		{"a + len({b: (1)})", isNode[*ast.MapNode], "{b: (1)}"},
		{"{b: (1)}", isNode[*ast.PairNode], "b: (1)"},
		{"'老' + a?.b.c + d", isNode[*ast.ChainNode], "a?.b.c"},
		{"[1, [2]][0]", isNode[*ast.ArrayNode], "[1, [2]]"},
	} {
		tree, err := parse(test.src)
		if err != nil {
			t.Fatalf("%s: %v", test.src, err)
		}
		var found ast.Node
		walk(tree.root, func(n ast.Node) {
			if found == nil && test.is(n) {
				found = n
			}
		})
		if found == nil {
			t.Errorf("%s has no such part", test.src)
		} else if got := tree.text(found); got != test.want {
			t.Errorf("%s: %q, want %q", test.src, got, test.want)
		}
	}
}

func isNode[T ast.Node](n ast.Node) bool { _, ok := n.(T); return ok }
