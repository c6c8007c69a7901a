package engine

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/family"
	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// meanProgram lets the name of a program mean the process that it is there for.
func (r *run) meanProgram(d *finder) {
	p := r.procs[d.program]
	m, _, fixed := d.Real()
	if p.ended || m == nil {
		return
	}
	if m.Pid != p.pid && !m.Ended {
		fd, err := proc.OpenPidfd(m.Pid)
		if err != nil {
			return
		}
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
		}
		if d.hasEnded(p.pid) {
			r.remember(d.program, p.pid)
		}
		p.pidfd, p.pid = fd, m.Pid
		r.arena.Slot(d.program).Pid.Store(int32(m.Pid))
		r.news++
	}
	if fixed && m.Pid == p.pid && p.pidfd >= 0 && !p.program.watched {
		// Its end is the end of the program, whatever becomes of what is around it.
		p.program.watched = true
		if err := r.watcher.Add(p.pidfd, tagProcess|uint64(d.program)); err != nil {
			r.broken(err)
		}
	}
}

// remember keeps whom a name has meant that goes on to another because they have
// ended, so that what they did stays theirs. A wrapper that the name was taken from
// was never meant.
func (r *run) remember(slot, pid int) {
	if r.meant == nil {
		r.meant = map[int]int{}
	}
	r.meant[pid] = slot
}

// hasEnded reports whether the last process of a family that had a number has ended.
func (d *finder) hasEnded(pid int) bool {
	all := d.Family.Members()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Pid == pid {
			return all[i].Ended
		}
	}
	return false
}

// bind lets a name mean a process that a program has forked.
func (r *run) bind(slot int, m *family.Member) {
	if p := r.procs[slot]; p.forked {
		r.remember(slot, p.pid)
	}
	r.unbind(slot)
	r.bindings++
	p := r.procs[slot]
	s := r.arena.Slot(slot)
	s.MarkForked(m.Pid)
	s.MarkRunning()
	p.pid, p.forked, p.readyAt = m.Pid, true, arena.Now()
	r.news++
	fd, err := proc.OpenPidfd(m.Pid)
	if err != nil {
		// It was gone before it was found: nobody can tell how it ended.
		r.emit(&event.Rec{Kind: event.Forked, Obj: uint32(slot), Value: m.Pid})
		r.processEnded(slot)
		return
	}
	if err := r.watch(slot, m.Pid, fd, false); err != nil {
		r.broken(err)
	}
}

// unbind: what a name meant was not it after all.
func (r *run) unbind(slot int) {
	p := r.procs[slot]
	if !p.forked {
		return
	}
	if p.pidfd >= 0 {
		if !p.ended {
			r.watcher.Remove(p.pidfd)
		}
		unix.Close(p.pidfd)
	}
	s := r.arena.Slot(slot)
	s.Unmark()
	*p = process{slot: slot, pidfd: -1, cursor: p.cursor}
	r.news++
}

// Ambiguous is the error about a name that several processes could have.
const Ambiguous = "Ambiguous"

func init() {
	decl.RegisterError(Ambiguous, "a program has forked several processes that a name could mean, and no match: says which")
}

// ambiguous ends the run: a guess would make its verdict worthless.
func (r *run) ambiguous(slot int, list []*family.Member) {
	name := r.plan.Slots[slot].Proc.Name
	parent := r.plan.Slots[r.plan.Slots[slot].Parent].Name
	var who []string
	for _, m := range list {
		s := fmt.Sprintf("%d (%s)", m.Pid, m.Describe())
		if m.Ended {
			s += ", which has ended"
		}
		who = append(who, s)
	}
	what := fmt.Sprintf("%s has forked %d processes, and each could be %s: %s. Say which with match: below %s, by its command line, by order: or by what it does",
		parent, len(list), name, strings.Join(who, "; "), name)
	if n := r.plan.Slots[slot].Proc.Count; n > 1 {
		what = fmt.Sprintf("%s has forked more processes than %s[%d] is for: %s", parent, name, n, strings.Join(who, "; "))
	}
	r.emit(&event.Rec{Kind: event.Fail, Step: r.step, Obj: event.NoObj, Value: map[string]any{"name": Ambiguous, "detail": what}})
	r.fail()
}

// lives: one of several processes has not ended. Where all have, the next that is
// forked may be the one that was meant, and they helpers of a launcher that is about
// to become the program.
func lives(list []*family.Member) bool {
	return slices.ContainsFunc(list, func(m *family.Member) bool { return !m.Ended })
}
