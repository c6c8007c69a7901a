package engine

import (
	"regexp"
	"strings"
	"time"

	"ipcrun/engine/family"
	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
	"ipcrun/spec"
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
	d.Family.Look(r.lookAt(d.supervisor, d.Family.Members()))
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
	d.Family.Look(r.lookAt(d.supervisor, d.Family.Members()))
	if ended() != before {
		// Whom those who have ended left behind may have been listed before.
		d.Family.Look(r.lookAt(d.supervisor, d.Family.Members()))
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

// foundIn is the program whose family a found process belongs to.
func (r *run) foundIn(slot int) *process {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if r.procs[s].program != nil {
			return r.procs[s]
		}
	}
	return nil
}

// isFound: a program forks it by itself.
func (r *run) isFound(slot int) bool { return r.plan.Slots[slot].Flags&script.SlotFound != 0 }
