package cond

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// machineFunc is a function of ours that the machine calls in a subtree.
type machineFunc = func(args ...any) (any, error)

// forMachine is a copy of a subtree for expr's machine, and the functions that it
// calls in the place of what would look at the bytes of text, count past 64 bits or
// tell equal numbers apart. The tree itself is left alone: other goroutines look at
// it.
func (l *lowerer) forMachine(n ast.Node) (ast.Node, map[string]machineFunc) {
	m := &machineTree{tree: l.tree, funcs: map[string]machineFunc{}}
	return m.copy(n), m.funcs
}

type machineTree struct {
	tree  *tree
	funcs map[string]machineFunc
}

// call is the call of a function of ours in the place of n. The name that it has
// is none that an expression can write.
func (m *machineTree) call(n ast.Node, f machineFunc, args ...ast.Node) ast.Node {
	name := fmt.Sprintf("text %d", len(m.funcs))
	m.funcs[name] = func(args ...any) (out any, err error) {
		fl, ok := attempt(func() { out, err = f(args...) })
		if !ok {
			return nil, &callError{fl}
		}
		return out, err
	}
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(n.Location())
	call := &ast.CallNode{Callee: callee, Arguments: args}
	call.SetLocation(n.Location())
	return call
}

// refuse makes a value pass that is no text.
func (m *machineTree) refuse(n ast.Node, why string) machineFunc {
	return func(args ...any) (any, error) {
		if _, ok := args[0].(string); ok {
			return nil, &callError{&failure{node: n, text: why}}
		}
		return args[0], nil
	}
}

func (m *machineTree) copy(n ast.Node) ast.Node {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.UnaryNode:
		if n.Operator == "-" && !literal(n.Node) {
			return m.call(n, func(args ...any) (any, error) {
				return negated(n, valueOf(args[0])).any(), nil
			}, m.copy(n.Node))
		}
		c := *n
		c.Node = m.copy(n.Node)
		return &c
	case *ast.BinaryNode:
		if operates(n) {
			compute := operation(n)
			return m.call(n, func(args ...any) (any, error) {
				return compute(valueOf(args[0]), valueOf(args[1])).any(), nil
			}, m.copy(n.Left), m.copy(n.Right))
		}
		c := *n
		c.Left, c.Right = m.copy(n.Left), m.copy(n.Right)
		return &c
	case *ast.ChainNode:
		c := *n
		c.Node = m.copy(n.Node)
		return &c
	case *ast.MemberNode:
		c := *n
		c.Node, c.Property = m.copy(n.Node), m.copy(n.Property)
		if _, named := n.Property.(*ast.StringNode); !named {
			c.Node = m.call(n.Node, m.refuse(n, fmt.Sprintf(noElements, m.tree.quote(n.Node))), c.Node)
		}
		return &c
	case *ast.SliceNode:
		return m.slice(n)
	case *ast.CallNode:
		c := *n
		c.Arguments = m.copies(n.Arguments)
		return &c
	case *ast.BuiltinNode:
		return m.builtin(n)
	case *ast.PredicateNode:
		c := *n
		c.Node = m.copy(n.Node)
		return &c
	case *ast.VariableDeclaratorNode:
		c := *n
		c.Value, c.Expr = m.copy(n.Value), m.copy(n.Expr)
		return &c
	case *ast.SequenceNode:
		c := *n
		c.Nodes = m.copies(n.Nodes)
		return &c
	case *ast.ConditionalNode:
		c := *n
		c.Cond, c.Exp1, c.Exp2 = m.copy(n.Cond), m.copy(n.Exp1), m.copy(n.Exp2)
		return &c
	case *ast.ArrayNode:
		c := *n
		c.Nodes = m.copies(n.Nodes)
		return &c
	case *ast.MapNode:
		c := *n
		c.Pairs = m.copies(n.Pairs)
		return &c
	case *ast.PairNode:
		c := *n
		c.Key, c.Value = m.copy(n.Key), m.copy(n.Value)
		return &c
	}
	return n
}

// operates reports whether the machine would do something else than we do: it
// computes with the lowest 64 bits, divides by zero, and compares maps by the types
// of the numbers in them.
func operates(n *ast.BinaryNode) bool {
	switch n.Operator {
	case "+", "-", "*", "/", "%", "**", "^":
		return true
	case "==", "!=":
		return !literal(n.Left) && !literal(n.Right)
	case "in":
		return !literal(n.Left) && !literal(n.Right)
	}
	return false
}

// literal reports whether a node is a literal that is compared by its own type, or a
// list of such or a range.
func literal(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "-" && literal(n.Node)
	case *ast.BinaryNode:
		return n.Operator == ".."
	case *ast.ArrayNode:
		return !slices.ContainsFunc(n.Nodes, func(e ast.Node) bool { return !literal(e) })
	}
	return false
}

func (m *machineTree) copies(nodes []ast.Node) []ast.Node {
	out := make([]ast.Node, len(nodes))
	for i, n := range nodes {
		out[i] = m.copy(n)
	}
	return out
}

// slice has the machine slice lists, and text by a function of ours.
func (m *machineTree) slice(n *ast.SliceNode) ast.Node {
	bound := func(b ast.Node) ast.Node {
		if b == nil {
			return &ast.NilNode{}
		}
		return m.copy(b)
	}
	return m.call(n, func(args ...any) (any, error) {
		from, to := args[1], args[2]
		if from == nil {
			from = 0
		}
		s, isText := args[0].(string)
		if !isText {
			if to == nil {
				to = runtime.Len(args[0])
			}
			return runtime.Slice(args[0], from, to), nil
		}
		if to == nil {
			to = len(s)
		}
		return slicedText(s, runtime.ToInt(from), runtime.ToInt(to)), nil
	}, m.copy(n.Node), bound(n.From), bound(n.To))
}

// builtin keeps text away from where a function wants a list, and does itself what
// the machine does otherwise.
func (m *machineTree) builtin(n *ast.BuiltinNode) ast.Node {
	c := *n
	c.Arguments = m.copies(n.Arguments)
	b, ok := builtinCalled(n.Name)
	if !ok {
		return &c
	}
	_, _, letters := b.arity()
	for i, a := range n.Arguments {
		why := ""
		switch {
		case letters[min(i, len(letters)-1)] == 'l':
			why = n.Name + " wants a list here, not text"
		case n.Name == "get" && i == 0:
			why = fmt.Sprintf(noElements, m.tree.quote(a))
		}
		if _, list := a.(*ast.ArrayNode); why != "" && !list {
			c.Arguments[i] = m.call(a, m.refuse(a, why), c.Arguments[i])
		}
	}
	switch n.Name {
	case "int":
		c.Arguments[0] = m.checked(n, fitsInt, c.Arguments[0])
	case "abs":
		c.Arguments[0] = m.checked(n, fitsAbs, c.Arguments[0])
	case "sum":
		list := c.Arguments[0]
		if len(c.Arguments) == 2 { // what the expression yields for each
			each := &ast.BuiltinNode{Name: "map", Arguments: c.Arguments}
			each.SetLocation(n.Location())
			list = each
		}
		return m.call(n, func(args ...any) (any, error) { return sumOf(n, args[0]), nil }, list)
	case "uniq":
		return m.call(n, func(args ...any) (any, error) { return uniqOf(n, args[0]), nil }, c.Arguments[0])
	case "string":
		return m.call(n, func(args ...any) (any, error) { return Text(args[0]), nil }, c.Arguments[0])
	}
	return &c
}

// checked makes a value pass with which a function can do what it says. What is no
// number by how it is written is left to expr's checker.
func (m *machineTree) checked(n *ast.BuiltinNode, check func(ast.Node, any), arg ast.Node) ast.Node {
	switch arg.(type) {
	case *ast.NilNode, *ast.BoolNode, *ast.ArrayNode, *ast.MapNode:
		return arg
	}
	return m.call(n, func(args ...any) (any, error) {
		check(n, args[0])
		return args[0], nil
	}, arg)
}
