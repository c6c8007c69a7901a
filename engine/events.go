package engine

import (
	"encoding/hex"
	"hash/fnv"
	"sort"
	"strconv"
	"time"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/engine/supervisor"
	"ipcrun/prims"
	"ipcrun/spec"
)

// describe names a step as its author would.
func describe(s *spec.Step) string {
	text := s.Verb.Name
	if s.Obj != nil && s.Obj.Form == spec.IsRefs {
		text += " " + s.Obj.Refs[0].Name
	}
	return text
}

// manyEvents is the length of a log from which on its routine operations are
// left out of what reports see, but for the last ones.
const manyEvents, lastOps = 50_000, 2_000

// digest is the log as reports see it.
func (r *run) digest() []event.Event {
	n := r.log.Len()
	if n <= manyEvents {
		return r.events(nil)
	}
	return r.events(func(i int, k event.Kind) bool { return i >= n-lastOps || k.Notable() })
}

// events is the log, or what keep accepts of it, with names for numbers, in
// order of time.
func (r *run) events(keep func(int, event.Kind) bool) []event.Event {
	var out []event.Event
	if keep == nil {
		out = make([]event.Event, 0, r.log.Len()) // large ones, and there may be many
	}
	t0 := r.zero()
	var ops []numbered
	r.log.Each(keep, func(slot int, rec event.Rec) {
		if n := r.numberOf(&rec); n != 0 {
			ops = append(ops, numbered{len(out), rec.Obj, n})
		}
		out = append(out, r.event(t0, slot, &rec))
	})
	onTime(ops, func(i int) *int64 { return &out[i].At })
	sort.SliceStable(out, func(i, j int) bool { return out[i].At < out[j].At })
	return out
}

// zero is when the run began, on the clock of its records.
func (r *run) zero() int64 {
	if r.arena != nil && r.arena.Fd() >= 0 {
		return r.arena.T0()
	}
	return r.t0
}

func (r *run) event(t0 int64, slot int, rec *event.Rec) event.Event {
	e := event.Event{At: rec.At - t0, Type: rec.Kind.String(), Seq: rec.Seq, Value: rec.Value}
	if slot >= 0 {
		e.Proc = r.plan.Slots[slot].Name
		if r.procs != nil {
			e.Pid = r.procs[slot].pid
		}
	}
	if s := r.plan.StepAt(rec.Step); s != nil {
		e.Line, e.Col = s.VerbAt.Start.Line, s.VerbAt.Start.Col
		e.Step, e.Hint, e.Points = s.Name, s.Hint, s.Points
		e.Verb = s.Verb.Name
	}
	if v := script.VerbByID(rec.Verb); v != nil && rec.Kind == event.Op {
		e.Verb = v.Name
	}
	m, _ := rec.Value.(map[string]any)
	switch rec.Kind {
	case event.Start:
		e.Run = r.header()
		e.Value = nil
	case event.Op:
		e.Object = r.Primitive(int(rec.Obj))
		if dead, ok := heirOf(rec); ok {
			e.Detail, e.Value = r.Process(dead)+", which held it, had ended", nil
		} else if afterEnds(rec) {
			e.Detail, e.Value = "the end of file", nil
		} else if _, shown, ok := prims.TwofoldOf(rec.Value); ok {
			e.Value = shown
		}
	case event.Fail:
		e.Error, _ = m["name"].(string)
		e.Detail, _ = m["detail"].(string)
		e.Expected = rec.Flags&event.FlagExpected != 0
		e.Travels = rec.Flags&event.FlagTravels != 0
		e.Answered = rec.Flags&event.FlagAnswered != 0
		// Only what a program asks for has its verb in the record; elsewhere it is
		// not said, and 0 is the number of a verb too.
		if v := script.VerbByID(rec.Verb); v != nil && rec.Step == 0 && e.Answered {
			e.Verb = v.Name
		}
		if m["waits"] != nil {
			e.Stuck = r.stuckOf(t0, m)
		}
		e.Value = nil
	case event.Sent, event.Got:
		if to, _ := m["to"].(int); slot < 0 && to != 0 {
			r.about(&e, to)
			e.Detail, _ = m["disposition"].(string)
		}
		r.signalEvent(&e, rec)
	case event.Called:
		by, _ := m["by"].(int)
		r.about(&e, by)
		e.Verb, _ = m["name"].(string)
		e.Detail, _ = m["call"].(string)
		e.Value = m["ns"]
	case event.Lost:
		by, _ := m["by"].(int)
		r.about(&e, by)
		e.Value = m["text"]
		if m["fd"] == 2 {
			e.Stream = "stderr"
		}
		n, _ := m["status"].(int)
		e.Status = statusOf(proc.DecodeStatus(uint32(n)))
	case event.Returned:
		n, _ := rec.Value.(int)
		e.Signal, e.Value = signalName(n), nil
	case event.Forked, event.Reaped, event.Ended, event.Pressed:
		e.Object = r.Process(int(rec.Obj))
		r.lifeEvent(&e, slot, rec, m)
	case event.Exiting:
		n, _ := rec.Value.(int)
		e.Status, e.Value = &event.Status{ExitCode: &n}, nil
	case event.Masked:
		e.Detail, _ = m["how"].(string)
		list, _ := m["signals"].([]any)
		for i, s := range list {
			n, _ := s.(int)
			if i > 0 {
				e.Signal += " "
			}
			e.Signal += signalName(n)
		}
		e.Value = nil
	case event.Disposed:
		n, _ := m["signal"].(int)
		e.Signal = signalName(n)
		e.Detail, _ = m["disposition"].(string)
		e.Value = nil
	case event.Checked:
		c := event.CheckOf(rec.Value)
		if rec.Obj != event.NoObj {
			e.Object = r.Process(int(rec.Obj))
		}
		e.Check, e.Value = &c, nil
		if m["waits"] != nil {
			e.Stuck = r.stuckOf(t0, m)
		}
		if l, _ := m["limit"].(map[string]any); l != nil {
			e.Limit = limitEvent(l)
		}
	case event.Deadlock:
		e.Stuck = r.stuckOf(t0, m)
		e.Detail, _ = m["why"].(string)
		e.Value = nil
	case event.Expired:
		e.Limit, e.Value = limitEvent(m), nil
		e.Stuck = r.stuckOf(t0, m)
		if m["check"] != nil {
			c := event.CheckOf(m["check"])
			e.Check = &c
		}
	case event.Raced:
		e.Object = r.Primitive(int(rec.Obj))
		e.Race, e.Value = raceEvent(r.plan, t0, m), nil
	case event.Stopped:
		e.Signal, _ = rec.Value.(string)
		e.Value = nil
	case event.Print:
		if rec.Flags&event.FlagErr != 0 {
			e.Stream = "stderr"
		}
		if rec.Obj != event.NoObj {
			// The name of who wrote it may have been found since.
			s := r.authorSlot(r.programAbove(slot), int(rec.Obj))
			e.Proc, e.Pid = r.plan.Slots[s].Name, r.procs[s].pid
		}
	case event.Typed:
		e.Object = r.Process(int(rec.Obj))
	case event.Overrun:
		e.Object = r.Process(int(rec.Obj))
		e.Detail, _ = m["what"].(string)
		e.Value = m["limit"]
	case event.Barred:
		e.Detail, _ = rec.Value.(string)
		e.Value = nil
	case event.Broken, event.Skipped:
		e.Detail, _ = rec.Value.(string)
		if m != nil {
			e.Detail, _ = m["text"].(string)
			e.Line, _ = m["line"].(int)
			e.Col, _ = m["col"].(int)
		}
		e.Value = nil
	}
	return e
}

func limitEvent(m map[string]any) *event.Limit {
	l := &event.Limit{}
	l.What, _ = m["what"].(string)
	n, _ := m["after"].(int)
	l.After = int64(n)
	l.SetBy, _ = m["set_by"].(string)
	return l
}

// about says which process an event is about, by its number: one that nobody
// declared has no other name.
func (r *run) about(e *event.Event, pid int) {
	e.Pid = pid
	if s := r.slotOfPid(pid); s >= 0 {
		e.Proc = r.plan.Slots[s].Name
	} else {
		e.Proc = strconv.Itoa(pid)
	}
}

func (r *run) signalEvent(e *event.Event, rec *event.Rec) {
	e.Value = nil
	s := event.SignalOf(rec.Value)
	pid, code := s.Pid, s.Code
	e.Signal, e.PeerPid = signalName(s.Number), pid
	// What sigqueue sends has a value, be it 0; what kill sends has none.
	if s.Value != 0 || rec.Kind == event.Sent && s.Valued || rec.Kind == event.Got && code == proc.CodeQueue {
		e.Value = s.Value
	}
	if rec.Kind == event.Sent {
		e.Peer = r.Process(int(rec.Obj))
		return
	}
	from := fromOther
	switch {
	case code == codeKernel || pid == 0:
		from = fromKernel
	case pid == ownPid:
		from = fromScript
	default:
		if slot := r.slotOfPid(pid); slot >= 0 {
			from = slot
		}
	}
	e.Peer = r.senderName(from)
	switch {
	case pid == supervisor.OutOfSight:
		e.Peer, e.PeerPid = "unknown", 0
	case from == fromOther:
		e.Peer = strconv.Itoa(pid)
	}
	switch code {
	case proc.CodeUser:
		e.Code = "user"
	case proc.CodeQueue:
		e.Code = "queue"
	case proc.CodeKernel:
		e.Code = "kernel"
	case proc.CodeTimer:
		e.Code = "timer"
	case proc.CodeThread:
		e.Code = "thread"
	default:
		e.Code = strconv.Itoa(code)
	}
}

func (r *run) lifeEvent(e *event.Event, slot int, rec *event.Rec, m map[string]any) {
	switch rec.Kind {
	case event.Forked:
		pid, _ := rec.Value.(int)
		e.PeerPid, e.Value = pid, nil
		if parent := r.plan.Slots[rec.Obj].Parent; slot < 0 && parent >= 0 {
			e.Detail = "by " + r.Process(parent)
		}
		if at := r.forkSeen(pid); at != 0 && r.isFound(int(rec.Obj)) {
			e.At += at - rec.At
		}
	case event.Ended:
		// It is about the process itself.
		e.Proc, e.Object = e.Object, ""
		e.Pid = r.procs[rec.Obj].pid
		e.Status, e.Value = nil, nil
		if p := r.procs[rec.Obj].program; p != nil {
			e.Used = p.used
		}
		if ws, ok := rec.Value.(int); ok {
			e.Status = statusOf(proc.DecodeStatus(uint32(ws)))
		}
	case event.Reaped:
		if e.Value = nil; m == nil {
			return
		}
		st := &event.Status{}
		if c, ok := m["exit_code"].(int); ok {
			st.ExitCode = &c
		}
		st.Signal, _ = m["exit_signal"].(string)
		e.Status = st
	}
}

func statusOf(st proc.Status) *event.Status {
	out := &event.Status{Core: st.Core}
	if st.Signaled {
		out.Signal = signalName(int(st.Signal))
	} else {
		out.ExitCode = &st.Code
	}
	return out
}

// stuckOf gives names to an explanation of who waits for whom.
func (r *run) stuckOf(t0 int64, m map[string]any) *event.Stuck {
	s := &event.Stuck{}
	s.Doing, _ = m["doing"].(string)
	list, _ := m["cycle"].([]any)
	for _, c := range list {
		n, _ := c.(int)
		s.Cycle = append(s.Cycle, r.Process(n))
	}
	waits, _ := m["waits"].([]any)
	for _, x := range waits {
		w, _ := x.(map[string]any)
		n, _ := w["proc"].(int)
		since, _ := w["since"].(int)
		step, _ := w["step"].(int)
		out := event.Waiting{Proc: r.Process(n), Since: int64(since) - t0}
		if out.Since < 0 {
			out.Since = 0
		}
		out.On, _ = w["on"].(string)
		out.Why, _ = w["why"].(string)
		out.Verb, _ = w["verb"].(string)
		if st := r.plan.StepAt(uint32(step)); st != nil {
			out.Line = st.VerbAt.Start.Line
		}
		who, _ := w["for"].([]any)
		held, _ := w["held"].([]any)
		for i, h := range who {
			k, _ := h.(int)
			out.For = append(out.For, r.Process(k))
			if i < len(held) {
				id, _ := held[i].(int)
				line := 0
				if st := r.plan.StepAt(uint32(id)); st != nil {
					line = st.VerbAt.Start.Line
				}
				out.HeldSince = append(out.HeldSince, line)
			}
		}
		s.Waits = append(s.Waits, out)
	}
	return s
}

// header describes the run as a whole.
func (r *run) header() *event.Run {
	sc := r.plan.Scenario
	h := fnv.New128a()
	h.Write(sc.File.Data)
	out := &event.Run{
		Version: r.engine.opt.Version, Scenario: sc.Name, File: sc.File.Name, Hash: hex.EncodeToString(h.Sum(nil)),
		Outcome: sc.Outcome, Params: sc.Params, Args: r.engine.opt.Args, Started: r.start.UTC().Format(time.RFC3339), Host: Host(),
	}
	for i := range r.plan.Slots {
		out.Procs = append(out.Procs, r.plan.Slots[i].Name)
		if r.plan.Slots[i].Flags&(script.SlotProgram|script.SlotFound) != 0 {
			out.Programs = append(out.Programs, r.plan.Slots[i].Name)
		}
	}
	for _, s := range sc.All[1:] {
		if s.Points > 0 && !s.Unbound() {
			out.Points += s.Points
			out.Scored = append(out.Scored, event.ScoredStep{
				Line: s.VerbAt.Start.Line, Col: s.VerbAt.Start.Col, Name: s.Name, Verb: s.Verb.Name, Points: s.Points, Hint: s.Hint, Visibility: s.Visibility,
			})
		}
	}
	return out
}
