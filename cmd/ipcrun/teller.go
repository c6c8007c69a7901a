package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// teller says in words what steps do.
type teller struct {
	sc   *spec.Scenario
	said map[string]bool // verbs that were explained
}

// rows are the line of each step in the file and what it does, those inside it
// included.
func (t *teller) rows(steps []*spec.Step, indent string) [][]string {
	var rows [][]string
	for _, s := range steps {
		lines := []string{fmt.Sprint(s.VerbAt.Start.Line), indent + t.sentence(s)}
		rows = append(rows, lines)
		for _, name := range blocks(s) {
			if len(s.Blocks) > 1 || name != "do" {
				rows = append(rows, []string{"", indent + margin + name + ":"})
			}
			rows = append(rows, t.rows(s.Blocks[name], indent+margin)...)
		}
	}
	return rows
}

// blocks lists the names of a step's blocks in the order of the file.
func blocks(s *spec.Step) []string {
	var out []string
	for name, steps := range s.Blocks {
		if len(steps) > 0 {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return int(s.Blocks[a][0].ID) - int(s.Blocks[b][0].ID) })
	return out
}

// sentence is what a step does, with its common keys.
func (t *teller) sentence(s *spec.Step) string {
	out := t.deed(s)
	if s.In != nil {
		out = t.sc.File.Slice(s.In.Span) + ": " + out
	}
	if s.When != nil {
		out = "if " + oneLine(s.When.Source()) + ", " + out
	}
	if s.Timeout != nil {
		out += ", for at most " + t.value(s.Timeout, decl.Duration)
	}
	if s.Into != "" {
		out += "; the result goes to " + s.Into
	}
	if s.Error != "" {
		out += "; it must fail with " + s.Error
	}
	if s.Back != "" {
		out += "; the script goes on meanwhile (" + s.Back + ")"
	}
	if s.Name != "" {
		out += "; this step is called " + s.Name
	}
	if s.Points > 0 {
		out += "; worth " + trimmed(s.Points)
	}
	return out
}

// deed is the verb's summary with the object in it, where it names what its
// object is; else it is the step as it was written, with the summary behind it
// the first time.
func (t *teller) deed(s *spec.Step) string {
	v := &s.Verb.Verb
	object := ""
	if s.Obj != nil {
		object = t.value(s.Obj, v.Object.Shape)
	}
	noun := s.Verb.Class
	if v.Object != nil {
		switch v.Object.Shape {
		case decl.Cond:
			noun = "condition"
		case decl.Key:
			noun = "key"
		case decl.Ref, decl.Refs:
			if len(v.Object.Refs) == 1 {
				noun = v.Object.Refs[0]
			}
		}
	}
	if text, ok := putIn(v.Summary, noun, object); ok {
		if sig := s.Get("signal"); sig != nil {
			if with, ok := putIn(text, "signal", t.value(sig, decl.Signal)); ok {
				return with + t.others(s, "signal")
			}
		}
		return text + t.others(s, "")
	}
	text := v.Name
	if object != "" {
		text += ": " + object
	}
	text += t.others(s, "")
	if !t.said[v.Name] {
		t.said[v.Name] = true
		text += " (" + v.Summary + ")"
	}
	return text
}

// putIn replaces the first "a noun" of a summary by the object.
func putIn(summary, noun, object string) (string, bool) {
	if noun == "" || object == "" {
		return "", false
	}
	for _, article := range []string{"a ", "an ", "a shared "} {
		before, after, found := strings.Cut(summary, article+noun)
		if found && (before == "" || strings.HasSuffix(before, " ")) && (after == "" || !isLetter(after[0])) {
			return before + object + after, true
		}
	}
	return "", false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// others are the keys of a step's own beside the verb, but for one that was
// told.
func (t *teller) others(s *spec.Step, told string) string {
	var out []string
	for _, a := range s.Args {
		if a.Field.Name != told && s.Blocks[a.Field.Name] == nil && a.Value != nil {
			out = append(out, a.Field.Name+" "+t.value(a.Value, a.Field.Shape))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ", " + strings.Join(out, ", ")
}

// value is a value as one reads it.
func (t *teller) value(v *spec.Value, as decl.Shape) string {
	switch v.Form {
	case spec.IsTmpl:
		return oneLine(v.Tmpl)
	case spec.IsExpr:
		return oneLine(v.Expr.Source())
	case spec.IsRefs:
		var names []string
		for _, r := range v.Refs {
			names = append(names, t.sc.File.Slice(r.Span))
		}
		return strings.Join(names, " and ")
	case spec.IsList:
		var items []string
		for _, i := range v.List {
			items = append(items, t.value(i, as))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case spec.IsMap:
		var items []string
		for name, i := range v.Map {
			items = append(items, name+": "+t.value(i, decl.Any))
		}
		sort.Strings(items)
		return "{" + strings.Join(items, ", ") + "}"
	}
	return literal(v.Lit, as)
}

func literal(v any, as decl.Shape) string {
	switch x := v.(type) {
	case int:
		switch as {
		case decl.Duration:
			return time.Duration(x).String()
		case decl.Signal, decl.Signals:
			return plan.Vocabulary().Signals.Name(x)
		}
	case []any:
		if as == decl.Signals {
			var names []string
			for _, s := range x {
				names = append(names, literal(s, decl.Signal))
			}
			return strings.Join(names, " and ")
		}
	case string:
		return oneLine(x)
	}
	return cond.Text(v)
}
