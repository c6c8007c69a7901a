package cond

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// word reports a text in quotes that the other side, of type t, with which it is
// compared, can never be: "INT" beside the name of a signal, which is
// "SIGINT", or "dead" beside the state of a process. In a list in brackets
// it looks at each element.
func (c *typer) word(n ast.Node, other ast.Node, t Type) {
	switch n := n.(type) {
	case *ast.ArrayNode:
		for _, e := range n.Nodes {
			c.word(e, other, t.element())
		}
	case *ast.StringNode:
		switch {
		case t.enum != nil:
			c.enumerated(n, other, t.enum)
		case t.signal && c.scope.Signals != nil:
			c.signalName(n)
		}
	}
}

func (c *typer) enumerated(n *ast.StringNode, other ast.Node, texts []string) {
	for _, s := range texts {
		if s == n.Value {
			return
		}
	}
	hint := "it is one of " + strings.Join(texts, ", ")
	if s := c.scope.suggest(n.Value, texts); s != "" {
		hint = fmt.Sprintf("did you mean %q?", s)
	}
	c.fail(n, hint, "%s is never %q", c.tree.quote(other), n.Value)
}

func (c *typer) signalName(n *ast.StringNode) {
	table := c.scope.Signals
	num, err := table.Number(n.Value)
	switch {
	case err == nil && table.Name(num) == n.Value:
	case err == nil:
		c.fail(n, "write "+strconv.Quote(table.Name(num)), "the name of a signal is never %q", n.Value)
	default:
		hint := ""
		if s := c.scope.suggest(n.Value, table.Names()); s != "" {
			hint = fmt.Sprintf("did you mean %q?", s)
		}
		c.fail(n, hint, "no signal is called %q", n.Value)
	}
}
