package spec

import (
	"fmt"
	"reflect"
	"strings"

	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// kindOf finds the kind of a declaration: its text, or the one key of its
// mapping that is a kind. Nil: it was reported.
func (ld *loader) kindOf(p ydoc.Pair) *decl.Kind {
	name, n := p.Key.Value, p.Value
	switch {
	case n.Bad:
	case n.Kind == ydoc.Scalar:
		k := ld.voc.Kinds[n.Value]
		switch {
		case k == nil:
			ld.add(codeKind, n.Span, "no kind of primitive is called \""+shorten(n.Value)+"\"", "", ld.kindHint(n.Value))
		case k.Main != nil && k.Main.Required:
			ld.add(codeMissing, n.Span, k.Name+" alone does not say enough", "It needs "+k.Main.Doc+":\n  "+k.Example, "")
		default:
			return k
		}
	case n.Kind == ydoc.Map && len(n.Pairs) > 0:
		return ld.kindAmong(name, n)
	case n.Kind == ydoc.Seq:
		ld.shape(n, name, "a kind, or a mapping with one, as {value: i}")
	case !ld.refused || n.Kind == ydoc.Null:
		ld.add(codeMissing, p.Key.Span, name+" has no kind", "Say what it is, as in  gate: lock", diag.Suggest("", ld.voc.KindNames()))
	}
	return nil
}

// kindAmong finds the one key of a mapping that is a kind.
func (ld *loader) kindAmong(name string, n *ydoc.Node) *decl.Kind {
	var found *decl.Kind
	for _, f := range n.Pairs {
		k := ld.voc.Kinds[f.Key.Value]
		switch {
		case k == nil || found != nil && field(found.Fields, k.Name) != nil:
		case found != nil:
			ld.add(codeContradict, f.Key.Span, name+" is of two kinds, "+found.Name+" and "+k.Name, "A primitive is one kind.", "")
			return nil
		default:
			found = k
		}
	}
	if found != nil {
		return found
	}
	for _, f := range n.Pairs {
		hint := didYouMean(f.Key.Value, ld.voc.KindNames())
		if kindOtherwise[strings.ToLower(f.Key.Value)] != "" {
			hint = ld.kindHint(f.Key.Value)
		}
		if hint != "" {
			ld.add(codeKind, f.Key.Span, "no kind of primitive is called \""+f.Key.Value+"\"", "", hint)
			return nil
		}
	}
	first := n.Pairs[0].Key
	ld.add(codeKind, first.Span, "no kind of primitive is called \""+first.Value+"\"", "One of the keys says what it is, as in  total: {value: i}", ld.kindHint(first.Value))
	return nil
}

// primitives reads the parameters of the declared primitives.
func (ld *loader) primitives() {
	for i, pr := range ld.sc.Prims {
		pr.Fields = map[string]any{}
		if n := ld.primNodes[i]; n.Kind == ydoc.Map {
			ld.primitive(pr, n)
		}
		ld.declareStaff(pr)
	}
}

func (ld *loader) primitive(pr *Prim, n *ydoc.Node) {
	k := pr.Kind
	known := append([]string{k.Name}, fieldNames(k.Fields)...)
	ld.unknownKeys(n, known, decl.Article(k.Name))
	right := true
	for _, f := range n.Pairs {
		switch {
		case f.Key.Value == k.Name && k.Main != nil:
			if f.Value.Kind == ydoc.Null && !k.Main.Required {
				continue
			}
			v, ok := ld.fixed(f.Value, k.Main)
			pr.Main, right = v, right && ok
		case f.Key.Value == k.Name:
			if f.Value.Kind != ydoc.Null {
				ld.add(codeShape, f.Value.Span, decl.Article(k.Name)+" takes no value here", "Write  "+k.Example, "")
			}
		default:
			if fd := field(k.Fields, f.Key.Value); fd != nil {
				v, ok := ld.fixed(f.Value, fd)
				if right = right && ok; ok {
					pr.Fields[f.Key.Value] = v
				}
			}
		}
	}
	if k.Check != nil && right {
		if key, problem := k.Check(pr.Main, pr.Fields); problem != "" {
			at := pr.Span
			if v := n.Get(key); v != nil {
				at = v.Span
			}
			ld.add(codeShape, at, problem, "", "")
		}
	}
	ld.systemName(pr, n)
	for _, fd := range k.Fields {
		if fd.Required && ld.absent(n, fd.Name, known) {
			ld.add(codeMissing, pr.Span, pr.Name+" has no "+fd.Name+":", "It is "+fd.Doc+".", "")
		}
	}
}

// systemName reports a name in the system that more than one instance would
// have.
func (ld *loader) systemName(pr *Prim, n *ydoc.Node) {
	name, given := pr.Fields[pr.Kind.Named]
	if !given {
		return
	}
	at := pr.Span
	if v := n.Get(pr.Kind.Named); v != nil {
		at = v.Span
	}
	if pr.Array {
		ld.add(codeContradict, at, fmt.Sprintf("%d of %s cannot all have the %s %v", pr.Count, pr.Name, pr.Kind.Named, name),
			"Without "+pr.Kind.Named+": each gets one of its own.", "")
	}
	for _, o := range ld.sc.Prims {
		if o == pr {
			return
		}
		if o.Kind == pr.Kind && reflect.DeepEqual(o.Fields[pr.Kind.Named], name) {
			ld.add(codeContradict, at, fmt.Sprintf("%s and %s cannot both have the %s %v", o.Name, pr.Name, pr.Kind.Named, name), "", "",
				ld.declaredHere(o.Span, "declared here"))
			return
		}
	}
}
