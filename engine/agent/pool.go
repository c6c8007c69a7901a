package agent

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// doing is the task that a worker does.
type doing struct {
	task  *script.Task
	job   int
	check *script.Check // the assertion of it that did not hold
}

// doTasks does the tasks of a pool, one after the other, until there will be no
// more.
func (a *agent) doTasks(number int) {
	for {
		t, end := a.take(number)
		if end != nil {
			if end.Terminated {
				// SIGTERM is on its way, unless a task has seen to it that it
				// ends nobody.
				_ = unix.Kill(unix.Getpid(), unix.SIGTERM)
			}
			return
		}
		task, err := a.m.Task(t.Task, t.Args, t.Element)
		if task == nil {
			die("%s: %v", a.name, err)
		}
		a.task = &doing{task: task, job: t.Job}
		var result any
		if err == nil {
			a.work()
			var failed *script.Uncaught
			var ok bool
			if result, failed, ok = a.m.TaskDone(t.Task); !ok {
				return
			}
			if failed != nil {
				err = a.travels(failed)
			}
		} else {
			err = a.travels(&script.Uncaught{Failure: err.(*decl.Failure)})
		}
		a.hand(number, t.Job, result, err)
		a.task = nil
	}
}

// inner is an operation of a primitive that no step names.
func (a *agent) inner(number int, name string, args *prims.Values) (*script.Verb, *prims.Call) {
	v := script.Lookup(name, a.kinds[number].Name)
	return v, &prims.Call{Self: a.self, Number: uint32(number), Verb: uint32(v.ID()), Args: args, Log: a.logPart}
}

// take blocks until there is a task, or the end of all tasks.
func (a *agent) take(number int) (prims.PoolTask, *prims.PoolEnd) {
	v, c := a.inner(number, prims.PoolTake, &prims.Values{})
	for {
		err := v.Prim().Do(a.handles[number], c)
		if err == script.ErrInterrupted {
			a.sig.deliver()
			a.runHandlers()
			if a.m.End() != nil {
				return prims.PoolTask{}, &prims.PoolEnd{}
			}
			continue
		}
		if err != nil {
			die("%s: %v", a.name, err)
		}
		if end, over := c.Result.(prims.PoolEnd); over {
			return prims.PoolTask{}, &end
		}
		t := c.Result.(prims.PoolTask)
		a.did(v, c, t.Job)
		return t, nil
	}
}

// hand gives the caller what came of a task.
func (a *agent) hand(number, job int, result any, err error) {
	v, c := a.inner(number, prims.PoolFinish, &prims.Values{Names: []string{"result", "fail"}, Vals: []any{result, err}})
	if err := v.Prim().Do(a.handles[number], c); err != nil {
		die("%s: %v", a.name, err)
	}
	a.did(v, c, job)
}

// did records an operation that no step names.
func (a *agent) did(v *script.Verb, c *prims.Call, job int) {
	a.emit(&event.Rec{Kind: event.Op, Verb: v.ID(), Obj: c.Number, Seq: c.Seq, Value: job})
	a.checkAlways(int(c.Number))
}

// travels makes the error that ended a task one for its caller, and records it.
func (a *agent) travels(u *script.Uncaught) *decl.Failure {
	f := u.Failure
	if f == nil {
		f = &decl.Failure{Name: "Error", Detail: u.Err.Error()}
	}
	detail := f.Detail
	if c := a.task.check; c != nil && f.Name == script.AssertionFailed {
		detail = c.Text + values(c)
	}
	if detail != "" {
		detail += "; "
	}
	t := a.task.task
	out := decl.Fail(f.Name, "%sin line %d, task %s, by %s", detail, t.Lines[u.Step], t.Name, a.name)
	a.emit(&event.Rec{Kind: event.Fail, Flags: event.FlagExpected | event.FlagTravels, Step: u.Step, Obj: uint32(*a.prog.Serves),
		Value: map[string]any{"name": out.Name, "detail": out.Detail, "job": a.task.job}})
	return out
}

// values says what was in play in an assertion.
func values(c *script.Check) string {
	var out []string
	for _, p := range c.Parts {
		if p.Text != c.Text {
			out = append(out, p.Text+" is "+p.Value)
		}
	}
	if c.Why != "" {
		out = append(out, c.Why)
	}
	if len(out) == 0 {
		return ""
	}
	return ", where " + strings.Join(out, " and ")
}

// signalFor sends a signal in the course of an operation on a primitive. That
// the process is gone is no error.
func (a *agent) signalFor(slot, n int) error {
	s := a.arena.Slot(slot)
	if _, reaped := s.Status(); reaped || s.State() == arena.Unborn {
		return nil
	}
	err := a.Kill(a.acting, slot, n, nil)
	if err != nil {
		if _, named := err.(*decl.Failure); !named {
			return fmt.Errorf("%s to %s: %w", sig.Sig(n), a.nameOf(slot), err)
		}
	}
	return nil
}
