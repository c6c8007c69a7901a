package engine

import (
	"cmp"
	"slices"

	"ipcrun/engine/event"
	"ipcrun/engine/script"
)

// numbered is an operation among those on its object.
type numbered struct {
	event int // which of the events
	obj   uint32
	seq   uint64
}

// numberOf is the number of an operation that took effect before any operation on its
// object that has a larger one was done, 0 where that is not known.
func (r *run) numberOf(rec *event.Rec) uint64 {
	if rec.Kind != event.Op {
		return 0
	}
	v := script.VerbByID(rec.Verb)
	if v == nil || v.Prim() == nil {
		return 0
	}
	if ahead := v.Prim().Ahead; ahead != nil && ahead(r.plan.Prims[rec.Obj].Args(), rec.Value) {
		return 0
	}
	return rec.Seq
}

// onTime corrects the times of operations. A time stamp is taken after the operation,
// and who comes in between may have done with the object what only that operation let
// it do: nothing is later than what it came before. at is the time of an event.
func onTime(ops []numbered, at func(event int) *int64) {
	slices.SortFunc(ops, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.obj, b.obj), cmp.Compare(b.seq, a.seq))
	})
	for i := 1; i < len(ops); i++ {
		later, op := ops[i-1], ops[i]
		if op.obj == later.obj && op.seq < later.seq {
			t := at(op.event)
			*t = min(*t, *at(later.event)-1)
		}
	}
}
