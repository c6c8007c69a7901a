package race

import (
	"container/heap"
	"slices"

	"ipcrun/engine/event"
)

// Effect is what a record means here. The engine derives it from the
// descriptor of the operation.
type Effect struct {
	Acquire, Release bool
	// Takes: it acquires from as many releases as it needs, see Find.
	Takes bool
	// Key, if not 0, says that the order is with operations of the same key and
	// with those without one.
	Key int
	// Before, if not 0, is the number with which the operation releases, with
	// BeforeKey as key; with its own it only acquires.
	Before                uint64
	BeforeKey             int
	Reads, Writes, Atomic bool
	// From and To are the elements that an access touches, To exclusive.
	From, To int
	// After is the slot + 1 of a process that had ended when the operation took
	// over what it held, 0 for none: all that it did came before.
	After int
	// Ends: it comes after the end of every process that has done nothing since.
	Ends bool
}

// Access is one side of a race.
type Access struct {
	Proc  int // slot
	Step  uint32
	At    int64
	Write bool
}

// Race is two accesses to the same memory that nothing orders.
type Race struct {
	Object        uint32
	First, Second Access
}

// Log is the record of a run: f is called with every record of every process
// in the order in which each process wrote them.
type Log interface {
	Each(keep func(n int, k event.Kind) bool, f func(slot int, r event.Rec))
}

// script is the pseudo-process of the top-level script: the last clock.
type finder struct {
	n       int
	effect  func(r *event.Rec) Effect
	idle    func(slot int) bool
	passes  func(object uint32) int
	q       []queue // of each process, what is still to be replayed
	clocks  []clock
	objects map[uint32]*object
	signals map[[3]int]clock // from, to, signal
	found   []Race
	seen    map[[4]uint32]bool
	limit   int
}

type object struct {
	released clock         // joined clocks of all releases so far
	keyed    map[int]clock // of those with a key
	unkeyed  clock         // and of those without
	numbers  []uint64      // of its operations, sorted
	next     int           // index of the next number to be replayed
	waiting  map[uint64]int
	memory   []cell
	free     int     // acquires that need no release, -1: each needs all before it
	given    []clock // releases that no acquire needs yet
}

// cell is one element: its latest accesses by each process.
type cell struct {
	reads, writes map[int]stamp
}

type stamp struct {
	epoch  uint32
	step   uint32
	at     int64
	atomic bool
}

// Find replays a log of n processes and returns the races, each pair of steps
// once, in order of time; at most limit of them. idle tells the processes that
// obey the script, and passes how many acquires of an object are let in without a
// release, -1 where that is no question of numbers.
func Find(n int, log Log, effect func(r *event.Rec) Effect, idle func(slot int) bool, passes func(object uint32) int, limit int) []Race {
	f := &finder{n: n, effect: effect, idle: idle, passes: passes, objects: map[uint32]*object{}, signals: map[[3]int]clock{},
		seen: map[[4]uint32]bool{}, limit: limit}
	for i := range n + 1 {
		c := make(clock, n+1)
		c[i] = 1
		f.clocks = append(f.clocks, c)
	}
	f.replay(f.queues(log))
	return f.found
}

// queues sorts the records that matter by process, and notes the numbers of
// the operations on each object.
func (f *finder) queues(log Log) []queue {
	q := make([]queue, f.n+1)
	log.Each(func(_ int, k event.Kind) bool { return relevant(k) }, func(slot int, r event.Rec) {
		if slot < 0 {
			slot = f.n
		}
		if r.Kind == event.Op {
			e := f.effect(&r)
			if e == (Effect{}) {
				return
			}
			o := f.object(r.Obj)
			if e.Before != 0 {
				first := r
				first.Seq, first.Flags = e.Before, first.Flags|flagReleases
				o.numbers = append(o.numbers, first.Seq)
				q[slot].add(&first)
			}
			o.numbers = append(o.numbers, r.Seq)
		}
		q[slot].add(&r)
	})
	for _, o := range f.objects {
		slices.Sort(o.numbers)
	}
	return q
}

// flagReleases marks, among what is replayed, the first half of an operation
// with two numbers.
const flagReleases = 1 << 7

func relevant(k event.Kind) bool {
	switch k {
	case event.Op, event.Forked, event.Reaped, event.Exiting, event.Ended, event.Sent, event.Got,
		event.OrderDone, event.StepBegin, event.StepEnd, event.Print, event.Ready:
		return true
	}
	return false
}

func (f *finder) object(n uint32) *object {
	o := f.objects[n]
	if o == nil {
		o = &object{waiting: map[uint64]int{}, free: f.passes(n)}
		f.objects[n] = o
	}
	return o
}

// heads orders processes by the time of their next record.
type heads struct {
	q     []queue
	slots []int
}

func (h *heads) Len() int           { return len(h.slots) }
func (h *heads) Less(i, j int) bool { return h.q[h.slots[i]].first().At < h.q[h.slots[j]].first().At }
func (h *heads) Swap(i, j int)      { h.slots[i], h.slots[j] = h.slots[j], h.slots[i] }
func (h *heads) Push(x any)         { h.slots = append(h.slots, x.(int)) }
func (h *heads) Pop() any {
	x := h.slots[len(h.slots)-1]
	h.slots = h.slots[:len(h.slots)-1]
	return x
}

// replay goes through all records by time, but never performs an operation on
// an object before those with smaller numbers: the time stamp is taken after
// the operation, the number inside it. For the same reason nobody learns of an end
// before all that the process did has been replayed.
func (f *finder) replay(q []queue) {
	f.q = q
	h := &heads{q: q}
	learning := map[int][]int{} // by process: who waits to learn of its end
	for s := range q {
		if !q[s].empty() {
			h.slots = append(h.slots, s)
		}
	}
	heap.Init(h)
	for h.Len() > 0 && len(f.found) < f.limit {
		s := heap.Pop(h).(int)
		for !q[s].empty() {
			r := q[s].first()
			if r.Kind == event.Op {
				o := f.object(r.Obj)
				if o.next < len(o.numbers) && o.numbers[o.next] < r.Seq {
					o.waiting[r.Seq] = s
					break
				}
				f.op(s, r, o)
				o.next++
				if o.next < len(o.numbers) {
					if w, ok := o.waiting[o.numbers[o.next]]; ok {
						delete(o.waiting, o.numbers[o.next])
						heap.Push(h, w)
					}
				}
			} else {
				if p := ended(r); p >= 0 && p < f.n && p != s && !q[p].empty() {
					learning[p] = append(learning[p], s)
					break
				}
				f.life(s, r)
			}
			q[s].drop()
			if !q[s].empty() {
				heap.Push(h, s)
			} else {
				for _, w := range learning[s] {
					heap.Push(h, w)
				}
				delete(learning, s)
			}
			break
		}
	}
}

// ended is the process that a record tells the end of, -1 if it tells of none.
func ended(r *event.Rec) int {
	if r.Kind == event.Ended || r.Kind == event.Reaped {
		return int(int32(r.Obj))
	}
	return -1
}

// op performs an operation.
func (f *finder) op(s int, r *event.Rec, o *object) {
	e := f.effect(r)
	switch {
	case r.Flags&flagReleases != 0:
		e = Effect{Release: true, Key: e.BeforeKey}
	case e.Before != 0:
		e.Release = false
	}
	c := f.clocks[s]
	switch {
	case e.Acquire && e.Key != 0:
		c.join(o.keyed[e.Key])
		c.join(o.unkeyed)
	case e.Takes && o.free >= 0:
		c.join(f.needed(o))
	case e.Acquire:
		c.join(o.released)
		for _, g := range o.given {
			c.join(g)
		}
	}
	if e.After > 0 && e.After <= f.n {
		c.join(f.clocks[e.After-1])
	}
	if e.Ends {
		for p := range f.n {
			if f.q[p].empty() {
				c.join(f.clocks[p])
			}
		}
	}
	if e.Reads || e.Writes {
		f.access(s, r, o, e)
	}
	if e.Release && o.free >= 0 {
		f.give(o, c)
		c[s]++
	} else if e.Release {
		f.release(&o.released, c)
		if e.Key != 0 {
			if o.keyed == nil {
				o.keyed = map[int]clock{}
			}
			k := o.keyed[e.Key]
			f.release(&k, c)
			o.keyed[e.Key] = k
		} else {
			f.release(&o.unkeyed, c)
		}
		c[s]++
	}
}

// mostGiven bounds how many releases are kept apart. Beyond it the oldest count as
// needed, which may hide a race and never makes one up.
const mostGiven = 1000

// give keeps a release until an acquire needs it.
func (f *finder) give(o *object, c clock) {
	if len(o.given) == mostGiven {
		f.release(&o.released, o.given[0])
		o.given = o.given[1:]
	}
	o.given = append(o.given, slices.Clone(c))
}

// needed is what the next acquire comes after. Of a semaphore that lets n in, the
// k-th acquire needs k-n releases, and which ones is not for it to choose.
func (f *finder) needed(o *object) clock {
	if o.free > 0 {
		o.free--
	} else if len(o.given) > 0 {
		f.release(&o.released, o.given[0])
		o.given = o.given[1:]
	}
	return o.released
}

// release adds what a process knows to what an object passes on.
func (f *finder) release(to *clock, c clock) {
	if *to == nil {
		*to = make(clock, f.n+1)
	}
	to.join(c)
}

// life performs what orders processes as wholes.
func (f *finder) life(s int, r *event.Rec) {
	c := f.clocks[s]
	switch r.Kind {
	case event.Forked:
		// By the parent, or seen by the engine.
		if int(r.Obj) < f.n {
			f.clocks[r.Obj].join(c)
			c[s]++
		}
	case event.Reaped:
		// It has ended, by itself or by a signal: nothing of it is to come.
		if int(r.Obj) < f.n {
			c.join(f.clocks[r.Obj])
		}
	case event.Sent:
		key := [3]int{s, int(r.Obj), event.SignalOf(r.Value).Number}
		if f.signals[key] == nil {
			f.signals[key] = make(clock, f.n+1)
		}
		f.signals[key].join(c)
		c[s]++
	case event.Got:
		sig := event.SignalOf(r.Value)
		// Whoever sent it: standard signals coalesce, so all who did.
		for key, sent := range f.signals {
			if key[1] == s && key[2] == sig.Number {
				c.join(sent)
			}
		}
	case event.StepBegin, event.StepEnd, event.Ended:
		if s == f.n {
			f.scriptStep(r)
		}
	case event.Print, event.OrderDone, event.Ready:
		f.publish(s)
	}
}

// publish: what the script can see of a process, it may know.
func (f *finder) publish(s int) {
	f.clocks[f.n].join(f.clocks[s])
	f.clocks[s][s]++
}

// scriptStep: the script knows what it has seen, and its orders carry that to
// the processes that obey it.
func (f *finder) scriptStep(r *event.Rec) {
	c := f.clocks[f.n]
	if r.Kind == event.Ended && int(r.Obj) < f.n {
		c.join(f.clocks[r.Obj])
	}
	c[f.n]++
	if r.Kind == event.StepBegin {
		f.orders(c)
	}
}

// orders passes the script's clock to the idle processes: each step of theirs
// comes after the script's step that ordered it.
func (f *finder) orders(c clock) {
	for s := range f.n {
		if f.idle(s) {
			f.clocks[s].join(c)
		}
	}
}

// access checks an access against all earlier ones to the same memory.
func (f *finder) access(s int, r *event.Rec, o *object, e Effect) {
	to := max(e.To, e.From+1)
	for len(o.memory) < to {
		o.memory = append(o.memory, cell{})
	}
	c := f.clocks[s]
	now := stamp{epoch: c[s], step: r.Step, at: r.At, atomic: e.Atomic}
	for i := e.From; i < to; i++ {
		m := &o.memory[i]
		for p, w := range m.writes {
			if p != s && w.epoch > c[p] && !(w.atomic && e.Atomic) {
				f.report(r.Obj, p, w, true, s, now, e.Writes)
			}
		}
		if e.Writes {
			for p, w := range m.reads {
				if p != s && w.epoch > c[p] && !(w.atomic && e.Atomic) {
					f.report(r.Obj, p, w, false, s, now, true)
				}
			}
		}
		if e.Writes {
			if m.writes == nil {
				m.writes = map[int]stamp{}
			}
			m.writes[s] = now
		}
		if e.Reads {
			if m.reads == nil {
				m.reads = map[int]stamp{}
			}
			m.reads[s] = now
		}
	}
}

func (f *finder) report(obj uint32, p int, a stamp, aw bool, s int, b stamp, bw bool) {
	lo, hi := a.step, b.step
	if lo > hi {
		lo, hi = hi, lo
	}
	key := [4]uint32{obj, lo, hi, 0}
	if f.seen[key] {
		return
	}
	f.seen[key] = true
	f.found = append(f.found, Race{Object: obj,
		First:  Access{Proc: p, Step: a.step, At: a.at, Write: aw},
		Second: Access{Proc: s, Step: b.step, At: b.at, Write: bw},
	})
}
