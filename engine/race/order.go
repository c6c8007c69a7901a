package race

import "ipcrun/engine/event"

// op performs an operation, or the half of it that an entry is.
func (f *finder) op(s int, x *entry, o *object) {
	e := f.effects.of(x.what)
	c := f.clocks[s]
	switch x.part {
	case partReleases:
		f.gives(o, e.BeforeKey, c)
		c[s]++
		return
	case partFills:
		f.filling(s, x, o)
		return
	}
	f.acquire(c, o, e)
	if e.After > 0 && e.After <= f.n {
		c.join(f.clocks[e.After-1])
	}
	if e.Ends || e.Acquire && (o.missing || o.bounds.Partly) {
		for p := range f.n {
			if f.q[p].empty() && (e.Ends || f.unfinished(p, x.obj)) {
				c.join(f.clocks[p])
			}
		}
	}
	if e.Reads || e.Writes {
		f.access(s, x, o, e)
	}
	if e.Fills > 0 && !o.bounds.Exact {
		o.fill(e.Fills)
	}
	releases := e.Release && e.Before == 0
	if releases {
		f.gives(o, e.Key, c)
	}
	if e.Frees {
		f.release(&o.room, c)
	}
	if releases || e.Frees {
		c[s]++
	}
}

// gives releases with a key, 0 for none.
func (f *finder) gives(o *object, key int, c clock) {
	f.release(&o.items, c)
	switch {
	case o.items.counted():
	case key == 0:
		f.join(&o.unkeyed, c)
	default:
		if o.keyed == nil {
			o.keyed = map[int]clock{}
		}
		k := o.keyed[key]
		f.join(&k, c)
		o.keyed[key] = k
	}
}

// acquire has a process know what an operation comes after.
func (f *finder) acquire(c clock, o *object, e *Effect) {
	switch {
	case e.Acquire && e.Key != 0:
		c.join(o.keyed[e.Key])
		c.join(o.unkeyed)
	case e.Takes && o.items.counted():
		c.join(f.needed(&o.items))
	case e.Acquire:
		o.items.all(c)
	}
	switch {
	case e.Looks:
		o.room.all(c)
	case e.Fills > 0 && o.bounds.Exact && o.room.counted():
		c.join(f.needed(&o.room))
	case e.Fills > 0 && o.missing:
		o.room.all(c)
	}
}

// life performs what orders processes as wholes.
func (f *finder) life(s int, x *entry) {
	c := f.clocks[s]
	switch x.kind {
	case event.Forked:
		// What the engine sees of it is no order of the script's.
		if int(x.obj) < f.n && s != f.n {
			f.forked(int(x.obj), c)
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
	case event.Fail:
		f.partlyDone(s)
	case event.Exiting:
		f.exited[s] = true
	case event.Got:
		f.partlyDone(s) // it may have come in the middle of something
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

// forked: a process begins with what its parent knew, and so do those that it forks at
// its start.
func (f *finder) forked(slot int, c clock) {
	f.clocks[slot].join(c)
	if f.born == nil {
		return
	}
	for _, child := range f.born(slot) {
		f.forked(child, c)
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
