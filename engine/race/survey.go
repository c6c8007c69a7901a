package race

import (
	"slices"

	"ipcrun/engine/event"
)

// each calls f with what is to be replayed of each record, and the effect of those of
// operations.
func (f *finder) each(log Log, do func(slot int, x *entry, e *Effect)) {
	var r event.Rec
	var x entry
	var e Effect
	log.Each(func(_ int, k event.Kind) bool { return relevant(k) }, func(slot int, next event.Rec) {
		r = next
		if slot < 0 {
			slot = f.n
		}
		x = entry{at: r.At, seq: r.Seq, obj: r.Obj, step: r.Step, kind: r.Kind, verb: r.Verb}
		switch r.Kind {
		case event.Op:
			if e = f.effect(&r); e == (Effect{}) {
				return
			}
			if e.Before != 0 {
				x.seq, x.part = e.Before, partReleases
				do(slot, &x, &e)
				x.seq, x.part = r.Seq, partWhole
			}
			do(slot, &x, &e)
			return
		case event.Fail:
			if e = f.effect(&r); e.Fills == 0 && !e.Frees {
				return
			}
		case event.Sent, event.Got:
			x.what = uint32(event.SignalOf(r.Value).Number)
		}
		do(slot, &x, nil)
	})
}

// survey tells how much of each process is to be replayed, nil if no two processes use
// the same memory: most runs are such.
func (f *finder) survey(log Log) (sizes []int) {
	sizes = make([]int, f.n+1)
	contested := false
	exited, partly := make([]bool, f.n+1), make([]bool, f.n+1)
	f.each(log, func(slot int, x *entry, e *Effect) {
		sizes[slot]++
		if e == nil {
			exited[slot] = exited[slot] || x.kind == event.Exiting
			partly[slot] = partly[slot] || x.kind == event.Fail || x.kind == event.Got
			return
		}
		o := f.object(x.obj)
		if !o.shares(e) {
			o.count++
		}
		if e.Fills > 0 && x.part == partWhole && o.bounds.Room >= 0 && !o.bounds.Exact {
			if o.fillings == nil {
				o.fillings = make([]int, f.n+1)
			}
			o.fillings[slot]++
			o.total = min(o.total+e.Fills, unknown)
		}
		if e.Reads || e.Writes {
			o.users.add(slot, e)
			contested = contested || o.users.contested()
		}
	})
	if !contested {
		return nil
	}
	f.crowd(exited, partly)
	for _, o := range f.objects {
		if o.tight() {
			for slot, n := range o.fillings {
				sizes[slot] += n
			}
		}
	}
	return sizes
}

// queues sorts the records that matter by process, and notes the numbers of
// the operations on each object.
func (f *finder) queues(log Log, sizes []int) []queue {
	q := make([]queue, f.n+1)
	for slot, n := range sizes {
		q[slot].entries = make([]entry, 0, n)
	}
	for _, o := range f.objects {
		o.numbers = make([]uint64, 0, o.count)
	}
	f.each(log, func(slot int, x *entry, e *Effect) {
		if e == nil {
			q[slot].entries = append(q[slot].entries, *x)
			return
		}
		x.what = f.effects.number(x.verb, *e)
		o := f.object(x.obj)
		if o.shares(e) {
			x.part = partLooks
		} else {
			o.numbers = append(o.numbers, x.seq)
		}
		q[slot].entries = append(q[slot].entries, *x)
		if e.Fills > 0 && x.part == partWhole && o.tight() {
			x.part = partFills
			q[slot].entries = append(q[slot].entries, *x)
		}
	})
	for _, o := range f.objects {
		slices.Sort(o.numbers)
	}
	return q
}

func relevant(k event.Kind) bool {
	switch k {
	case event.Op, event.Fail, event.Forked, event.Reaped, event.Exiting, event.Ended, event.Sent, event.Got,
		event.OrderDone, event.StepBegin, event.StepEnd, event.Print, event.Ready:
		return true
	}
	return false
}

// shares: an operation has its number in common with the one before it.
func (o *object) shares(e *Effect) bool { return e.Looks && o.bounds.Exact }

func (f *finder) object(n uint32) *object {
	o := f.objects[n]
	if o == nil {
		o = &object{waiting: map[uint64]int{}, bounds: f.bounds(n)}
		o.items.free, o.room.free = o.bounds.Passes, -1
		if o.bounds.Exact {
			o.room.free = o.bounds.Room
		}
		f.objects[n] = o
	}
	return o
}
