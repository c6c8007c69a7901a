package engine

import "ipcrun/engine/proc"

// endsLater: a process is there, and no zombie yet, though its end may have begun.
func endsLater(pid int) bool {
	f, err := proc.ReadFacts(pid)
	return err == nil && f.State != 'Z' && f.State != 'X'
}

// programEnded notes that the process which was started as the program has ended,
// with the status that the process has had which its name means. alive are the
// processes below it that outlive it.
func (r *run) programEnded(slot int, st proc.Status, at int64, alive []int) {
	p := r.procs[slot]
	d := p.program.finder
	r.findIn(d)
	if p.ended {
		return
	}
	// Those of its family that have ended before it come before it.
	for _, first := range d.slots {
		for i := range r.plan.Slots[first].Proc.Count {
			k := r.procs[first+i]
			if !k.forked || k.ended {
				continue
			}
			// A list that was made while others ended, too, may lack somebody.
			outlives := endsLater(k.pid) && k.exists()
			for _, pid := range alive {
				outlives = outlives || pid == k.pid
			}
			if !outlives {
				r.arena.Slot(first + i).NoteEnd(at - 1)
				r.processEnded(first + i)
			}
		}
	}
	s := r.arena.Slot(slot)
	m, sure, _ := d.Real()
	switch {
	case m == nil || m.Pid == p.program.root || !sure:
		p.status = st
	case p.program.watched:
		return // what was around it is gone, and how it ends is still to come
	case !m.Gone && endsLater(m.Pid):
		p.program.watched = true
		if err := r.watcher.Add(p.pidfd, tagProcess|uint64(slot)); err != nil {
			r.broken(err)
		}
		return
	default:
		p.status = proc.Status{}
		if kept, ok := p.program.statuses[m.Pid]; ok {
			p.status = kept
		} else if p.pidfd >= 0 {
			p.status, _ = proc.PidfdStatus(p.pidfd)
		}
	}
	for _, first := range d.slots {
		for i := range r.plan.Slots[first].Proc.Count {
			if k := r.procs[first+i]; k.ended {
				at = max(at, r.arena.Slot(first+i).EndedAt()+1)
			}
		}
	}
	s.NoteEnd(at)
	if p.status.Known {
		s.RecordStatus(p.status.Encode())
	}
	p.reaped = true
	r.processEnded(slot)
}

// endBelow takes note of those that have ended below a process before it takes note
// of the end of that process itself.
func (r *run) endBelow(slot int) {
	for i, k := range r.procs {
		if r.plan.Slots[i].Parent == slot && r.isFound(i) && k.forked {
			r.noteEnd(i)
		}
	}
}

// outOf reads what is there of the program that a process belongs to: what it
// printed, and what was reported of it, come before its end.
func (r *run) outOf(slot int) {
	if p := r.foundIn(slot); p != nil {
		r.readOut(p.slot)
	}
}
