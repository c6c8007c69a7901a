package script

import "ipcrun/spec/decl"

// orderVerb stands for "in: X": the step is handed over to process X. It is no
// word of the language by itself.
var orderVerb = &Verb{
	Verb: decl.Verb{Name: "in", Summary: "have a process carry out the step", Place: decl.InScript, Waits: true},
	id:   0xffff,
	Run: func(w World, a *Action) (any, error) {
		s := a.instr.step
		return w.(ScriptWorld).Order(a, a.Targets[0], s.Order, a.m.Vars(), s.Background)
	},
}
