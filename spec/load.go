package spec

import (
	"slices"
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
	// Bind puts programs in the place of declared processes, by name.
	Bind map[string]Program
}

// Load reads a scenario. What is wrong with it goes to l, all of it at once;
// the result is nil if there is any error.
func Load(f *source.File, voc *decl.Vocabulary, opt Options, l *diag.List) *Scenario {
	mine := &diag.List{}
	root := ydoc.Parse(f, mine)
	if root != nil {
		ld := &loader{file: f, voc: voc, list: mine, opt: opt, refused: mine.HasErrors(),
			names: map[string]*entry{}, used: map[any]bool{}, scopes: map[scopeKey]*cond.Scope{},
			background: map[string]source.Span{}, stepNames: map[string][]source.Span{},
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

	refused    bool // YAML left something out of the tree, and reported it
	incomplete bool // a section of declarations could not be read, so names are missing
	mistaken   bool // there were errors before the exercise was looked at

	primNodes  []*ydoc.Node // the declarations, as sc.Prims has them
	procNodes  []*ydoc.Node
	taskNodes  []*ydoc.Node
	background map[string]source.Span
	stepNames  map[string][]source.Span
	used       map[any]bool // *Prim, *Proc and names of params that something mentions
	scopes     map[scopeKey]*cond.Scope
	later      []func() // checks that need the whole file
}

// entry is a declared name.
type entry struct {
	class string // process, param, or the kind of a primitive; "": its declaration was reported
	span  source.Span
	prim  *Prim
	proc  *Proc
	task  *Task
	param any
}

func (e *entry) what() string {
	return decl.Article(e.class)
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
	known := fieldNames(TopFields)
	ld.unknownKeys(root, known, "a scenario")
	for _, f := range TopFields {
		if f.Required && ld.absent(root, f.Name, known) {
			ld.add(codeMissing, source.Span{}, "the scenario has no "+f.Name+":", "It is "+f.Doc+".", "")
		}
	}
	ld.incomplete = section(root, "processes") == nil
	// Names first: everything else refers to them.
	ld.params(section(root, "params"))
	ld.declare(section(root, "primitives"), section(root, "processes"))
	ld.declareTasks(section(root, "tasks"))
	ld.plainFields(root)
	if ld.incomplete {
		return // every use of a name would be reported, too
	}
	ld.primitives()
	ld.processes()
	ld.tasks()
	ld.script(root)
	ld.exercise(root)
	ld.bound()
	ld.rules()
}

// unknownKeys reports keys that are not among the known ones.
func (ld *loader) unknownKeys(n *ydoc.Node, known []string, what string) {
	for _, p := range n.Pairs {
		if contains(known, p.Key.Value) {
			continue
		}
		hint, detail := didYouMean(p.Key.Value, known), ""
		if hint == "" {
			detail = what
			if !strings.HasSuffix(what, ":") { // a key is written as it is
				detail = upperFirst(what)
			}
			detail += " has the keys " + strings.Join(known, ", ") + "."
		}
		ld.add(codeKey, p.Key.Span, "unknown key \""+p.Key.Value+"\" in "+what, detail, hint)
	}
}

// absent reports whether a key is missing and nothing reported explains it.
func (ld *loader) absent(n *ydoc.Node, name string, known []string) bool {
	return n.Get(name) == nil && !ld.refused && !meant(n, name, known)
}

// meant reports whether a key that is not known was most likely meant to be
// name.
func meant(n *ydoc.Node, name string, known []string) bool {
	for _, p := range n.Pairs {
		if !contains(known, p.Key.Value) && diag.Nearest(p.Key.Value, known) == name {
			return true
		}
	}
	return false
}

// section is the value of a key of the scenario, or of the misspelt key that was
// probably meant to be it: that is reported once, and what stands below it is
// read all the same.
func section(root *ydoc.Node, name string) *ydoc.Node {
	if n := root.Get(name); n != nil {
		return n
	}
	known := fieldNames(TopFields)
	for _, p := range root.Pairs {
		if !contains(known, p.Key.Value) && diag.Nearest(p.Key.Value, known) == name {
			return p.Value
		}
	}
	return nil
}

// didYouMean is the nearest candidate as a hint, "" if none is near.
func didYouMean(word string, candidates []string) string {
	if near := diag.Nearest(word, candidates); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return ""
}

// DidYouMean is the candidate nearest to word as a question, "" if none is near: for
// those who look at what a scenario names only when it runs.
func DidYouMean(word string, candidates []string) string { return didYouMean(word, candidates) }

func upperFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
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
	var inherit string
	for _, w := range []struct {
		key string
		to  *string
	}{{"outcome", &sc.Outcome}, {"race", &sc.Race}, {"inherit", &inherit}} {
		if n := root.Get(w.key); n != nil && !n.Bad {
			f := field(TopFields, w.key)
			if v := ld.word(n, f, codeOutcome, f.Enum); v != nil {
				*w.to = v.Lit.(string)
			}
		}
	}
	sc.InheritAll = inherit == "all"
	if o, r := root.Get("outcome"), root.Get("race"); sc.Outcome == "race" && (sc.Race == "warn" || sc.Race == "off") {
		what := "With race: warn a race is shown and changes no verdict, so this scenario could only fail."
		if sc.Race == "off" {
			what = "With race: off nobody looks for races, so this scenario could only fail."
		}
		ld.add(codeContradict, r.Span, "outcome: race and race: "+sc.Race+" contradict one another", what,
			"leave race: out, or write error", ld.declaredHere(o.Span, "how it is meant to end"))
	}
}

// badData reports a scalar that cannot be read as data.
func (ld *loader) badData(n *ydoc.Node, what string, err error) {
	if d, ok := err.(*diag.Diagnostic); ok {
		ld.list.Add(d)
		return
	}
	ld.add(codeShape, n.Span, what+": "+err.Error(), "", "")
}
