package engine

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"ipcrun/engine/family"
	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
	"ipcrun/spec"
)

// census is what was left when the last declared process had ended.
type census map[string]map[int][]leftover // by kind, and slot: those below it

// leftover is somebody or something that was left behind.
type leftover struct {
	name string // process 4711, System V queue key 0x1
	what string // what it is and does
	// settled: it is not about to go by itself.
	settled bool
}

// checksLeft reports whether a scenario asks for what is left of a kind.
func (r *run) checksLeft(what string, finally bool) bool {
	list := r.plan.Scenario.All[1:]
	return slices.ContainsFunc(list, func(s *spec.Step) bool { return s.Verb.Name == what && (!finally || r.inFinally(s.ID)) })
}

// noteObjects remembers what has a name in the system before anybody has run.
func (r *run) noteObjects() {
	if r.checksLeft(script.LeftIPC, false) {
		r.before, _ = sandbox.Objects()
	}
}

// takeCensus looks at what is left before everybody is ended.
func (r *run) takeCensus() {
	if errors.Is(r.stop, errBroken) || errors.Is(r.stop, errInterrupted) || r.procs == nil {
		return
	}
	c := census{}
	for _, what := range []string{script.LeftZombies, script.LeftOrphans, script.LeftIPC} {
		if !r.checksLeft(what, true) {
			continue
		}
		c[what] = map[int][]leftover{}
		for slot := -1; slot < len(r.plan.Slots); slot++ {
			stop := r.stop
			r.stop = nil // a scenario that has failed is asked all the same
			list, _ := r.settledLeft(&waiter{limit: r.stepLimit()}, what, slot, stop != nil)
			r.stop = stop
			c[what][slot] = list
		}
	}
	r.census = &c
}

// Left looks for what is left behind.
func (r *run) Left(a *script.Action, what string, slot int) (script.Check, error) {
	var list []leftover
	if r.torn {
		if r.census != nil {
			list = (*r.census)[what][slot]
		}
	} else {
		var err error
		if list, err = r.settledLeft(&waiter{what: what, step: a.Step, deadline: a.Deadline, limit: r.stepLimit()}, what, slot, false); err != nil {
			return script.Check{}, err
		}
	}
	whose := ""
	if slot >= 0 {
		whose = " of " + r.plan.Slots[slot].Name
	}
	c := script.Check{OK: len(list) == 0}
	switch what {
	case script.LeftZombies:
		c.Text = "no child" + whose + " has ended without being waited for"
	case script.LeftOrphans:
		c.Text = "no descendant" + whose + " lives on after the end of its parent"
		if slot < 0 {
			c.Text = "nobody lives on after the end of its parent"
		}
	case script.LeftIPC:
		c.Text = "no object" + whose + " is left under a name in the system"
	}
	for _, l := range list {
		c.Parts = append(c.Parts, script.Part{Text: l.name, Value: l.what})
	}
	return c, nil
}

// settledLeft waits until nothing is left, or until what is left is there to stay.
// lost: the run has failed already, which is a reason to be brief.
func (r *run) settledLeft(w *waiter, what string, slot int, lost bool) (list []leftover, err error) {
	var before []string
	ticks := map[int]uint64{}
	w.done = func() (bool, error) {
		r.find(true)
		switch what {
		case script.LeftIPC:
			list = r.leftIPC(slot, lost)
		case script.LeftOrphans:
			list = r.leftOrphans(slot, ticks)
		default:
			list = r.leftZombies(slot)
		}
		var now []string
		settled := true
		for _, l := range list {
			now = append(now, l.name)
			settled = settled && l.settled
		}
		// Two looks must agree: one may have come in the middle of something.
		same := slices.Equal(now, before)
		before = now
		return len(list) == 0 || settled && same, nil
	}
	if w.deadline == 0 {
		// What is awaited comes from the kernel, whoever can move or cannot. Where the
		// scenario's own limit comes first, who is left says more than that it was over.
		w.deadline = min(arena.Now()+w.limit.After, r.deadln)
	}
	err = r.block(w)
	if errors.Is(err, errTimeout) {
		err = nil // they go on as they are
	}
	return list, err
}

// noteUnwaited keeps those that a program never waited for; see supervisor.Ended.
func (pr *program) noteUnwaited(pids []int) {
	for _, pid := range pids {
		if pid < 0 {
			pr.unwaited = append(pr.unwaited, -pid)
		}
	}
}

// below reports whether a slot is another one or below it; every one is below -1.
func (r *run) below(slot, of int) bool {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if s == of {
			return true
		}
	}
	return of < 0
}

// branch are the processes of a program that are below another process, or that one.
func (r *run) branch(program, of int) (out []*family.Member) {
	for _, m := range r.procs[program].program.finder.Family.Members() {
		if r.below(program, of) {
			out = append(out, m)
			continue
		}
		for p := m; p != nil && r.below(of, program); p = p.Parent {
			if p.Pid == r.procs[of].pid {
				out = append(out, m)
				break
			}
		}
	}
	return out
}

// commandOf is what a process is, as a person would write it.
func (r *run) commandOf(pid int) string {
	for _, p := range r.procs {
		if p.program == nil || p.program.finder == nil {
			continue
		}
		all := p.program.finder.Family.Members()
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].Pid == pid {
				return all[i].Describe()
			}
		}
	}
	if name := r.pidName(pid); name != strconv.Itoa(pid) {
		return name
	}
	if f, err := proc.ReadFacts(pid); err == nil {
		return f.Name
	}
	return "a process"
}

// processOf names a process by its number and its declared name.
func (r *run) processOf(pid int) string {
	name := r.pidName(pid)
	if name == strconv.Itoa(pid) {
		return "process " + name
	}
	return name + " (" + strconv.Itoa(pid) + ")"
}

// leftZombies are the zombies below a process.
func (r *run) leftZombies(of int) (out []leftover) {
	add := func(pid, parent int, settled bool) {
		out = append(out, leftover{r.processOf(pid), fmt.Sprintf("%s, a zombie; its parent is %s, which has not waited for it", r.commandOf(pid), r.processOf(parent)), settled})
	}
	scan := func(parent int) {
		kids, _ := proc.Children(parent)
		for _, pid := range kids {
			if zombie, _ := zombieOf(pid, parent); !zombie {
				continue
			}
			proc.AwaitNotices()
			// First that the parent sleeps, and then that the zombie is there still: it
			// may have been waited for just now.
			asleep := r.rests(parent) && !r.awaitsEnd(parent, pid)
			if zombie, told := zombieOf(pid, parent); zombie {
				add(pid, parent, told && asleep)
			}
		}
	}
	for i, p := range r.procs {
		if !p.forked {
			continue
		}
		switch pr := p.program; {
		case pr != nil && pr.finder != nil:
			if !r.below(i, of) {
				for _, m := range r.branch(i, of) {
					if !m.Ended {
						scan(m.Pid)
					}
				}
				continue
			}
			for _, n := range pr.unwaited {
				out = append(out, leftover{r.processOf(n), r.commandOf(n) + ", a zombie when " + r.plan.Slots[i].Name + " ended, which never waited for it", true})
			}
			for _, m := range pr.finder.Family.Members() {
				if !m.Ended {
					scan(m.Pid)
				}
			}
		case !r.isForeign(i) && !p.ended && r.below(i, of):
			scan(p.pid)
		}
	}
	return out
}

// leftOrphans are the processes below one that live although their parent has ended.
func (r *run) leftOrphans(of int, ticks map[int]uint64) (out []leftover) {
	add := func(pid int, parent string) {
		k := &kernelRecord{r: r, pid: pid, slot: -1}
		f := k.read()
		if k.gone() {
			return
		}
		does := stateWord(f.State)
		if _, why := k.blocked(); why != "" {
			does = why
		}
		if _, known := ticks[pid]; !known {
			ticks[pid] = f.Ticks
		}
		settled := r.rests(pid) || f.Ticks-ticks[pid] >= restTicks
		out = append(out, leftover{r.processOf(pid), r.commandOf(pid) + ", whose parent " + parent + " has ended; " + does, settled})
	}
	for i, p := range r.procs {
		if !p.forked {
			continue
		}
		if pr := p.program; pr != nil && pr.finder != nil {
			for _, m := range r.branch(i, of) {
				if m.Parent != nil && m.Parent.Ended && !m.Ended {
					add(m.Pid, r.commandOf(m.Parent.Pid))
				}
			}
			continue
		}
		parent := r.plan.Slots[i].Parent
		if parent >= 0 && !r.isFound(i) && !p.ended && r.procs[parent].ended && r.below(parent, of) {
			add(p.pid, r.plan.Slots[parent].Name)
		}
	}
	return out
}

// rests reports whether a process will stay as it is until somebody else does
// something. One that has ended will not: it is about to be taken away. Nor will
// one to which a signal is on its way.
func (r *run) rests(pid int) bool {
	if !proc.Sleeps(pid) {
		return false
	}
	f, err := proc.ReadFacts(pid)
	return err == nil && f.State != 'Z' && f.State != 'X' && !f.Exiting && !r.isCalled(&f)
}

// isCalled reports whether a process is about to get a signal.
func (r *run) isCalled(f *proc.Facts) bool {
	return !r.isStopped(f) && (f.SigPnd|f.ShdPnd)&^f.SigBlk != 0
}

// awaitsEnd reports whether a process is waiting for the end of a child. If the child
// has ended, it will go on.
func (r *run) awaitsEnd(parent, pid int) bool {
	if slot := r.slotOfPid(parent); slot >= 0 && !r.isForeign(slot) {
		v := r.arena.Slot(slot).Look()
		return v.State != arena.Blocked || v.Wait.On == arena.OnProcess && r.procs[v.Wait.Arg].pid == pid
	}
	b := proc.ReadBlocked(parent)
	inner, err := sandbox.InnerPid(pid) // the number that its parent knows it by
	return b.In == proc.InChild && (b.Pid <= 0 || err == nil && b.Pid == inner)
}

// zombieOf reports whether a process has ended without its parent having waited for
// it, and whether the parent has been told: who observes the process is told first.
func zombieOf(pid, parent int) (zombie, told bool) {
	f, err := proc.ReadFacts(pid)
	return err == nil && f.State == 'Z' && f.Ppid == parent, !f.Traced
}

// leftAlive are those of the tree of a program who live, so that what it leaves cannot
// be told yet.
func (r *run) leftAlive(slot int, lost bool) (out []leftover) {
	name := r.plan.Slots[slot].Name
	for _, m := range r.procs[slot].program.finder.Family.Members() {
		k := &kernelRecord{r: r, pid: m.Pid, slot: -1}
		if m.Ended || k.gone() {
			continue
		}
		what := r.commandOf(m.Pid)
		if m.Pid != r.procs[slot].pid {
			what += ", of the tree of " + name
		}
		does := stateWord(k.read().State)
		if _, why := k.blocked(); why != "" {
			does = why
		}
		// Whoever sleeps may wake up: for how long, and whether a timer will wake it,
		// the kernel does not tell of all its threads. Where the run is lost already,
		// only those are waited for of whom it does.
		stays := lost && r.procs[slot].ended && r.rests(m.Pid) && k.in != nil && !k.in.Timed
		out = append(out, leftover{r.processOf(m.Pid), what + ", which still lives, so what is left at its end cannot be told; " + does, stays})
	}
	if len(out) == 0 {
		// That nobody is left has not been said: it will be.
		out = append(out, leftover{r.processOf(r.procs[slot].pid), "about to end", false})
	}
	return out
}

// leftIPC are objects under names, and who lives and may still remove them.
func (r *run) leftIPC(of int, lost bool) (out []leftover) {
	shared, open := false, false
	for i, p := range r.procs {
		pr := p.program
		if pr == nil || !p.forked || !r.below(i, of) {
			continue
		}
		if !pr.alone {
			open = true
			out = append(out, r.leftAlive(i, lost)...)
			continue
		}
		if !pr.ownIPC {
			shared = true
			continue
		}
		for _, o := range pr.left {
			out = append(out, leftover{o.String(), "left by " + r.plan.Slots[i].Name, true})
		}
	}
	if shared && !open {
		now, err := sandbox.Objects()
		if err != nil {
			out = append(out, leftover{"the system", "cannot be asked: " + err.Error(), true})
		}
		for _, o := range sandbox.Leaks(r.before, now, os.Getuid(), ownPid) {
			out = append(out, leftover{o.String(), "was not there before the run", true})
		}
	}
	return out
}
