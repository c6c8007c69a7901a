package plan

import (
	"maps"

	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec"
)

// tasks gives numbers to the tasks.
func (p *Plan) tasks() {
	for i, t := range p.Scenario.Tasks {
		p.Common.Names[t.Name] = script.Name{Class: script.ClassTask, First: i}
	}
}

// staff tells each primitive in which slots the processes live that it brings
// along.
func (p *Plan) staff() {
	for i := range p.Prims {
		pr := &p.Prims[i]
		if w := pr.Decl.Staff; w != nil {
			pr.Fields = maps.Clone(pr.Fields)
			pr.Fields[prims.FirstOfStaff] = p.Common.Names[w.Name].First
		}
	}
}

// serves adds to the program of a primitive's own processes what they do.
func (p *Plan) serves(pr *script.Program, d *spec.Proc) {
	n := p.Common.Names[d.Of.Name].First
	pr.Serves = &n
	for _, signal := range d.Of.Kind.Staff.Ignores {
		pr.Handlers = append(pr.Handlers, script.Handler{Signal: signal, Disp: script.Ignore})
	}
	for _, t := range d.Of.Tasks {
		out := &script.Task{
			Name: t.Name, Number: p.Common.Names[t.Name].First, Params: t.Params, Steps: convertAll(t.Steps),
			Lines: map[uint32]int{0: t.Span.Start.Line},
		}
		if t.Result != nil {
			out.Result = arg(t.Result)
			out.Lines[0] = t.Result.Span.Start.Line
		}
		lines(t.Steps, out.Lines)
		pr.Tasks = append(pr.Tasks, out)
	}
}

// lines notes where steps stand, with those inside them.
func lines(list []*spec.Step, into map[uint32]int) {
	for _, s := range list {
		into[s.ID] = s.VerbAt.Start.Line
		for _, b := range s.Blocks {
			lines(b, into)
		}
	}
}
