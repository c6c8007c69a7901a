package engine

import (
	"cmp"
	"iter"
	"slices"

	"ipcrun/engine/event"
)

// Each gives every event of the whole log, in order of time, as it is made: the log
// of a run of millions of operations is small, and all its events at once are large.
// What it gives holds until the next one.
func (r *Result) Each() iter.Seq[*event.Event] { return r.run.each }

func (r *run) each(yield func(*event.Event) bool) {
	t0 := r.zero()
	place := r.places(t0)
	// Who comes early waits: processes are heard one after another, so that is not long.
	early := map[uint32]*event.Event{}
	i, next, over := 0, uint32(0), false
	var now event.Event
	r.log.Each(nil, func(slot int, rec event.Rec) {
		if over {
			return
		}
		at := place[i]
		i++
		if at != next {
			e := r.event(t0, slot, &rec)
			early[at] = &e
			return
		}
		now = r.event(t0, slot, &rec)
		for e := &now; e != nil; e = early[next] {
			delete(early, next)
			next++
			if over = !yield(e); over {
				return
			}
		}
	})
}

// places are those of the log's records in the order of time.
func (r *run) places(t0 int64) []uint32 {
	at := make([]int64, 0, r.log.Len())
	r.log.Each(nil, func(slot int, rec event.Rec) {
		if rec.Kind == event.Forked { // it may have been seen before it was told
			at = append(at, r.event(t0, slot, &rec).At)
			return
		}
		at = append(at, rec.At-t0)
	})
	order := make([]uint32, len(at))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(at[a], at[b]) })
	place := make([]uint32, len(at))
	for i, n := range order {
		place[n] = uint32(i)
	}
	return place
}
