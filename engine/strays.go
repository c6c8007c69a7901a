package engine

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/sandbox"
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

// orphaned ends those whom a supervisor leaves that something has killed: they
// have become children of the engine. With a supervisor that is alive nobody
// does, so everybody is meant who neither executes what the engine does nor is
// in its session, which no program can enter.
func (r *run) orphaned(slot int) {
	session, _ := unix.Getsid(0)
	// Of one that has ended nobody knows what it was: only whom this has met
	// alive it reaps.
	met := map[int]bool{}
	p := r.procs[slot]
	sandbox.KillTree(sandbox.Hunt{
		Until: time.Now().Add(graceOfOrphans),
		Strays: func(f proc.Facts) bool {
			if f.Pid == p.pid || f.State != 'Z' && f.State != 'X' && f.Sid != session && f.Ppid == ownPid && !isOurs(f.Pid) {
				met[f.Pid] = true
			}
			return met[f.Pid]
		},
		Reap: func(pid int) {
			switch {
			case !met[pid]:
			case pid == p.pid && !p.reaped:
				r.reapAdopted(p)
			default:
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
			}
		},
	})
}

// endUnwilling ends what supervisors could not: on a machine that a program keeps
// busy with hundreds of processes they may not have had their turn.
func (r *run) endUnwilling() {
	for _, h := range r.others {
		if h.attends || h.reaped || r.procs[h.slot].program == nil {
			continue
		}
		sandbox.KillTree(sandbox.Hunt{Root: h.pid, Until: time.Now().Add(graceOfOrphans)})
		_ = unix.PidfdSendSignal(h.pidfd, unix.SIGKILL, nil, 0)
		for until := time.Now().Add(patienceWithDeath); !h.reaped && time.Now().Before(until); {
			r.pump(10 * time.Millisecond) // which calls unsupervised
		}
	}
	// Everybody has been sent SIGKILL, which none can put off. Only the machine can:
	// what ends gives its memory back, and may have to wait for that.
	for until := time.Now().Add(patienceWithDeath); !r.reapAll() && time.Now().Before(until); {
		r.pump(10 * time.Millisecond)
	}
}

// graceOfOrphans bounds how long it may take to end them.
const graceOfOrphans = 3 * time.Second

// isOurs: it executes what this process does: an agent, a supervisor, a janitor.
func isOurs(pid int) bool {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	his, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && os.SameFile(own, his)
}

// freeSupervisors continues supervisors that something has stopped, and fails
// the run: what they watch would have been out of sight. Nobody tells; it is
// looked for where nothing seems to happen.
func (r *run) freeSupervisors() {
	for _, h := range r.others {
		if h.attends || h.reaped || r.procs[h.slot].program == nil {
			continue
		}
		f, err := proc.ReadFacts(h.pid)
		if err != nil || f.State != 'T' {
			continue
		}
		if !h.stopped {
			h.stopped = true
			r.emit(&event.Rec{Kind: event.Overrun, Obj: uint32(h.slot), Value: map[string]any{"what": "stopped"}})
			r.fail()
		}
		_ = unix.PidfdSendSignal(h.pidfd, unix.SIGCONT, nil, 0)
	}
}

// foreignState says in words what a process that somebody else wrote does.
func (r *run) foreignState(slot int, f *proc.Facts) (on, why string) {
	k := &kernelRecord{r: r, pid: f.Pid, slot: slot}
	on, why = k.blocked()
	switch {
	case f.State == 'Z':
		why = "it has ended, and nobody has waited for it"
	case why == "":
		why = "it runs"
	}
	var ignores []string
	for _, n := range []sig.Sig{sig.HUP, sig.INT, sig.QUIT, sig.TERM} {
		if f.SigIgn&proc.Bit(int(n)) != 0 {
			ignores = append(ignores, n.String())
		}
	}
	if len(ignores) > 0 {
		why += ", and ignores " + strings.Join(ignores, ", ")
	}
	return on, why + r.underneath(f.Pid)
}

// many processes below one are worth a word.
const many = 20

// underneath tells of those below a process: that there are many, or that one is
// stopped.
func (r *run) underneath(pid int) string {
	tree, _ := proc.Tree(pid)
	if len(tree) > many {
		return ", with " + strconv.Itoa(len(tree)) + " processes below it"
	}
	for _, kid := range tree {
		if f, err := proc.ReadFacts(kid); err == nil && r.isStopped(&f) {
			return "; process " + strconv.Itoa(kid) + ", which it has forked, is stopped"
		}
	}
	return ""
}

// leftBehind tells of those whom a program has left behind when it ended, "" if
// nobody is there.
func (r *run) leftBehind(slot int) string {
	for _, h := range r.others {
		if h.slot != slot || h.attends || h.reaped {
			continue
		}
		tree, _ := proc.Tree(h.pid)
		for _, kid := range tree {
			f, err := proc.ReadFacts(kid)
			if err != nil || f.State == 'Z' || f.State == 'X' {
				continue
			}
			does := "lives on"
			if r.isStopped(&f) {
				does = "is stopped"
			}
			return "it has ended, but process " + strconv.Itoa(kid) + ", which it has left behind, " + does
		}
	}
	return ""
}
