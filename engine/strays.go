package engine

import (
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// A process that was forked at the very moment at which the run ended is not
// known to it: its parent was killed before it could say so. It dies by itself,
// of the cut lifeline, and becomes a zombie of the engine, which is the
// subreaper. These are the strays.

// strays takes the status of dead strays and reports whether there are live
// ones. Other children of this process (of other runs, of whoever uses the
// package) are left alone.
func (r *run) strays() (alive bool) {
	// Mostly there is no child left at all, which one system call tells.
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err == unix.ECHILD {
		return false
	}
	kids, err := proc.Children(ownPid)
	if err != nil {
		return false
	}
	for _, pid := range kids {
		if r.engine.known(pid) {
			continue
		}
		f, err := proc.ReadFacts(pid)
		if err != nil {
			continue
		}
		switch {
		case f.State != 'Z':
			alive = alive || r.holdsLifeline(pid)
		case r.looksOurs(f.Name):
			unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
	return alive
}

// looksOurs: a zombie has nothing left but its name, which is that of the
// executable's link until the agent takes its own.
func (r *run) looksOurs(name string) bool {
	if name == "exe" {
		return true
	}
	for i := range r.plan.Slots {
		n := r.plan.Slots[i].Name
		if name == n[:min(len(n), 15)] {
			return true
		}
	}
	return false
}

// holdsLifeline reports whether a process has the lifeline of this run open.
func (r *run) holdsLifeline(pid int) bool {
	fds, err := proc.Descriptors(pid)
	if err != nil {
		return false
	}
	for _, to := range fds {
		if to == r.lifelineLink {
			return true
		}
	}
	return false
}

// linkOf is what the process file system shows for a descriptor of ours.
func linkOf(fd uintptr) string {
	s, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(fd)))
	return s
}

// adopt makes a process known as one of some run, disown forgets it.
func (e *Engine) adopt(pid int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pids = append(e.pids, pid)
}

func (e *Engine) disown(pid int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.Index(e.pids, pid); i >= 0 {
		e.pids = slices.Delete(e.pids, i, i+1)
	}
}

func (e *Engine) known(pid int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.pids, pid)
}
