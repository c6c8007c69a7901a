package race

import (
	"math"

	"ipcrun/engine/event"
)

// Bounds is what there is to count about an object.
type Bounds struct {
	// Passes is how many acquires are let in without a release, -1 where that is no
	// question of numbers.
	Passes int
	// Room is how much of what operations fill it with is there before one of them
	// needs that something was taken out, -1 without end.
	Room int
	// Exact: the numbers of its operations are 1, 2, 3… and say in which order they
	// happened. One that is missing is that of an operation without a record, by a
	// process that was killed; one that only looks has the number of the last one that
	// it saw. Otherwise what releases takes its number before it happens, what acquires
	// afterwards, and all that there are of them need not be in the log.
	Exact bool
	// Partly: an operation may have filled or freed a part before it is recorded, or
	// fail after that.
	Partly bool
}

// Where numbers say nothing of it, the time tells what a filling operation may have got
// its room from: it is over when its record is written, so what made the room has begun
// before, right after the record of the same process in front of it at the earliest.
// The filling is replayed by itself, at that time, behind all that was recorded earlier.
// Who is about to operate on the object then may have made room already, with all that
// it knows. All this is asked only where there may not have been room from the start.

// unknown is more than any room.
const unknown = math.MaxInt / 4

// filled notes that an operation has filled so much.
func (o *object) fill(n int) { o.filled = min(o.filled+n, unknown) }

// tight: there may not always have been room in it, and numbers do not say who made it.
func (o *object) tight() bool {
	return !o.bounds.Exact && o.bounds.Room >= 0 && o.total > o.bounds.Room
}

// crowd tells which objects may have been full. A process that did not end by itself may
// have filled one with something of which there is no record.
func (f *finder) crowd(exited, partly []bool) {
	for n, o := range f.objects {
		if o.fillings == nil {
			continue
		}
		for s := 0; s < f.n && !o.tight(); s++ {
			if (!exited[s] || partly[s] && o.bounds.Partly) && f.uses(s, n) {
				o.total = unknown
			}
		}
		if o.tight() && o.bounds.Partly {
			f.partly = append(f.partly, n)
		}
	}
}

// unfinished: a process of which nothing more is replayed did not end by itself. It may
// have operated on an object last without a record of that.
func (f *finder) unfinished(p int, obj uint32) bool { return !f.exited[p] && f.uses(p, obj) }

// early: somebody has yet to replay what was recorded before.
func (f *finder) early(s int, at int64) bool {
	for p := range f.q {
		if p != s && !f.q[p].empty() && f.q[p].first().at < at {
			return true
		}
	}
	return false
}

// filling is the second half of an operation that fills an object: it comes after what
// has made room for it, if that was needed.
func (f *finder) filling(s int, x *entry, o *object) {
	amount := o.filled
	about := f.about[:0]
	for p := range f.n {
		switch {
		case p == s:
		case f.q[p].empty():
			if f.unfinished(p, x.obj) {
				amount = unknown
				about = append(about, p)
			}
		default:
			if fills, frees := f.mayFill(p, x.obj); fills > 0 || frees {
				amount = min(amount+fills, unknown)
				about = append(about, p)
			}
		}
	}
	f.about = about
	if amount <= o.bounds.Room {
		return
	}
	c := f.clocks[s]
	o.items.all(c)
	o.room.all(c)
	for _, p := range about {
		c.join(f.clocks[p])
	}
}

// mayFill is what a process may do to an object with what it does next.
func (f *finder) mayFill(p int, obj uint32) (fills int, frees bool) {
	x := f.q[p].first()
	switch {
	case x.kind == event.Op && x.obj == obj && x.part != partFills:
		e := f.effects.of(x.what)
		return e.Fills, e.Frees
	case (x.kind == event.Fail || x.kind == event.Got) && f.objects[obj].bounds.Partly && f.uses(p, obj):
		return unknown, true
	}
	return 0, false
}

// partlyDone: a process may have done a part of an operation that is not recorded, or
// only later.
func (f *finder) partlyDone(s int) {
	any := false
	for _, n := range f.partly {
		if f.uses(s, n) {
			o := f.object(n)
			o.fill(unknown)
			f.release(&o.room, f.clocks[s])
			any = true
		}
	}
	if any {
		f.clocks[s][s]++
	}
}
