package script

import (
	"sort"

	"ipcrun/spec/decl"
)

func init() { register(&letVerb) }

var letVerb = Verb{
	Verb: decl.Verb{
		Name: "let", Summary: "give variables a value", Place: decl.Anywhere,
		Doc:     "Variables belong to the process (or to the script) that assigns them; its signal handlers see the same ones. Several are assigned in the order of their names.",
		Object:  &decl.Field{Name: "let", Shape: decl.Vars, Required: true, Doc: "names and values", Example: "{left: 3}"},
		Example: "let: {left: 3}",
	},
	Lower: func(l *lowering, s *Step) {
		names := make([]string, 0, len(s.Obj.Map))
		for n := range s.Obj.Map {
			names = append(names, n)
		}
		sort.Strings(names)
		in := instr{op: opLet, step: s}
		for _, n := range names {
			in.lets = append(in.lets, let{slot: l.variable(n), val: newValuer(s.Obj.Map[n])})
		}
		l.emit(in)
	},
}
