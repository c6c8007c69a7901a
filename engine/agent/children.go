package agent

import (
	"errors"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func killError(err error, who string) error {
	switch {
	case errors.Is(err, unix.ESRCH):
		return decl.Fail(script.NoProcess, "%s", who)
	case errors.Is(err, unix.EPERM):
		return decl.Fail(script.Permission, "the kernel does not let this process send it a signal")
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EAGAIN):
		return decl.Fail(prims.Invalid, "%v", err)
	}
	return err
}

// Fork starts a declared child.
func (a *agent) Fork(act *script.Action, slot int) error {
	if a.child(slot) != nil {
		return decl.Fail(prims.Invalid, "%s has been forked already", a.nameOf(slot))
	}
	if err := a.fork(slot); err != nil {
		return err
	}
	c := a.child(slot)
	a.emit(&event.Rec{Kind: event.Forked, Step: act.Step, Obj: uint32(slot), Value: c.pid})
	a.dropPassed()
	return nil
}

// fork starts the agent of a slot as a child of this process.
func (a *agent) fork(slot int) error {
	var p script.Program
	if err := script.Decode(a.text.Part(a.text.Slot(slot).Part), &p); err != nil {
		return err
	}
	cmd := Command(a.text, slot, a.nameOf(slot), &p, Files{
		Std: [3]int{0, 1, 2}, Arena: FdArena, Lifeline: proc.LifelineFd(), Wake: FdWake,
		Orders: func(s int) int { return a.orders[s] },
		Prims: func(n int) int {
			if fd, ok := a.fds[n]; ok {
				return fd
			}
			return -1
		},
	})
	pid, pidfd, err := proc.Fork(cmd)
	if err != nil {
		return err
	}
	a.children = append(a.children, &child{slot: slot, pid: pid, pidfd: high(pidfd)})
	a.arena.Slot(slot).MarkForked(pid)
	a.arena.WakeEngine(FdWake)
	return nil
}

// Wait takes the status of children, one after the other.
func (a *agent) Wait(act *script.Action, slots []int, _ bool) (any, error) {
	if act.Resumed == 0 {
		act.Mark = 0
	}
	var last any
	for act.Mark < len(slots) {
		st, err := a.waitOne(act, slots[act.Mark])
		if err != nil {
			return nil, err
		}
		last = st
		act.Mark++
	}
	return last, nil
}

func (a *agent) waitOne(act *script.Action, slot int) (any, error) {
	c := a.child(slot)
	switch {
	case c == nil && a.text.Slot(slot).Parent != a.slot:
		return nil, decl.Fail(script.NoChild, "%s is no child of %s", a.nameOf(slot), a.name)
	case c == nil:
		return nil, decl.Fail(script.NoChild, "%s has not been forked", a.nameOf(slot))
	case c.reaped:
		return nil, decl.Fail(script.NoChild, "%s was waited for already", a.nameOf(slot))
	}
	for {
		st, reaped, err := proc.WaitPidfd(c.pidfd)
		if errors.Is(err, unix.ECHILD) {
			// SIGCHLD is ignored: the kernel has reaped it and thrown the status away.
			c.reaped = true
			a.emit(&event.Rec{Kind: event.Reaped, Step: act.Step, Obj: uint32(slot)})
			return nil, decl.Fail(script.NoChild, "%s has ended, and SIGCHLD is ignored: no status was kept", a.nameOf(slot))
		}
		if err != nil {
			return nil, err
		}
		if reaped {
			c.reaped = true
			unix.Close(c.pidfd)
			a.arena.Slot(slot).RecordStatus(st.Encode())
			v := StatusValue(c.pid, st)
			a.emit(&event.Rec{Kind: event.Reaped, Step: act.Step, Obj: uint32(slot), Value: v})
			return v, nil
		}
		ready, interrupted, err := a.poll(arena.Wait{On: arena.OnProcess, Arg: uint64(slot), Step: act.Step, Deadline: act.Deadline}, c.pidfd)
		switch {
		case err != nil:
			return nil, err
		case interrupted:
			return nil, script.ErrInterrupted
		case !ready:
			return nil, decl.Fail(prims.Timeout, "%s has not ended", a.nameOf(slot))
		}
	}
}

// StatusValue is a status as expressions see it.
func StatusValue(pid int, st proc.Status) map[string]any {
	v := map[string]any{"pid": pid, "exit_code": nil, "exit_signal": nil}
	switch {
	case st.Exited:
		v["exit_code"] = st.Code
	case st.Signaled:
		v["exit_signal"] = sig.Sig(st.Signal).String()
	}
	return v
}
