package script

import "ipcrun/spec/decl"

func init() { register(&whileVerb) }

var whileVerb = Verb{
	Verb: decl.Verb{
		Name: "while", Summary: "do steps as long as a condition holds", Place: decl.Anywhere,
		Doc:     "The condition is asked before every round. A loop whose condition never changes and whose body never blocks keeps the processor busy until the deadline.",
		Object:  &decl.Field{Name: "while", Shape: decl.Cond, Required: true, Doc: "the condition", Example: "left > 0"},
		Fields:  []decl.Field{doField},
		Example: "{while: left > 0, do: [{let: {left: \"${left - 1}\"}}]}",
	},
	Lower: func(l *lowering, s *Step) {
		top := l.emit(instr{op: opGuard, step: s, cond: l.expr(s.Obj.Expr)})
		l.steps(s.Blocks["do"])
		l.emit(instr{op: opJump, to: top})
		l.code[top].to = l.here()
	},
}
