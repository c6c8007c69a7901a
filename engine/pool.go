package engine

import (
	"ipcrun/engine/event"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
)

// travelling is the error of a task, on its way to the process that asks for
// the result.
type travelling struct {
	slot int
	rec  event.Rec
}

// jobOf is the number of the job that a record is about.
func jobOf(rec *event.Rec) int {
	switch v := rec.Value.(type) {
	case int:
		return v
	case map[string]any:
		n, _ := v["job"].(int)
		return n
	}
	return 0
}

// untaken reports the errors of tasks that nobody has asked for: no step
// expected them.
func (r *run) untaken() {
	if len(r.travels) == 0 {
		return
	}
	type key struct {
		obj uint32
		job int
	}
	asked := map[key]bool{}
	r.log.Each(func(_ int, k event.Kind) bool { return k == event.Op }, func(_ int, rec event.Rec) {
		v := script.VerbByID(rec.Verb)
		if v != nil && v.Prim() != nil && v.Prim().Keyed && v.Prim().Order&prims.Acquire != 0 && v.Name != prims.PoolTake {
			asked[key{rec.Obj, jobOf(&rec)}] = true
		}
	})
	for _, t := range r.travels {
		if asked[key{t.rec.Obj, jobOf(&t.rec)}] {
			continue
		}
		rec := t.rec
		rec.Flags, rec.At = event.FlagTravels, arena.Now()
		r.log.Add(t.slot, &rec)
		r.news++
		r.stop = errFailed
	}
}

// dismissStaff lets the processes that primitives have brought along end when
// nobody is left who could need them, and reports whether they will: workers
// because their pool is closed, a manager because the last copy of its door is.
func (r *run) dismissStaff() bool {
	for i, p := range r.procs {
		if p.forked && !p.ended && r.plan.Slots[i].Flags&script.SlotStaff == 0 {
			return false // a daemon
		}
	}
	r.closeRoles(true)
	for i := range r.plan.Prims {
		if p := &r.plan.Prims[i]; p.Decl.Staff != nil && p.Kind.Staff.Tasks {
			if err := p.Kind.Op("close").Do(r.handles[i], &prims.Call{}); err != nil {
				r.broken(err)
				return false
			}
		}
	}
	return true
}
