package spec

import (
	"fmt"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// refs reads the name of a declared thing, or a list of them.
func (ld *loader) refs(n *ydoc.Node, f *decl.Field, c *context) *Value {
	items := []*ydoc.Node{n}
	if f.Shape == decl.Refs && n.Kind == ydoc.Seq {
		items = n.Items
		if len(items) == 0 {
			ld.add(codeEmpty, n.Span, f.Name+": the list is empty", "", "")
			return nil
		}
	}
	v := &Value{Span: n.Span, Form: IsRefs}
	for _, i := range items {
		if r := ld.ref(i, f, c); r != nil {
			v.Refs = append(v.Refs, r)
		}
	}
	if len(v.Refs) < len(items) {
		return nil
	}
	return v
}

// ref reads the name of a declared thing.
func (ld *loader) ref(n *ydoc.Node, f *decl.Field, c *context) *Ref {
	if n.Bad {
		return nil
	}
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	if ld.broken(n.Value) {
		return nil
	}
	t, problem := ld.splitName(n.Value)
	if problem != "" {
		ld.add(codeIndex, n.Span, "\""+shorten(n.Value)+"\" "+problem, "One of name[n] is written as name[0].", "")
		return nil
	}
	e := ld.names[t.name]
	switch {
	case e == nil:
		ld.unknownName(n.Span, t.name, f)
		return nil
	case e.class == "":
		return nil
	case !accepts(f.Refs, e):
		ld.wrongClass(n.Span, t.name, f, e)
		return nil
	}
	r := &Ref{Name: t.name, Prim: e.prim, Proc: e.proc, Task: e.task, Span: n.Span}
	if !ld.indexFits(n, r, &t, c) || !ld.partFits(n, r, &t, c.wholeArray) {
		return nil
	}
	ok := true
	if r.Decl().Array && len(t.groups) > 0 {
		r.Index = ld.index(n, r, t.groups[0], c)
		ok = r.Index != nil
		t.groups = t.groups[1:]
	}
	if len(t.groups) > 0 && !ld.elements(n, r, t.groups[0], c) || !ok {
		return nil
	}
	ld.use(c, r)
	return r
}

// indexFits reports brackets that are missing or that do not belong there.
func (ld *loader) indexFits(n *ydoc.Node, r *Ref, t *refText, c *context) bool {
	d := r.Decl()
	here := ld.declaredHere(d.Span, "declared here")
	given, most := len(t.groups), 0
	if d.Array {
		most++
	}
	elements := r.Prim != nil && r.Prim.Kind.Elements
	if elements {
		most++
	}
	switch {
	case given > 0 && most == 0:
		ld.add(codeIndex, n.Span, r.Name+" is a single one and takes no index", "", "", here)
	case given > most && !elements && r.Prim != nil:
		ld.add(codeIndex, n.Span, decl.Article(r.Prim.Kind.Name)+" has no elements, so there is one index at most", "", "", here)
	case given > most:
		ld.add(codeIndex, n.Span, "too many brackets behind "+r.Name, "", "", here)
	case given > 0 && strings.TrimSpace(t.groups[given-1].text) == "":
		ld.add(codeIndex, n.Span, "the index of "+r.Name+" is empty", "", "", here)
	case given > 0 && c.fixed:
		ld.add(codeIndex, n.Span, "no index belongs here", "What is declared as name[n] is meant as a whole.", "", here)
	case given == 0 && d.Array && r.Prim != nil && !c.wholeArray:
		ld.add(codeIndex, n.Span, fmt.Sprintf("%s is %d of them: say which, as %s[0] or %s[index]", r.Name, d.Count, r.Name, r.Name), "", "", here)
	default:
		return true
	}
	return false
}

// whichEnd is the hint where an end is missing.
func whichEnd(r *Ref, parts []string) string {
	hint := "write " + r.Name + "." + strings.Join(parts, " or "+r.Name+".")
	if k := r.Prim.Kind; k.OneWay != nil && k.OneWay(r.Prim.Main, r.Prim.Fields) {
		hint += ": " + parts[0] + " receives, " + parts[1] + " sends"
	}
	return hint
}

// partFits reports a part that the thing does not have.
func (ld *loader) partFits(n *ydoc.Node, r *Ref, t *refText, whole bool) bool {
	var parts []string
	if r.Prim != nil && r.Prim.Kind.Parts != nil {
		parts = r.Prim.Kind.Parts(r.Prim.Main, r.Prim.Fields)
	}
	if !t.dotted {
		if len(parts) > 0 && !whole {
			ld.add(codeIndex, n.Span, "which end of "+r.Name+" is meant?", "", whichEnd(r, parts), ld.declaredHere(r.Decl().Span, "declared here"))
			return false
		}
		return true
	}
	switch here := ld.declaredHere(r.Decl().Span, "declared here"); {
	case len(parts) == 0:
		ld.add(codeObject, n.Span, r.Name+" has no parts to name behind a dot", "", "write "+strings.TrimSuffix(n.Value, "."+t.part), here)
		return false
	case !contains(parts, t.part):
		ld.add(codeObject, n.Span, r.Name+" has no part \""+shorten(t.part)+"\"", "", diag.Suggest(t.part, parts), here)
		return false
	}
	r.Part = t.part
	return true
}

// index compiles the index of name[index].
func (ld *loader) index(n *ydoc.Node, r *Ref, p piece, c *context) *cond.Expr {
	e := ld.compile(p.text, n, p.at, c, cond.WantNumber)
	if e == nil {
		return nil
	}
	d := r.Decl()
	if k, ok := e.Const(); ok {
		i, isInt := whole(k)
		if !isInt || i < 0 || i >= d.Count {
			ld.add(codeIndex, n.Span, fmt.Sprintf("there is no %s[%s]: they go from 0 to %d", r.Name, cond.Text(k), d.Count-1), "", "", ld.declaredHere(d.Span, "declared here"))
			return nil
		}
	}
	return e
}

// elements compiles the elements of row[elem] and row[elem:to].
func (ld *loader) elements(n *ydoc.Node, r *Ref, p piece, c *context) bool {
	number := func(p piece) (*cond.Expr, bool) {
		if r.Slice && strings.TrimSpace(p.text) == "" {
			return nil, true
		}
		e := ld.compile(p.text, n, p.at, c, cond.WantNumber)
		return e, e != nil
	}
	colon := sliceColon([]rune(p.text))
	if colon < 0 {
		e, ok := number(p)
		r.Elem = e
		return ok
	}
	r.Slice = true
	text := []rune(p.text)
	from, ok := number(piece{string(text[:colon]), p.at})
	to, ok2 := number(piece{string(text[colon+1:]), p.at + colon + 1})
	r.Elem, r.To = from, to
	return ok && ok2
}

// broken reports whether a name was refused where it is declared, so that its
// uses need not be reported, too.
func (ld *loader) broken(name string) bool {
	e := ld.names[name]
	return e != nil && e.class == ""
}

func accepts(refs []string, e *entry) bool {
	return contains(refs, e.class) || e.prim != nil && contains(refs, "primitive")
}

// classes says in words what a name may be: a process, a lock or an event.
func classes(refs []string) string {
	var out []string
	for _, r := range refs {
		out = append(out, decl.Article(r))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " or " + out[len(out)-1]
}

// namesOf lists the declared names of some classes; nil means all.
func (ld *loader) namesOf(refs []string) []string {
	var out []string
	for n, e := range ld.names {
		if e.class != "" && (refs == nil || accepts(refs, e)) {
			out = append(out, n)
		}
	}
	return out
}

// wrongClass reports a name of a thing that a verb cannot be done with.
func (ld *loader) wrongClass(span source.Span, name string, f *decl.Field, e *entry) {
	detail := ""
	if e.prim != nil && e.prim.Staff == nil && e.prim.Kind.Staff != nil && contains(f.Refs, "process") {
		detail = upperFirst(decl.Article(e.class)) + " brings a process along with  " + e.prim.Kind.Staff.Key + ": true"
	} else if len(ld.voc.Named(f.Name)) > 0 {
		detail = ld.verbsFor(e)
	}
	ld.add(codeObject, span, fmt.Sprintf("%s is %s, %s: takes %s", name, e.what(), f.Name, classes(f.Refs)), detail, diag.Suggest(name, ld.namesOf(f.Refs)),
		ld.declaredHere(e.span, "declared here"))
}

// verbsFor says what steps do with a primitive, "" for any other thing.
func (ld *loader) verbsFor(e *entry) string {
	if e.prim == nil || e.prim.Kind == nil || len(e.prim.Kind.Verbs) == 0 {
		return ""
	}
	var verbs []string
	for i := range e.prim.Kind.Verbs {
		verbs = append(verbs, e.prim.Kind.Verbs[i].Name)
	}
	return "What steps do with " + decl.Article(e.prim.Kind.Name) + " is: " + strings.Join(verbs, ", ") + "."
}

// unknownName reports a name that is not declared, with the nearest that fits.
func (ld *loader) unknownName(span source.Span, name string, f *decl.Field) {
	have := ld.namesOf(f.Refs)
	hint, detail := didYouMean(name, have), ""
	first, _, several := strings.Cut(strings.ReplaceAll(name, ",", " "), " ")
	switch near := diag.Nearest(name, ld.namesOf(nil)); {
	case several && ld.names[first] != nil:
		hint, detail = "", "One name stands here. What follows belongs to a key of its own or to another step."
	case hint != "":
	case near != "":
		detail = fmt.Sprintf("There is %q, but that is %s, and %s: takes %s.", near, ld.names[near].what(), f.Name, classes(f.Refs))
	case len(have) == 0:
		detail = "The scenario declares no " + strings.Join(f.Refs, " and no ") + "."
	default:
		hint = diag.Suggest(name, have)
	}
	ld.add(codeName, span, "nothing is called \""+shorten(name)+"\"", detail, hint)
}
