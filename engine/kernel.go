package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
	"ipcrun/prims/arena"
)

// kernelRecord are the facts that the kernel tells of a process, declared or not.
// They are read when they are asked for; one record is one reading of each.
type kernelRecord struct {
	r     *run
	pid   int
	slot  int // -1: not declared
	facts *proc.Facts
	fds   map[int]string
	in    *proc.Blocked
}

// Lookup makes a record the names of an expression.
func (k *kernelRecord) Lookup(name string) (any, bool) { return k.Field(name), true }

func (k *kernelRecord) read() *proc.Facts {
	if k.facts == nil {
		f, err := proc.ReadFacts(k.pid)
		if err != nil {
			f = proc.Facts{State: 'X'}
		}
		k.facts = &f
	}
	return k.facts
}

func (k *kernelRecord) gone() bool { s := k.read().State; return s == 'Z' || s == 'X' }

// Field is one fact.
func (k *kernelRecord) Field(name string) any {
	f := k.read()
	switch name {
	case "pid":
		return k.pid
	case "ppid":
		if f.State == 'X' {
			return nil
		}
		return f.Ppid
	case "state":
		if k.r.isStopped(f) {
			return "stopped"
		}
		return stateWord(f.State)
	case "nice":
		if f.State == 'X' {
			return nil
		}
		return f.Nice
	case "umask":
		if f.State == 'X' || f.Umask < 0 {
			return nil
		}
		return fmt.Sprintf("%03o", f.Umask)
	case "limits":
		return k.limits()
	case "children":
		list := []any{}
		if f.State != 'X' {
			kids, _ := proc.Children(k.pid)
			for _, c := range kids {
				// Whom nobody will wait for is among them for a moment after its end.
				if f, err := proc.ReadFacts(c); err != nil || f.State == 'X' {
					continue
				}
				list = append(list, k.r.pidName(c))
			}
		}
		return list
	}
	if k.gone() {
		switch name {
		case "fds":
			return 0
		case "descriptors":
			return map[string]any{}
		case "blocked_on":
			return ""
		}
		return []any{}
	}
	switch name {
	case "catches":
		return signalNames(f.SigCgt &^ runtimeSignals)
	case "ignores":
		return signalNames(f.SigIgn)
	case "blocks":
		return signalNames(f.SigBlk)
	case "argv":
		list := []any{}
		for _, a := range proc.CommandLine(k.pid) {
			list = append(list, a)
		}
		return list
	case "fds":
		return len(k.open())
	case "descriptors":
		out := map[string]any{}
		for fd, to := range k.open() {
			out[strconv.Itoa(fd)] = k.r.targetName(to)
		}
		return out
	case "blocked_on":
		on, _ := k.blocked()
		return on
	}
	return nil
}

// limitNames are the keys of limits: by the kernel's names.
var limitNames = map[string]string{
	"cpu": "Max cpu time", "memory": "Max data size", "processes": "Max processes", "files": "Max open files", "output": "Max file size",
}

// limits are its resource limits.
func (k *kernelRecord) limits() map[string]any {
	out := map[string]any{}
	if k.read().State == 'X' {
		return out
	}
	all, err := proc.ReadLimits(k.pid)
	if err != nil {
		return out // it has gone since
	}
	amount := func(n int64) any {
		if n < 0 {
			return nil
		}
		return int(n)
	}
	for name, kernel := range limitNames {
		if l, ok := all[kernel]; ok {
			out[name] = map[string]any{"soft": amount(l.Soft), "hard": amount(l.Hard)}
		}
	}
	return out
}

// stateWord is a state of the process file system as our facts name it.
func stateWord(s byte) string {
	switch s {
	case 'S', 'D', 'I':
		return arena.Blocked.String()
	case 'T':
		return "stopped"
	case 'Z':
		return "zombie"
	case 'X':
		return arena.Ended.String()
	}
	return arena.Running.String()
}

// open are its descriptors, the engine's own ones left out.
func (k *kernelRecord) open() map[int]string {
	if k.fds == nil {
		k.fds = map[int]string{}
		all, _ := proc.Descriptors(k.pid)
		for fd, to := range all {
			if k.slot < 0 || k.r.isForeign(k.slot) || !k.r.internal(k.slot, fd, to) {
				k.fds[fd] = to
			}
		}
	}
	return k.fds
}

// targetName is what a descriptor leads to, by its declared name where it has one.
func (r *run) targetName(to string) string {
	if i, ok := r.targets[to]; ok {
		return r.plan.Prims[i].Name
	}
	for _, t := range r.terms {
		if to == t.path {
			return "terminal"
		}
	}
	return to
}

// noteTargets remembers how the kernel names what a primitive consists of.
func (r *run) noteTargets(number int, fds []int) {
	if r.targets == nil {
		r.targets = map[string]int{}
	}
	for _, fd := range fds {
		if to := proc.Target(ownPid, fd); to != "" && to != "/dev/null" {
			r.targets[to] = number
		}
	}
}

// blocked says what a process is blocked on, as a name and in words, both empty
// where it runs or the kernel does not tell.
func (k *kernelRecord) blocked() (on, why string) {
	f := k.read()
	if f.State != 'S' && f.State != 'D' {
		return "", ""
	}
	if k.in == nil {
		b := proc.ReadBlocked(k.pid)
		k.in = &b
	}
	b := k.in
	leads := func() string {
		var names []string
		for _, fd := range b.Fds {
			to := k.open()[fd]
			if to == "" {
				to = "descriptor " + strconv.Itoa(fd)
			}
			if n := k.r.targetName(to); len(names) == 0 || names[len(names)-1] != n {
				names = append(names, n)
			}
		}
		return strings.Join(names, " and ")
	}
	switch b.In {
	case proc.InSignal:
		return "signal", "it is in pause: it waits for a signal"
	case proc.InChild:
		return k.child(b.Pid)
	case proc.InTime:
		return "time", "it sleeps"
	case proc.InRead:
		to, does := leads(), "it reads from "
		if b.Polls {
			does = "it polls "
		}
		if k.writesItself(b.Fds) {
			return to, does + spoken(to) + ", " + ownWriteEnd
		}
		return to, does + spoken(to) + ", and nothing is there"
	case proc.InWrite:
		to, does := leads(), "it writes to "
		if b.Polls {
			does = "it polls "
		}
		return to, does + spoken(to) + ", and there is no room"
	case proc.InMemory:
		to := proc.MappedAt(k.pid, b.Addr)
		if n := k.r.targetName(to); n != to {
			return n, "it waits for " + n + " (in shared memory)"
		}
		if strings.HasPrefix(to, "/dev/shm/") || strings.HasPrefix(to, "/memfd:") {
			return to, "it waits for a lock or a semaphore in " + to
		}
		return "memory", "it waits for a lock in its own memory"
	case proc.InLock:
		to := leads()
		return to, "it waits for the lock on " + to
	case proc.InOpen:
		return "open", "it opens a FIFO, and the other side is not there"
	case proc.InMessage:
		return fmt.Sprintf("System V queue %d", b.ID), fmt.Sprintf("it waits at the System V message queue %d", b.ID)
	case proc.InSem:
		return fmt.Sprintf("System V semaphore %d", b.ID), fmt.Sprintf("it waits for the System V semaphore set %d", b.ID)
	}
	return "", "it is blocked in the kernel"
}

// ownWriteEnd is said of who waits for a pipe's end that it keeps away itself.
const ownWriteEnd = "whose write end it has open itself"

// writesItself: a process that reads from a pipe could write to it as well, by
// another descriptor.
func (k *kernelRecord) writesItself(reads []int) bool {
	for _, r := range reads {
		for fd, to := range k.open() {
			if fd != r && to == k.open()[r] && strings.HasPrefix(to, "pipe:") && proc.Writable(k.pid, fd) {
				return true
			}
		}
	}
	return false
}

// keptAway speaks of those who wait for an end of file that they keep away
// themselves, "" if nobody does.
func (r *run) keptAway() string {
	for i, p := range r.procs {
		if !p.forked || p.ended || !r.isForeign(i) {
			continue
		}
		k := &kernelRecord{r: r, pid: p.pid, slot: i}
		if _, why := k.blocked(); strings.Contains(why, ownWriteEnd) {
			return r.plan.Slots[i].Name + strings.TrimPrefix(why, "it")
		}
	}
	return ""
}

// spoken is a target as a sentence names it.
func spoken(to string) string {
	switch {
	case to == "terminal":
		return "its terminal"
	case to == "":
		return "nowhere"
	}
	return to
}

// child says which child a process waits for.
func (k *kernelRecord) child(pid int) (on, why string) {
	kids, _ := proc.Children(k.pid)
	if inner := pid; inner > 0 {
		// The process knows its child by the number that it has in their namespace.
		for _, c := range kids {
			if n, err := sandbox.InnerPid(c); err == nil && n == inner {
				pid = c
			}
		}
	}
	if pid < 0 && len(kids) == 1 {
		pid = kids[0]
	}
	if pid > 0 {
		name := k.r.pidName(pid)
		if name == strconv.Itoa(pid) {
			return "child", fmt.Sprintf("it waits for its child %d to end", pid)
		}
		return name, "it waits for its child " + name + " to end"
	}
	return "child", "it waits for a child to end"
}

// isForeign: what a process does is not told by the process itself.
func (r *run) isForeign(slot int) bool { return r.procs[slot].program != nil || r.isFound(slot) }

// errUnknownEnd is what an expression fails with that asks how a process ended
// where nobody was told.
var errUnknownEnd = errors.New("how it ended is not known, since its parent alone was told: from Linux 6.15 on the kernel tells ipcrun, too, of those whom it had found before they ended, which with observe: true are all of them")

// signalTo sends a signal to a process, and not to whoever may have its number by
// now.
func (p *process) signalTo(n int) error {
	if p.pidfd < 0 {
		return proc.Kill(p.pid, n)
	}
	return unix.PidfdSendSignal(p.pidfd, unix.Signal(n), nil, 0)
}
