package report

import (
	"ipcrun/engine/event"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// place is where a step stands in the file.
type place struct {
	at    source.Span // what the carets stand under; zero if unknown
	value *ydoc.Node  // the verb's value, nil if it stands alone or is unknown
	step  *ydoc.Node  // the step as a whole, nil if unknown
}

// find looks up the step of an event: the verb at its position.
func (r Run) find(e *event.Event) place {
	if r.File == nil || e.Line == 0 {
		return place{}
	}
	pos := source.Pos{Line: e.Line, Col: e.Col}
	p := place{at: source.Span{Start: pos, End: source.Pos{Line: e.Line, Col: e.Col + len([]rune(e.Verb))}}}
	root := ydoc.Parse(r.File, &diag.List{})
	if root == nil {
		return p
	}
	step, pair := verbAt(root, pos)
	if pair == nil {
		if n := nodeAt(root, pos); n != nil { // what is wrong is no step
			p.at = n.Span
		}
		return p
	}
	p.step, p.value = step, pair.Value
	p.at = pair.Key.Span
	// The value says more than the verb, where it is one.
	if v := pair.Value; v.Kind == ydoc.Scalar && !v.Block && v.Span.Start.Line == e.Line && v.Alias == (source.Span{}) {
		p.at = v.Span
	}
	return p
}

// verbAt is the mapping and its entry whose key starts at pos.
func verbAt(n *ydoc.Node, pos source.Pos) (*ydoc.Node, *ydoc.Pair) {
	for i := range n.Pairs {
		p := &n.Pairs[i]
		if p.Key.Span.Start == pos {
			return n, p
		}
		if m, found := verbAt(p.Value, pos); found != nil {
			return m, found
		}
	}
	for _, item := range n.Items {
		if m, found := verbAt(item, pos); found != nil {
			return m, found
		}
	}
	return nil, nil
}

// nodeAt is the outermost value that starts at pos, nil if none does.
func nodeAt(n *ydoc.Node, pos source.Pos) *ydoc.Node {
	if n.Span.Start == pos {
		return n
	}
	for i := range n.Pairs {
		if v := nodeAt(n.Pairs[i].Value, pos); v != nil {
			return v
		}
	}
	for _, item := range n.Items {
		if v := nodeAt(item, pos); v != nil {
			return v
		}
	}
	return nil
}

// text is a parameter of the step as it is written, "" if it is not there.
func (p place) text(key string) string {
	if v := p.step.Get(key); v != nil && v.Kind == ydoc.Scalar {
		return v.Value
	}
	return ""
}

// object is what the verb is about, as it is written.
func (p place) object() string {
	if p.value != nil && p.value.Kind == ydoc.Scalar {
		return p.value.Value
	}
	return ""
}
