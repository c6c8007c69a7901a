package spec

import (
	"maps"
	"slices"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// A program that is put in the place of a declared process: the scenario is then
// the same, but what the process does is not its script any more. Its children
// are those that the program forks by itself.

// bind notes which processes programs stand for. Their scripts are still read:
// a file has the same mistakes whatever it is used for.
func (ld *loader) bind() {
	for _, name := range slices.Sorted(maps.Keys(ld.opt.Bind)) {
		program := ld.opt.Bind[name]
		e := ld.names[name]
		switch {
		case e == nil || e.class != "" && e.proc == nil:
			var have []string
			for _, p := range ld.sc.Procs {
				have = append(have, p.Name)
			}
			ld.add(codeBind, source.Span{}, "--bind "+name+": no process is called \""+shorten(name)+"\"", "", diag.Suggest(name, have))
		case e.proc == nil: // its declaration was reported
		case e.proc.Idle:
			ld.add(codeBind, e.proc.Span, "--bind "+name+": "+name+" is idle", "It obeys steps marked in: "+name+", which no program does.", "")
		case e.proc.Parent != nil:
			ld.add(codeBind, e.proc.Span, "--bind "+name+": "+name+" is forked by "+e.proc.Parent.Name, "A program takes the place of a process that ipcrun starts, and its children are its own.", "bind "+ancestor(e.proc).Name)
		default:
			p := e.proc
			program.Span, program.Observe = p.Span, "auto"
			p.Run, p.Bound = &program, true
			p.Terminal = p.Terminal || ld.nodeOf(p).Get("terminal") == nil
		}
	}
}

func ancestor(p *Proc) *Proc {
	for p.Parent != nil {
		p = p.Parent
	}
	return p
}

// bound takes the scripts away from processes in whose place programs stand, and
// from those below them.
func (ld *loader) bound() {
	for _, p := range ld.sc.Procs {
		top := ancestor(p)
		if !top.Bound {
			continue
		}
		if len(p.Orders) > 0 {
			ld.add(codeBind, p.Orders[0].VerbAt, "--bind "+top.Name+": no program carries out an order for "+p.Name, "A step with in: needs an idle process.", "")
		}
		p.Bound, p.Found, p.Forked, p.Idle = true, p != top, false, false
		p.Steps, p.Signals = nil, nil
	}
}
