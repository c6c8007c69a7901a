package schema

import (
	"fmt"
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
	section(&b, "Keys of a process", "Short forms: `x: idle`, and `x: [steps…]`.", spec.ProcessFields)
	section(&b, "Keys that any step may have", "", spec.StepFields)

	b.WriteString("\n## Primitives\n")
	for _, name := range v.KindNames() {
		b.WriteString(kindPage(v.Kinds[name]))
	}
	b.WriteString("\n## Verbs\n")
	for i := range v.Verbs {
		if v.Kinds[v.Verbs[i].Class] == nil {
			b.WriteString(verbPage(&v.Verbs[i]))
		}
	}
	b.WriteString("\n## Facts of a process\n\n")
	facts(&b, v.ProcessFacts)
	b.WriteString("\n## Functions of conditions\n\n| function | is | meaning | example |\n|---|---|---|---|\n")
	for _, f := range v.Funcs {
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
	table(b, fields)
}

func table(b *strings.Builder, fields []decl.Field) {
	b.WriteString("| key | takes | meaning | default |\n|---|---|---|---|\n")
	for _, f := range fields {
		def := f.Default
		if f.Required {
			def = "required"
		}
		doc := cell(f.Doc)
		if f.Example != "" {
			doc += ", as `" + cell(f.Example) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Name, takes(&f), doc, cell(def))
	}
}

func facts(b *strings.Builder, list []decl.Fact) {
	b.WriteString("| fact | is | meaning |\n|---|---|---|\n")
	for _, f := range list {
		doc := cell(f.Doc)
		if f.ScriptOnly {
			doc += " (top-level steps only)"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, shapeName(f.Shape), doc)
	}
}

func kindPage(k *decl.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s. `%s`\n\n%s\n", k.Name, sentence(k.Summary), k.Example, k.Doc)
	if k.Source != "" {
		fmt.Fprintf(&b, "\nSource: %s.\n", k.Source)
	}
	fields := k.Fields
	if k.Main != nil {
		fields = append([]decl.Field{*k.Main}, fields...)
	}
	if len(fields) > 0 {
		b.WriteString("\n")
		table(&b, fields)
	}
	if len(k.Facts) > 0 {
		b.WriteString("\n")
		facts(&b, k.Facts)
	}
	for i := range k.Verbs {
		b.WriteString(verbPage(&decl.ClassedVerb{Verb: k.Verbs[i], Class: k.Name}))
	}
	return b.String()
}

func verbPage(v *decl.ClassedVerb) string {
	var b strings.Builder
	title := v.Name
	if v.Class != "" {
		title += " (" + v.Class + ")"
	}
	fmt.Fprintf(&b, "\n#### %s\n\n%s. `%s`\n\n%s\n", title, sentence(v.Summary), oneLine(v.Example), v.Doc)
	var notes []string
	switch v.Place {
	case decl.InProcess:
		notes = append(notes, "inside a process")
	case decl.InScript:
		notes = append(notes, "top-level steps")
	default:
		notes = append(notes, "anywhere")
	}
	if v.Waits {
		notes = append(notes, "may wait (`timeout:`)")
	}
	if v.Result != decl.None {
		notes = append(notes, "`into:` receives "+shapeName(v.Result))
	}
	if len(v.Errors) > 0 {
		notes = append(notes, "ends with `"+strings.Join(v.Errors, "`, `")+"`")
	}
	fmt.Fprintf(&b, "\n*%s.*\n", sentence(strings.Join(notes, "; ")))
	if len(v.Fields) > 0 {
		b.WriteString("\n")
		table(&b, v.Fields)
	}
	return b.String()
}

func signature(f *decl.Func) string {
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
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
	return shapeName(f.Shape)
}

var shapeNames = map[decl.Shape]string{
	decl.None: "nothing", decl.Any: "any data", decl.Bool: "true or false", decl.Int: "whole number", decl.Float: "number",
	decl.String: "text", decl.Text: "text", decl.Duration: "duration", decl.Cond: "condition", decl.Expr: "expression",
	decl.Signal: "signal", decl.Signals: "signal or list", decl.Error: "name of an error", decl.Ident: "new name",
	decl.Ref: "name", decl.Refs: "names", decl.Steps: "list of steps", decl.Vars: "names with values", decl.Count: "whole number or `forever`",
	decl.Key: "key", decl.List: "list", decl.CType: "C type", decl.Pattern: "text or `{regex: …}`", decl.Handler: "`default`, `ignore` or steps",
	decl.Map: "mapping", decl.Points: "number of points",
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
