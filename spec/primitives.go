package spec

import (
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// kindOf finds the kind of a declaration: its text, or the one key of its
// mapping that is a kind.
func (ld *loader) kindOf(p ydoc.Pair) *decl.Kind {
	name, n := p.Key.Value, p.Value
	switch n.Kind {
	case ydoc.Scalar:
		if k := ld.voc.Kinds[n.Value]; k != nil {
			if k.Main != nil && k.Main.Required {
				ld.add(codeMissing, n.Span, article(k.Name)+" needs "+k.Main.Doc, "Write it as  "+k.Example, "")
				return nil
			}
			return k
		}
		ld.add(codeName, n.Span, "no kind of primitive is called \""+n.Value+"\"", "", diag.Suggest(n.Value, ld.voc.KindNames()))
	case ydoc.Map:
		var found *decl.Kind
		for _, f := range n.Pairs {
			k := ld.voc.Kinds[f.Key.Value]
			if k == nil {
				continue
			}
			if found != nil && field(found.Fields, f.Key.Value) == nil {
				ld.add(codeTwoVerbs, f.Key.Span, name+" is of two kinds, "+found.Name+" and "+k.Name, "A primitive is one kind.", "")
				return nil
			}
			if found == nil {
				found = k
			}
		}
		if found == nil && len(n.Pairs) > 0 {
			first := n.Pairs[0].Key
			ld.add(codeName, first.Span, "no kind of primitive is called \""+first.Value+"\"", "", diag.Suggest(first.Value, ld.voc.KindNames()))
		} else if found == nil {
			ld.add(codeMissing, n.Span, name+" has no kind", "Name what it is, as  gate: lock", "")
		}
		return found
	default:
		ld.add(codeMissing, p.Key.Span, name+" has no kind", "Name what it is, as  gate: lock", diag.Suggest("", ld.voc.KindNames()))
	}
	return nil
}

// primitives reads the parameters of the declared primitives.
func (ld *loader) primitives(n *ydoc.Node) {
	if n == nil || n.Kind != ydoc.Map {
		return
	}
	for _, p := range n.Pairs {
		var pr *Prim
		for _, c := range ld.sc.Prims {
			if c.Span == p.Key.Span {
				pr = c
			}
		}
		if pr == nil {
			continue
		}
		pr.Fields = map[string]any{}
		if p.Value.Kind != ydoc.Map {
			continue
		}
		k := pr.Kind
		known := append([]string{k.Name}, fieldNames(k.Fields)...)
		ld.unknownKeys(p.Value, known, article(k.Name))
		for _, f := range p.Value.Pairs {
			switch {
			case f.Key.Value == k.Name && k.Main != nil:
				if v, ok := ld.fixed(f.Value, k.Main); ok {
					pr.Main = v
				}
			case f.Key.Value == k.Name:
				if f.Value.Kind != ydoc.Null {
					ld.add(codeShape, f.Value.Span, article(k.Name)+" takes no value here", "Write  "+k.Example, "")
				}
			default:
				if fd := field(k.Fields, f.Key.Value); fd != nil {
					if v, ok := ld.fixed(f.Value, fd); ok {
						pr.Fields[f.Key.Value] = v
					}
				}
			}
		}
		for _, fd := range k.Fields {
			if fd.Required && p.Value.Get(fd.Name) == nil {
				ld.add(codeMissing, p.Key.Span, pr.Name+" has no "+fd.Name+":", fd.Name+": "+fd.Doc+".", "")
			}
		}
	}
}
