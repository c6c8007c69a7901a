package script

import "ipcrun/spec/decl"

func init() { register(&eventuallyVerb) }

var eventuallyVerb = Verb{
	Verb: decl.Verb{
		Name: "eventually", Summary: "wait until a condition holds", Place: decl.InScript, Waits: true,
		Doc: `Asks the condition whenever something has happened, until it holds. It fails
when its timeout has passed, or at once when nobody is left who could make it
true. Without timeout: the step timeout of the run applies.`,
		Object:  &decl.Field{Name: "eventually", Shape: decl.Cond, Required: true, Doc: "the condition", Example: `producer.blocked_on == "jobs"`},
		Errors:  []string{Timeout},
		Example: `eventually: producer.blocked_on == "jobs"`,
	},
	Checks: true,
	Run: func(w World, a *Action) (any, error) {
		return nil, w.(ScriptWorld).Eventually(a, a.Cond(""))
	},
}
