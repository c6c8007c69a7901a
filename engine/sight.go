package engine

import (
	"slices"

	"ipcrun/engine/family"
	"ipcrun/engine/proc"
)

// lookAt reads what there is to see of all processes below a supervisor. known are
// those that were seen before.
func (r *run) lookAt(supervisor int, known []*family.Member) []family.Sight {
	tree, err := proc.Tree(supervisor)
	if err != nil {
		return nil
	}
	// Whose parent ends while the tree is read may be missing in it.
	for _, m := range known {
		if m.Gone || slices.Contains(tree, m.Pid) {
			continue
		}
		if f, err := proc.ReadFacts(m.Pid); err == nil && (m.Start == 0 || m.Start == f.StartTime) {
			tree = append(tree, m.Pid)
		}
	}
	out := make([]family.Sight, 0, len(tree))
	for _, pid := range tree {
		// One that executes something meanwhile would be half of the one and half of
		// the other.
		s, whole := sightOf(pid)
		for range 3 {
			if !whole {
				s, whole = sightOf(pid)
			}
		}
		if s.State == 't' && r.stopped[pid] {
			s.State = 'T' // the observer has seen that it is no stop of a moment
		}
		if s.Blurred = !whole; s.Pid != 0 {
			out = append(out, s)
		}
	}
	return out
}

// sightOf reads what there is to see of a process. whole is false where it changed
// under our eyes.
func sightOf(pid int) (s family.Sight, whole bool) {
	f, err := proc.ReadFacts(pid)
	if err != nil {
		return s, false
	}
	s = family.Sight{
		Pid: pid, Ppid: f.Ppid, Start: f.StartTime, State: f.State, Name: f.Name, Layout: f.Layout,
		Catches: f.SigCgt, Ignores: f.SigIgn, Blocks: f.SigBlk, Ticks: f.Ticks,
	}
	if f.State == 'Z' || f.State == 'X' {
		return s, true
	}
	if f.Exiting {
		// Its streams may be closed already, which means nothing.
		s.State = 'X'
		return s, true
	}
	s.Exe, s.Argv = proc.Executable(pid), proc.CommandLine(pid)
	s.In, s.Out = proc.Target(pid, 0), proc.Target(pid, 1)
	again, err := proc.ReadFacts(pid)
	return s, err == nil && again.Layout == f.Layout && again.StartTime == f.StartTime && !again.Exiting
}
