package race

import (
	"slices"

	"ipcrun/engine/event"
)

// op performs an operation.
func (f *finder) op(s int, x *entry, o *object) {
	e := f.effects.of(x.what)
	switch {
	case x.releases:
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
		f.access(s, x, o, e)
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
func (f *finder) life(s int, x *entry) {
	c := f.clocks[s]
	switch x.kind {
	case event.Forked:
		// By the parent, or seen by the engine.
		if int(x.obj) < f.n {
			f.clocks[x.obj].join(c)
			c[s]++
		}
	case event.Reaped:
		// It has ended, by itself or by a signal: nothing of it is to come.
		if int(x.obj) < f.n {
			c.join(f.clocks[x.obj])
		}
	case event.Sent:
		key := [3]int{s, int(x.obj), int(x.what)}
		if f.signals[key] == nil {
			f.signals[key] = make(clock, f.n+1)
		}
		f.signals[key].join(c)
		c[s]++
	case event.Got:
		// Whoever sent it: standard signals coalesce, so all who did.
		for key, sent := range f.signals {
			if key[1] == s && key[2] == int(x.what) {
				c.join(sent)
			}
		}
	case event.StepBegin, event.StepEnd, event.Ended:
		if s == f.n {
			f.scriptStep(x)
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
func (f *finder) scriptStep(x *entry) {
	c := f.clocks[f.n]
	if x.kind == event.Ended && int(x.obj) < f.n {
		c.join(f.clocks[x.obj])
	}
	c[f.n]++
	if x.kind == event.StepBegin {
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
