package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/family"
	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// finder holds the declared names below a program against the processes that
// there are.
type finder struct {
	*family.Finder
	program    int   // slot
	slots      []int // of the first process of each Want
	supervisor int   // pid
	every      time.Duration
	next       int64 // when to look again
	looked     int64 // when it was last looked
	told       bool  // a doubt was reported
}

// How often the process file system is looked at while a name has no process, and
// when each has.
const (
	lookFirst = time.Millisecond
	lookLast  = 16 * time.Millisecond
	lookBound = 50 * time.Millisecond
)

// newFinder is for a program that has just started.
func (r *run) newFinder(slot, pid int) *finder {
	d := &finder{program: slot, every: lookFirst}
	for _, h := range r.others {
		if h.slot == slot && !h.attends {
			d.supervisor = h.pid
		}
	}
	var wants []family.Want
	number := map[int]int{slot: -1}
	for i := 0; i < len(r.plan.Slots); i++ {
		s := &r.plan.Slots[i]
		parent, below := number[s.Parent]
		if s.Flags&script.SlotFound == 0 || s.Parent < 0 || !below || s.Index > 0 {
			continue
		}
		if _, known := number[i]; known {
			continue
		}
		number[i] = len(wants)
		wants = append(wants, family.Want{Parent: parent, Count: s.Proc.Count, Match: r.matchOf(s.Proc)})
		d.slots = append(d.slots, i)
		i = -1 // a child may be declared before its parent
	}
	d.Finder = family.NewFinder(family.New(pid), r.matchOf(r.plan.Slots[slot].Proc), wants)
	d.Family.Look(lookAt(d.supervisor, d.Family.Members()))
	if observes(r.plan.Slots[slot].Proc.Run) {
		d.Family.Observe()
	}
	return d
}

// observed takes in what an observer saw.
func (r *run) observed(slot int, e *observe.Event) {
	p := r.procs[slot]
	if p.program.finder == nil {
		return
	}
	d := p.program.finder
	switch e.Kind {
	case observe.Fork:
		if e.Pid == 0 || e.Child == 0 {
			return
		}
		d.Family.Forked(e.Pid, e.Child)
	case observe.Exec:
		d.Family.Execed(e.Pid, e.Exe, e.Argv)
	case observe.Exit:
		p.program.statuses[e.Pid] = proc.DecodeStatus(e.Status)
		d.Family.Died(e.Pid)
	default:
		return
	}
	// What is asked of it next has to be asked of the right one; what handlers it has
	// by now is not in the event.
	d.every, d.next = lookFirst, min(d.next, d.looked+int64(lookFirst))
}

// matchOf makes what match: says ready.
func (r *run) matchOf(d *spec.Proc) *family.Match {
	m := d.Match
	if d.Run != nil && d.Run.Itself {
		// Nobody else is, so it is the one that was started.
		return &family.Match{Command: func(string) bool { return false }}
	}
	if m == nil {
		return nil
	}
	out := &family.Match{Order: m.Order}
	switch {
	case m.Regex != "":
		re := regexp.MustCompile(m.Regex) // it was tried when the file was loaded
		out.Command = re.MatchString
	case m.Text != "":
		out.Command = func(line string) bool { return strings.Contains(line, m.Text) }
	}
	if m.When != nil {
		out.When = func(p *family.Member) bool {
			ok, err := m.When.EvalBool(&kernelRecord{r: r, pid: p.Pid, slot: -1})
			return err == nil && ok
		}
	}
	return out
}

// find looks at the families of programs, those that are due or, if now, all.
func (r *run) find(now bool) {
	if !r.foreign {
		return
	}
	for _, p := range r.procs {
		pr := p.program
		if pr == nil || pr.finder == nil || pr.alone || r.torn {
			continue
		}
		d := pr.finder
		at := arena.Now()
		if !now && at < d.next {
			continue
		}
		r.findIn(d)
		d.looked = at
		switch d.every *= 2; {
		case d.Complete():
			d.every = lookBound
		case d.every > lookLast:
			d.every = lookLast
		}
		// A large family is looked at less often: looking must not be all that is done.
		took := time.Duration(arena.Now() - at)
		d.next = arena.Now() + int64(max(d.every, 4*took))
	}
}

// hurry: something has happened, so somebody may have been forked.
func (r *run) hurry() {
	if !r.foreign {
		return
	}
	for _, p := range r.procs {
		if p.program == nil || p.program.finder == nil {
			continue
		}
		if d := p.program.finder; !d.Complete() && d.every > lookFirst {
			d.every, d.next = lookFirst, arena.Now()+int64(lookFirst)
		}
	}
}

// watchesForeign: a program lives, or somebody of its tree does.
func (r *run) watchesForeign() bool {
	if !r.foreign {
		return false
	}
	for _, p := range r.procs {
		if p.program != nil && p.forked && !(p.ended && p.program.alone) {
			return true
		}
	}
	return false
}

// lookAt reads what there is to see of all processes below a supervisor. known are
// those that were seen before.
func lookAt(supervisor int, known []*family.Member) []family.Sight {
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

// findIn looks at one family and takes note of what its names mean now.
func (r *run) findIn(d *finder) {
	ended := func() (n int) {
		for _, m := range d.Family.Members() {
			if m.Ended {
				n++
			}
		}
		return n
	}
	before := ended()
	d.Family.Look(lookAt(d.supervisor, d.Family.Members()))
	if ended() != before {
		// Whom those who have ended left behind may have been listed before.
		d.Family.Look(lookAt(d.supervisor, d.Family.Members()))
	}
	r.resolve(d)
}

// resolve takes note of what the names mean now.
func (r *run) resolve(d *finder) {
	changes, doubts := d.Resolve()
	r.meanProgram(d)
	for _, c := range changes {
		slot := d.slots[c.Want] + c.Index
		if c.Member == nil {
			r.unbind(slot)
		} else {
			r.bind(slot, c.Member)
		}
	}
	if root, sure, _ := d.Real(); len(doubts) > 0 && !d.told && (lives(doubts[0].Members) || r.procs[d.program].ended) && (sure || root == d.Family.Root()) {
		d.told = true
		r.ambiguous(d.slots[doubts[0].Want], doubts[0].Members)
	}
}

// lives: one of several processes has not ended. Where all have, the next that is
// forked may be the one that was meant, and they helpers of a launcher that is about
// to become the program.
func lives(list []*family.Member) bool {
	return slices.ContainsFunc(list, func(m *family.Member) bool { return !m.Ended })
}

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

// bind lets a name mean a process that a program has forked.
func (r *run) bind(slot int, m *family.Member) {
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
var Ambiguous = decl.RegisterError("Ambiguous", "a program has forked several processes that a name could mean, and no match: says which")

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

// foundIn is the program whose family a found process belongs to.
func (r *run) foundIn(slot int) *process {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if r.procs[s].program != nil {
			return r.procs[s]
		}
	}
	return nil
}

// outOf reads what is there of the program that a process belongs to: what it
// printed, and what was reported of it, come before its end.
func (r *run) outOf(slot int) {
	if p := r.foundIn(slot); p != nil {
		r.readOut(p.slot)
	}
}

// endBelow takes note of those that have ended below a process before it takes note
// of the end of that process itself.
func (r *run) endBelow(slot int) {
	for i, k := range r.procs {
		if r.plan.Slots[i].Parent != slot || !r.isFound(i) || !k.forked || k.ended || k.pidfd < 0 {
			continue
		}
		fds := []unix.PollFd{{Fd: int32(k.pidfd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			r.processEnded(i)
		}
	}
}

// isFound: a program forks it by itself.
func (r *run) isFound(slot int) bool { return r.plan.Slots[slot].Flags&script.SlotFound != 0 }

// lostCause says why a found process cannot come any more, "" while it can.
func (r *run) lostCause(slot int) string {
	p := r.procs[slot]
	if p.forked || !r.isFound(slot) {
		return ""
	}
	parent := r.plan.Slots[slot].Parent
	up := r.procs[parent]
	prog := r.foundIn(slot)
	if !up.ended && !(prog.ended && prog.program.alone) {
		return ""
	}
	return r.whyNotFound(slot)
}

// whyNotFound says what a program has forked instead of what a name could mean.
func (r *run) whyNotFound(slot int) string {
	name, parent := r.plan.Slots[slot].Name, r.plan.Slots[r.plan.Slots[slot].Parent].Name
	d := r.foundIn(slot).program.finder
	if d == nil {
		return parent + " was never started"
	}
	var saw []string
	up := r.procs[r.plan.Slots[slot].Parent].pid
	for _, m := range d.Family.Members() {
		if m.Parent != nil && m.Parent.Pid == up && len(saw) < 5 {
			how := "it lives"
			if m.Ended {
				how = "it has ended"
			}
			saw = append(saw, fmt.Sprintf("%d (%s; %s)", m.Pid, m.Describe(), how))
		}
	}
	switch {
	case !r.procs[r.plan.Slots[slot].Parent].forked:
		return name + " was not found, since its parent " + parent + " was not"
	case len(saw) == 0:
		return parent + " was not seen to fork any process, so nobody is " + name
	case r.plan.Slots[slot].Proc.Match != nil:
		return "nobody that " + parent + " has forked is what match: of " + name + " says: " + strings.Join(saw, "; ")
	}
	return parent + " has forked no process that could be " + name + "; it forked " + strings.Join(saw, "; ")
}

// awaitFound waits until a found process is there, before something is done to it.
func (r *run) awaitFound(a *script.Action, slot int) error {
	if !r.isFound(slot) || r.procs[slot].forked || a.ExpectedError() == script.NoProcess {
		return nil
	}
	return r.block(&waiter{
		what: "find", step: a.Step, deadline: a.Deadline, limit: r.stepLimit(),
		done: func() (bool, error) {
			if why := r.lostCause(slot); why != "" {
				return false, decl.Fail(script.NoProcess, "%s", why)
			}
			return r.procs[slot].forked, nil
		},
	})
}

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
