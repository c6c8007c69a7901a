package race

import (
	"container/heap"
	"slices"

	"ipcrun/engine/event"
)

// head is a process that has something to be replayed, and the time of it.
type head struct {
	at   int64
	slot int
}

// heads orders processes by the time of their next record. They are pointers because
// those are put into a heap without a copy of their own.
type heads []*head

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].at < h[j].at }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(*head)) }
func (h *heads) Pop() any {
	x := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return x
}

// replay goes through all records by time, but never performs an operation on
// an object before those with smaller numbers: the time stamp is taken after
// the operation, the number inside it. For the same reason nobody learns of an end
// before all that the process did has been replayed.
func (f *finder) replay(q []queue) {
	f.q = q
	h := heads{}
	learning := map[int][]int{} // by process: who waits to learn of its end
	all := make([]head, len(q))
	push := func(slot int) {
		all[slot] = head{q[slot].first().at, slot}
		heap.Push(&h, &all[slot])
	}
	ready := func(slot int) {
		push(slot)
		for _, s := range f.late {
			push(s)
		}
		f.late = f.late[:0]
	}
	for s := range q {
		if !q[s].empty() {
			ready(s)
		}
	}
	for h.Len() > 0 && len(f.found) < f.limit {
		s := heap.Pop(&h).(*head).slot
		for {
			waits := f.step(s, learning, ready)
			if waits {
				break
			}
			q[s].drop()
			if q[s].empty() {
				for _, w := range learning[s] {
					ready(w)
				}
				delete(learning, s)
				break
			}
			if h.Len() > 0 && h[0].at < q[s].first().at {
				ready(s)
				break
			}
		}
	}
}

// step replays the next record of a process, unless it waits for others first. ready
// is called for who need not wait any more.
func (f *finder) step(s int, learning map[int][]int, ready func(slot int)) (waits bool) {
	x := f.q[s].first()
	if x.kind != event.Op {
		if p := x.ended(); p >= 0 && p < f.n && p != s && !f.q[p].empty() {
			learning[p] = append(learning[p], s)
			return true
		}
		f.life(s, x)
		return false
	}
	o := f.object(x.obj)
	if x.part == partFills {
		if f.early(s, x.at) {
			f.late = append(f.late, s)
			return true
		}
		f.op(s, x, o)
		return false
	}
	if x.part == partLooks {
		if o.before(x.seq + 1) {
			o.lookers = append(o.lookers, looker{s, x.seq})
			return true
		}
		f.op(s, x, o)
		return false
	}
	if o.before(x.seq) {
		o.waiting[x.seq] = s
		return true
	}
	if o.bounds.Exact && !o.missing && x.seq != uint64(o.next)+1 {
		f.loosen(&o.items)
		f.loosen(&o.room)
		o.missing = true
	}
	f.op(s, x, o)
	o.next++
	o.lookers = slices.DeleteFunc(o.lookers, func(l looker) bool {
		if o.before(l.seq + 1) {
			return false
		}
		ready(l.slot)
		return true
	})
	if len(o.waiting) > 0 && o.next < len(o.numbers) {
		if w, ok := o.waiting[o.numbers[o.next]]; ok {
			delete(o.waiting, o.numbers[o.next])
			ready(w)
		}
	}
	return false
}

// before: an operation with a smaller number is still to be replayed.
func (o *object) before(seq uint64) bool {
	return o.next < len(o.numbers) && o.numbers[o.next] < seq
}
