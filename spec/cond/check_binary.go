package cond

import (
	"fmt"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"
)

func (c *typer) binary(n *ast.BinaryNode) Type {
	if n.Operator == "==" || n.Operator == "!=" {
		return c.equality(n)
	}
	switch n.Operator {
	case "in", "matches", "contains", "startsWith", "endsWith":
		if not, ok := n.Left.(*ast.UnaryNode); ok && (not.Operator == "not" || not.Operator == "!") {
			// not binds tighter than these.
			c.check(not.Node)
			c.check(n.Right)
			c.fail(n, fmt.Sprintf("write %s not %s %s", c.tree.quote(not.Node), n.Operator, c.tree.quote(n.Right)),
				"%s applies to %s alone here, not to the whole", not.Operator, c.tree.quote(not.Node))
			return Type{kind: boolKind}
		}
	}
	l, r := c.check(n.Left), c.check(n.Right)
	switch n.Operator {
	case "&&", "||", "and", "or":
		c.logical(n, n.Left, l)
		c.logical(n, n.Right, r)
		return Type{kind: boolKind}
	case "<", "<=", ">", ">=":
		if l.maybeNumber() && r.maybeNumber() || l.maybe(stringKind) && r.maybe(stringKind) {
			return Type{kind: boolKind}
		}
		c.mismatch(n, l, r, "compare")
		return Type{kind: boolKind}
	case "+":
		if l.kind == stringKind && r.maybe(stringKind) || r.kind == stringKind && l.maybe(stringKind) {
			return Type{kind: stringKind}
		}
		if l.kind == anyKind && r.kind == anyKind {
			return Type{}
		}
		return c.arithmetic(n, l, r)
	case "-", "*":
		return c.arithmetic(n, l, r)
	case "/", "**", "^":
		c.arithmetic(n, l, r)
		return Type{kind: floatKind}
	case "%", "..":
		for i, t := range []Type{l, r} {
			if side := []ast.Node{n.Left, n.Right}[i]; !t.maybe(intKind) {
				hint := ""
				if t.kind == floatKind {
					hint = "write int(" + c.tree.quote(side) + ") to cut off the fraction"
				}
				c.fail(side, hint, "%s needs whole numbers, but %s is %s", n.Operator, c.tree.quote(side), t)
			}
		}
		if n.Operator == ".." {
			return ListOf(Type{kind: intKind})
		}
		return Type{kind: intKind}
	case "in":
		c.in(n, l, r)
		return Type{kind: boolKind}
	case "matches", "contains", "startsWith", "endsWith":
		c.textual(n, l, r)
		return Type{kind: boolKind}
	case "??":
		return join(l, r)
	}
	return c.fail(n, "", "there is no operator %s", n.Operator)
}

func (c *typer) logical(n *ast.BinaryNode, side ast.Node, t Type) {
	if t.maybe(boolKind) {
		return
	}
	hint := compareHint(c.tree.quote(side), t)
	if b, ok := n.Left.(*ast.BinaryNode); ok && side == n.Right && (b.Operator == "==" || b.Operator == "!=") {
		// x == 1 || 2
		hint = fmt.Sprintf("repeat the left side: %s %s %s %s %s", c.tree.quote(n.Left), n.Operator, c.tree.quote(b.Left), b.Operator, c.tree.quote(side))
	}
	c.fail(side, hint, "%s needs true or false on both sides, but %s is %s", n.Operator, c.tree.quote(side), t)
}

func (c *typer) arithmetic(n *ast.BinaryNode, l, r Type) Type {
	if !l.maybeNumber() || !r.maybeNumber() {
		return c.mismatch(n, l, r, map[string]string{"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}[n.Operator])
	}
	switch {
	case l.kind == anyKind || r.kind == anyKind:
		return Type{}
	case l.kind == intKind && r.kind == intKind:
		return l
	}
	t := Type{kind: floatKind}
	if n.Operator == "+" || n.Operator == "-" {
		t.seconds = l.seconds && r.seconds
	}
	return t
}

// equality is checked before its sides, since a bare word next to text was
// probably meant to be text.
func (c *typer) equality(n *ast.BinaryNode) Type {
	yes := Type{kind: boolKind}
	if word := c.unknown(n.Right); word != "" {
		if c.check(n.Left).kind == stringKind {
			c.unquoted(n.Right, word)
			return yes
		}
	} else if word := c.unknown(n.Left); word != "" {
		if c.check(n.Right).kind == stringKind {
			c.unquoted(n.Left, word)
			return yes
		}
	}
	if not, ok := n.Left.(*ast.UnaryNode); ok && (not.Operator == "not" || not.Operator == "!") && !c.check(not.Node).maybe(boolKind) {
		c.done[not] = yes // it is reported here, as a comparison
	}
	l, r := c.check(n.Left), c.check(n.Right)
	if comparable(l, r) {
		c.word(n.Right, n.Left, l)
		c.word(n.Left, n.Right, r)
		return yes
	}
	if b, ok := n.Left.(*ast.BinaryNode); ok && (b.Operator == "==" || b.Operator == "!=") && l.kind == boolKind {
		c.fail(n, fmt.Sprintf("write %s && %s %s %s", c.tree.quote(b), c.tree.quote(b.Right), n.Operator, c.tree.quote(n.Right)),
			"%s cannot be chained: it would compare true or false with %s", n.Operator, c.the(n.Right, r))
		return yes
	}
	c.mismatch(n, l, r, "compare")
	return yes
}

// unknown is the word if n is a bare name that means nothing here.
func (c *typer) unknown(n ast.Node) string {
	id, ok := n.(*ast.IdentifierNode)
	if !ok || c.knows(id.Value) {
		return ""
	}
	return id.Value
}

func (c *typer) unquoted(n ast.Node, word string) {
	hint := fmt.Sprintf("if it is text, put it in quotes: %q", word)
	if s := elsewhere(word); s != "" {
		hint = "write " + s
	} else if field := c.elementField(word); field != "" {
		hint = field
	} else if s := c.scope.suggest(word, c.scope.names()); s != "" {
		hint = fmt.Sprintf("did you mean %s? If it is text, put it in quotes: %q", s, word)
	}
	c.done[n] = c.fail(n, hint, "unknown name %q", word)
}

// mismatch reports two sides that do not go together.
func (c *typer) mismatch(n *ast.BinaryNode, l, r Type, verb string) Type {
	join := map[string]string{"compare": "with", "add": "and", "multiply": "by", "divide": "by"}[verb]
	hint := c.mixHint(n, n.Left, l, n.Right, r)
	if hint == "" {
		hint = c.mixHint(n, n.Right, r, n.Left, l)
	}
	if verb == "" {
		return c.fail(n, hint, "%s needs numbers, not %s and %s", n.Operator, c.the(n.Left, l), c.the(n.Right, r))
	}
	if verb == "subtract" {
		return c.fail(n, hint, "cannot subtract %s from %s", c.the(n.Right, r), c.the(n.Left, l))
	}
	if verb == "compare" && l.kind == listKind && r.kind == listKind && !comparable(l, r) {
		// Both are lists: what differs is what is in them.
		if text, number := l.element(), r.element(); text.kind == stringKind && number.number() || text.number() && number.kind == stringKind {
			hint = `text takes quotes, and numbers take none: ["1"] is not [1]`
		}
		return c.fail(n, hint, "cannot compare %s, whose elements are %s, with %s, whose elements are %s",
			c.tree.quote(n.Left), plural(l.element()), c.tree.quote(n.Right), plural(r.element()))
	}
	return c.fail(n, hint, "cannot %s %s %s %s", verb, c.the(n.Left, l), join, c.the(n.Right, r))
}

// mixHint knows the usual reasons why a, of type ta, does not go with b.
func (c *typer) mixHint(n *ast.BinaryNode, a ast.Node, ta Type, b ast.Node, tb Type) string {
	lit, isText := b.(*ast.StringNode)
	if not, ok := a.(*ast.UnaryNode); ok && a == n.Left && (not.Operator == "not" || not.Operator == "!") {
		return fmt.Sprintf("%s applies to %s alone; write not (%s %s %s)", not.Operator, c.tree.quote(not.Node), c.tree.quote(not.Node), n.Operator, c.tree.quote(b))
	}
	switch {
	case ta.kind == objectKind:
		return compareHint(c.tree.quote(a), ta)
	case ta.number() && isText:
		if _, err := strconv.ParseFloat(lit.Value, 64); err == nil {
			return "a number takes no quotes: " + lit.Value
		}
		if d, err := time.ParseDuration(lit.Value); err == nil {
			return fmt.Sprintf("write duration(%q), which is %s seconds", lit.Value, Text(d.Seconds()))
		}
	case ta.kind == boolKind && isText && (lit.Value == "true" || lit.Value == "false"):
		return lit.Value + " takes no quotes"
	case ta.signal && c.scope.Signals != nil:
		if num, ok := b.(*ast.IntegerNode); ok {
			if _, err := c.scope.Signals.Number(strconv.Itoa(num.Value)); err == nil {
				return "write " + strconv.Quote(c.scope.Signals.Name(num.Value))
			}
		}
	case n.Operator == "+" && ta.kind == stringKind:
		return "turn it into text first: string(" + c.tree.quote(b) + ")"
	case ta.kind == listKind && n.Operator != "+":
		equality := n.Operator == "==" || n.Operator == "!="
		if equality && comparable(ta.element(), tb) {
			return fmt.Sprintf("to look for an element, write %s in %s", c.tree.quote(b), c.tree.quote(a))
		}
		if tb.number() {
			return "to compare its length, write len(" + c.tree.quote(a) + ")"
		}
	}
	return ""
}

func (c *typer) in(n *ast.BinaryNode, l, r Type) {
	left, right := c.tree.quote(n.Left), c.tree.quote(n.Right)
	switch r.kind {
	case anyKind, nilKind:
	case listKind:
		if e := r.element(); !comparable(l, e) {
			c.fail(n, "", "%s is never in %s, whose elements are %s", c.the(n.Left, l), right, plural(e))
		} else {
			c.word(n.Left, n.Right, e)
			c.word(n.Right, n.Left, ListOf(l))
		}
	case mapKind, objectKind:
		if !l.maybe(stringKind) {
			c.fail(n, "", "the keys of %s are text, but %s is %s", right, left, l)
		}
	case stringKind:
		c.fail(n, fmt.Sprintf("write %s contains %s", right, left), "in looks into a list or a map, but %s is text", right)
	default:
		c.fail(n, "", "in looks into a list or a map, but %s is %s", right, r)
	}
}

func plural(t Type) string {
	switch t.kind {
	case boolKind:
		return "true or false"
	case intKind:
		return "whole numbers"
	case floatKind:
		return "numbers"
	case listKind:
		return "lists"
	case mapKind, objectKind:
		return "maps"
	}
	return "text"
}

func (c *typer) textual(n *ast.BinaryNode, l, r Type) {
	if n.Operator == "matches" {
		c.pattern(n.Right)
	}
	for i, t := range []Type{l, r} {
		side := []ast.Node{n.Left, n.Right}[i]
		if t.maybe(stringKind) {
			continue
		}
		hint := ""
		switch {
		case t.kind == listKind && i == 0 && n.Operator == "contains":
			hint = fmt.Sprintf("to look for an element, write %s in %s", c.tree.quote(n.Right), c.tree.quote(n.Left))
		case t.kind == listKind && i == 0:
			hint = fmt.Sprintf("to ask it of any element, write any(%s, # %s %s)", c.tree.quote(n.Left), n.Operator, c.tree.quote(n.Right))
		case t.number():
			hint = "turn it into text first: string(" + c.tree.quote(side) + ")"
		}
		c.fail(side, hint, "%s looks at text, but %s is %s", n.Operator, c.tree.quote(side), t)
	}
}
