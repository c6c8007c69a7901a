//go:build linux

package sandbox

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Hunt describes whom KillTree ends.
type Hunt struct {
	// Root is the process below which everybody is ended; it is spared itself.
	// It should be alive and adopt orphans (a subreaper, or the first process
	// of a PID namespace): nobody leaves its tree then. It must not have been
	// reaped, since its number may be another's by now; 0 is no root.
	Root int
	// Strays, if not nil, is asked about children of the calling process that
	// are not Root: those of whom it says yes are ended too, with all below
	// them. It is for orphans of a Root that has ended.
	Strays func(proc.Facts) bool
	// Reap, if not nil, is called for children of the calling process that
	// were found and have ended. It may be called more than once for one.
	Reap func(pid int)
	// Until is when to give up.
	Until time.Time
}

// looks is how many must find nobody. One takes a tenth of a millisecond, and
// misses a process in such haste less than every other time.
const looks = 24

// freezes is how often a growing tree is stopped before it is killed anyway:
// somebody outside of it may continue what was stopped.
const freezes = 8

// KillTree ends processes that do not want to be ended: that fork as fast as
// they can, change session, ignore or are stopped. It returns how many were
// killed, and those that are left when it has given up.
//
//  1. Process groups are killed as a whole: that is one call, during which
//     nobody forks. Who has left the root's session is in none of them.
//  2. The root's children are killed at once, and those that become its
//     children by that, as long as there are any. Who forks and ends all the
//     time has a number for a tenth of a millisecond; nothing slower hits it.
//  3. Everybody who is found is stopped: who is stopped forks no more, and
//     starts nobody in place of a child that is killed. This is repeated until
//     nobody new is found.
//  4. Everybody is killed.
//  5. It is over when enough looks in a row find nobody alive: a process that
//     forks and ends as fast as it can is missed by a single one, since the
//     kernel does not list a family in one moment. Where the root itself is the
//     caller, the kernel also says when nobody is left, and until the caller's
//     other threads have taken the status of each it is not over.
//
// A number is not a process: each is held by a pidfd first and its ancestors
// are looked at afterwards, so that no signal reaches a process outside.
func KillTree(h Hunt) (killed int, left []int) {
	own := unix.Getpid()
	dead := map[int]bool{} // whom we have killed
	for quiet := 0; quiet < looks; {
		if h.Root == own && own == 1 {
			// The first process of a namespace can do it in one call.
			_ = unix.Kill(-1, unix.SIGKILL)
		}
		// The root's children first: the group of the first one is often all
		// there is, and who has thousands to look at gets to nothing.
		if kids, err := proc.Children(h.Root); err == nil && h.Root > 0 && len(kids) > 0 {
			h.sweepGroups(kids, own)
			h.strike(own, dead)
		}
		prey := h.find(own)
		if len(prey) == 0 {
			if quiet++; quiet > 1 && h.Root == own && childless() {
				break
			}
			if quiet == looks && h.Root == own && time.Now().Before(h.Until) {
				// All are dead, and another thread has not taken the status of each. The
				// kernel tells when a child ends, and not when somebody has reaped it.
				quiet--
				time.Sleep(100 * time.Microsecond)
			}
			runtime.Gosched()
			continue
		}
		quiet = 0
		if !time.Now().Before(h.Until) {
			return len(dead), prey
		}
		if h.sweepGroups(prey, own) {
			prey = h.find(own)
		}
		for range freezes {
			if h.sweep(prey, own, unix.SIGSTOP, nil) == 0 {
				break
			}
			prey = h.find(own)
		}
		h.sweep(prey, own, unix.SIGKILL, dead)
	}
	return len(dead), nil
}

// childless reports whether this process has no child, zombies included.
func childless() bool {
	return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == unix.ECHILD
}

// find lists whom there is to end, the dying included, zombies not.
func (h *Hunt) find(own int) []int {
	var found []int
	var roots []int
	if h.Root > 0 {
		roots = append(roots, h.Root)
	}
	if h.Strays != nil {
		kids, _ := proc.Children(own)
		for _, pid := range kids {
			if pid == h.Root {
				continue
			}
			if f, err := proc.ReadFacts(pid); err == nil && h.Strays(f) {
				roots = append(roots, pid)
				found = append(found, pid)
			}
		}
	}
	for _, r := range roots {
		tree, _ := proc.Tree(r)
		found = append(found, tree...)
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(pid int) bool {
		f, err := proc.ReadFacts(pid)
		if err != nil || pid == own || pid == h.Root {
			return true
		}
		if f.State != 'Z' && f.State != 'X' {
			return false
		}
		if h.Reap != nil && f.Ppid == own {
			h.Reap(pid)
		}
		return true
	})
}

// sweepGroups kills groups in the session that the root leads, and reports
// whether there were any. A session has only descendants of its leader, so
// nobody else can be in them.
func (h *Hunt) sweepGroups(prey []int, own int) (any bool) {
	if root, err := proc.ReadFacts(h.Root); err != nil || root.Sid != h.Root {
		return false
	}
	done, ours := map[int]bool{h.Root: true}, h.known()
	for _, pid := range prey {
		f, err := proc.ReadFacts(pid)
		if err != nil || f.Sid != h.Root || done[f.Pgid] {
			continue
		}
		// While its leader's number is a group's, nobody else gets it.
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			if f, err := proc.ReadFacts(pid); err == nil && h.descends(f, own, ours) && !done[f.Pgid] {
				done[f.Pgid] = true
				err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, unix.PIDFD_SIGNAL_PROCESS_GROUP)
				if err == unix.EINVAL { // before 6.9
					err = unix.Kill(-f.Pgid, unix.SIGKILL)
				}
				any = any || err == nil
			}
			unix.Close(fd)
		}
	}
	return any
}

// strikes bounds how often strike looks before somebody looks at the whole.
const strikes = 1000

// strike kills the children of the root, and nothing but those: each is held by
// a pidfd before it is asked whose child it is.
func (h *Hunt) strike(own int, dead map[int]bool) {
	// Orphans become children of the first thread.
	name := fmt.Sprintf("/proc/%d/task/%[1]d/children", h.Root)
	file, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(file)
	buf := make([]byte, 4096)
	struck := map[int]bool{}
	for i, idle := 0, 0; i < strikes && idle < 8; i++ {
		idle++
		n, err := unix.Pread(file, buf, 0)
		if err != nil || n <= 0 {
			continue
		}
		pid := 0
		for _, c := range buf[:n] {
			if c >= '0' && c <= '9' {
				pid = pid*10 + int(c-'0')
				continue
			}
			if pid > 0 && pid != own && !struck[pid] {
				struck[pid] = true
				if h.hit(pid, own) {
					idle, dead[pid] = 0, true
				}
			}
			pid = 0
		}
	}
}

// hit kills a process if it is a child of the root.
func (h *Hunt) hit(pid, own int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_PID}
	switch {
	case h.Root == own:
		if unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) != nil {
			return false
		}
	case unix.IoctlPidfdInfo(fd, &info) == nil:
		if int(info.Ppid) != h.Root {
			return false
		}
	default: // before 6.13
		if f, err := proc.ReadFacts(pid); err != nil || f.Ppid != h.Root {
			return false
		}
	}
	return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
}

// sweep sends a signal to processes and reports how many of them it stopped
// that had not been, or killed.
func (h *Hunt) sweep(prey []int, own int, sig unix.Signal, dead map[int]bool) (done int) {
	ours := h.known()
	for _, pid := range prey {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		f, err := proc.ReadFacts(pid)
		switch {
		case err != nil || !h.descends(f, own, ours):
		case sig == unix.SIGSTOP && (f.State == 'T' || f.State == 't'):
		case unix.PidfdSendSignal(fd, sig, nil, 0) == nil:
			done++
			if dead != nil {
				dead[pid] = true
			}
		}
		unix.Close(fd)
	}
	return done
}

// known are those of whom it is known from the start that they are ours.
func (h *Hunt) known() map[int]bool {
	if h.Root <= 0 {
		return map[int]bool{}
	}
	return map[int]bool{h.Root: true}
}

// descends reports whether a process is below the root, or a stray, or below
// one. ours collects those of whom it is known.
func (h *Hunt) descends(f proc.Facts, own int, ours map[int]bool) bool {
	var way []int
	for {
		if ours[f.Pid] {
			break
		}
		way = append(way, f.Pid)
		if f.Ppid == own && f.Ppid != h.Root {
			if h.Strays == nil || !h.Strays(f) {
				return false
			}
			break
		}
		if ours[f.Ppid] {
			break
		}
		if f.Ppid <= 1 {
			return false
		}
		next, err := proc.ReadFacts(f.Ppid)
		if err != nil {
			return false // it ended while we looked; the next look tells
		}
		f = next
	}
	for _, pid := range way {
		ours[pid] = true
	}
	return true
}
