package cond

import (
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// extents finds the source text of a node. expr remembers one token of each
// (the operator, the name, the opening bracket), so the extent of a node is
// the hull of its parts, widened until every bracket in it has its partner.
type extents struct {
	runes []rune
	toks  []lexer.Token
	pair  map[int]int // index of a bracket token to that of its partner
	at    map[int]int // rune offset to index of the token that starts there
	lexed error       // why toks ends before the text does
	open  []int       // brackets that are never closed, as token indices
	stray int         // index of the first bracket that closes nothing, or -1
}

func newExtents(src string) *extents {
	x := &extents{runes: []rune(src), pair: map[int]int{}, at: map[int]int{}, stray: -1}
	l := lexer.New()
	l.Reset(file.NewSource(src))
	for {
		t, err := l.Next()
		if err != nil {
			x.lexed = err
			break
		}
		if t.Kind == lexer.EOF {
			break
		}
		i := len(x.toks)
		x.toks = append(x.toks, t)
		x.at[t.From] = i
		if t.Kind != lexer.Bracket {
			continue
		}
		switch t.Value {
		case "(", "[", "{":
			x.open = append(x.open, i)
		default:
			last := len(x.open) - 1
			if last < 0 || !closes(x.toks[x.open[last]].Value, t.Value) {
				if x.stray < 0 {
					x.stray = i
				}
				continue
			}
			x.pair[i], x.pair[x.open[last]] = x.open[last], i
			x.open = x.open[:last]
		}
	}
	return x
}

func closes(open, shut string) bool {
	return open == "(" && shut == ")" || open == "[" && shut == "]" || open == "{" && shut == "}"
}

func (x *extents) of(n ast.Node) (from, to int) {
	from, to = x.hull(n)
	if to > len(x.runes) {
		to = len(x.runes)
	}
	if from >= to { // nothing to point at: point at everything
		return 0, len(x.runes)
	}
	return x.balance(from, to)
}

// balance widens a range until no bracket in it has its partner outside.
func (x *extents) balance(from, to int) (int, int) {
	for grown := true; grown; {
		grown = false
		for i, j := range x.pair {
			if t := x.toks[i]; t.From < from || t.To > to {
				continue
			}
			if p := x.toks[j]; p.From < from {
				from, grown = p.From, true
			} else if p.To > to {
				to, grown = p.To, true
			}
		}
	}
	return from, to
}

func (x *extents) hull(n ast.Node) (from, to int) {
	loc := n.Location()
	from, to = loc.From, loc.To
	add := func(parts ...ast.Node) {
		for _, p := range parts {
			if p == nil {
				continue
			}
			f, t := x.of(p)
			from, to = min(from, f), max(to, t)
		}
	}
	only := func(first ast.Node) { from, to = x.of(first) }
	switch n := n.(type) {
	case *ast.UnaryNode:
		add(n.Node)
	case *ast.BinaryNode:
		add(n.Left, n.Right)
	case *ast.ChainNode:
		add(n.Node)
	case *ast.MemberNode:
		to = max(to, x.closing(loc.From))
		if p, ok := n.Node.(*ast.PointerNode); ok {
			from = min(from, p.Location().From)
		} else {
			add(n.Node)
		}
	case *ast.SliceNode:
		to = max(to, x.closing(loc.From))
		add(n.Node)
	case *ast.CallNode:
		to = max(to, x.call(loc.From))
		add(n.Callee)
		add(n.Arguments...)
	case *ast.BuiltinNode:
		to = max(to, x.call(loc.From))
		add(n.Arguments...)
	case *ast.ArrayNode:
		to = max(to, x.closing(loc.From))
	case *ast.MapNode:
		to = max(to, x.closing(loc.From))
	case *ast.PairNode: // its location is that of the whole map
		only(n.Key)
		add(n.Value)
	case *ast.PredicateNode:
		if i, ok := x.at[loc.From]; ok && x.toks[i].Value == "{" {
			to = max(to, x.closing(loc.From))
		}
		add(n.Node)
	case *ast.PointerNode:
		to += len([]rune(n.Name))
	case *ast.ConditionalNode: // its location is that of a token after it, or none
		only(n.Cond)
		add(n.Exp1, n.Exp2)
		if !n.Ternary {
			from = x.before(from, "if", from)
			if c, ok := n.Exp2.(*ast.ConditionalNode); !ok || c.Ternary {
				to = x.after(to, "}", to)
			}
		}
	case *ast.VariableDeclaratorNode:
		from = x.before(from, "let", from)
		add(n.Value, n.Expr)
	case *ast.SequenceNode:
		add(n.Nodes...)
	}
	return from, to
}

// closing is the end of the bracket that opens at a rune offset, or 0.
func (x *extents) closing(offset int) int {
	if i, ok := x.at[offset]; ok {
		if j, ok := x.pair[i]; ok {
			return x.toks[j].To
		}
	}
	return 0
}

// call is the end of the call whose name stands at a rune offset, or 0.
func (x *extents) call(offset int) int {
	if i, ok := x.at[offset]; ok && i+1 < len(x.toks) {
		return x.closing(x.toks[i+1].From)
	}
	return 0
}

// before is the offset of the last token with that text before an offset.
func (x *extents) before(offset int, text string, otherwise int) int {
	for i := len(x.toks) - 1; i >= 0; i-- {
		if t := x.toks[i]; t.From < offset && t.Value == text {
			return t.From
		}
	}
	return otherwise
}

// after is the end of the first token with that text after an offset.
func (x *extents) after(offset int, text string, otherwise int) int {
	for _, t := range x.toks {
		if t.From >= offset && t.Value == text {
			return t.To
		}
	}
	return otherwise
}
