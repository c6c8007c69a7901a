package engine

import (
	"errors"
	"fmt"
	"sync"

	"ipcrun/engine/event"
	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
	"ipcrun/engine/supervisor"
	"ipcrun/spec"
)

// support is what this machine allows an observer, asked once.
var support = sync.OnceValue(observe.Probe)

// cannot says why the scenario cannot run here, "" if it can.
func (r *run) cannot() string {
	for i := range r.plan.Slots {
		run := r.plan.Slots[i].Proc.Run
		if run == nil {
			continue
		}
		err := support().Events
		if run.Observe == "ipc" {
			err = errors.Join(err, support().Calls)
		}
		if err != nil && (run.Observe == "true" || run.Observe == "ipc") {
			return fmt.Sprintf("%s cannot be observed here: %v", r.plan.Slots[i].Name, err)
		}
	}
	return ""
}

// observes reports whether a program is observed.
func observes(run *spec.Program) bool {
	return run.Observe != "" && (run.Observe != "auto" || support().Events == nil)
}

// noticed takes what an observer saw of a program. Who the processes are may be
// known only later, when the one that the scenario means has been found; so what
// is kept are their numbers.
func (r *run) noticed(slot int, data []byte) {
	e, _, ok, err := observe.Next(data)
	if err != nil || !ok {
		r.broken(fmt.Errorf("what the observer of %s saw: %v", r.plan.Slots[slot].Name, err))
		return
	}
	if e.Kind == observe.Print {
		return // it was taken when it was read, see peek
	}
	r.family = append(r.family, e)
	r.observed(slot, &e)
	switch e.Kind {
	case observe.Signal:
		v := map[string]any{"signal": e.Signal, "pid": r.sentBy(&e), "to": e.Pid, "code": codeOf(e.Code)}
		if e.Code == observe.FromQueue || e.Code == observe.FromTimer {
			v["value"] = int(e.Value)
		}
		switch e.Disposition {
		case observe.Ignored:
			v["disposition"] = "ignored"
		case observe.Default:
			v["disposition"] = "default"
		case observe.Caught:
			v["disposition"] = "caught"
		}
		r.emit(&event.Rec{Kind: event.Got, Obj: uint32(slot), Value: v, At: e.At})
	case observe.Stop:
		r.stopped[e.Pid] = true
	case observe.Continue, observe.Exit:
		delete(r.stopped, e.Pid)
	case observe.Lost:
		r.emit(&event.Rec{Kind: event.Lost, Obj: uint32(slot), At: e.At, Value: map[string]any{
			"by": e.Pid, "fd": e.Fd, "text": e.Text, "status": int(e.Status),
		}})
	case observe.Call:
		r.emit(&event.Rec{Kind: event.Called, Obj: uint32(slot), At: e.At, Value: map[string]any{
			"by": e.Pid, "call": e.Call.String(), "name": e.Call.Name, "ns": int(e.Call.Duration),
		}})
	}
}

// sentBy is the number of who sent a signal that an observer saw, ownPid for the
// script, and supervisor.OutOfSight where nobody can tell.
func (r *run) sentBy(e *observe.Event) int {
	switch {
	case e.Code.ByProcess() && e.Sender == 0:
		return ownPid // it was sent from outside of the program's namespace
	case e.Code != observe.FromUnknown:
		return e.Sender
	}
	// The kernel does not tell, but what declared processes and the script send is
	// known.
	to := r.slotOfPid(e.Pid)
	for i := len(r.sent) - 1; i >= 0 && to >= 0; i-- {
		if s := r.sent[i]; s.to == to && s.signal == e.Signal {
			if s.from < 0 {
				return ownPid
			}
			return r.procs[s.from].pid
		}
	}
	return supervisor.OutOfSight
}

// forkSeen is when an observer saw a process being forked, which is before its name
// is found; 0 if none did.
func (r *run) forkSeen(pid int) int64 {
	for i := range r.family {
		if e := &r.family[i]; e.Kind == observe.Fork && e.Child == pid {
			return e.At
		}
	}
	return 0
}

// isStopped reports whether a process is stopped. Under an observer the kernel
// shows all stops alike, those of a moment too; the observer knows which is which.
func (r *run) isStopped(f *proc.Facts) bool {
	return f.State == 'T' || f.State == 't' && r.stopped[f.Pid]
}

// codeOf is where a signal came from, as a process sees it in si_code.
func codeOf(c observe.Code) int {
	switch c {
	case observe.FromKill:
		return proc.CodeUser
	case observe.FromTkill:
		return proc.CodeThread
	case observe.FromQueue:
		return proc.CodeQueue
	case observe.FromTimer:
		return proc.CodeTimer
	case observe.FromUnknown:
		return proc.CodeUser // only who, not whether by the kernel
	}
	return proc.CodeKernel
}

// slotOfPid is the slot of the process with a number, be it one that has ended and that
// its name does not mean any more; -1 where it is nobody's whom the scenario declares.
func (r *run) slotOfPid(pid int) int {
	for i, p := range r.procs {
		if p.forked && p.pid == pid {
			return i
		}
	}
	if slot, ok := r.meant[pid]; ok {
		return slot
	}
	return -1
}

// observedSignals are those that were delivered in an observed program.
func (r *run) observedSignals(from, to int) []any {
	var out []any
	for i := range r.family {
		e := &r.family[i]
		if e.Kind != observe.Signal || r.slotOfPid(e.Pid) != to {
			continue
		}
		by := fromKernel
		switch pid := r.sentBy(e); {
		case !e.Code.ByProcess() && e.Code != observe.FromUnknown:
		case pid == ownPid:
			by = fromScript
		default:
			if by = r.slotOfPid(pid); by < 0 {
				by = fromOther
			}
		}
		if by == from {
			out = append(out, signalName(e.Signal))
		}
	}
	return out
}

// isObserved reports whether a process is a program that is observed, or one that
// such a program forks by itself.
func (r *run) isObserved(slot int) bool {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if run := r.plan.Slots[s].Proc.Run; run != nil {
			return observes(run)
		}
	}
	return false
}
