package engine

import (
	"slices"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/script"
)

// restTicks is how much processor time is taken for a sign that a process will not
// come to rest, in clock ticks of 10 ms.
const restTicks = 5

// awaitRest waits, before a key is pressed on the terminal of a program, until the
// processes that it goes to have come to rest: nobody runs. A program that has just
// printed its line is still inside its handler, and one that has just been forked
// inside its start; a person at the keyboard is never that fast, and what the key
// would meet there is not what is to be shown. Who computes without end is not
// waited for.
func (r *run) awaitRest(a *script.Action, slot int, t *terminal) error {
	p := r.procs[slot]
	if p.program == nil || p.program.finder == nil {
		return nil
	}
	return r.awaitRestOf(a, func() []int {
		group, err := t.tty.Foreground()
		if err != nil {
			return nil
		}
		tree, err := proc.Tree(p.program.finder.supervisor)
		if err != nil {
			return nil
		}
		return slices.DeleteFunc(tree, func(pid int) bool {
			f, err := proc.ReadFacts(pid)
			return err != nil || f.Pgid != group
		})
	})
}

// awaitSaid waits, before a signal is sent to a program or to a process of one, until
// the process is done with saying what was just heard of it: whoever prints in a
// handler with a function that is not made for that, as one does, is not to be met
// inside it by a signal that nobody would have sent that soon.
func (r *run) awaitSaid(a *script.Action, slot, signal int) error {
	p := r.procs[slot]
	out := r.printerOf(slot)
	if out.program == nil || !out.heard || !p.forked || p.ended || signal == int(unix.SIGKILL) || signal == int(unix.SIGSTOP) {
		return nil
	}
	out.heard = false
	return r.awaitRestOf(a, func() []int { return []int{p.pid} })
}

// awaitArrived waits, before the script is told which signals went to a process of an
// observed program, until those that are on their way have arrived: a handler may
// have said its line while its sender is still inside kill, with a group of others
// to send the signal to. What is blocked does not count as on its way.
func (r *run) awaitArrived(from, to int) error {
	var roots []int
	for _, slot := range []int{from, to} {
		if slot < 0 {
			continue
		}
		if p := r.foundIn(slot); p != nil && p.program.finder != nil {
			roots = append(roots, p.program.finder.supervisor)
		}
	}
	err := r.awaitRestOf(&script.Action{Step: r.step}, func() (pids []int) {
		for _, root := range roots {
			tree, _ := proc.Tree(root) // nobody is left where it cannot be read
			pids = append(pids, tree...)
		}
		return pids
	})
	r.outOf(to) // what its observer has seen until now
	return err
}

// awaitRestOf waits until none of the processes runs, or is about to because of a
// signal.
func (r *run) awaitRestOf(a *script.Action, list func() []int) error {
	first := map[int]uint64{}
	return r.block(&waiter{
		what: "rest", step: a.Step, deadline: a.Deadline, limit: r.stepLimit(),
		done: func() (bool, error) {
			for _, pid := range list() {
				f, err := proc.ReadFacts(pid)
				if err != nil || f.State == 'Z' || f.State == 'X' {
					continue
				}
				if _, known := first[pid]; !known {
					first[pid] = f.Ticks
				}
				// Whom an observer holds for a moment is in the middle of something.
				held := f.State == 't' && !r.isStopped(&f)
				if f.Ticks-first[pid] < restTicks && (held || r.isCalled(&f) || proc.AnyThreadRuns(pid)) && proc.Exists(pid) {
					return false, nil
				}
			}
			return true, nil
		},
	})
}
