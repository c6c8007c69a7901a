package ydoc

import "ipcrun/spec/source"

// Kind says what a Node is.
type Kind uint8

// The kinds of nodes.
const (
	Null   Kind = iota // nothing, null or ~
	Scalar             // text, a number, true or false
	Seq                // a list
	Map                // a mapping
)

// String is the kind as a message names it.
func (k Kind) String() string {
	switch k {
	case Null:
		return "nothing"
	case Scalar:
		return "a single value"
	case Seq:
		return "a list"
	case Map:
		return "a mapping"
	}
	return "an unknown kind of value"
}

// Node is a value of the file. A tree of nodes is never cyclic; nodes below an
// alias are shared with the anchor and have the positions of the anchor's
// text. Nobody may change a node.
type Node struct {
	Kind Kind

	// Span is the value's own text: of a scalar with its quotes, without an
	// anchor or tag; of a block list or mapping from the first dash or key to
	// the end of its last item. Of a missing value it is empty.
	Span source.Span

	// Alias is the place of the *name through which the value came, zero if
	// it stands there itself.
	Alias source.Span

	// Tag is what YAML takes a scalar for: !!str !!int !!float !!bool !!null
	// !!timestamp, or a tag that the file gave. Lists have !!seq, mappings
	// !!map.
	Tag string

	Value  string // text of a scalar, after quotes, escapes and folding
	Quoted bool   // quoted, a block or tagged !!str: it is text, whatever it looks like
	Block  bool   // | or >
	Bad    bool   // a mistake here was reported already; the value is a stand-in

	// Comment is the comment behind a scalar on its last line, with its #.
	// YAML took it away; the author may have meant it.
	Comment string

	Items []*Node // of a Seq
	Pairs []Pair  // of a Map, in the order of the file

	file   *source.File
	start  int // offset of the scalar's text in the file
	style  style
	height int // levels of nodes, this one included
	size   int // nodes of the tree, aliases expanded
}

// Pair is an entry of a Map. Key is always a Scalar, and unique in its Map.
type Pair struct{ Key, Value *Node }

// Pair returns the pair of key in a Map, nil if there is none.
func (n *Node) Pair(key string) *Pair {
	if n == nil {
		return nil
	}
	for i := range n.Pairs {
		if n.Pairs[i].Key.Value == key {
			return &n.Pairs[i]
		}
	}
	return nil
}

// Get returns the value of key in a Map, nil if there is none or n is no Map.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key.Value == key {
			return p.Value
		}
	}
	return nil
}
