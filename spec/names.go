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
var ourWords = []string{"index", "kernel", "script", "forever"}

// goodName checks a new name and reports what is wrong with it.
func (ld *loader) goodName(key *ydoc.Node) bool {
	return ld.goodNameText(key.Value, key.Span)
}

func (ld *loader) goodNameText(name string, span source.Span) bool {
	why, detail, hint := ld.whyBadName(name)
	if why == "" {
		return true
	}
	ld.add(codeBadName, span, "\""+shorten(name)+"\" cannot be a name: "+why, detail, hint)
	return false
}

// whyBadName says why a word cannot be a name, "" if it can.
func (ld *loader) whyBadName(name string) (why, detail, hint string) {
	const form = "Names consist of letters, digits and _, and begin with a letter."
	if name == "" {
		return "it is empty", form, ""
	}
	for i, r := range name {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case unicode.IsDigit(r):
			if i == 0 {
				return "it begins with a digit", form, ""
			}
		case strings.ContainsRune("- .", r):
			why = map[rune]string{'-': "it contains a dash", ' ': "it contains a space", '.': "it contains a dot"}[r]
			better := strings.NewReplacer("-", "_", " ", "_", ".", "_").Replace(name)
			if w, _, _ := ld.whyBadName(better); w == "" {
				hint = "write " + better
			}
			return why, form, hint
		default:
			return fmt.Sprintf("it contains %q", r), form, ""
		}
	}
	const other = "Choose another name."
	switch {
	case cond.Reserved(name):
		return "it is a word of the expression language", other, ""
	case contains(ourWords, name), name == ld.voc.Siginfo:
		return "it has a meaning of its own", other, ""
	}
	for _, f := range ld.voc.Funcs {
		if f.Name == name {
			return "it is a function", other, ""
		}
	}
	return "", "", ""
}

// enter adds a name to the one namespace.
func (ld *loader) enter(name string, e *entry) {
	old, dup := ld.names[name]
	if !dup {
		ld.names[name] = e
		return
	}
	if old.class != "" {
		ld.add(codeDuplicate, e.span, "\""+name+"\" is declared twice", "Processes, primitives and params share one namespace, so that a verb finds its meaning from its object.", "",
			ld.declaredHere(old.span, "first declared here, as "+old.what()))
	}
	// Nobody knows which of the two is meant where the name is used.
	ld.names[name] = &entry{span: old.span}
}

// enterBroken adds a name whose declaration was reported, so that its uses are
// not reported, too.
func (ld *loader) enterBroken(name string, span source.Span) {
	ld.names[name] = &entry{span: span}
}

// declared splits the key of a declaration: name or name[n].
func (ld *loader) declared(key *ydoc.Node) (Decl, bool) {
	name, _, array := strings.Cut(key.Value, "[")
	d, ok := Decl{Name: name, Array: array, Count: 1, Span: key.Span}, true
	if array {
		var n int
		if n, ok = ld.declaredArray(key, name); ok {
			d.Count = n
		}
	} else {
		ok = ld.goodName(key)
	}
	if !ok {
		ld.enterBroken(name, key.Span)
	}
	return d, ok
}

func (ld *loader) declaredArray(key *ydoc.Node, name string) (int, bool) {
	text := key.Value
	if end := strings.IndexByte(text, ']'); end != len(text)-1 {
		what := "has a [ without a ]"
		if end >= 0 {
			what = "goes on behind its ]"
		}
		ld.add(codeBadName, key.Span, "\""+text+"\" "+what, "name[n] declares n of them.", "")
		return 0, false
	}
	if !ld.goodNameText(name, key.Span) {
		return 0, false
	}
	return ld.count(key, name, strings.TrimSpace(text[len(name)+1:len(text)-1]))
}

// count reads n of name[n].
func (ld *loader) count(key *ydoc.Node, name, inside string) (int, bool) {
	const how = "Write a whole number, or the name of a param that is one: "
	n, err := strconv.Atoi(inside)
	if err != nil {
		e := ld.names[inside]
		switch {
		case inside == "":
			ld.add(codeCount, key.Span, name+"[] does not say how many", how+name+"[5], "+name+"[n].", "")
			return 0, false
		case e == nil || e.class != "" && e.class != "param":
			ld.add(codeCount, key.Span, "\""+inside+"\" is neither a number nor a param", how+name+"[5], "+name+"[n].", diag.Suggest(inside, ld.paramNames()))
			return 0, false
		case e.class == "":
			return 0, false
		}
		ld.used[inside] = true
		i, isInt := e.param.(int)
		if !isInt {
			ld.add(codeCount, key.Span, "param "+inside+" is "+describe(e.param)+", not a whole number", "", "", ld.declaredHere(e.span, "declared here"))
			return 0, false
		}
		n = i
	}
	if n < 1 || n > maxCount {
		ld.add(codeCount, key.Span, fmt.Sprintf("there cannot be %d of %s", n, name), fmt.Sprintf("n of name[n] is from 1 to %d.", maxCount), "")
		return 0, false
	}
	return n, true
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
		ld.incomplete = true
	} else if prims != nil {
		for _, p := range prims.Pairs {
			ld.declarePrimitive(p)
		}
	}
	if procs == nil {
		return
	}
	if procs.Kind != ydoc.Map {
		ld.shape(procs, "processes", "a mapping from names to processes")
		ld.incomplete = true
		return
	}
	if len(procs.Pairs) == 0 && !ld.refused {
		ld.add(codeEmpty, procs.Span, "no process is declared", "A scenario needs at least one.", "")
	}
	for _, p := range procs.Pairs {
		d, ok := ld.declared(p.Key)
		pr := &Proc{Decl: d}
		if ok {
			ld.enter(d.Name, &entry{class: "process", span: p.Key.Span, proc: pr})
		}
		// Its steps are checked even if its name was refused.
		ld.sc.Procs = append(ld.sc.Procs, pr)
		ld.procNodes = append(ld.procNodes, p.Value)
	}
}

func (ld *loader) declarePrimitive(p ydoc.Pair) {
	d, ok := ld.declared(p.Key)
	kind := ld.kindOf(p)
	if kind == nil && ok {
		if _, dup := ld.names[d.Name]; !dup {
			ld.enterBroken(d.Name, p.Key.Span)
		}
	}
	if kind == nil {
		return
	}
	pr := &Prim{Decl: d, Kind: kind}
	if ok {
		ld.enter(d.Name, &entry{class: kind.Name, span: p.Key.Span, prim: pr})
	}
	ld.sc.Prims = append(ld.sc.Prims, pr)
	ld.primNodes = append(ld.primNodes, p.Value)
}

// cut splits name[index].
func cut(text string) (name, index string, indexed bool) {
	open := strings.IndexByte(text, '[')
	if open < 0 || !strings.HasSuffix(text, "]") {
		return text, "", false
	}
	return text[:open], text[open+1 : len(text)-1], true
}
