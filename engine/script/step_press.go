package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() { register(&pressVerb) }

var pressVerb = Verb{
	Verb: decl.Verb{
		Name: "press", Summary: "press a key on a terminal", Place: decl.InScript,
		Doc: `Writes the key to the terminal as a keyboard would. The kernel's line discipline
turns ctrl-c, ctrl-\ and ctrl-z into SIGINT, SIGQUIT and SIGTSTP for the whole
foreground process group. The step ends when the kernel has done so. Keys
pressed in a row without awaiting their effect may coalesce, as signals do. On the
terminal of a program the key is pressed once every process that it goes to has come
to rest: none runs, but for those that compute without end.`,
		Object: &decl.Field{Name: "press", Shape: decl.Key, Required: true, Doc: "the key", Example: "ctrl-c"},
		Fields: []decl.Field{
			{Name: "on", Shape: decl.Ref, Refs: []string{ClassProcess}, Doc: "the process that has the terminal; needed if several have one", Example: "driver"},
		},
		Errors:  []string{NoProcess},
		Example: "press: ctrl-c",
	},
	Run: func(w World, a *Action) (any, error) {
		slot := -1
		if len(a.Targets) > 0 {
			slot = a.Targets[0]
		}
		return nil, w.(ScriptWorld).Press(a, slot, cond.Text(a.Obj))
	},
}
