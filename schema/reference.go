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

// Reference is docs/reference.md: every key, kind, verb, fact, function, error
// and signal of the language, from the descriptors.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Reference\n\nGenerated from the descriptors; `go test ./schema -update` writes it anew. The language is explained in [language.md](language.md).\n")
	v := plan.Vocabulary()
	section(&b, "Keys of a scenario", "", spec.TopFields)
	section(&b, "Keys of an exercise", "Of the file: `exercise:`. See [exercises.md](exercises.md).", spec.ExerciseFields)
	section(&b, "Keys of known", "Of the file: `known:`.", spec.KnownFields)
	section(&b, "Keys of a bad program", "Of `known:`, each below `bad:`.", spec.BadFields)
	section(&b, "Keys of a process", "Short forms: `x: idle`, and `x: [steps…]`.", spec.ProcessFields)
	section(&b, "Keys of limits", "Of a process: `limits:`.", spec.LimitFields)
	section(&b, "Keys of match", "Of a process: `match:`. A text alone is `argv`.", spec.MatchFields)
	section(&b, "Keys of a task", "Short form: `x: [steps…]`.", spec.TaskFields)
	section(&b, "Keys that any step may have", "", spec.StepFields)

	b.WriteString("\n## Primitives\n")
	for _, name := range v.KindNames() {
		k := v.Kinds[name]
		p := kindPage(k)
		markdown(&b, "###", &p)
		for i := range k.Verbs {
			p := verbPage(&decl.ClassedVerb{Verb: k.Verbs[i], Class: k.Name})
			markdown(&b, "####", &p)
		}
	}
	b.WriteString("\n## Verbs\n")
	for i := range v.Verbs {
		if v.Kinds[v.Verbs[i].Class] == nil {
			p := verbPage(&v.Verbs[i])
			markdown(&b, "####", &p)
		}
	}
	b.WriteString("\n## Facts of a process\n\n")
	table(&b, factTable(v.ProcessFacts))
	fmt.Fprintf(&b, "\n## Facts of a signal\n\nIn its handler, as `%s`.\n\n", v.Siginfo)
	table(&b, factTable(v.SiginfoFacts))
	b.WriteString("\n## Functions of conditions\n\nArguments with a question mark may be left out.\n\n| function | is | meaning | example |\n|---|---|---|---|\n")
	for _, f := range functions(v) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", signature(&f), shapeName(f.Result), cell(f.Doc), cell(f.Example))
	}
	b.WriteString("\n## Errors that steps end with\n\n| name | meaning |\n|---|---|\n")
	for _, e := range v.Errors {
		fmt.Fprintf(&b, "| `%s` | %s |\n", e.Name, cell(e.Doc))
	}
	b.WriteString("\n## Keys that can be pressed\n\n`" + strings.Join(v.Keys, "` `") + "`\n")
	return b.String()
}

func section(b *strings.Builder, title, note string, fields []decl.Field) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if note != "" {
		b.WriteString(note + "\n\n")
	}
	table(b, keyTable(fields))
}

// markdown is a page as a section of the reference.
func markdown(b *strings.Builder, level string, p *Page) {
	fmt.Fprintf(b, "\n%s %s\n\n%s. `%s`\n\n%s\n", level, p.Title(), sentence(p.Summary), oneLine(p.Example), p.Doc)
	if p.Source != "" {
		fmt.Fprintf(b, "\nSource: %s.\n", p.Source)
	}
	if len(p.Notes) > 0 {
		fmt.Fprintf(b, "\n*%s.*\n", sentence(strings.Join(p.Notes, "; ")))
	}
	for _, t := range p.Tables {
		b.WriteString("\n")
		table(b, t)
	}
}

func table(b *strings.Builder, t Table) {
	facts := t.Title == "fact"
	if facts {
		b.WriteString("| fact | is | meaning |\n|---|---|---|\n")
	} else {
		b.WriteString("| key | takes | meaning | default |\n|---|---|---|---|\n")
	}
	for _, r := range t.Rows {
		doc := cell(r.Doc)
		if r.Example != "" {
			doc += ", as `" + cell(r.Example) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |", r.Name, r.Takes, doc)
		if !facts {
			fmt.Fprintf(b, " %s |", cell(r.Default))
		}
		b.WriteString("\n")
	}
}

func signature(f *decl.Func) string {
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
		if p.Repeats {
			names[i] += ", …"
		}
		if p.Optional {
			names[i] += "?"
		}
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

// functions are those of the vocabulary and those that any expression has,
// sorted by name.
func functions(v *decl.Vocabulary) []decl.Func {
	out := slices.Concat(v.Funcs, spec.Functions())
	slices.SortFunc(out, func(a, b decl.Func) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// takes is a field's shape in words.
func takes(f *decl.Field) string {
	if len(f.Enum) > 0 {
		return "`" + strings.Join(f.Enum, "` `") + "`"
	}
	if len(f.Refs) > 0 {
		refs := append([]string(nil), f.Refs...)
		sort.Strings(refs)
		s := "name of " + strings.Join(refs, " or ")
		if f.Shape == decl.Refs {
			s += ", or a list"
		}
		return s
	}
	if f.Shape == decl.Matching {
		return "text, or mapping with `argv` `order` `when`"
	}
	if f.Shape == decl.Fields || f.Shape == decl.Records {
		names := make([]string, len(f.Sub))
		for i := range f.Sub {
			names[i] = "`" + f.Sub[i].Name + "`"
		}
		return shapeName(f.Shape) + " with " + strings.Join(names, " ")
	}
	return shapeName(f.Shape)
}

var shapeNames = map[decl.Shape]string{
	decl.None: "nothing", decl.Any: "any data", decl.Bool: "true or false", decl.Int: "whole number", decl.Float: "number",
	decl.String: "text", decl.Text: "text", decl.Duration: "duration", decl.Cond: "condition", decl.Expr: "expression",
	decl.Signal: "signal", decl.Signals: "signal or list", decl.Error: "name of an error", decl.Ident: "new name",
	decl.Ref: "name", decl.Refs: "names", decl.Steps: "list of steps", decl.Vars: "names with values", decl.Count: "whole number or `forever`",
	decl.Key: "key", decl.List: "list", decl.CType: "C type", decl.Pattern: "text or `{regex: …}`", decl.Handler: "`default`, `ignore` or steps",
	decl.Map: "mapping", decl.Points: "number of points", decl.Command: "list of texts, or text", decl.Size: "size", decl.Fields: "mapping",
	decl.Texts: "list of texts", decl.TextMap: "mapping of texts", decl.Records: "list of mappings",
	decl.Matching: "text or mapping",
}

func shapeName(s decl.Shape) string { return shapeNames[s] }

// cell keeps a text inside its cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", "\\|") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
