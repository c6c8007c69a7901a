package main

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"ipcrun/engine/plan"
	"ipcrun/engine/proc/sig"
	"ipcrun/schema"
	"ipcrun/spec"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// TestEverythingHasAPage: whatever is registered can be explained, and its
// page is not empty.
func TestEverythingHasAPage(t *testing.T) {
	pages, v := allPages(), plan.Vocabulary()
	find := func(g schema.Group, name, of string) {
		t.Helper()
		i := slices.IndexFunc(pages, func(p schema.Page) bool { return p.Group == g && p.Name == name && p.Of == of })
		if i < 0 {
			t.Errorf("%s %s %s has no page", g, name, of)
			return
		}
		if !slices.ContainsFunc(findPages(pages, name), func(p *schema.Page) bool { return p == &pages[i] }) {
			t.Errorf("%s is not among what %q means", pages[i].Title(), name)
		}
	}
	for name, k := range v.Kinds {
		find(schema.Primitives, name, "")
		for _, f := range k.Facts {
			find(schema.Facts, f.Name, "")
		}
		for _, f := range k.Fields {
			find(schema.Parameters, f.Name, "")
		}
	}
	for _, verb := range v.Verbs {
		find(schema.Verbs, verb.Name, verb.Class)
		for _, f := range verb.Fields {
			find(schema.Parameters, f.Name, "")
		}
	}
	for _, f := range slices.Concat(v.ProcessFacts, v.SiginfoFacts) {
		find(schema.Facts, f.Name, "")
	}
	for _, f := range slices.Concat(v.Funcs, cond.Builtins()) {
		find(schema.Functions, f.Name, "")
	}
	for _, e := range v.Errors {
		find(schema.Errors, e.Name, "")
	}
	for _, k := range v.Keys {
		find(schema.Pressed, k, "")
	}
	for _, list := range []struct {
		g      schema.Group
		fields []decl.Field
	}{{schema.TopKeys, spec.TopFields}, {schema.ProcessKeys, spec.ProcessFields}, {schema.TaskKeys, spec.TaskFields}, {schema.StepKeys, spec.StepFields}} {
		for _, f := range list.fields {
			find(list.g, f.Name, "")
		}
	}
	for _, s := range sig.All() {
		find(signalPages, s.String(), "")
	}
	for _, c := range diag.Codes() {
		find(codePages, c.Code, "")
	}
}

// TestPagesReadWell: each has its texts, fits the width and has no marks of
// Markdown in it.
func TestPagesReadWell(t *testing.T) {
	for _, p := range allPages() {
		needs := map[string]string{"summary": p.Summary}
		switch p.Group {
		case schema.Primitives, schema.Verbs:
			needs["doc"], needs["example"] = p.Doc, p.Example
		case schema.Facts, schema.Functions, schema.Pressed, signalPages:
			needs["example"] = p.Example
		case codePages:
			needs["doc"] = p.Doc
		}
		for what, text := range needs {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s %s has no %s", p.Group, p.Title(), what)
			}
		}
		for _, wide := range []int{40, 80, 100} {
			var b strings.Builder
			writePage(&b, &p, pageStyle{width: wide, bold: func(s string) string { return s }})
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSuffix(line, "\n")
				bare := strings.TrimSpace(line)
				if strings.Contains(line, "`") || strings.Contains(line, "**") || strings.HasPrefix(bare, "#") || strings.HasPrefix(bare, "|") {
					t.Errorf("%s: Markdown in %q", p.Title(), line)
				}
				if line != strings.TrimRight(line, " ") {
					t.Errorf("%s: blanks at the end of %q", p.Title(), line)
				}
				// Code keeps its lines.
				if source.Cells(line) > max(wide, 2*len(margin)+leastText+20) && !strings.Contains(p.Example, bare) && !strings.Contains(p.Doc, line[min(len(line), len(margin)):]) {
					t.Errorf("%s: %d cells in %q", p.Title(), source.Cells(line), line)
				}
			}
		}
	}
}

// TestExamplesLoad: the loader accepts every example of a step, a declaration
// or a check, put into a scenario that has what it speaks of.
func TestExamplesLoad(t *testing.T) {
	v := plan.Vocabulary()
	tried := 0
	for _, p := range allPages() {
		if p.Example == "" {
			continue
		}
		var text string
		switch p.Group {
		case schema.Primitives:
			text = exampleScenario(p.Name, "", "print: done", decl.InScript)
		case schema.Verbs:
			i := slices.IndexFunc(v.Verbs, func(cv decl.ClassedVerb) bool { return cv.Name == p.Name && cv.Class == p.Of })
			text = exampleScenario(p.Of, p.Name, p.Example, v.Verbs[i].Place)
		case schema.Errors:
			verb := errorExampleVerb(&p)
			if verb == nil {
				t.Errorf("%s: %s is an example of no verb", p.Name, p.Example)
				continue
			}
			text = exampleScenario(verb.Class, verb.Name, p.Example, verb.Place)
		case schema.Facts:
			text = exampleScenario(ownerWith(&p), "", p.Example, decl.InScript)
		case schema.Functions, schema.Pressed, signalPages:
			text = exampleScenario("", "", p.Example, decl.InScript)
		case schema.StepKeys:
			text = exampleScenario("", "", "{print: x, "+p.Example+"}", decl.InScript)
			if p.Name == "background" {
				text = strings.Replace(exampleScenario("", "", "print: x", decl.InScript), "background: second", p.Example, 1)
			}
			if p.Name == "error" || p.Name == "timeout" {
				text = exampleScenario("lock", "acquire", "{acquire: gate, "+p.Example+"}", decl.InProcess)
			}
			if p.Name == "into" {
				text = exampleScenario("lock", "acquire", "{acquire: gate, timeout: 1s, "+p.Example+"}", decl.InProcess)
			}
		case schema.TopKeys:
			text = exampleScenario("", "", "print: done", decl.InScript)
			if !strings.Contains("\n"+text, "\n"+p.Name+":") {
				text += p.Example + "\n"
			}
		case schema.InnerKeys:
			text = innerExample(&p)
		case schema.TaskKeys:
			text = exampleScenario("", "", "print: done", decl.InScript)
			text = regexp.MustCompile("(?m)^tasks:.*$").ReplaceAllString(text, "tasks:\n  square:\n    "+strings.ReplaceAll(taskWith(&p), "$", "$$"))
		case schema.ProcessKeys:
			text = exampleScenario("", "", "print: done", decl.InScript)
			text = strings.Replace(text, "  subject:\n", "  subject:\n    "+p.Example+"\n", 1)
			if p.Name == "match" { // for a child that a program forks by itself
				text = strings.Replace(text, "    steps: [{print: ready}]\n", "    parent: adder\n", 1)
			}
			if slices.Contains(ofPrograms, p.Name) {
				text = strings.Replace(text, "    steps: [{print: ready}]\n", "", 1)
			}
			if slices.Contains(ofPrograms[1:], p.Name) {
				text = strings.Replace(text, "  subject:\n", "  subject:\n    run: [python3, driver.py]\n", 1)
			}
		default:
			t.Errorf("nobody checks the example of %s %s", p.Group, p.Title())
			continue
		}
		tried++
		l := &diag.List{}
		spec.Load(source.New(p.Title(), []byte(text)), v, spec.Options{}, l)
		for _, d := range l.All() {
			if d.Severity == diag.Error {
				t.Errorf("%s %s: %s: line %d: %s %s %s\n%s", p.Group, p.Title(), p.Example, d.Span.Start.Line, d.Summary, d.Detail, d.Hint, text)
				break
			}
		}
	}
	if tried < 150 {
		t.Errorf("only %d examples", tried)
	}
}

// innerExample has the example of a key that stands below another one.
func innerExample(p *schema.Page) string {
	text := exampleScenario("", "", "{expect: done, from: driver, points: 2, name: handles SIGINT}", decl.InScript)
	subject := func(with string) string {
		text = strings.Replace(text, "    steps: [{print: ready}]\n", "", 1)
		return strings.Replace(text, "  subject:\n", "  subject:\n"+with, 1)
	}
	_, below, _ := strings.Cut(p.Notes[0], "below `")
	switch below, _, _ = strings.Cut(below, ":"); below {
	case "exercise":
		text += "exercise:\n  " + p.Example + "\n"
		if p.Name != "submission" {
			text += "  submission: driver\n"
		}
		return text
	case "known":
		text += "exercise: {submission: driver}\nknown:\n  " + p.Example + "\n"
		if p.Name != "good" {
			text += "  good: [solution.py]\n"
		}
		return text
	case "bad":
		text += "exercise: {submission: driver}\nknown:\n  good: [solution.py]\n  bad:\n    - " + p.Example + "\n"
		if p.Name == "program" {
			text += "      fails: [handles SIGINT]\n"
		} else {
			text += "      program: bad/deaf.py\n"
		}
		return text
	case "limits":
		return subject("    run: [python3, driver.py]\n    limits: {" + p.Example + "}\n")
	case "match":
		return subject("    parent: adder\n    match: {" + p.Example + "}\n")
	}
	return ""
}

// ofPrograms are the keys of a process that go with run:, which is the first.
var ofPrograms = append([]string{"run"}, spec.OnlyPrograms...)

// ownerWith is the kind whose fact a page's example shows, "" for a process.
func ownerWith(p *schema.Page) string {
	if owner := p.Tables[0].Rows[0].Name; owner != "process" {
		return owner
	}
	return ""
}

// errorExampleVerb is the verb that an error's example was made of.
func errorExampleVerb(p *schema.Page) *decl.ClassedVerb {
	v := plan.Vocabulary()
	for i := range v.Verbs {
		bare := strings.TrimSuffix(strings.TrimPrefix(v.Verbs[i].Example, "{"), "}")
		if strings.HasPrefix(p.Example, "{"+bare) && slices.Contains(v.Verbs[i].Errors, p.Name) {
			return &v.Verbs[i]
		}
	}
	return nil
}

// exampleScenario has one example in it, and everything that the examples
// speak of: of the kinds whose examples share a name, it declares kind.
func exampleScenario(kind, verb, step string, place decl.Place) string {
	prims := exampleDeclarations(kind, objectOf(verb, step), objectOf("into", step))
	inside := "[{print: ready}]"
	script := "  - {in: producer, print: begin, background: second}\n  - {assert: driver.pid != 1, name: filled}\n  - {print: b, name: emptied}\n"
	if place&decl.InProcess != 0 {
		inside = "\n      - let: {seen: 1, left: 2, job: 1}\n      - " + indented(step, "        ")
		script += "  - print: done\n"
	} else {
		script += "  - " + indented(step, "    ") + "\n"
	}
	parent, worker := "", "{parent: subject, steps: [{print: working}]}"
	if verb != "fork" && verb != "wait" {
		parent = ", parent: driver"
		worker = "[{print: working}]"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "name: an example\n")
	for _, f := range spec.TopFields {
		if f.Name == "tasks" {
			fmt.Fprintf(&b, "tasks: %s\n", f.Example)
		}
	}
	if len(prims) > 0 {
		b.WriteString("primitives:\n")
		for _, p := range prims {
			b.WriteString("  " + indented(p, "  ") + "\n")
		}
	}
	fmt.Fprintf(&b, `processes:
  driver: {terminal: true, steps: [{print: driving}]}
  conductor: {steps: [{print: conducting}]%s}
  till[2]: [{print: selling}]
  producer: idle
  adder: {run: [cat], terminal: false}
  worker: %s
  subject:
    steps: %s
steps:
%s`, parent, worker, inside, script)
	return b.String()
}

// taskWith is a task with the example of one of its keys.
func taskWith(p *schema.Page) string {
	text := p.Example
	if p.Name != "params" {
		text += "\n    params: [x]"
	}
	if p.Name != "result" {
		text += "\n    result: 1"
	}
	return text
}

// objectOf is the name that the verb of a step has for an object, without an
// index or a part, "" if it has none.
func objectOf(verb, step string) string {
	_, after, found := strings.Cut(step, verb+": ")
	if !found || verb == "" {
		return ""
	}
	return after[:len(after)-len(strings.TrimLeft(after, "abcdefghijklmnopqrstuvwxyz_"))]
}

// exampleDeclarations are the examples of all kinds, each name once, and of
// the kind another one if its verb's example has an object that they lack. A
// variable of the example hides none of them.
func exampleDeclarations(kind, object, variable string) []string {
	v := plan.Vocabulary()
	byName := map[string]string{}
	names := v.KindNames()
	if v.Kinds[kind] != nil {
		names = append([]string{kind}, names...)
	}
	for _, k := range append(names, "value", "lock") {
		if v.Kinds[k] == nil {
			continue
		}
		example := v.Kinds[k].Example
		if st := v.Kinds[k].Staff; st != nil && st.Key != "" {
			example = strings.TrimSuffix(example, "}") + ", " + st.Key + ": true}"
		}
		name, _, _ := strings.Cut(example, ":")
		if byName[name] == "" {
			byName[name] = example
		}
	}
	delete(byName, variable)
	if v.Kinds[kind] != nil && object != "" && byName[object] == "" {
		byName[object] = object + ": " + kind
	}
	var out []string
	for _, d := range byName {
		out = append(out, d)
	}
	sort.Strings(out)
	return out
}

// indented puts the later lines of an example below its first.
func indented(text, by string) string { return strings.ReplaceAll(text, "\n", "\n"+by) }

func TestFindPages(t *testing.T) {
	pages := allPages()
	for word, want := range map[string][]string{
		"wait (event)": {"wait (event)"}, "event.wait": {"wait (event)"}, "lock.holder": {"holder"}, "process.exit_code": {"exit_code"},
		"ipc110": {"IPC110"}, "full": {"full (queue)", "full"}, "int": {"int"}, "hup": {"SIGHUP"}, "len": {"len"}, "keys": {"keys"}, "before": {"before"}, "20": {"SIGTSTP"}, "SIGRTMIN+2": {"SIGRTMIN+2"},
		"acquire (lock)": {"acquire (lock)"}, "timeout": {"timeout", "timeout"}, "lock.exit_code": nil, "wiat": nil, "": nil, ".": nil,
	} {
		var got []string
		for _, p := range findPages(pages, word) {
			got = append(got, p.Title())
		}
		if word == "full" {
			// Whether the verb is there depends on the kinds.
			got = slices.DeleteFunc(got, func(s string) bool { return s == "full (queue)" })
			want = want[1:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q means %q, want %q", word, got, want)
		}
	}
}
