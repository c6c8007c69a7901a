package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() {
	register(&Verb{
		Verb: decl.Verb{
			Name: "expect", Summary: "wait for a text in the output of a process", Place: decl.InScript, Waits: true, Result: decl.String,
			Doc: `Looks for the text in what the process has printed since the last expect on it
that was met, and waits for it if it is not there yet. It fails when its timeout
has passed, or at once when the process has ended or nobody can move any more.
Without timeout: the step timeout of the run applies. into: receives the line.`,
			Object: &decl.Field{Name: "expect", Shape: decl.Pattern, Required: true, Doc: "the text, or {regex: …}", Example: "ready"},
			Fields: []decl.Field{
				{Name: "from", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the process that prints it", Example: "driver"},
			},
			Errors:  []string{Timeout},
			Example: "{expect: ready, from: driver}",
		},
		Checks: true,
		Run: func(w World, a *Action) (any, error) {
			p := Pattern{}
			if m, ok := a.Obj.(map[string]any); ok {
				p.Regex = cond.Text(m["regex"])
			} else {
				p.Text = cond.Text(a.Obj)
			}
			return w.(ScriptWorld).Expect(a, a.Targets[0], p)
		},
	})
}
