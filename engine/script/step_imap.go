package script

// lowerPrim is the Lower of those verbs of primitives that are more than one
// operation, nil of others.
func lowerPrim(name, kind string) func(l *lowering, s *Step) {
	if kind == "pool" && (name == "imap" || name == "imap_unordered") {
		return (*lowering).imap
	}
	return nil
}

// imap and imap_unordered are a loop: hand over all tasks, then fetch one
// result after the other and do the steps with it.
//
//	jobs = imap
//	each job of jobs
//		got = next job          // an error that the step expects ends the loop
//		as = got
//		do
func (l *lowering) imap(s *Step) {
	ordered := s.Verb == "imap"
	as := ""
	if a := s.Args["as"]; a != nil && a.Str != nil {
		as = *a.Str
	}
	jobs, list, job, got := l.hiddenVar(), l.hiddenVar(), l.hiddenVar(), l.hiddenVar()
	count := l.counter(1)

	submit := *s
	submit.Args, submit.Blocks, submit.Timeout = map[string]*Arg{"task": s.Args["task"], "over": s.Args["over"]}, nil, nil
	l.action(Lookup(s.Verb, s.Class), &submit)
	l.code[len(l.code)-1].into, l.code[len(l.code)-1].part = jobs, true
	// The tasks were not handed over, as the step expects it.
	skip := l.emit(instr{op: opGot, step: s, slot: jobs, slot2: list})

	l.emit(instr{op: opEach, step: s, slot: list, to2: count, val: variable(list)})
	next := l.emit(instr{op: opEachNext, step: s, slot: list, to2: count, slot2: job})
	fetch := *s
	fetch.Args, fetch.Blocks = nil, nil
	l.action(Lookup("next", s.Class), &fetch)
	in := &l.code[len(l.code)-1]
	in.into, in.part = got, true
	in.names, in.vals = []string{"jobs"}, []valuer{variable(list)}
	if ordered {
		in.names, in.vals = append(in.names, "job"), append(in.vals, variable(job))
	}
	in.act.Args.Names, in.act.Args.Vals = in.names, make([]any, len(in.vals))
	end := l.emit(instr{op: opGot, step: s, slot: got, slot2: l.variable(as)})
	l.steps(s.Blocks["do"])
	l.emit(instr{op: opJump, to: next})
	l.code[next].to = l.here()
	if s.Error != "" {
		l.emit(instr{op: opSucceeded, step: s})
	}
	l.code[skip].to, l.code[end].to = l.here(), l.here()
}

// variable yields what is in a variable.
type variable int

func (v variable) value(m *Machine) (any, error) { return m.vars[v], nil }
