package engine

import (
	"time"

	"ipcrun/engine/event"
	"ipcrun/engine/script"
	"ipcrun/spec"
)

// A check that earns points and fails costs them, and the script goes on: what
// one mistake costs does not depend on where in the file it shows first. A step
// that makes no sense then says so with needs:.

// barred skips a step that needs a check which has not passed.
func (r *run) barred(m *script.Machine, a *script.Action, s *spec.Step) bool {
	if s == nil {
		return false
	}
	for _, n := range s.Needs {
		if !r.seen[n.ID] {
			r.emit(&event.Rec{Kind: event.Barred, Step: s.ID, Obj: event.NoObj, Value: n.Name})
			r.points.lost = true
			m.Skip(a)
			return true
		}
	}
	return false
}

// score is how a run does with its checks that earn points.
type score struct {
	now  bool // the step that is being done is one of them
	lost bool // one of them has failed, or was not done
}

// scored reports whether a step of the script earns points.
func scored(s *spec.Step) bool { return s != nil && s.Points > 0 }

// lost notes that the step which was just done has failed and cost its points.
// It reports whether the script goes on behind it.
func (r *run) lost(m *script.Machine, a *script.Action) bool {
	end := m.End()
	if !r.points.now || end == nil || end.Uncaught == nil {
		return false
	}
	if !a.Verb.Checks {
		r.failedStep(a.Step, end.Uncaught.Cause(), 0)
	}
	r.points.lost = true
	m.GoOn()
	return true
}

// lostBefore is lost of a step that was not begun, since its guard or one of its
// parameters has no value.
func (r *run) lostBefore(m *script.Machine) bool {
	end := m.End()
	if r.stop != nil || end == nil || end.Uncaught == nil {
		return false
	}
	s := r.plan.StepAt(end.Uncaught.Step)
	if !scored(s) {
		return false
	}
	r.failedStep(s.ID, end.Uncaught.Cause(), 0)
	r.points.lost = true
	m.GoOn()
	r.tell(s)
	return true
}

// tell gives whoever watches the run its log so far, once a check that earns
// points is done.
func (r *run) tell(s *spec.Step) {
	if r.told != nil && scored(s) {
		r.told(r.digest())
	}
}

// limitOf is the limit of a step that waits.
func (r *run) limitOf(a *script.Action) *event.Limit {
	if within, given := a.Args.Get("within").(int); given {
		return &event.Limit{What: "step", After: int64(r.engine.scaled(time.Duration(within))), SetBy: r.engine.setBy("the file")}
	}
	if a.Deadline != 0 {
		return &event.Limit{What: "step", After: a.Deadline - a.Since(), SetBy: r.engine.setBy("the file")}
	}
	return r.stepLimit()
}
