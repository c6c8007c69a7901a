package spec

import "ipcrun/spec/source"

// rules are those of the file as a whole.
func (ld *loader) rules() {
	for _, f := range ld.later {
		f()
	}
	sc := ld.sc
	ld.siblings()
	ld.staff()
	ld.inheritAll()
	// A child inherits from its parent, so the parent has what its children use.
	for changed := true; changed; {
		changed = false
		for _, p := range sc.Procs {
			if p.Parent == nil {
				continue
			}
			for _, u := range p.Uses {
				u.Pass = true
				changed = p.Parent.use(u) || changed
			}
		}
	}
	if ld.list.HasErrors() {
		return // what is missing may be in a step that was not understood
	}
	ld.unused()
	if !ld.checksAnything() {
		why := "It passes whatever its processes print or compute, as long as none of them fails. Add an assert or an expect."
		for _, p := range ld.sc.Procs {
			if p.Run != nil { // how a program ends is a fact, and no verdict
				name := p.Name
				if p.Array {
					name += "[0]"
				}
				why = "It passes whatever its programs print and however they end. Add an expect, or an assert such as " + name + ".exit_code == 0."
				break
			}
		}
		ld.warn(codeNoCheck, source.Span{}, "this scenario checks nothing", why, "")
	}
}

func (ld *loader) checksAnything() bool {
	if len(ld.sc.Always) > 0 || ld.sc.Outcome != "pass" {
		return true
	}
	for _, s := range ld.sc.All[1:] {
		if s.Verb.Checks || s.Error != "" {
			return true
		}
	}
	return false
}

// unused reports what is declared and never needed: probably something else
// was meant where it is not named.
func (ld *loader) unused() {
	for name, e := range ld.names {
		if e.class == "param" && !ld.used[name] {
			ld.warn(codeUnused, e.span, "nobody reads the param "+name, "", "")
		}
	}
	for _, p := range ld.sc.Prims {
		if !ld.used[p] {
			ld.warn(codeUnused, p.Span, "nobody uses "+p.Name, "", "")
		}
	}
	for _, t := range ld.sc.Tasks {
		if !ld.used[t] {
			ld.warn(codeUnused, t.Span, "no pool is given the task "+t.Name, "", "")
		}
	}
	for _, p := range ld.sc.Procs {
		if p.Idle && len(p.Orders) == 0 && !ld.isParent(p) && !ld.used[p] {
			ld.warn(codeUnused, p.Span, p.Name+" is idle and gets no orders", "Give it orders with  in: "+p.Name, "")
		}
	}
}

func (ld *loader) isParent(p *Proc) bool {
	for _, q := range ld.sc.Procs {
		if q.Parent == p {
			return true
		}
	}
	return false
}

// inheritAll gives everything to the processes that say inherit: all, as fork
// really does: every primitive and every end.
func (ld *loader) inheritAll() {
	for _, p := range ld.sc.Procs {
		if !p.InheritAll && !ld.sc.InheritAll || p.Of != nil && !p.Of.Kind.Staff.Tasks {
			continue // a manager would keep others from ending, and be kept from it
		}
		for _, pr := range ld.sc.Prims {
			parts := []string{""}
			if pr.Kind.Parts != nil {
				parts = append(parts, pr.Kind.Parts(pr.Main, pr.Fields)...)
			}
			for _, part := range parts {
				p.use(Use{Prim: pr, Part: part})
			}
		}
	}
}
