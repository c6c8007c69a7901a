package spec

import (
	"sort"
	"strings"
	"time"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// Options are what the command line adds to a file.
type Options struct {
	// Params replace params of the scenario; the texts are read as YAML
	// scalars.
	Params map[string]string
}

// Load reads a scenario. What is wrong with it goes to l, all of it at once;
// the result is nil if there is any error.
func Load(f *source.File, voc *decl.Vocabulary, opt Options, l *diag.List) *Scenario {
	mine := &diag.List{}
	root := ydoc.Parse(f, mine)
	if root != nil {
		ld := &loader{file: f, voc: voc, list: mine, opt: opt, names: map[string]*entry{},
			sc: &Scenario{File: f, Outcome: "pass", Params: map[string]any{}, All: []*Step{nil}}}
		ld.top(root)
		if !mine.HasErrors() {
			for _, d := range mine.All() {
				l.Add(d)
			}
			return ld.sc
		}
	}
	for _, d := range mine.All() {
		l.Add(d)
	}
	return nil
}

type loader struct {
	file  *source.File
	voc   *decl.Vocabulary
	list  *diag.List
	opt   Options
	sc    *Scenario
	names map[string]*entry

	procNodes  []*ydoc.Node
	background map[string]source.Span
	stepNames  map[string]source.Span
	forks      []*Step
	later      []func() // checks that need the whole file
}

// entry is a declared name.
type entry struct {
	class string // process, param, or the kind of a primitive
	span  source.Span
	prim  *Prim
	proc  *Proc
	param any
}

func (e *entry) what() string {
	switch e.class {
	case "process", "param":
		return "a " + e.class
	}
	return article(e.class)
}

func article(s string) string {
	if strings.ContainsRune("aeiou", rune(s[0])) {
		return "an " + s
	}
	return "a " + s
}

func (ld *loader) add(code string, span source.Span, summary, detail, hint string, related ...diag.Related) *diag.Diagnostic {
	d := &diag.Diagnostic{Severity: diag.Error, Code: code, File: ld.file, Span: span, Summary: summary, Detail: detail, Hint: hint, Related: related}
	ld.list.Add(d)
	return d
}

func (ld *loader) warn(code string, span source.Span, summary, detail, hint string) {
	ld.list.Add(&diag.Diagnostic{Severity: diag.Warning, Code: code, File: ld.file, Span: span, Summary: summary, Detail: detail, Hint: hint})
}

func (ld *loader) declaredHere(span source.Span, what string) diag.Related {
	return diag.Related{File: ld.file, Span: span, Message: what}
}

func (ld *loader) top(root *ydoc.Node) {
	if root.Kind != ydoc.Map {
		ld.add(codeShape, root.Span, "a scenario is a mapping, this is "+root.Kind.String(),
			"It begins with keys such as name:, processes: and steps:.", "")
		return
	}
	ld.unknownKeys(root, fieldNames(TopFields), "a scenario")
	for _, f := range TopFields {
		if f.Required && root.Get(f.Name) == nil {
			ld.add(codeMissing, source.Span{}, "the scenario has no "+f.Name+":", f.Name+": "+f.Doc+".", "")
		}
	}
	ld.plainFields(root)
	// Names first: everything else refers to them.
	ld.params(root.Get("params"))
	ld.declare(root.Get("primitives"), root.Get("processes"))
	ld.primitives(root.Get("primitives"))
	ld.processes(root.Get("processes"))
	ld.script(root)
	ld.rules(root)
}

// unknownKeys reports keys that are not among the known ones.
func (ld *loader) unknownKeys(n *ydoc.Node, known []string, what string) {
	for _, p := range n.Pairs {
		if !contains(known, p.Key.Value) {
			hint := diag.Suggest(p.Key.Value, known)
			detail := ""
			if hint == "" {
				detail = what + " has the keys " + strings.Join(known, ", ") + "."
			}
			ld.add(codeKey, p.Key.Span, "unknown key \""+p.Key.Value+"\" in "+what, detail, hint)
		}
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// plainFields reads what needs no names.
func (ld *loader) plainFields(root *ydoc.Node) {
	sc := ld.sc
	sc.Name, _ = ld.text(root.Get("name"), "name")
	if n := root.Get("name"); n != nil && n.Kind == ydoc.Scalar && strings.TrimSpace(sc.Name) == "" {
		ld.add(codeShape, n.Span, "the name is empty", "Reports show scenarios by name.", "")
	}
	sc.About, _ = ld.text(root.Get("about"), "about")
	if n := root.Get("tags"); n != nil {
		switch n.Kind {
		case ydoc.Seq:
			for _, i := range n.Items {
				if t, ok := ld.text(i, "tags"); ok {
					sc.Tags = append(sc.Tags, t)
				}
			}
		default:
			ld.shape(n, "tags", "a list of words, as [signals, terminal]")
		}
	}
	if n := root.Get("timeout"); n != nil {
		if d, ok := ld.fixedDuration(n, "timeout"); ok {
			if d == 0 {
				ld.add(codeDuration, n.Span, "a scenario that may take no time cannot run", "Leave timeout: out for the default of 10s.", "")
			}
			sc.Timeout = time.Duration(d)
		}
	}
	if n := root.Get("outcome"); n != nil {
		if t, ok := ld.text(n, "outcome"); ok {
			f := field(TopFields, "outcome")
			if !contains(f.Enum, t) {
				ld.add(codeOutcome, n.Span, "unknown outcome \""+t+"\"", "", diag.Suggest(t, f.Enum))
			} else {
				sc.Outcome = t
			}
		}
	}
}

func (ld *loader) params(n *ydoc.Node) {
	if n != nil && n.Kind != ydoc.Map {
		ld.shape(n, "params", "a mapping from names to values")
		n = nil
	}
	if n != nil {
		for _, p := range n.Pairs {
			name := p.Key.Value
			if !ld.goodName(p.Key) {
				continue
			}
			v, err := p.Value.Data()
			if err != nil {
				ld.badData(p.Value, "param "+name, err)
				continue
			}
			if s := p.Value.Surprise(); s != "" {
				ld.add(codeShape, p.Value.Span, "param "+name+": "+s, "", "")
				continue
			}
			if text, given := ld.opt.Params[name]; given {
				if over, ok := ld.override(p, text, v); ok {
					v = over
				}
			}
			ld.sc.Params[name] = v
			ld.enter(name, &entry{class: "param", span: p.Key.Span, param: v})
		}
	}
	var unknown []string
	for name := range ld.opt.Params {
		if n == nil || n.Get(name) == nil {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		var have []string
		if n != nil {
			for _, p := range n.Pairs {
				have = append(have, p.Key.Value)
			}
		}
		hint := diag.Suggest(name, have)
		detail := ""
		if len(have) == 0 {
			detail = "This scenario declares no params."
		}
		ld.add(codeParam, source.Span{}, "--param "+name+": the scenario has no such param", detail, hint)
	}
}

// override reads the text of --param as YAML and holds it against the type of
// the default.
func (ld *loader) override(p ydoc.Pair, text string, def any) (any, bool) {
	name := p.Key.Value
	sub := &diag.List{}
	node := ydoc.Parse(source.New("--param "+name, []byte(text)), sub)
	var v any = text
	if node != nil && !sub.HasErrors() && (node.Kind == ydoc.Scalar || node.Kind == ydoc.Seq || node.Kind == ydoc.Map) {
		if d, err := node.Data(); err == nil {
			v = d
		}
	}
	if _, isText := def.(string); isText {
		return text, true
	}
	if typeName(v) == typeName(def) || def == nil {
		return v, true
	}
	if i, ok := v.(int); ok {
		if _, f := def.(float64); f {
			return float64(i), true
		}
	}
	ld.add(codeParam, p.Key.Span, "--param "+name+"="+text+" is "+typeName(v)+", the scenario's "+name+" is "+typeName(def),
		"The default here is "+cond.Text(def)+".", "")
	return nil, false
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "a mapping"
}

// badData reports a scalar that cannot be read as data.
func (ld *loader) badData(n *ydoc.Node, what string, err error) {
	if d, ok := err.(*diag.Diagnostic); ok {
		ld.list.Add(d)
		return
	}
	ld.add(codeShape, n.Span, what+": "+err.Error(), "", "")
}
