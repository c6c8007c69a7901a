package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/prims/arena"
)

// processEnded is called when a process has ended, reaped or not.
func (r *run) processEnded(slot int) {
	p := r.procs[slot]
	if p.ended || p.noting {
		return
	}
	p.noting = true // what is drained below may tell of its end, too
	if r.isForeign(slot) {
		r.endBelow(slot)
	}
	if p.program != nil {
		r.dismiss(slot)
	}
	s := r.arena.Slot(slot)
	at := arena.Now()
	p.blocked = s.State() == arena.Blocked
	r.takeStatus(p)
	if p.pidfd >= 0 {
		r.watcher.Remove(p.pidfd)
	}
	// What it did comes before its end.
	r.drain()
	if _, byItself := s.ExitCode(); p.status.Signaled && !byItself && !r.isForeign(slot) {
		s.NoteKilled(r.killedAt(p, at))
	} else {
		s.NoteEnd(at)
	}
	if p.blocked {
		r.arena.Unblocked()
	}
	p.ended = true
	r.emit(&event.Rec{Kind: event.Ended, Obj: uint32(slot), At: max(s.EndedAt(), r.arena.T0()), Value: statusValue(p.status)})
	if p.orders > 0 {
		for _, o := range r.orders {
			if o.slot == slot && !o.done {
				o.done, o.lost = true, !within(p.exit, r.plan.StepAt(o.step))
			}
		}
	}
	for i, h := range r.handles {
		if died := r.plan.Prims[i].Kind.Died; died != nil {
			died(h, slot)
		}
	}
	r.countLive()
}

// killedAt is when a signal has ended a process of whose end the engine has heard at
// heard. Others may have heard of it earlier, by a SIGCHLD, the end of a file or a lock
// that it held, and have ended since: it was no later than that, and is taken to be when
// the signal was sent, or when the process last did something.
func (r *run) killedAt(p *process, heard int64) int64 {
	n := int(p.status.Signal)
	var sent, cont int64
	for _, s := range r.sent {
		switch {
		case s.to != p.slot:
		case s.signal == n && sent < p.last:
			sent = s.at // the first that it has not outlived
		case s.signal == int(sig.CONT) && n != int(sig.KILL):
			cont = s.at // what is sent to a process that is stopped waits for this
		}
	}
	if due := r.arena.Slot(p.slot).Alarm.Load(); n == int(sig.ALRM) && due != 0 {
		sent = due
	}
	if t := r.terminalOf(p.slot); t != nil && keyOf(n) != "" {
		sent = max(sent, t.pressed)
	}
	if sent == 0 {
		return heard
	}
	return min(heard, max(sent, cont, p.last)+1)
}

// takeStatus finds out how a process ended: by reaping it if it is ours, from
// whoever reaped it, or from the kernel.
func (r *run) takeStatus(p *process) {
	s := r.arena.Slot(p.slot)
	if p.pidfd >= 0 && !p.reaped {
		if st, reaped, err := proc.WaitPidfd(p.pidfd); err == nil && reaped {
			p.reaped, p.status = true, st
			s.NoteStatus(st.Encode())
			return
		}
	}
	if ws, ok := s.Status(); ok {
		p.reaped, p.status = true, proc.DecodeStatus(ws)
		return
	}
	if p.status.Known {
		return
	}
	if prog := r.foundIn(p.slot); prog != nil {
		if st, ok := prog.program.statuses[p.pid]; ok {
			p.status, p.reaped = st, true
			return
		}
	}
	if st, ok := proc.ZombieStatus(p.pid); ok {
		p.status = st
		return
	}
	if p.pidfd >= 0 {
		if st, ok := proc.PidfdStatus(p.pidfd); ok {
			p.status = st
			return
		}
	}
	if code, ok := s.ExitCode(); ok {
		p.status = proc.Status{Known: true, Exited: true, Code: code}
		return
	}
	if prog := r.foundIn(p.slot); prog != nil && r.isFound(p.slot) && r.isObserved(p.slot) && !r.torn {
		if st, ok := r.awaitStatus(prog.slot, p.pid); ok {
			p.status, p.reaped = st, true
		}
	}
}

// exists: it lives or is a zombie. Its pid alone may be another's by now.
func (p *process) exists() bool {
	if p.pidfd >= 0 {
		return unix.PidfdSendSignal(p.pidfd, 0, nil, 0) != unix.ESRCH
	}
	return proc.Exists(p.pid)
}

// noteEnd takes note of the end of a process if it has ended. That of a program whose
// name has no process for sure is its supervisor's to tell.
func (r *run) noteEnd(slot int) {
	p := r.procs[slot]
	if p.ended || p.pidfd < 0 || p.program != nil && !p.program.watched {
		return
	}
	fds := []unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
		r.processEnded(slot)
	}
}

// awaitEnding lets a process end that is in the middle of it: the kernel closes its files
// and gives back its locks before it says that the process has ended, and who has seen
// that may have told the script.
func (r *run) awaitEnding(slot int) {
	p := r.procs[slot]
	until := time.Now().Add(graceOfEnding)
	for !p.ended && r.isEnding(p) && time.Now().Before(until) {
		r.pump(time.Millisecond)
	}
}

// isEnding reports whether a process of its own has begun to end. Of a program the kernel
// tells it of one thread, and others may go on.
func (r *run) isEnding(p *process) bool {
	if !p.forked || r.isForeign(p.slot) || r.torn {
		return false
	}
	if _, said := r.arena.Slot(p.slot).ExitCode(); said {
		return true
	}
	f, err := proc.ReadFacts(p.pid)
	return err == nil && (f.Exiting || f.State == 'Z' || f.State == 'X')
}
