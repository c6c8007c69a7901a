package plan

import (
	"fmt"
	"slices"

	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec"
)

// Plan is a scenario ready to run.
type Plan struct {
	Scenario *spec.Scenario
	Common   script.Common
	Script   *script.Program
	Finally  *script.Program
	Programs []*script.Program // of the declared processes, in their order
	Slots    []Slot
	Prims    []Prim
	Fds      int // descriptors that primitives consist of
	PrimSize int // bytes of shared memory for the primitives
}

// Slot is one process.
type Slot struct {
	script.SlotInfo
	Name string // driver, till[0]
	Proc *spec.Proc
}

// Prim is one primitive.
type Prim struct {
	script.Use
	Decl *spec.Prim
	Kind *prims.Descriptor
}

// Make plans a scenario.
func Make(sc *spec.Scenario) (*Plan, error) {
	p := &Plan{Scenario: sc, Common: script.Common{Names: map[string]script.Name{}, Params: sc.Params}}
	if err := p.primitives(); err != nil {
		return nil, err
	}
	p.processes()
	p.staff()
	p.tasks()
	for _, proc := range sc.Procs {
		p.Programs = append(p.Programs, p.program(proc))
	}
	p.Script = &script.Program{Name: "script", Steps: convertAll(sc.Steps), Vars: sc.Vars}
	p.Finally = &script.Program{Name: "finally", Steps: convertAll(sc.Finally), Vars: sc.Vars}
	for _, a := range sc.Always {
		al := script.Always{Step: a.Step.ID, Expr: a.Expr.Source()}
		for _, r := range a.Expr.Refs() {
			if n, ok := p.Common.Names[r.Root]; ok && n.Class == script.ClassPrimitive {
				al.Prims = append(al.Prims, r.Root)
			}
		}
		p.Common.Always = append(p.Common.Always, al)
	}
	return p, nil
}

func (p *Plan) primitives() error {
	off := 0
	for _, d := range p.Scenario.Prims {
		kind := prims.Get(d.Kind.Name)
		if kind == nil {
			return fmt.Errorf("no primitive of kind %s", d.Kind.Name)
		}
		name := script.Name{Class: script.ClassPrimitive, Kind: kind.Name, First: len(p.Prims)}
		if d.Array {
			name.Count = d.Count
		}
		p.Common.Names[d.Name] = name
		for i := range d.Count {
			pr := Prim{Decl: d, Kind: kind, Use: script.Use{
				Name: name.Full(d.Name, i), Kind: kind.Name, Number: len(p.Prims), Main: d.Main, Fields: d.Fields, Off: off,
			}}
			pr.Size = kind.ArenaSize(pr.Args())
			if kind.Roles != nil {
				for range kind.Roles(pr.Args()) {
					pr.Fds = append(pr.Fds, p.Fds)
					p.Fds++
				}
			}
			off += (pr.Size + 63) &^ 63
			p.Prims = append(p.Prims, pr)
		}
	}
	p.PrimSize = off
	return nil
}

func (p *Plan) processes() {
	first := map[*spec.Proc]int{}
	for i, d := range p.Scenario.Procs {
		name := script.Name{Class: script.ClassProcess, First: len(p.Slots)}
		if d.Array {
			name.Count = d.Count
		}
		p.Common.Names[d.Name] = name
		first[d] = len(p.Slots)
		for k := range d.Count {
			s := Slot{Name: name.Full(d.Name, k), Proc: d, SlotInfo: script.SlotInfo{Part: i + 1, Index: -1, Parent: -1}}
			if d.Array {
				s.Index = k
			}
			for _, f := range []struct {
				on   bool
				flag uint32
			}{{d.Forked, script.SlotForked}, {d.Terminal, script.SlotTerminal}, {d.Idle, script.SlotIdle}, {d.Daemon, script.SlotDaemon}, {d.Of != nil, script.SlotStaff}, {d.Run != nil, script.SlotProgram}, {d.Found, script.SlotFound}} {
				if f.on {
					s.Flags |= f.flag
				}
			}
			p.Slots = append(p.Slots, s)
		}
	}
	for i := range p.Slots {
		if parent := p.Slots[i].Proc.Parent; parent != nil {
			p.Slots[i].Parent = first[parent]
		}
	}
}

// program compiles the script of a declared process.
func (p *Plan) program(d *spec.Proc) *script.Program {
	pr := &script.Program{Name: d.Name, Vars: d.Vars, Idle: d.Idle, Output: d.Limits.Output, Steps: convertAll(d.Steps)}
	for _, s := range d.Signals {
		pr.Handlers = append(pr.Handlers, script.Handler{Signal: s.Signal, Disp: s.Disp, Steps: convertAll(s.Steps)})
	}
	for _, o := range d.Orders {
		// The script itself decides on when:, and goes on in the background.
		s := convert(o)
		s.When, s.In, s.Background = "", nil, ""
		pr.Orders = append(pr.Orders, s)
	}
	if len(d.Orders) > 0 {
		// What the script knows comes along with an order.
		pr.Vars = append(append([]string{}, pr.Vars...), missing(p.Scenario.Vars, pr.Vars)...)
	}
	pr.Uses = p.uses(d)
	if d.Run != nil {
		pr.Uses = p.asked(pr.Uses)
	} else if h := (script.Held{Nice: d.Nice, Umask: d.Umask, CPU: d.Limits.Seconds(), NiceAt: d.NiceAt, CPUAt: d.LimitsAt}); h != (script.Held{}) {
		pr.Held = &h
	}
	if d.Of != nil {
		p.serves(pr, d)
	}
	return pr
}

// uses lists the primitives of a process, each with the descriptors that it
// inherits.
func (p *Plan) uses(d *spec.Proc) []script.Use {
	// What is known of each: the parts it has, and those it only passes on.
	type need struct {
		prim  *spec.Prim
		parts map[string]bool // part → pass
	}
	var needs []*need
	for _, u := range d.Uses {
		i := slices.IndexFunc(needs, func(n *need) bool { return n.prim == u.Prim })
		if i < 0 {
			needs = append(needs, &need{u.Prim, map[string]bool{}})
			i = len(needs) - 1
		}
		needs[i].parts[u.Part] = u.Pass
	}
	var out []script.Use
	for _, n := range needs {
		first := p.Common.Names[n.prim.Name].First
		for i := range n.prim.Count {
			use := p.Prims[first+i].Use
			if roles := p.Prims[first+i].Kind.Roles; roles != nil {
				fds := slices.Clone(use.Fds)
				use.Pass = make([]bool, len(fds))
				for k, r := range roles(use.Args()) {
					pass, has := n.parts[r.Part]
					if r.Part == "" {
						pass, has = allPass(n.parts), true
					}
					if !has {
						fds[k] = -1
					}
					use.Pass[k] = pass
				}
				use.Fds = fds
			}
			out = append(out, use)
		}
	}
	return out
}

func allPass(parts map[string]bool) bool {
	for _, pass := range parts {
		if !pass {
			return false
		}
	}
	return true
}

func missing(from, have []string) []string {
	known := map[string]bool{}
	for _, h := range have {
		known[h] = true
	}
	var out []string
	for _, f := range from {
		if !known[f] {
			out = append(out, f)
		}
	}
	return out
}

// Text is the form in which processes receive their programs.
func (p *Plan) Text() ([]byte, error) {
	parts := make([][]byte, 0, len(p.Programs)+1)
	common, err := script.Encode(&p.Common)
	if err != nil {
		return nil, err
	}
	parts = append(parts, common)
	for _, pr := range p.Programs {
		b, err := script.Encode(pr)
		if err != nil {
			return nil, err
		}
		parts = append(parts, b)
	}
	slots := make([]script.SlotInfo, len(p.Slots))
	for i := range p.Slots {
		slots[i] = p.Slots[i].SlotInfo
	}
	return script.MakeText(parts, slots), nil
}

// StepAt is the step with a number, nil for 0.
func (p *Plan) StepAt(id uint32) *spec.Step {
	if int(id) < len(p.Scenario.All) {
		return p.Scenario.All[id]
	}
	return nil
}
