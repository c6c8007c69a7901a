package engine

import (
	"slices"

	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/race"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec"
)

// maxRaces bounds how many races of one run are reported.
const maxRaces = 10

// races looks for accesses to shared memory that nothing orders and records
// them. It runs after the last process has ended.
func (r *run) races() {
	severity := r.plan.Scenario.Race
	if severity == "" {
		severity = "error"
	}
	if severity == "off" || !r.hasMemory() {
		return
	}
	known := race.World{
		Effect: r.effects(),
		Idle:   func(slot int) bool { return r.plan.Slots[slot].Flags&script.SlotIdle != 0 },
		Bounds: r.bounds,
		Uses:   r.uses,
		Born:   r.born,
	}
	for _, x := range race.Find(len(r.plan.Slots), r.understood(), known, maxRaces) {
		r.emit(&event.Rec{Kind: event.Raced, Step: x.Second.Step, Obj: x.Object, Value: map[string]any{
			"severity": severity,
			"first":    []any{x.First.Proc, int(x.First.Step), int(x.First.At)},
			"second":   []any{x.Second.Proc, int(x.Second.Step), int(x.Second.At)},
		}})
	}
}

// bounds is what there is to count about a primitive.
func (r *run) bounds(object uint32) race.Bounds {
	b := race.Bounds{Passes: -1, Room: -1}
	if int(object) >= len(r.plan.Prims) {
		return b
	}
	p := &r.plan.Prims[object]
	if p.Kind.Passes != nil {
		b.Passes = p.Kind.Passes(p.Args())
	}
	if p.Kind.Room != nil {
		room := p.Kind.Room(p.Args())
		b.Room, b.Exact, b.Partly = room.Most, room.Exact, room.Partly
		if !b.Exact && r.outsiderUses(object) {
			b.Room = 0 // what it puts in is in no record
		}
	}
	return b
}

// uses tells whether a process can operate on a primitive.
func (r *run) uses(slot int, object uint32) bool {
	d := r.plan.Slots[slot].Proc
	if d == nil || int(object) >= len(r.plan.Prims) {
		return true
	}
	prim := r.plan.Prims[object].Decl
	return d.Of == prim || slices.ContainsFunc(d.Uses, func(u spec.Use) bool { return u.Prim == prim })
}

// born lists the children that a process forks at its start.
func (r *run) born(slot int) (children []int) {
	for i := range r.plan.Slots {
		if s := &r.plan.Slots[i]; s.Parent == slot && s.Flags&script.SlotForked == 0 {
			children = append(children, i)
		}
	}
	return children
}

// outsiderUses: a program that somebody else wrote has a primitive.
func (r *run) outsiderUses(object uint32) bool {
	for slot := range r.plan.Slots {
		if d := r.plan.Slots[slot].Proc; d != nil && (d.Run != nil || d.Found) && r.uses(slot, object) {
			return true
		}
	}
	return false
}

// hasMemory: there is something that can be raced for.
func (r *run) hasMemory() bool {
	for i := range r.plan.Prims {
		for _, op := range r.plan.Prims[i].Kind.Ops {
			if op.Access != 0 {
				return true
			}
		}
	}
	return false
}

// effects tells what a recorded operation means for happens-before.
func (r *run) effects() func(rec *event.Rec) race.Effect {
	takes := make([]func(string, any) int, len(r.plan.Prims))
	for i := range r.plan.Prims {
		if p := &r.plan.Prims[i]; p.Kind.Room != nil {
			takes[i] = p.Kind.Room(p.Args()).Takes
		}
	}
	return func(rec *event.Rec) race.Effect {
		e := effectOf(rec)
		if e.Fills != 0 && int(rec.Obj) < len(takes) && takes[rec.Obj] != nil {
			e.Fills = max(takes[rec.Obj](script.VerbByID(rec.Verb).Name, rec.Value), 1)
		}
		return e
	}
}

// effectOf is what an operation means whatever it was about.
func effectOf(rec *event.Rec) race.Effect {
	v := script.VerbByID(rec.Verb)
	if v == nil || v.Prim() == nil {
		return race.Effect{}
	}
	op := v.Prim()
	after := 0
	if slot, ok := heirOf(rec); ok {
		after = slot + 1
	}
	key := 0
	if op.Keyed {
		key = jobOf(rec)
	}
	if t, _, ok := prims.TwofoldOf(rec.Value); ok {
		e := race.Effect{Acquire: true, Release: t.Before != 0, Before: t.Before, Ends: t.Ends}
		if !t.All {
			e.Key = twofoldTakes
		}
		if !t.Gives {
			e.BeforeKey = twofoldTakes + 1
		}
		return e
	}
	fills := 0
	if op.Order&prims.Fills != 0 {
		fills = 1
	}
	return race.Effect{
		Key:   key,
		Fills: fills, Frees: op.Order&prims.Frees != 0, Looks: op.Order&prims.Looks != 0,
		Acquire: op.Order&prims.Acquire != 0, Release: op.Order&prims.Release != 0, Takes: op.Order&prims.Takes != 0,
		Reads: op.Access&prims.Reads != 0, Writes: op.Access&prims.Writes != 0, Atomic: op.Access&prims.Atomic != 0,
		From: int(rec.First), To: int(rec.Last), After: after, Ends: afterEnds(rec),
	}
}

// twofoldTakes is the key of what acquires from those alone who give, see
// prims.Twofold. Nobody releases with it; who gives does so without a key.
const twofoldTakes = 1

// heirOf tells the process whose end an operation took advantage of: it
// acquired what that one held.
func heirOf(rec *event.Rec) (slot int, ok bool) {
	m, _ := rec.Value.(map[string]any)
	slot, ok = m[prims.ResultAfter].(int)
	return slot, ok
}

// afterEnds tells that an operation comes after the end of others, as the end
// of file does.
func afterEnds(rec *event.Rec) bool {
	m, _ := rec.Value.(map[string]any)
	return m[prims.ResultEnded] == true
}

// raceEvent gives names to a race.
func raceEvent(p *plan.Plan, t0 int64, m map[string]any) *event.Race {
	side := func(v any) event.Access {
		l, _ := v.([]any)
		if len(l) != 3 {
			return event.Access{}
		}
		slot, _ := l[0].(int)
		step, _ := l[1].(int)
		at, _ := l[2].(int)
		a := event.Access{At: int64(at) - t0}
		if slot < len(p.Slots) {
			a.Proc = p.Slots[slot].Name
		}
		if s := p.StepAt(uint32(step)); s != nil {
			a.Verb, a.Line, a.Col = s.Verb.Name, s.VerbAt.Start.Line, s.VerbAt.Start.Col
		}
		return a
	}
	out := &event.Race{First: side(m["first"]), Second: side(m["second"])}
	out.Severity, _ = m["severity"].(string)
	return out
}
