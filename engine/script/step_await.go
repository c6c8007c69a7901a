package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() { register(&awaitVerb) }

var awaitVerb = Verb{
	Verb: decl.Verb{
		Name: "await", Summary: "wait for a step that goes on in the background", Place: decl.InScript, Waits: true, Result: decl.Any, AnyError: true,
		Doc:     "Blocks until the step that was started with background: under this name has ended. into: receives its result. Without timeout: the step timeout of the run applies.",
		Object:  &decl.Field{Name: "await", Shape: decl.Ident, Required: true, Doc: "the name given by background:", Example: "second"},
		Errors:  []string{Timeout},
		Example: "await: second",
	},
	Run: func(w World, a *Action) (any, error) {
		return w.(ScriptWorld).Await(a, cond.Text(a.Obj))
	},
}
