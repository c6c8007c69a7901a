package engine

import (
	"strings"

	"ipcrun/engine/event"
	"ipcrun/prims/arena"
)

// sending is a signal on its way or arrived.
type sending struct {
	from, to int // slots, -1: the script, -2: the kernel, -3: somebody else
	signal   int
	step     uint32
	at       int64
}

// Senders that have no slot.
const (
	fromScript = -1
	fromKernel = -2
	fromOther  = -3
)

// note keeps the state that conditions ask for in line with the log. slot is
// -1 for events of the engine.
func (r *run) note(slot int, rec *event.Rec) {
	switch rec.Kind {
	case event.Ready:
		r.procs[slot].readyAt = rec.At
	case event.Reaped:
		r.reaped = append(r.reaped, int(rec.Obj))
	case event.Print:
		if slot < 0 {
			return
		}
		p := r.procs[slot]
		text, _ := rec.Value.(string)
		if rec.Flags&event.FlagErr != 0 {
			return
		}
		p.part += text
		if rec.Flags&event.FlagMore == 0 {
			if p.program == nil { // of a program every byte is kept as it came
				p.out = append(append(p.out, p.part...), '\n')
			}
			// A text of several lines is several lines.
			p.lines = append(p.lines, strings.Split(p.part, "\n")...)
			p.part = ""
		}
	case event.Sent:
		r.sent = append(r.sent, sending{from: slot, to: int(rec.Obj), signal: event.SignalOf(rec.Value).Number, step: rec.Step, at: rec.At})
	case event.Got:
		if slot < 0 { // of a program: see observedSignals
			return
		}
		s := event.SignalOf(rec.Value)
		if from := r.sender(s.Pid, s.Code); from < 0 && from != fromScript {
			r.sent = append(r.sent, sending{from: from, to: slot, signal: s.Number, at: rec.At})
		}
	case event.Fail:
		// What was only attempted was not sent.
		if k := len(r.sent) - 1; k >= 0 && r.sent[k].from == slot && r.sent[k].step == rec.Step {
			r.sent = r.sent[:k]
		}
		if rec.Flags&event.FlagExpected == 0 && slot >= 0 {
			r.procs[slot].ending = true
			r.fail()
		}
	case event.Checked:
		m, _ := rec.Value.(map[string]any)
		if ok, _ := m["ok"].(bool); !ok {
			if s := r.plan.StepAt(rec.Step); slot >= 0 && s != nil && s.Verb.Name == "assert" {
				r.procs[slot].ending = true
			}
			if slot >= 0 || !r.points.now {
				r.fail()
			}
		} else {
			r.seen[rec.Step] = true
		}
	case event.Exiting:
		r.procs[slot].ending, r.procs[slot].exit = true, rec.Step
	case event.OrderDone:
		m, _ := rec.Value.(map[string]any)
		id, _ := m["id"].(int)
		p := r.procs[slot]
		p.vars, _ = m["vars"].(map[string]any)
		if o := r.orders[id]; o != nil && !o.done {
			o.done, o.result = true, m["result"]
			p.pending--
		}
	}
	if rec.Kind == event.Fail && rec.Flags&event.FlagTravels != 0 {
		r.travels = append(r.travels, travelling{slot, *rec})
	}
	if rec.Kind == event.Fail && rec.Flags&event.FlagExpected != 0 {
		r.seen[rec.Step] = true
	}
}

// fail ends the run as failed; the log says why.
func (r *run) fail() {
	if r.stop == nil && !r.torn {
		r.stop = errFailed
	}
}

// sender finds out who sent a signal.
func (r *run) sender(pid, code int) int {
	if code == codeKernel || pid == 0 {
		return fromKernel
	}
	if pid == ownPid {
		return fromScript
	}
	for i := range r.procs {
		if int(r.arena.Slot(i).Pid.Load()) == pid {
			return i
		}
	}
	if slot := r.slotOfPid(pid); slot >= 0 {
		return slot
	}
	return fromOther
}

// missed reports the checks of the scenario that never ran: what was not
// checked has not passed.
func (r *run) missed() {
	for _, s := range r.plan.Scenario.All[1:] {
		if s.Verb.Name == "always" || !s.Verb.Checks && s.Error == "" {
			continue
		}
		if s.Conditional || s.Unbound() || r.seen[s.ID] || r.inFinally(s.ID) {
			continue
		}
		r.emit(&event.Rec{Kind: event.Missed, Step: s.ID, Obj: event.NoObj, At: arena.Now()})
		r.stop = errFailed
	}
}

func (r *run) inFinally(id uint32) bool {
	f := r.plan.Scenario.Finally
	return len(f) > 0 && id >= f[0].ID
}
