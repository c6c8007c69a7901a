package script

import "ipcrun/spec/decl"

func init() { register(&eachVerb) }

var eachVerb = Verb{
	Verb: decl.Verb{
		Name: "each", Summary: "do steps for every element of a list", Place: decl.Anywhere,
		Doc:    "The list is evaluated once, before the first round.",
		Object: &decl.Field{Name: "each", Shape: decl.List, Required: true, Doc: "the list", Example: "[1, 2, 3]"},
		Fields: []decl.Field{
			doField,
			{Name: "as", Shape: decl.Ident, Default: "item", Doc: "the variable that holds the element", Example: "word"},
		},
		Example: "{each: [a, b], as: word, do: [{print: \"${word}\"}]}",
	},
	Lower: func(l *lowering, s *Step) {
		as := "item"
		if a := s.Args["as"]; a != nil && a.Str != nil {
			as = *a.Str
		}
		v := l.variable(as)
		list, count := l.hiddenVar(), l.counter(1)
		l.emit(instr{op: opEach, step: s, slot: list, to2: count, val: newValuer(s.Obj)})
		next := l.emit(instr{op: opEachNext, step: s, slot: list, to2: count, slot2: v})
		l.steps(s.Blocks["do"])
		l.emit(instr{op: opJump, to: next})
		l.code[next].to = l.here()
	},
}
