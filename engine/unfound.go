package engine

import (
	"fmt"
	"strings"

	"ipcrun/engine/family"
	"ipcrun/engine/script"
	"ipcrun/spec/decl"
)

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
	last := map[int]*family.Member{} // who was lost from sight for a moment is there twice
	for _, m := range d.Family.Members() {
		last[m.Pid] = m
	}
	for _, m := range d.Family.Members() {
		if m.Parent != nil && m.Parent.Pid == up && last[m.Pid] == m && len(saw) < 5 {
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
