package cond

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxDeciding is how many elements of a list are told of, of those that decided
// a test in the same way, and maxLooked how many of a long list are looked at: each
// is parsed anew.
const (
	maxDeciding = 3
	maxLooked   = 200
)

// element is a test that one element of a list decided, as an expression of its
// own: the predicate with the element in the place of #.
type element struct {
	test  ast.Node
	group bool // the element has facts, which nobody wants to read all of
}

// deciding are the elements because of which all(…), any(…), none(…) or one(…)
// is what it is: those for which all did not hold, and so on.
func (x *explainer) deciding(n *ast.BuiltinNode) []element {
	if !slices.Contains([]string{"all", "any", "none", "one"}, n.Name) {
		return nil
	}
	at := x.place(n)
	v, ok := x.value(n.Arguments[0])
	if at < 0 || !ok {
		return nil
	}
	list, _ := canonical(v.any()).([]any)
	var yes, no []element
	for i, e := range list[:min(len(list), maxLooked)] {
		test := x.substituted(at, i)
		if test == nil {
			return nil
		}
		holds, ok := x.value(test)
		if !ok || holds.kind != isBool {
			continue
		}
		_, group := e.(map[string]any)
		if holds.truth() {
			yes = append(yes, element{test, group})
		} else {
			no = append(no, element{test, group})
		}
	}
	found := yes
	if n.Name == "all" || n.Name == "any" && len(yes) == 0 || n.Name == "one" && len(yes) == 0 {
		found = no
	}
	found = found[:min(len(found), maxDeciding)]
	for _, e := range found {
		walk(e.test, func(part ast.Node) { x.made[part] = n })
	}
	return found
}

// place is the number of a node in the order of a walk, -1 if it is not part of
// the source's tree.
func (x *explainer) place(n ast.Node) int {
	all := nodes(x.tree.root)
	return slices.Index(all, n)
}

func nodes(root ast.Node) (all []ast.Node) {
	walk(root, func(n ast.Node) { all = append(all, n) })
	return all
}

// substituted is the test of the built-in call at a place, of element i. It is
// taken from a tree of its own, since each element needs other nodes.
func (x *explainer) substituted(at, i int) ast.Node {
	t, err := parse(x.tree.src)
	if err != nil {
		return nil
	}
	call, ok := nodes(t.root)[at].(*ast.BuiltinNode)
	if !ok || len(call.Arguments) != 2 {
		return nil
	}
	list := call.Arguments[0]
	test, ok := call.Arguments[1].(*ast.PredicateNode)
	if !ok {
		return nil
	}
	var e ast.Node = &ast.MemberNode{Node: list, Property: &ast.IntegerNode{Value: i}}
	if written, ok := list.(*ast.ArrayNode); ok && i < len(written.Nodes) {
		e = written.Nodes[i]
	}
	p := &pointers{own: map[ast.Node]bool{}, element: e, index: i}
	p.find(test.Node)
	ast.Walk(&test.Node, p)
	return test.Node
}

// pointers replaces # and #index of one predicate. Those of predicates within it
// mean other elements.
type pointers struct {
	own     map[ast.Node]bool
	element ast.Node
	index   int
}

func (p *pointers) find(n ast.Node) {
	switch n.(type) {
	case *ast.PredicateNode:
		return
	case *ast.PointerNode:
		p.own[n] = true
	}
	for _, part := range children(n) {
		p.find(part)
	}
}

// Visit is called by ast.Walk with each node, after those below it.
func (p *pointers) Visit(n *ast.Node) {
	pointer, ok := (*n).(*ast.PointerNode)
	if !ok || !p.own[pointer] {
		return
	}
	switch pointer.Name {
	case "":
		*n = p.element
	case "index":
		*n = &ast.IntegerNode{Value: p.index}
	}
}
