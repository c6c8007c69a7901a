package race

// users tells whether accesses to an object can race at all.
type users struct {
	any, several  bool // somebody, more than one process
	slot          int  // who it is as long as it is one
	writes, plain bool // one of the accesses writes, one is not atomic
}

func (u *users) add(slot int, e *Effect) {
	u.several = u.several || u.any && u.slot != slot
	u.any, u.slot = true, slot
	u.writes, u.plain = u.writes || e.Writes, u.plain || !e.Atomic
}

// contested: two processes use it, not only to read, and not only atomically.
func (u *users) contested() bool { return u.several && u.writes && u.plain }

// cell is one element: its latest accesses by each process.
type cell struct {
	reads, writes []stamp
}

type stamp struct {
	proc   int
	epoch  uint32
	step   uint32
	at     int64
	atomic bool
}

// noted is the accesses with the latest of a process in place of its last one.
func noted(all []stamp, now stamp) []stamp {
	for i := range all {
		if all[i].proc == now.proc {
			all[i] = now
			return all
		}
	}
	return append(all, now)
}

// access checks an access against all earlier ones to the same memory.
func (f *finder) access(s int, x *entry, o *object, e *Effect) {
	if !o.users.contested() {
		return
	}
	to := max(e.To, e.From+1)
	for len(o.memory) < to {
		o.memory = append(o.memory, cell{})
	}
	c := f.clocks[s]
	now := stamp{proc: s, epoch: c[s], step: x.step, at: x.at, atomic: e.Atomic}
	for i := e.From; i < to; i++ {
		m := &o.memory[i]
		f.check(x.obj, m.writes, true, c, now, e.Writes)
		if e.Writes {
			f.check(x.obj, m.reads, false, c, now, true)
			m.writes = noted(m.writes, now)
		}
		if e.Reads {
			m.reads = noted(m.reads, now)
		}
	}
}

// check compares an access with earlier ones.
func (f *finder) check(obj uint32, before []stamp, wrote bool, c clock, now stamp, writes bool) {
	for _, w := range before {
		if w.proc != now.proc && w.epoch > c[w.proc] && !(w.atomic && now.atomic) {
			f.report(obj, w, wrote, now, writes)
		}
	}
}

func (f *finder) report(obj uint32, a stamp, aw bool, b stamp, bw bool) {
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
		First:  Access{Proc: a.proc, Step: a.step, At: a.at, Write: aw},
		Second: Access{Proc: b.proc, Step: b.step, At: b.at, Write: bw},
	})
}
