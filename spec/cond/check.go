package cond

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/expr-lang/expr/ast"

	"ipcrun/spec/decl"
)

// maxPredicates bounds the work an expression can ask for: each level of
// predicates multiplies it by the length of a list, and nothing can cancel it.
const maxPredicates = 2

// typer gives every part of an expression a type and collects what is wrong.
// A part that is wrong gets AnyType, so that one mistake is reported once.
type typer struct {
	tree     *tree
	scope    *Scope
	problems []Problem
	locals   []local // let
	elements []Type  // what # is, in each predicate around
	// done is the type of a node: chained comparisons share their middle.
	done map[ast.Node]Type
}

type local struct {
	name string
	typ  Type
}

func (c *typer) fail(n ast.Node, hint, format string, args ...any) Type {
	from, to := c.tree.span(n)
	c.failAt(from, to, hint, format, args...)
	return Type{}
}

func (c *typer) failAt(from, to int, hint, format string, args ...any) {
	c.problems = append(c.problems, Problem{From: from, To: to, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// the names n and its type: `jobs.size (a whole number)`.
func (c *typer) the(n ast.Node, t Type) string {
	return fmt.Sprintf("%s (%s)", c.tree.quote(n), t)
}

func (c *typer) check(n ast.Node) Type {
	if n == nil {
		return Type{}
	}
	if t, ok := c.done[n]; ok {
		return t
	}
	t := c.node(n)
	c.done[n] = t
	return t
}

func (c *typer) node(n ast.Node) Type {
	switch n := n.(type) {
	case *ast.NilNode:
		return Type{kind: nilKind}
	case *ast.BoolNode:
		return Type{kind: boolKind}
	case *ast.IntegerNode:
		return Type{kind: intKind}
	case *ast.FloatNode:
		return Type{kind: floatKind}
	case *ast.StringNode:
		return Type{kind: stringKind}
	case *ast.BytesNode:
		return c.fail(n, "leave out the b before the quotes", "there are no byte strings here")
	case *ast.IdentifierNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ChainNode:
		return c.check(n.Node)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.PredicateNode:
		return c.check(n.Node)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.ConditionalNode:
		if t := c.check(n.Cond); !t.maybe(boolKind) {
			c.fail(n.Cond, compareHint(c.tree.quote(n.Cond), t), "the condition before ? must be true or false, but %s is %s", c.tree.quote(n.Cond), t)
		}
		return join(c.check(n.Exp1), c.check(n.Exp2))
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.SequenceNode:
		for _, part := range n.Nodes {
			c.check(part)
		}
		return c.fail(n, "join them with && or write two conditions", "; is not allowed here: only the last part would count")
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		for _, p := range n.Pairs {
			if pair, ok := p.(*ast.PairNode); ok {
				if t := c.check(pair.Key); !t.maybe(stringKind) {
					c.fail(pair.Key, "", "a key of a map must be text, but %s is %s", c.tree.quote(pair.Key), t)
				}
				c.check(pair.Value)
			}
		}
		return Type{kind: mapKind}
	}
	return Type{}
}

func (c *typer) array(n *ast.ArrayNode) Type {
	var elem Type
	for i, e := range n.Nodes {
		t := c.check(e)
		switch {
		case i == 0:
			elem = t
		case elem.number() && t.number() && elem.kind != t.kind:
			elem = Type{kind: floatKind}
		default:
			elem = join(elem, t)
		}
	}
	return ListOf(elem)
}

func (c *typer) let(n *ast.VariableDeclaratorNode) Type {
	value := c.check(n.Value)
	_, taken := c.scope.Names[n.Name]
	for _, l := range c.locals {
		taken = taken || l.name == n.Name
	}
	if _, isBuiltin := builtinCalled(n.Name); taken || isBuiltin || len(c.scope.overloads(n.Name)) > 0 {
		loc := n.Location()
		c.failAt(loc.From, loc.To, "choose another name", "%s is the name of something else already", n.Name)
	}
	c.locals = append(c.locals, local{n.Name, value})
	t := c.check(n.Expr)
	c.locals = c.locals[:len(c.locals)-1]
	return t
}

func (c *typer) unary(n *ast.UnaryNode) Type {
	t := c.check(n.Node)
	switch n.Operator {
	case "!", "not":
		if !t.maybe(boolKind) {
			hint := compareHint(c.tree.quote(n.Node), t)
			if t.kind == stringKind || t.number() {
				hint = fmt.Sprintf("to negate a whole comparison, put it in parentheses: %s(…); for a list, write x not in list", n.Operator)
			}
			c.fail(n, hint, "%s needs true or false, but %s is %s", n.Operator, c.tree.quote(n.Node), t)
		}
		return Type{kind: boolKind}
	default:
		if !t.maybeNumber() {
			return c.fail(n, "", "%s needs a number, but %s is %s", n.Operator, c.tree.quote(n.Node), t)
		}
		return t
	}
}

func (c *typer) slice(n *ast.SliceNode) Type {
	t := c.check(n.Node)
	for _, bound := range []ast.Node{n.From, n.To} {
		if bound == nil {
			continue
		}
		if b := c.check(bound); !b.maybe(intKind) {
			c.fail(bound, "", "a bound of a slice must be a whole number, but %s is %s", c.tree.quote(bound), b)
		}
	}
	if !t.maybe(listKind) && t.kind != stringKind {
		return c.fail(n, "", "only lists and text have slices, but %s is %s", c.tree.quote(n.Node), t)
	}
	return t
}

func (c *typer) pointer(n *ast.PointerNode) Type {
	if len(c.elements) == 0 {
		return c.fail(n, "", "# stands for an element and means something only inside all(…), any(…), count(…) and their like")
	}
	switch n.Name {
	case "":
		return c.elements[len(c.elements)-1]
	case "index":
		return Type{kind: intKind}
	}
	return c.fail(n, "write # for the element itself or .field for one of its fields", "there is no #%s", n.Name)
}

// compareHint says how to make a condition of a value that is none.
func compareHint(text string, t Type) string {
	switch t.kind {
	case intKind, floatKind:
		return "compare it with something, as in " + text + " > 0"
	case stringKind:
		return "compare it with something, as in " + text + ` == "…"`
	case listKind, mapKind:
		return "ask for its length, as in len(" + text + ") > 0"
	case objectKind:
		if names := t.fieldNames(); len(names) > 0 {
			return text + " has: " + list(names)
		}
	}
	return ""
}

func (c *typer) want(w Want) {
	t := c.check(c.tree.root)
	if len(c.problems) > 0 || w.accepts(t) {
		return
	}
	hint := ""
	switch {
	case w == WantBool:
		hint = compareHint(c.tree.quote(c.tree.root), t)
	case w == WantInt && t.kind == floatKind:
		hint = "/ always yields a number with a fraction; write int(…) to cut it off"
	case w == WantString:
		hint = "write string(…) to turn it into text"
	}
	c.fail(c.tree.root, hint, "this must be %s, but it is %s", w, t)
}

// pattern reports a constant that is no regular expression.
func (c *typer) pattern(n ast.Node) {
	if s, ok := n.(*ast.StringNode); ok {
		if _, err := regexp.Compile(s.Value); err != nil {
			c.fail(n, "write \\\\ for one backslash, or use backquotes: `\\d+`", "this is not a valid regular expression: %v", regexpReason(err))
		}
	}
}

func regexpReason(err error) string {
	if e, ok := err.(interface{ Unwrap() error }); ok && e.Unwrap() != nil {
		err = e.Unwrap()
	}
	const prefix = "error parsing regexp: "
	s := err.Error()
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		s = s[len(prefix):]
	}
	return s
}

// duration reports a constant that is no time span.
func (c *typer) duration(n ast.Node) {
	if s, ok := n.(*ast.StringNode); ok {
		if decl.TooLong(s.Value) {
			c.fail(n, "a duration is "+decl.LongestDurationText(), "%s is too long", strconv.Quote(s.Value))
		} else if _, err := time.ParseDuration(s.Value); err != nil {
			c.fail(n, `write a number with a unit, as in "200ms" or "1.5s"`, "%s is not a duration", strconv.Quote(s.Value))
		}
	}
}
