package engine

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/agent"
	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/keys"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// run is the World of the top-level script: it drives and watches processes
// from outside.
var _ script.ScriptWorld = (*run)(nil)

const codeKernel = proc.CodeKernel

var ownPid = os.Getpid()

// runScript steps through the top-level script or finally.
func (r *run) runScript(p *script.Program, w script.World) {
	m, err := script.New(&r.plan.Common, p, -1, w)
	if err != nil {
		r.broken(err)
		return
	}
	r.script = m
	for r.stop == nil {
		a := m.Next()
		if a == nil {
			if r.lostBefore(m) {
				continue
			}
			break
		}
		s := r.plan.StepAt(a.Step)
		r.doing, r.step = "", a.Step
		if s != nil {
			r.doing = describe(s)
		}
		if r.overdue() {
			return
		}
		if r.barred(m, a, s) {
			r.tell(s)
			continue
		}
		r.points.now = scored(s)
		began := arena.Now()
		r.emit(&event.Rec{Kind: event.StepBegin, Verb: a.Verb.ID(), Step: a.Step, Obj: event.NoObj, At: began})
		res, err := a.Verb.Run(w, a)
		if err = r.outcome(a, err); err != nil && r.stop != nil {
			return
		}
		m.Done(a, res, err)
		if r.lost(m, a) {
			r.tell(s)
			continue
		}
		if err != nil && (m.End() == nil || m.End().Uncaught == nil) {
			r.failedStep(a.Step, err, event.FlagExpected)
		}
		r.emit(&event.Rec{Kind: event.StepEnd, Verb: a.Verb.ID(), Step: a.Step, Obj: event.NoObj, Value: int(arena.Now() - began)})
		r.tell(s)
	}
	if end := m.End(); end != nil && end.Uncaught != nil && r.stop == nil {
		r.failedStep(end.Uncaught.Step, end.Uncaught.Cause(), 0)
		r.stop = errFailed
	}
}

// Turning is called by the machine now and then in loops without a step that
// waits: what happens meanwhile is taken note of.
func (r *run) Turning() (over bool) {
	if !r.torn {
		r.discover()
		r.pump(0)
	}
	if s := r.plan.StepAt(r.script.Where()); s != nil {
		r.doing, r.step = describe(s), s.ID
	}
	return r.overdue() || r.stop != nil
}

// overdue ends a script that goes on without waiting for anything, and so without
// looking at the clock, when the time of the scenario is over.
func (r *run) overdue() bool {
	if r.interrupted() {
		return true
	}
	if r.torn || r.stop != nil || arena.Now() < r.deadln {
		return false
	}
	r.expired(r.step, r.limit)
	return true
}

// outcome turns the ends of a wait into errors of the vocabulary.
func (r *run) outcome(a *script.Action, err error) error {
	var s *stuck
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTimeout):
		if arena.Now() < a.Deadline || a.Deadline == 0 {
			return decl.Fail(prims.Timeout, "it was waited for in vain")
		}
		return decl.Fail(prims.Timeout, "%s passed", time.Duration(a.Deadline-a.Since()))
	case errors.As(err, &s):
		if r.stop == nil && !r.points.now {
			r.deadlock(a.Step, s)
		}
		return err
	}
	return err
}

func (r *run) failedStep(step uint32, err error, flags uint8) {
	v := map[string]any{"name": "Error", "detail": err.Error()}
	var f *decl.Failure
	if errors.As(err, &f) {
		v["name"], v["detail"] = f.Name, f.Detail
	}
	if v["name"] == prims.Timeout && flags == 0 {
		v["waits"], v["cycle"] = r.waits(), r.cycle() // whoever was waited for may wait as well
	}
	r.emit(&event.Rec{Kind: event.Fail, Flags: flags, Step: step, Obj: event.NoObj, Value: v})
}

// stepLimit is the default that bounds a waiting step.
func (r *run) stepLimit() *event.Limit {
	return &event.Limit{What: "step", After: int64(r.engine.scaled(r.engine.opt.StepTimeout)), SetBy: r.engine.setBy(r.engine.opt.StepTimeoutSetBy)}
}

// Limit is the timeout: of a step of the script as --timeout-scale has it. A step
// that expects to wait in vain waits as long as it says: more of it would only give
// what must not happen more time.
func (r *run) Limit(a *script.Action, d time.Duration) time.Duration {
	if a.ExpectedError() == prims.Timeout {
		return d
	}
	return r.engine.scaled(d)
}

// Now is the clock of deadlines.
func (r *run) Now() int64 { return arena.Now() }

// Op is not for the script: operations happen inside processes.
func (r *run) Op(a *script.Action) (any, error) {
	return nil, fmt.Errorf("%s happens inside a process", a.Verb.Name)
}

// Print shows a line of the script itself.
func (r *run) Print(a *script.Action, text string) error {
	if err := r.output.Add(text, 0, "the limit of a script"); err != nil {
		return err
	}
	r.emit(&event.Rec{Kind: event.Print, Step: a.Step, Obj: event.NoObj, Value: text})
	return nil
}

// Sleep lets time pass while the processes go on.
func (r *run) Sleep(a *script.Action) error {
	err := r.block(&waiter{what: "sleep", step: a.Step, deadline: a.Deadline, done: func() (bool, error) { return false, nil }})
	if errors.Is(err, errTimeout) {
		return nil
	}
	return err
}

// Check records an assertion of the script.
func (r *run) Check(a *script.Action, c script.Check) {
	var ps []event.Part
	for _, p := range c.Parts {
		ps = append(ps, event.Part{Text: p.Text, Value: p.Value})
	}
	if !c.OK && c.Why == "" {
		c.Why = r.whyFalse(c.Text)
	}
	stop := r.stop
	r.emit(&event.Rec{Kind: event.Checked, Verb: a.Verb.ID(), Step: a.Step, Obj: event.NoObj, Value: event.CheckValue(c.OK, c.Text, c.Why, ps)})
	// The script itself decides what follows from it.
	r.stop = stop
}

// Kill sends a signal from the engine's own process.
func (r *run) Kill(a *script.Action, slot, signal int, value *int) error {
	r.pump(0)
	p := r.procs[slot]
	name := r.plan.Slots[slot].Name
	if err := r.awaitFound(a, slot); err != nil {
		return err
	}
	if err := r.awaitSaid(a, slot, signal); err != nil {
		return err
	}
	if r.isForeign(slot) {
		r.find(true)
	}
	if !p.forked {
		return decl.Fail(script.NoProcess, "%s has not been forked yet", name)
	}
	r.takeIfReaped(p)
	if p.ended && p.reaped {
		return decl.Fail(script.NoProcess, "%s has ended and was waited for", name)
	}
	v := &event.Signal{Number: signal, Pid: p.pid}
	if value != nil {
		v.Value, v.Valued = *value, true
	}
	r.arena.AwaitStarted(slot)
	r.emit(&event.Rec{Kind: event.Sent, Verb: a.Verb.ID(), Step: a.Step, Obj: uint32(slot), Value: v})
	var err error
	if value != nil {
		err = proc.Sigqueue(p.pid, signal, *value)
	} else {
		err = p.signalTo(signal)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ESRCH):
		return decl.Fail(script.NoProcess, "%s has ended", name)
	case errors.Is(err, unix.EPERM):
		return decl.Fail(script.Permission, "the kernel does not let ipcrun send it a signal")
	}
	return decl.Fail(prims.Invalid, "%v", err)
}

// takeIfReaped notices that the parent of an ended process has taken its
// status in the meantime.
func (r *run) takeIfReaped(p *process) {
	if p.ended && !p.reaped {
		if _, ok := r.arena.Slot(p.slot).Status(); ok {
			p.reaped = true
		}
	}
}

// Wait waits for declared processes to end, children of whomever.
func (r *run) Wait(a *script.Action, slots []int, _ bool) (any, error) {
	err := r.block(&waiter{
		what: "wait", step: a.Step, deadline: a.Deadline,
		done: func() (bool, error) {
			for _, s := range slots {
				if why := r.lostCause(s); why != "" {
					return false, decl.Fail(script.NoProcess, "%s", why)
				}
				if !r.procs[s].ended {
					return false, nil
				}
			}
			return true, nil
		},
	})
	if err != nil {
		return nil, err
	}
	p := r.procs[slots[len(slots)-1]]
	return agent.StatusValue(p.pid, p.status), nil
}

// Press presses a key on a terminal. When it returns, the kernel has sent the
// signals that the key stands for.
func (r *run) Press(a *script.Action, slot int, key string) error {
	if slot < 0 {
		for s := range r.terms {
			slot = s
		}
	}
	t := r.terms[slot]
	if t == nil {
		return decl.Fail(script.NoProcess, "no terminal")
	}
	r.catchUp(slot, 1)
	if r.procs[slot].ended && r.groupGone(t) {
		return decl.Fail(script.NoProcess, "%s has ended: nobody is at the terminal any more", r.plan.Slots[slot].Name)
	}
	b, err := keys.Parse(key)
	if err != nil {
		return err
	}
	for i := range r.procs {
		// A process that was forked a moment ago has no dispositions yet.
		if r.terminalOf(i) == t {
			r.arena.AwaitStarted(i)
		}
	}
	if err := r.awaitRest(a, slot, t); err != nil {
		return err
	}
	r.emit(&event.Rec{Kind: event.Pressed, Step: a.Step, Obj: uint32(slot), Value: key})
	t.pressed = arena.Now()
	if err := t.tty.Press(b...); err != nil {
		return err
	}
	r.pump(0)
	return nil
}

// groupGone: the foreground group of a terminal has no process left.
func (r *run) groupGone(t *terminal) bool {
	pgid, err := t.tty.Foreground()
	return err != nil || unix.Kill(-pgid, 0) == unix.ESRCH
}

// unmet records a check that was waited for in vain; about is the slot of the
// process that it was about, or NoObj.
func (r *run) unmet(a *script.Action, about uint32, err error, want string, ps []event.Part, why string) error {
	var s *stuck
	if errors.As(err, &s) {
		// That everybody waits was looked for, and is the end of the scenario; that
		// a text or a condition can never come is not, and has no waits.
		if s.waits != nil && r.plan.Scenario.Outcome == "deadlock" && !r.points.now && r.anybodyWaits() {
			return err
		}
		if a.ExpectedError() == prims.Timeout {
			return errTimeout // in vain is in vain, however long it would have waited
		}
		if s.waits == nil {
			s.waits = r.waits()
		}
		if why == "" || strings.HasSuffix(s.why, "without printing it") {
			why = joinWhy(s.why, why)
		}
		r.emit(&event.Rec{Kind: event.Checked, Verb: a.Verb.ID(), Step: a.Step, Obj: about, Value: merge(event.CheckValue(false, want, why, ps), map[string]any{
			"waits": s.waits, "cycle": s.cycle, "doing": r.doing,
		})})
		return err
	}
	if errors.Is(err, errTimeout) && a.ExpectedError() != prims.Timeout {
		v := event.CheckValue(false, want, joinWhy(joinWhy("its timeout passed", why), r.keptAway()), ps)
		limit := r.limitOf(a)
		v["limit"] = map[string]any{"what": limit.What, "after": int(limit.After), "set_by": limit.SetBy}
		v["waits"], v["cycle"] = r.waits(), r.cycle()
		r.emit(&event.Rec{Kind: event.Checked, Verb: a.Verb.ID(), Step: a.Step, Obj: about, Value: v})
	}
	return err
}

func joinWhy(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

func merge(a, b map[string]any) map[string]any {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// terminalOf is the terminal of a process or of the ancestor that has one.
func (r *run) terminalOf(slot int) *terminal {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if t := r.terms[s]; t != nil {
			return t
		}
	}
	return nil
}

// Eventually waits until a condition holds.
func (r *run) Eventually(a *script.Action, c script.Condition) error {
	var ok bool
	var last error
	wanting := func() (string, []event.Part, string) {
		var ps []event.Part
		for _, p := range c.Explain() {
			ps = append(ps, event.Part{Text: p.Text, Value: p.Value})
		}
		why := r.whyFalse(c.Source())
		if last != nil {
			why = last.Error()
		}
		return c.Source(), ps, why
	}
	err := r.block(&waiter{
		wanting: wanting,
		what:    "eventually", step: a.Step, deadline: a.Deadline, check: true, limit: r.stepLimit(), any: true,
		done: func() (bool, error) {
			ok, last = c.Holds()
			return ok, nil
		},
	})
	if err == nil {
		r.emit(&event.Rec{Kind: event.Checked, Verb: a.Verb.ID(), Step: a.Step, Obj: event.NoObj, Value: event.CheckValue(true, c.Source(), "", nil)})
		return nil
	}
	want, ps, why := wanting()
	return r.unmet(a, event.NoObj, err, want, ps, why)
}
