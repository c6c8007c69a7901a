package engine

import (
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/race"
	"ipcrun/engine/script"
	"ipcrun/prims"
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
	idle := func(slot int) bool { return r.plan.Slots[slot].Flags&script.SlotIdle != 0 }
	for _, x := range race.Find(len(r.plan.Slots), r.understood(), effectOf, idle, r.passes, maxRaces) {
		r.emit(&event.Rec{Kind: event.Raced, Step: x.Second.Step, Obj: x.Object, Value: map[string]any{
			"severity": severity,
			"first":    []any{x.First.Proc, int(x.First.Step), int(x.First.At)},
			"second":   []any{x.Second.Proc, int(x.Second.Step), int(x.Second.At)},
		}})
	}
}

// passes is how many acquires of a primitive are let in without a release, -1 where
// that is no question of numbers.
func (r *run) passes(object uint32) int {
	if int(object) >= len(r.plan.Prims) {
		return -1
	}
	p := &r.plan.Prims[object]
	if p.Kind.Passes == nil {
		return -1
	}
	return p.Kind.Passes(p.Args())
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

// effectOf is what a recorded operation means for happens-before.
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
	return race.Effect{
		Key:     key,
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
