package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// Page is all that there is to say of one word of the language in one of its
// meanings. Its texts mark code with backticks and know nothing else of
// Markdown; Plain takes the backticks away.
type Page struct {
	Group   Group
	Name    string
	Of      string // whose word it is where others have one of the same name: wait of event
	Summary string // starts lower-case, no full stop
	Example string // as YAML, "" if there is none
	Doc     string // paragraphs, with empty lines between them
	Source  string // where its semantics come from
	Notes   []string
	Tables  []Table
	See     []string // titles of pages that belong to it
}

// Group is what kind of word a page is about.
type Group string

// The groups, in the order of Pages.
const (
	TopKeys     Group = "Keys of a scenario"
	InnerKeys   Group = "Keys of exercise, known, limits and match"
	ProcessKeys Group = "Keys of a process"
	TaskKeys    Group = "Keys of a task"
	StepKeys    Group = "Keys that any step may have"
	Primitives  Group = "Primitives"
	Verbs       Group = "Verbs"
	Parameters  Group = "Keys of verbs and primitives"
	Facts       Group = "Facts"
	Functions   Group = "Functions of conditions"
	Errors      Group = "Errors that steps end with"
	Pressed     Group = "Keys that can be pressed"
)

// One is what a single word of the group is called.
func (g Group) One() string {
	switch g {
	case TopKeys:
		return "key of a scenario"
	case InnerKeys:
		return "key further in"
	case ProcessKeys:
		return "key of a process"
	case TaskKeys:
		return "key of a task"
	case StepKeys:
		return "key of any step"
	case Primitives:
		return "primitive"
	case Verbs:
		return "verb"
	case Parameters:
		return "key"
	case Facts:
		return "fact"
	case Functions:
		return "function of conditions"
	case Errors:
		return "error"
	case Pressed:
		return "key of a terminal"
	}
	return strings.ToLower(string(g))
}

// Table lists keys, facts or places, each with what it takes and means.
type Table struct {
	Title string // one word for what the rows are: key, fact
	Rows  []Row
}

// Row is one line of a Table.
type Row struct{ Name, Takes, Doc, Example, Default string }

// Title is the page's name, with whose it is: wait (event).
func (p *Page) Title() string {
	if p.Of == "" {
		return p.Name
	}
	return p.Name + " (" + p.Of + ")"
}

// Plain takes the marks of code out of a page's text.
func Plain(s string) string { return strings.ReplaceAll(s, "`", "") }

// Pages are those of the whole language, from the descriptors: group by group,
// sorted by name within each, but for keys, which keep their order.
func Pages() []Page {
	v := plan.Vocabulary()
	var out []Page
	out = append(out, keyPages(TopKeys, spec.TopFields, "at the top of the file")...)
	out = append(out, keyPages(InnerKeys, spec.ExerciseFields, "below `exercise:`")...)
	out = append(out, keyPages(InnerKeys, spec.KnownFields, "below `known:`")...)
	out = append(out, keyPages(InnerKeys, spec.BadFields, "in each entry below `bad:` of `known:`")...)
	out = append(out, keyPages(InnerKeys, spec.LimitFields, "below `limits:` of a process")...)
	out = append(out, keyPages(InnerKeys, spec.MatchFields, "below `match:` of a process")...)
	out = append(out, keyPages(ProcessKeys, spec.ProcessFields, "below a name under `processes:`")...)
	out = append(out, keyPages(TaskKeys, spec.TaskFields, "below a name under `tasks:`")...)
	out = append(out, keyPages(StepKeys, spec.StepFields, "beside the verb of any step")...)
	for _, name := range v.KindNames() {
		p := kindPage(v.Kinds[name])
		p.Notes = []string{"declared below `primitives:`"}
		for _, verb := range v.Kinds[name].Verbs {
			p.See = append(p.See, (&Page{Name: verb.Name, Of: name}).Title())
		}
		out = append(out, p)
	}
	out = append(out, verbPages(v)...)
	out = append(out, parameterPages(v)...)
	out = append(out, factPages(v)...)
	for _, f := range functions(v) {
		out = append(out, funcPage(&f))
	}
	for _, e := range v.Errors {
		out = append(out, errorPage(v, e))
	}
	for _, k := range v.Keys {
		out = append(out, Page{Group: Pressed, Name: k, Summary: "a key of the terminal that a process with `terminal: true` has", Example: "press: " + k,
			Notes: []string{"object of the verb `press`"}})
	}
	return out
}

func keyPages(g Group, fields []decl.Field, where string) []Page {
	var out []Page
	for i := range fields {
		f := &fields[i]
		p := Page{Group: g, Name: f.Name, Summary: f.Doc, Notes: []string{"stands " + where, "value: " + takes(f)}}
		switch {
		case f.Required:
			p.Notes = append(p.Notes, "required")
		case f.Default != "":
			p.Notes = append(p.Notes, "if absent: "+f.Default)
		}
		if f.Example != "" {
			p.Example = f.Name + ": " + f.Example
		}
		out = append(out, p)
	}
	return out
}

// kindPage is the page of a kind, without those of its verbs.
func kindPage(k *decl.Kind) Page {
	p := Page{Group: Primitives, Name: k.Name, Summary: k.Summary, Example: k.Example, Doc: k.Doc, Source: k.Source}
	fields := k.Fields
	if k.Main != nil {
		fields = append([]decl.Field{*k.Main}, fields...)
	}
	p.Tables = tables(keyTable(fields), factTable(k.Facts))
	return p
}

func verbPages(v *decl.Vocabulary) []Page {
	verbs := append([]decl.ClassedVerb(nil), v.Verbs...)
	sort.SliceStable(verbs, func(i, j int) bool { return verbs[i].Name < verbs[j].Name })
	var out []Page
	for i := range verbs {
		out = append(out, verbPage(&verbs[i]))
	}
	return out
}

func verbPage(v *decl.ClassedVerb) Page {
	p := Page{Group: Verbs, Name: v.Name, Of: v.Class, Summary: v.Summary, Example: v.Example, Doc: v.Doc}
	switch v.Place {
	case decl.InProcess:
		p.Notes = append(p.Notes, "inside a process")
	case decl.InScript:
		p.Notes = append(p.Notes, "top-level steps")
	default:
		p.Notes = append(p.Notes, "anywhere")
	}
	if v.Waits {
		p.Notes = append(p.Notes, "may wait (`timeout:`)")
	}
	if v.Result != decl.None {
		p.Notes = append(p.Notes, "`into:` receives "+shapeName(v.Result))
	}
	if len(v.Errors) > 0 {
		p.Notes = append(p.Notes, "ends with `"+strings.Join(v.Errors, "`, `")+"`")
	}
	p.Tables = tables(keyTable(v.Fields))
	return p
}

// parameterPages tell of each key that verbs and kinds have of their own what
// it means beside each of them.
func parameterPages(v *decl.Vocabulary) []Page {
	users := map[string]*Table{}
	use := func(owner string, f *decl.Field) {
		t := users[f.Name]
		if t == nil {
			t = &Table{Title: "beside"}
			users[f.Name] = t
		}
		r := keyRow(f)
		r.Name = owner
		t.Rows = append(t.Rows, r)
	}
	for _, name := range v.KindNames() {
		for i := range v.Kinds[name].Fields {
			use(name, &v.Kinds[name].Fields[i])
		}
	}
	for _, verb := range verbPages(v) {
		for _, cv := range v.Named(verb.Name) {
			for i := range cv.Fields {
				if cv.Class == verb.Of {
					use(verb.Title(), &cv.Fields[i])
				}
			}
		}
	}
	var out []Page
	for name, t := range users {
		out = append(out, Page{Group: Parameters, Name: name, Summary: "a key that stands beside " + owners(t), Tables: []Table{*t}})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// owners names the first rows of a table and counts the rest.
func owners(t *Table) string {
	const most = 4
	var names []string
	for i, r := range t.Rows {
		if i == most {
			return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", len(t.Rows)-most)
		}
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// factPages tell of each fact whose it is.
func factPages(v *decl.Vocabulary) []Page {
	pages := map[string]*Page{}
	var names []string
	know := func(owner, example string, f *decl.Fact) {
		p := pages[f.Name]
		if p == nil {
			p = &Page{Group: Facts, Name: f.Name, Example: example, Tables: []Table{{Title: "of"}}}
			pages[f.Name] = p
			names = append(names, f.Name)
		}
		r := factRow(f)
		r.Name = owner
		p.Tables[0].Rows = append(p.Tables[0].Rows, r)
	}
	for i := range v.ProcessFacts {
		know("process", factExample("driver", &v.ProcessFacts[i]), &v.ProcessFacts[i])
	}
	for _, name := range v.KindNames() {
		object, _, _ := strings.Cut(v.Kinds[name].Example, ":")
		for i := range v.Kinds[name].Facts {
			know(name, factExample(object, &v.Kinds[name].Facts[i]), &v.Kinds[name].Facts[i])
		}
	}
	for i := range v.SiginfoFacts {
		f := &v.SiginfoFacts[i]
		know(v.Siginfo, "{in: producer, signal: SIGUSR1, handler: [{print: \"${"+v.Siginfo+"."+f.Name+"}\"}]}", f)
	}
	sort.Strings(names)
	var out []Page
	for _, n := range names {
		p := pages[n]
		p.Summary = "a fact of " + owners(&p.Tables[0]) + ", for conditions and ${…}"
		out = append(out, *p)
	}
	return out
}

// factExample is a check of a fact, of the kind that its values allow.
func factExample(object string, f *decl.Fact) string {
	name := object + "." + f.Name
	switch f.Shape {
	case decl.Bool:
		return "assert: " + name
	case decl.Int:
		return "assert: " + name + " == 1"
	case decl.Duration, decl.Float:
		return "assert: " + name + " < 0.5"
	case decl.List:
		return "assert: len(" + name + ") == 2"
	}
	return "print: ${" + name + "}"
}

func funcPage(f *decl.Func) Page {
	p := Page{Group: Functions, Name: f.Name, Summary: f.Doc, Example: "assert: '" + strings.ReplaceAll(f.Example, "'", "''") + "'"}
	p.Notes = []string{"called as `" + signature(f) + "`", "yields " + shapeName(f.Result)}
	for _, arg := range f.Params {
		if arg.Shape == decl.Cond || arg.Shape == decl.Expr {
			p.Notes = append(p.Notes, "in the "+arg.Name+" the element is called \"#\", its field x \".x\" and its number \"#index\"")
		}
	}
	if f.ScriptOnly {
		p.Notes = append(p.Notes, "top-level steps only")
	}
	return p
}

// errorPage tells of an error which steps end with it. Its example is of a verb
// that names it before its other errors, if there is one.
func errorPage(v *decl.Vocabulary, e decl.Err) Page {
	p := Page{Group: Errors, Name: e.Name, Summary: e.Doc}
	var by []string
	best := -1
	for _, verb := range verbPages(v) {
		for _, cv := range v.Named(verb.Name) {
			at := slices.Index(cv.Errors, e.Name)
			if cv.Class != verb.Of || at < 0 {
				continue
			}
			by = append(by, "`"+verb.Title()+"`")
			if best < 0 || at < best {
				best, p.Example = at, expecting(cv.Example, e.Name)
			}
		}
	}
	if len(by) > 0 {
		p.Notes = []string{"what may end with it: " + strings.Join(by, ", "), "a step expects it with `error: " + e.Name + "`"}
	}
	return p
}

// expecting adds error: to the YAML of a step.
func expecting(step, name string) string {
	if body, flow := strings.CutSuffix(step, "}"); flow && strings.HasPrefix(step, "{") {
		return body + ", error: " + name + "}"
	}
	if strings.Contains(step, ":") {
		return "{" + step + ", error: " + name + "}"
	}
	return "{" + step + ": , error: " + name + "}"
}

// tables leaves out those without rows.
func tables(all ...Table) []Table {
	var out []Table
	for _, t := range all {
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

func keyTable(fields []decl.Field) Table {
	t := Table{Title: "key"}
	for i := range fields {
		t.Rows = append(t.Rows, keyRow(&fields[i]))
	}
	return t
}

func keyRow(f *decl.Field) Row {
	r := Row{Name: f.Name, Takes: takes(f), Doc: f.Doc, Example: f.Example, Default: f.Default}
	if f.Required {
		r.Default = "required"
	}
	return r
}

func factTable(list []decl.Fact) Table {
	t := Table{Title: "fact"}
	for i := range list {
		t.Rows = append(t.Rows, factRow(&list[i]))
	}
	return t
}

func factRow(f *decl.Fact) Row {
	r := Row{Name: f.Name, Takes: shapeName(f.Shape), Doc: f.Doc}
	if f.Enum != nil {
		r.Doc += ": " + strings.Join(f.Enum, ", ")
	}
	if f.ScriptOnly {
		r.Doc += " (top-level steps only)"
	}
	return r
}
