package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() { register(&expectVerb) }

var expectVerb = Verb{
	Verb: decl.Verb{
		Name: "expect", Summary: "wait for a text in the output of a process", Place: decl.InScript, Waits: true, Result: decl.String,
		Doc: `Looks for the text in what the process has printed since the last expect on it
that was met, and waits for it if it is not there yet. It fails when its timeout
has passed, or at once when the process has ended or nobody can move any more.
Without timeout: the step timeout of the run applies. into: receives the line,
with all: the lines. {any: […]} is met by a line in which one of several texts is
found, {all: […]} by as many lines as there are texts, in any order. A program's
line counts before its line feed has come, so a prompt can be expected. A child
that a program forks by itself prints to the output of the program; who wrote a
line is seen where the program is observed; else from: may name either of the
two.`,
		Object: &decl.Field{Name: "expect", Shape: decl.Pattern, Required: true, Doc: "the text, {regex: …}, {any: […]} or {all: […]}", Example: "ready"},
		Fields: []decl.Field{
			{Name: "within", Shape: decl.Duration, Doc: "how long it may take; the check fails when that has passed", Example: "2s"},
			{Name: "from", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the process that prints it", Example: "driver"},
		},
		Errors:  []string{Timeout},
		Example: "{expect: ready, from: driver}",
	},
	Checks: true,
	Run: func(w World, a *Action) (any, error) {
		return w.(ScriptWorld).Expect(a, a.Targets[0], patternOf(a.Obj))
	},
}

func patternOf(v any) Pattern {
	m, isMap := v.(map[string]any)
	if !isMap {
		return Pattern{Text: cond.Text(v)}
	}
	list := func(v any) []Pattern {
		var out []Pattern
		items, _ := v.([]any)
		for _, i := range items {
			out = append(out, patternOf(i))
		}
		return out
	}
	switch {
	case m["any"] != nil:
		return Pattern{Any: list(m["any"])}
	case m["all"] != nil:
		return Pattern{All: list(m["all"])}
	}
	return Pattern{Regex: cond.Text(m["regex"])}
}
