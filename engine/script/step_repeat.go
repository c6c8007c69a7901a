package script

import "ipcrun/spec/decl"

// doField is the body of a compound step.
var doField = decl.Field{Name: "do", Shape: decl.Steps, Required: true, Doc: "the steps of the body"}

func init() { register(&repeatVerb) }

var repeatVerb = Verb{
	Verb: decl.Verb{
		Name: "repeat", Summary: "do steps a number of times", Place: decl.Anywhere,
		Doc:    "The body is done that many times, 0 times for a number below 1. repeat: forever ends only with the process.",
		Object: &decl.Field{Name: "repeat", Shape: decl.Count, Required: true, Doc: "how often: a whole number, or forever", Example: "10"},
		Fields: []decl.Field{
			doField,
			{Name: "as", Shape: decl.Ident, Doc: "a variable that counts the rounds, from 0", Example: "round"},
		},
		Example: "{repeat: 3, do: [{print: again}]}",
	},
	Lower: func(l *lowering, s *Step) {
		c := l.counter(2)
		as := -1
		if a := s.Args["as"]; a != nil && a.Str != nil {
			as = l.variable(*a.Str)
		}
		l.emit(instr{op: opRepeat, step: s, slot: c, val: newValuer(s.Obj)})
		next := l.emit(instr{op: opRepeatNext, step: s, slot: c, slot2: as})
		l.steps(s.Blocks["do"])
		l.emit(instr{op: opJump, to: next})
		l.code[next].to = l.here()
	},
}
