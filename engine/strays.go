package engine

import (
	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// reapStrays takes the status of processes that were forked at the very moment
// of the end, by a process that did not live to say so. They see the cut
// lifeline, and belong to a group or a session of the run. It reports how many
// have not ended yet. It is for when all known processes have.
func (r *run) reapStrays() (left int) {
	own := map[int]bool{}
	possible := false
	for i, p := range r.procs {
		if p.mine {
			own[p.pid] = true
		}
		possible = possible || !p.forked && (r.plan.Slots[i].Parent >= 0 || r.terms[i] != nil)
	}
	if !possible {
		return 0
	}
	for _, h := range r.others {
		own[h.pid] = true
	}
	kids, err := proc.Children(ownPid)
	if err != nil {
		return 0
	}
	for _, pid := range kids {
		if f, err := proc.ReadFacts(pid); err != nil || !own[f.Pgid] && !own[f.Sid] {
			continue
		}
		fd, err := proc.OpenPidfd(pid)
		if err != nil {
			continue
		}
		if _, reaped, err := proc.WaitPidfd(fd); err == nil && !reaped {
			left++
		}
		unix.Close(fd)
	}
	return left
}
