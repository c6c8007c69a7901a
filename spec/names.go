package spec

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"ipcrun/spec/cond"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// maxCount bounds n of name[n].
const maxCount = 10000

// words of our own that a declared name would hide.
var ourWords = []string{"index", "item", "kernel", "script", "forever"}

// goodName checks a new name and reports what is wrong with it.
func (ld *loader) goodName(key *ydoc.Node) bool {
	return ld.goodNameText(key.Value, key.Span)
}

func (ld *loader) goodNameText(name string, span source.Span) bool {
	bad := func(why string) bool {
		ld.add(codeBadName, span, "\""+name+"\" cannot be a name: "+why, "Names consist of letters, digits and _, and begin with a letter.", "")
		return false
	}
	if name == "" {
		return bad("it is empty")
	}
	for i, r := range name {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case unicode.IsDigit(r):
			if i == 0 {
				return bad("it begins with a digit")
			}
		default:
			return bad(fmt.Sprintf("it contains %q", r))
		}
	}
	if cond.Reserved(name) {
		return bad("it is a word of the expression language")
	}
	if contains(ourWords, name) && name != "item" {
		return bad("it has a meaning of its own")
	}
	for _, f := range ld.voc.Funcs {
		if f.Name == name {
			return bad("it is a function")
		}
	}
	return true
}

// enter adds a name to the one namespace.
func (ld *loader) enter(name string, e *entry) bool {
	if old, dup := ld.names[name]; dup {
		ld.add(codeDuplicate, e.span, "\""+name+"\" is declared twice", "Processes, primitives and params share one namespace, so that a verb finds its meaning from its object.", "",
			ld.declaredHere(old.span, "first declared here, as "+old.what()))
		return false
	}
	ld.names[name] = e
	return true
}

// declared splits the key of a declaration: name or name[n].
func (ld *loader) declared(key *ydoc.Node) (Decl, bool) {
	text := key.Value
	open := strings.IndexByte(text, '[')
	if open < 0 {
		return Decl{Name: text, Count: 1, Span: key.Span}, ld.goodName(key)
	}
	name := text[:open]
	if !strings.HasSuffix(text, "]") {
		ld.add(codeBadName, key.Span, "\""+text+"\" has a [ without a ]", "name[n] declares n of them.", "")
		return Decl{}, false
	}
	if !ld.goodNameText(name, key.Span) {
		return Decl{}, false
	}
	inside := strings.TrimSpace(text[open+1 : len(text)-1])
	n, err := strconv.Atoi(inside)
	if err != nil {
		v, isParam := ld.sc.Params[inside]
		if !isParam {
			ld.add(codeCount, key.Span, "\""+inside+"\" is no number of things", "Write a whole number, or the name of a param that is one: "+name+"[5], "+name+"[n].", diag.Suggest(inside, ld.paramNames()))
			return Decl{}, false
		}
		i, isInt := v.(int)
		if !isInt {
			ld.add(codeCount, key.Span, fmt.Sprintf("param %s is %s, not a whole number", inside, cond.Text(v)), "", "")
			return Decl{}, false
		}
		n = i
	}
	if n < 1 || n > maxCount {
		ld.add(codeCount, key.Span, fmt.Sprintf("%s[%d]: from 1 to %d can be declared", name, n, maxCount), "", "")
		return Decl{}, false
	}
	return Decl{Name: name, Array: true, Count: n, Span: key.Span}, true
}

func (ld *loader) paramNames() []string {
	var out []string
	for n := range ld.sc.Params {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// declare enters all names of primitives and processes, so that the order of
// the file does not matter.
func (ld *loader) declare(prims, procs *ydoc.Node) {
	if prims != nil && prims.Kind != ydoc.Map {
		ld.shape(prims, "primitives", "a mapping from names to kinds, as {gate: lock}")
	} else if prims != nil {
		for _, p := range prims.Pairs {
			d, ok := ld.declared(p.Key)
			if !ok {
				continue
			}
			pr := &Prim{Decl: d}
			kind := ld.kindOf(p)
			if kind != nil {
				pr.Kind = kind
				if ld.enter(d.Name, &entry{class: kind.Name, span: p.Key.Span, prim: pr}) {
					ld.sc.Prims = append(ld.sc.Prims, pr)
				}
			} else if _, dup := ld.names[d.Name]; !dup {
				// Known as something, so that its uses are not reported too.
				ld.names[d.Name] = &entry{class: "", span: p.Key.Span}
			}
		}
	}
	if procs == nil {
		return
	}
	if procs.Kind != ydoc.Map {
		ld.shape(procs, "processes", "a mapping from names to processes")
		return
	}
	if len(procs.Pairs) == 0 {
		ld.add(codeEmpty, procs.Span, "no process is declared", "A scenario needs at least one.", "")
	}
	for _, p := range procs.Pairs {
		d, ok := ld.declared(p.Key)
		if !ok {
			continue
		}
		pr := &Proc{Decl: d}
		if ld.enter(d.Name, &entry{class: "process", span: p.Key.Span, proc: pr}) {
			ld.sc.Procs = append(ld.sc.Procs, pr)
			ld.procNodes = append(ld.procNodes, p.Value)
		}
	}
}

// cut splits name[index].
func cut(text string) (name, index string, indexed bool) {
	open := strings.IndexByte(text, '[')
	if open < 0 || !strings.HasSuffix(text, "]") {
		return text, "", false
	}
	return text[:open], text[open+1 : len(text)-1], true
}
