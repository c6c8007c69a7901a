package engine

import (
	"slices"

	"ipcrun/engine/event"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/spec"
)

// understood is the log of a run together with what follows from it although no record says
// so, for happens-before: an eventually: that holds has seen how far the processes were
// that it asks about, and a SIGCHLD tells of the end of a child.
type understood struct {
	log    *event.Log
	looks  [][]int64   // by slot: when the script has looked at the process
	bySlot map[int]int // slots by pid
}

// Codes of a SIGCHLD that tells of an end: CLD_EXITED, CLD_KILLED and CLD_DUMPED.
const firstEnd, lastEnd = 1, 3

func (r *run) understood() *understood {
	s := &understood{log: &r.log, looks: make([][]int64, len(r.procs)), bySlot: map[int]int{}}
	for slot, p := range r.procs {
		if p.pid > 0 && p.ended {
			s.bySlot[p.pid] = slot
		}
	}
	if !slices.ContainsFunc(r.plan.Scenario.All, isEventually) {
		return s
	}
	var held *spec.Step
	var at int64
	ended := make([]bool, len(r.procs))
	note := func() {
		if held != nil {
			for _, slot := range r.askedAbout(held) {
				// Nothing of a process comes after its end, which tells the script as much.
				if !ended[slot] {
					s.looks[slot] = append(s.looks[slot], at)
				}
			}
		}
		held = nil
	}
	r.log.Each(func(_ int, k event.Kind) bool {
		return k == event.Checked || k == event.StepBegin || k == event.Ended
	}, func(slot int, rec event.Rec) {
		switch {
		case slot >= 0:
		case rec.Kind == event.Ended:
			if int(rec.Obj) < len(ended) {
				ended[rec.Obj] = true
			}
		case rec.Kind == event.StepBegin:
			// The record of what was seen is written a moment after it is there to
			// be seen: what follows the look is the script's next step.
			at = max(at, rec.At-1)
			note()
		default:
			m, _ := rec.Value.(map[string]any)
			if ok, _ := m["ok"].(bool); ok {
				if st := r.plan.StepAt(rec.Step); isEventually(st) {
					held, at = st, rec.At
				}
			}
		}
	})
	note()
	return s
}

func isEventually(s *spec.Step) bool { return s != nil && s.Verb != nil && s.Verb.Name == "eventually" }

// askedAbout lists the slots of the processes that a condition asks about, and of those
// that use a primitive that it asks about.
func (r *run) askedAbout(s *spec.Step) (slots []int) {
	if s.Obj == nil || s.Obj.Expr == nil {
		return nil
	}
	for _, ref := range s.Obj.Expr.Refs() {
		n, ok := r.plan.Common.Names[ref.Root]
		if !ok {
			continue
		}
		for slot := range r.procs {
			d := r.plan.Slots[slot].Proc
			switch {
			case n.Class == script.ClassProcess:
				if slot < n.First || slot >= n.First+max(1, n.Count) {
					continue
				}
			case d == nil || !slices.ContainsFunc(d.Uses, func(u spec.Use) bool { return u.Prim.Name == ref.Root }):
				continue
			}
			if !slices.Contains(slots, slot) {
				slots = append(slots, slot)
			}
		}
	}
	return slots
}

// Each implements race.Log.
func (s *understood) Each(keep func(n int, k event.Kind) bool, f func(slot int, r event.Rec)) {
	next := make([]int, len(s.looks))
	look := func(slot int) {
		// As a line that it prints, a look tells the script how far it has come.
		f(slot, event.Rec{Kind: event.Ready, At: s.looks[slot][next[slot]], Obj: event.NoObj})
		next[slot]++
	}
	s.log.Each(keep, func(slot int, r event.Rec) {
		if slot >= 0 {
			for next[slot] < len(s.looks[slot]) && s.looks[slot][next[slot]] < r.At {
				look(slot)
			}
			if child, ends := s.endedChild(&r); ends && child != slot {
				f(slot, event.Rec{Kind: event.Reaped, At: r.At, Obj: uint32(child)})
			}
		}
		f(slot, r)
	})
	for slot := range s.looks {
		for next[slot] < len(s.looks[slot]) {
			look(slot)
		}
	}
}

// endedChild is the child whose end a signal tells of.
func (s *understood) endedChild(r *event.Rec) (slot int, ok bool) {
	if r.Kind != event.Got {
		return 0, false
	}
	got := event.SignalOf(r.Value)
	if got.Number != int(sig.CHLD) || got.Code < firstEnd || got.Code > lastEnd {
		return 0, false
	}
	slot, ok = s.bySlot[got.Pid]
	return slot, ok
}
