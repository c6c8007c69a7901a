package cond

import (
	"sort"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Ref is a name that an expression depends on, or a name in quotes that it
// hands to a function which wants one.
type Ref struct {
	Root   string
	Fields []string // dotted paths below the root, sorted; indices left out
	Whole  bool     // the root is also used as a value of its own
	Uses   []Use    // every occurrence, by position

	// Of a name in quotes: the function and the parameter it is given to, and
	// the class of thing it must name. Empty otherwise.
	Func, Param, Class string

	From, To int // rune offsets of the first occurrence
}

// Use is one occurrence of a Ref. Field is the dotted path below its root, ""
// for the root itself.
type Use struct {
	Field    string
	From, To int
}

// Refs lists what the expression depends on, sorted by position of first use.
// Names that let defines are not among them. A name in quotes is known only
// where the expression was compiled with a Scope.
func (e *Expr) Refs() []Ref {
	c := e.ready()
	if c.tree == nil {
		return nil
	}
	f := &finder{tree: c.tree, scope: e.scope}
	f.visit(c.tree.root)
	return gather(f.found)
}

// occurrence is one use before it is put together with its like.
type occurrence struct {
	ref   Ref // Root, Func, Param, Class
	use   Use
	whole bool
}

func gather(found []occurrence) []Ref {
	sort.SliceStable(found, func(i, j int) bool { return found[i].use.From < found[j].use.From })
	var refs []Ref
	index := map[[4]string]int{}
	for _, o := range found {
		key := [4]string{o.ref.Root, o.ref.Func, o.ref.Param, o.ref.Class}
		i, ok := index[key]
		if !ok {
			i = len(refs)
			index[key] = i
			r := o.ref
			r.From, r.To = o.use.From, o.use.To
			refs = append(refs, r)
		}
		r := &refs[i]
		r.Uses = append(r.Uses, o.use)
		r.Whole = r.Whole || o.whole
		if o.use.Field != "" {
			at := sort.SearchStrings(r.Fields, o.use.Field)
			if at == len(r.Fields) || r.Fields[at] != o.use.Field {
				r.Fields = append(r.Fields, "")
				copy(r.Fields[at+1:], r.Fields[at:])
				r.Fields[at] = o.use.Field
			}
		}
	}
	return refs
}

type finder struct {
	tree   *tree
	scope  *Scope
	found  []occurrence
	locals []string
	over   []path // what # is an element of, in each predicate around
}

// path is a root and the fields below it.
type path struct {
	root   string
	fields []string
	from   int
}

func (f *finder) add(p path, to int, whole bool) {
	if p.root == "" {
		return
	}
	f.found = append(f.found, occurrence{
		ref:   Ref{Root: p.root},
		use:   Use{Field: strings.Join(p.fields, "."), From: p.from, To: to},
		whole: whole && len(p.fields) == 0,
	})
}

// path resolves a chain of fields and indices down to a name or to #. Index
// expressions on the way are visited.
func (f *finder) path(n ast.Node) (p path, end int, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		for _, l := range f.locals {
			if l == n.Value {
				return path{}, 0, true
			}
		}
		loc := n.Location()
		return path{root: n.Value, from: loc.From}, loc.To, true
	case *ast.PointerNode:
		loc := n.Location()
		if n.Name != "" || len(f.over) == 0 {
			return path{}, 0, true
		}
		p = f.over[len(f.over)-1]
		p.from = loc.From
		return p, loc.To, true
	case *ast.ChainNode:
		return f.path(n.Node)
	case *ast.MemberNode:
		p, end, ok = f.path(n.Node)
		if !ok {
			return path{}, 0, false
		}
		if field, named := n.Property.(*ast.StringNode); named {
			p.fields = append(p.fields[:len(p.fields):len(p.fields)], field.Value)
			if loc := field.Location(); loc == n.Location() { // .field
				return p, max(end, loc.To), true
			}
			_, to := f.tree.span(n)
			return p, to, true
		}
		f.visit(n.Property)
		_, to := f.tree.span(n)
		return p, to, true
	}
	return path{}, 0, false
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case nil:
	case *ast.IdentifierNode, *ast.PointerNode, *ast.MemberNode, *ast.ChainNode:
		if p, end, ok := f.path(n); ok {
			f.add(p, end, true)
			return
		}
		for _, part := range children(n) {
			f.visit(part)
		}
	case *ast.CallNode:
		f.call(n)
	case *ast.BuiltinNode:
		f.builtin(n)
	case *ast.VariableDeclaratorNode:
		f.visit(n.Value)
		f.locals = append(f.locals, n.Name)
		f.visit(n.Expr)
		f.locals = f.locals[:len(f.locals)-1]
	default:
		for _, part := range children(n) {
			f.visit(part)
		}
	}
}

func (f *finder) call(n *ast.CallNode) {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		f.visit(n.Callee)
	}
	var params []string
	var classes []string
	if ok && f.scope != nil {
		if fn, found := pick(f.scope.overloads(id.Value), len(n.Arguments)); found {
			for _, p := range fn.Decl.Params {
				params, classes = append(params, p.Name), append(classes, p.Class)
			}
		}
	}
	for i, a := range n.Arguments {
		s, literal := a.(*ast.StringNode)
		if !literal || i >= len(classes) || classes[i] == "" {
			f.visit(a)
			continue
		}
		loc := s.Location()
		f.found = append(f.found, occurrence{
			ref: Ref{Root: s.Value, Func: id.Value, Param: params[i], Class: classes[i]},
			use: Use{From: loc.From, To: loc.To},
		})
	}
}

// builtin visits a call. The list that a predicate runs over is not used as a
// whole: what counts is what the predicate asks of its elements.
func (f *finder) builtin(n *ast.BuiltinNode) {
	var over path
	for i, a := range n.Arguments {
		p, isPredicate := a.(*ast.PredicateNode)
		switch {
		case isPredicate:
			f.over = append(f.over, over)
			f.visit(p.Node)
			f.over = f.over[:len(f.over)-1]
		case i == 0 && hasPredicate(n):
			var end int
			var ok bool
			if over, end, ok = f.path(a); !ok {
				f.visit(a)
			} else {
				f.add(over, end, n.Name != "all" && n.Name != "any" && n.Name != "none" && n.Name != "one" && n.Name != "count")
			}
		default:
			f.visit(a)
		}
	}
}

func hasPredicate(n *ast.BuiltinNode) bool {
	for _, a := range n.Arguments {
		if _, ok := a.(*ast.PredicateNode); ok {
			return true
		}
	}
	return false
}
