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

// pools tells each pool in which slots its workers live.
func (p *Plan) pools() {
	for i := range p.Prims {
		pr := &p.Prims[i]
		if w := pr.Decl.Workers; w != nil {
			pr.Fields = maps.Clone(pr.Fields)
			pr.Fields[prims.FirstWorker] = p.Common.Names[w.Name].First
		}
	}
}

// worker adds to the program of a pool's workers what they do.
func (p *Plan) worker(pr *script.Program, d *spec.Proc) {
	n := p.Common.Names[d.Pool.Name].First
	pr.Pool = &n
	for _, t := range d.Pool.Tasks {
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
