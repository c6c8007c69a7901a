package cond

import "github.com/expr-lang/expr/ast"

// children are the direct parts of a node, in source order.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		parts := []ast.Node{n.Node}
		if n.From != nil {
			parts = append(parts, n.From)
		}
		if n.To != nil {
			parts = append(parts, n.To)
		}
		return parts
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

// walk visits n and everything below it.
func walk(n ast.Node, visit func(ast.Node)) {
	visit(n)
	for _, part := range children(n) {
		walk(part, visit)
	}
}

// usage is what a subtree needs from outside: one node for each name and for
// each function.
type usage struct {
	names []*ast.IdentifierNode
	calls []*ast.CallNode
}

func uses(n ast.Node) *usage {
	u := &usage{}
	seen := map[string]bool{}
	u.collect(n, nil, seen)
	return u
}

func (u *usage) collect(n ast.Node, locals []string, seen map[string]bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		for _, l := range locals {
			if l == n.Value {
				return
			}
		}
		if !seen[n.Value] {
			seen[n.Value] = true
			u.names = append(u.names, n)
		}
		return
	case *ast.CallNode:
		id, ok := n.Callee.(*ast.IdentifierNode)
		if !ok {
			break
		}
		if key := id.Value + "()"; !seen[key] {
			seen[key] = true
			u.calls = append(u.calls, n)
		}
		for _, a := range n.Arguments {
			u.collect(a, locals, seen)
		}
		return
	case *ast.VariableDeclaratorNode:
		u.collect(n.Value, locals, seen)
		u.collect(n.Expr, append(locals[:len(locals):len(locals)], n.Name), seen)
		return
	}
	for _, part := range children(n) {
		u.collect(part, locals, seen)
	}
}
