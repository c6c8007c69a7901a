package script

import "ipcrun/spec/decl"

func init() { register(&ifVerb) }

var ifVerb = Verb{
	Verb: decl.Verb{
		Name: "if", Summary: "do steps if a condition holds, others if it does not", Place: decl.Anywhere,
		Doc:    "To guard a single step, when: on that step is shorter.",
		Object: &decl.Field{Name: "if", Shape: decl.Cond, Required: true, Doc: "the condition", Example: "seen > 3"},
		Fields: []decl.Field{
			{Name: "then", Shape: decl.Steps, Required: true, Doc: "steps for when it holds"},
			{Name: "else", Shape: decl.Steps, Doc: "steps for when it does not"},
		},
		Example: "{if: seen > 3, then: [{print: many}], else: [{print: few}]}",
	},
	Lower: func(l *lowering, s *Step) {
		test := l.emit(instr{op: opGuard, step: s, cond: l.expr(s.Obj.Expr)})
		l.steps(s.Blocks["then"])
		if s.Blocks["else"] == nil {
			l.code[test].to = l.here()
			return
		}
		out := l.emit(instr{op: opJump})
		l.code[test].to = l.here()
		l.steps(s.Blocks["else"])
		l.code[out].to = l.here()
	},
}
