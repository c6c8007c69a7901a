package cond

import (
	"fmt"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// Text consists of characters, as len counts them. To expr's machine it is a row
// of bytes wherever it is sliced, indexed or gone through, so there it is handed
// to functions of ours. Bytes that are no UTF-8 are a character each, and stay
// what they are.

// noElements is said of text where an element is asked for.
const noElements = "text has no elements; cut out a piece, as in %s[0:1]"

// slicedText is the text from a character to before another. Bounds are those of
// a list: negative ones count from the end, and what is beyond an end is there.
func slicedText(s string, from, to int) string {
	length := utf8.RuneCountInString(s)
	within := func(i int) int {
		if i < 0 {
			i += length
		}
		return min(max(i, 0), length)
	}
	from, to = within(from), within(to)
	if from >= to {
		return ""
	}
	return s[byteOf(s, from):byteOf(s, to)]
}

// byteOf is where the character with a number begins.
func byteOf(s string, character int) int {
	at := 0
	for ; character > 0; character-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// characterOf is indexOf and lastIndexOf, given how a piece is found.
func characterOf(name string, find func(s, piece string) int) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		for _, a := range args {
			if _, ok := a.(string); !ok {
				return nil, fmt.Errorf("%s looks for text in text, not at %s", name, describe(a))
			}
		}
		s := args[0].(string)
		at := find(s, args[1].(string))
		if at < 0 {
			return -1, nil
		}
		return utf8.RuneCountInString(s[:at]), nil
	}
}

// machineFunc is a function of ours that the machine calls in a subtree.
type machineFunc = func(args ...any) (any, error)

// forMachine is a copy of a subtree for expr's machine, and the functions that it
// calls in the place of what would look at the bytes of text. The tree itself is
// left alone: other goroutines look at it.
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
	m.funcs[name] = f
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
		c := *n
		c.Node = m.copy(n.Node)
		return &c
	case *ast.BinaryNode:
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

// builtin keeps text away from where a function wants a list.
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
	return &c
}
