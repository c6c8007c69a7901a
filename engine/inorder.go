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
	place, times := r.places(t0)
	// Who comes early waits: processes are heard one after another, so that is not long.
	early := map[uint32]*event.Event{}
	i, next, over := 0, uint32(0), false
	var now event.Event
	r.log.Each(nil, func(slot int, rec event.Rec) {
		if over {
			return
		}
		e := r.event(t0, slot, &rec)
		e.At = times[i]
		at := place[i]
		i++
		if at != next {
			early[at] = new(event.Event)
			*early[at] = e
			return
		}
		now = e
		for e := &now; e != nil; e = early[next] {
			delete(early, next)
			next++
			if over = !yield(e); over {
				return
			}
		}
	})
}

// places are those of the log's records in the order of time, and their times.
func (r *run) places(t0 int64) (place []uint32, at []int64) {
	at = make([]int64, 0, r.log.Len())
	var ops []numbered
	r.log.Each(nil, func(slot int, rec event.Rec) {
		if n := r.numberOf(&rec); n != 0 {
			ops = append(ops, numbered{len(at), rec.Obj, n})
		}
		if rec.Kind == event.Forked { // it may have been seen before it was told
			at = append(at, r.event(t0, slot, &rec).At)
			return
		}
		at = append(at, rec.At-t0)
	})
	onTime(ops, func(i int) *int64 { return &at[i] })
	order := make([]uint32, len(at))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(at[a], at[b]) })
	place = make([]uint32, len(at))
	for i, n := range order {
		place[n] = uint32(i)
	}
	return place, at
}
