package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() { register(&exitVerb) }

var exitVerb = Verb{
	Verb: decl.Verb{
		Name: "exit", Summary: "end the process with an exit code", Place: decl.InProcess,
		Doc: `Ends the process at once; steps behind it do not run. The code is taken modulo
256, as exit(2) does. A process whose steps run out exits 0.`,
		Object:  &decl.Field{Name: "exit", Shape: decl.Int, Default: "0", Doc: "the exit code", Example: "3"},
		Example: "exit: 3",
	},
	Run: func(w World, a *Action) (any, error) {
		code := 0
		if a.Obj != nil {
			n, ok := asInt(a.Obj)
			if !ok {
				return nil, decl.Fail(Invalid, "an exit code is a whole number, not %s", cond.Text(a.Obj))
			}
			code = n
		}
		a.m.Exit(code&0xff, a.Step)
		return nil, nil
	},
}
