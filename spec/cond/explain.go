package cond

import (
	"github.com/expr-lang/expr/ast"
)

// Part is a piece of an expression and the value it had. Value is how it
// prints: text in quotes, lists and maps as JSON, time spans with their unit,
// everything cut to a readable length. Raw is the value itself.
type Part struct {
	Text     string
	From, To int // rune offsets
	Value    string
	Raw      any
	// Element: it is about one element of a list, and From and To are those of the
	// test of the list, since its text stands nowhere.
	Element bool
}

const maxParts = 8

// Explain tells why the expression has the value it has: its parts with their
// values, outermost first, at most eight. Constants are left out, and so are
// parts that were not evaluated (behind a && that was false), that fail, or
// that appeared before. It is meant for failures and takes microseconds, not
// nanoseconds.
func (e *Expr) Explain(env Env) []Part {
	// A tree of its own: expr's compiler writes into the nodes it is given, and
	// the expression's tree may be in use by others.
	t, err := parse(e.src)
	if err != nil || e.ready().err != nil {
		return nil
	}
	x := &explainer{expr: e, tree: t, env: env, seen: map[string]bool{}, notes: map[ast.Node]string{}, made: map[ast.Node]ast.Node{}}
	queue := []ast.Node{t.root}
	switch t.root.(type) {
	case *ast.BinaryNode, *ast.UnaryNode, *ast.ConditionalNode, *ast.VariableDeclaratorNode:
		// The value of the whole is what the reader knows already.
		queue = x.below(t.root)
	}
	for len(queue) > 0 && len(x.parts) < maxParts {
		n := queue[0]
		queue = queue[1:]
		x.show(n)
		queue = append(queue, x.below(n)...)
	}
	return x.parts
}

type explainer struct {
	expr  *Expr
	tree  *tree
	env   Env
	seen  map[string]bool
	notes map[ast.Node]string   // what is to be said of a part beside its value
	made  map[ast.Node]ast.Node // those not of the source, and what they stand for
	parts []Part
}

// show adds n if it is worth showing.
func (x *explainer) show(n ast.Node) {
	switch n.(type) {
	case *ast.UnaryNode, *ast.ConditionalNode, *ast.ArrayNode, *ast.MapNode, *ast.PairNode,
		*ast.PredicateNode, *ast.PointerNode, *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return
	}
	if u := uses(n); len(u.names) == 0 && len(u.calls) == 0 {
		return
	}
	text, place := x.tree.text(n), n
	if from := x.made[n]; from != nil {
		text, place = n.String(), from
	}
	if x.seen[text] {
		return
	}
	v, ok := x.value(n)
	if !ok {
		return
	}
	x.seen[text] = true
	raw := canonical(v.any())
	p := Part{Text: text, Value: show(raw), Raw: raw, Element: place != n}
	p.From, p.To = x.tree.span(place)
	if v.number() && x.seconds(n) {
		p.Value += "s"
	}
	p.Value += x.notes[n]
	x.parts = append(x.parts, p)
}

func (x *explainer) value(n ast.Node) (v value, ok bool) {
	l := &lowerer{tree: x.tree}
	run := l.lower(n).run
	if l.err != nil {
		return value{}, false
	}
	_, ok = attempt(func() { v = run(x.env, x.expr.calls) })
	return v, ok
}

// below are the parts of n to look at next. Operands of a chain of && or of ||
// count as one level; what was not evaluated is left out, and so is whatever may
// mention a variable of let. The inside of a predicate has a different value for
// each element: it is looked at for those that decided.
func (x *explainer) below(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&", "and", "||", "or":
			return x.operands(n, n.Operator == "||" || n.Operator == "or")
		case "==", "!=":
			x.alike(n.Left, n.Right)
			x.alike(n.Right, n.Left)
		}
		return []ast.Node{n.Left, n.Right}
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		branch := n.Exp2
		if v, ok := x.value(n.Cond); ok && v.kind == isBool && v.truth() {
			branch = n.Exp1
		}
		return []ast.Node{n.Cond, branch}
	case *ast.ChainNode:
		return x.below(n.Node)
	case *ast.MemberNode:
		// What it starts from may be the reason why it has no value.
		if _, ok := x.value(n); !ok && !x.holds(n) {
			return append([]ast.Node{n.Node}, x.indices(n)...)
		}
		return x.indices(n)
	case *ast.CallNode:
		return n.Arguments
	case *ast.BuiltinNode:
		var parts []ast.Node
		if found := x.deciding(n); len(found) > 0 {
			for _, e := range found {
				parts = append(parts, x.within(e.test)...)
			}
			if found[0].group {
				return parts
			}
		}
		for _, a := range n.Arguments {
			if _, ok := a.(*ast.PredicateNode); !ok {
				parts = append(parts, a)
			}
		}
		return parts
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value}
	case *ast.PredicateNode:
		return nil
	}
	return children(n)
}

// alike notes of a number that it is one where it is compared with the text that
// looks like it: printed, the two would seem equal.
func (x *explainer) alike(number, text ast.Node) {
	n, known := x.value(number)
	t, ok := x.value(text)
	if known && ok && n.number() && t.kind == isString && show(canonical(n.any())) == t.str() {
		x.notes[number] = ", a number, and " + x.tree.quote(text) + " is text"
	}
}

// holds reports whether what a member is asked of has it: then nothing is wrong with
// the object, which may be long, but with the member, as with a fact that nobody
// knows.
func (x *explainer) holds(n *ast.MemberNode) bool {
	name, named := n.Property.(*ast.StringNode)
	v, ok := x.value(n.Node)
	if !named || !ok {
		return false
	}
	object, _ := canonical(v.any()).(map[string]any)
	_, has := object[name.Value]
	return has
}

// within are the parts of an expression that is true or false, or that itself if
// it has none.
func (x *explainer) within(n ast.Node) []ast.Node {
	switch n.(type) {
	case *ast.BinaryNode, *ast.UnaryNode:
		return x.below(n)
	}
	return []ast.Node{n}
}

func (x *explainer) operands(n *ast.BinaryNode, or bool) []ast.Node {
	var left []ast.Node
	if b, ok := n.Left.(*ast.BinaryNode); ok && b.Operator == n.Operator {
		left = x.operands(b, or)
	} else {
		left = []ast.Node{n.Left}
	}
	if v, ok := x.value(n.Left); !ok || v.kind == isBool && v.truth() == or {
		return left
	}
	return append(left, n.Right)
}

// indices are the computed parts of a path such as fork[(index + 1) % 5].holder.
// What the path starts from is not shown by itself: it is a whole object.
func (x *explainer) indices(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.MemberNode:
		parts := x.indices(n.Node)
		if _, named := n.Property.(*ast.StringNode); !named {
			parts = append(parts, n.Property)
		}
		return parts
	case *ast.ChainNode:
		return x.indices(n.Node)
	case *ast.IdentifierNode, *ast.PointerNode:
		return nil
	}
	return []ast.Node{n}
}

// seconds reports whether n is a time span, as far as the scope tells.
func (x *explainer) seconds(n ast.Node) bool {
	if x.expr.scope == nil {
		return false
	}
	c := &typer{tree: x.tree, scope: x.expr.scope, done: map[ast.Node]Type{}}
	return c.check(n).seconds
}
