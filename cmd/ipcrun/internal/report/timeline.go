package report

import (
	"bufio"
	"fmt"
	"io"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// Timeline writes what happened in a run, one line for each event, in order:
// when, in which process, what, and the line of the file. The error is w's.
func Timeline(w io.Writer, r Run, depth Depth, st Style) error {
	cause := event.Judge(r.Log).Cause
	whos, times := 0, 0
	for i := range r.Log {
		if depth < Details && r.sentence(i, depth, false) == "" {
			continue
		}
		whos = max(whos, source.Cells(r.who(&r.Log[i])))
		times = max(times, len(moment(r.Log[i].At)))
	}
	b := bufio.NewWriter(w)
	for i := range r.Log {
		s := r.sentence(i, depth, r.over(cause, i))
		if s == "" {
			continue
		}
		r.writeRow(b, &r.Log[i], s, times, whos, st)
	}
	return b.Flush()
}

// killed reports whether a process or the script has sent SIGKILL to whoever event
// number i tells the end of.
func (r Run) killed(i int) bool {
	for k := range r.Log[:i] {
		e := &r.Log[k]
		if event.KindOf(e.Type) == event.Sent && e.Signal == "SIGKILL" && e.Peer == r.Log[i].Proc {
			return true
		}
	}
	return false
}

// over reports whether event number i came after the end of the run was
// decided, or during the tear-down that follows the script.
func (r Run) over(cause, i int) bool {
	for k := range r.Log[:i] {
		switch event.KindOf(r.Log[k].Type) {
		case event.Deadlock, event.Expired, event.Stopped:
			return true // whatever finally: found afterwards
		}
	}
	return cause >= 0 && i > cause || cause < 0 && r.lastStep() < i
}

// lastStep is the index of the last event of the script.
func (r Run) lastStep() int {
	for i := len(r.Log) - 1; i >= 0; i-- {
		switch event.KindOf(r.Log[i].Type) {
		case event.StepEnd, event.StepBegin:
			return i
		}
	}
	return 0
}

func (r Run) writeRow(w io.Writer, e *event.Event, s string, times, whos int, st Style) {
	switch event.KindOf(e.Type) {
	case event.StepBegin, event.StepEnd, event.Raced, event.Missed:
		// These name their lines themselves.
	default:
		if e.Line == 0 {
			break
		}
		s += st.faint(fmt.Sprintf("  line %d", e.Line))
	}
	fmt.Fprintf(w, "  %s  %s  %s\n", st.faint(fmt.Sprintf("%*s", times, moment(e.At))), source.Pad(r.who(e), whos), s)
}

// lastEvents writes the last events up to number upto, at most n of them.
func (r Run) lastEvents(w io.Writer, upto, n int, st Style) {
	var rows []int
	for i := min(upto, len(r.Log)-1); i >= 0 && len(rows) < n; i-- {
		switch event.KindOf(r.Log[i].Type) {
		case event.Ready, event.Deadlock, event.Expired, event.Stopped:
			continue // said already, or without interest here
		}
		depth := Turns
		if event.KindOf(r.Log[i].Type) == event.Op {
			depth = Details
		}
		if i != upto && r.sentence(i, depth, false) != "" {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return
	}
	cause := event.Judge(r.Log).Cause
	whos, times := 0, 0
	for _, i := range rows {
		whos = max(whos, source.Cells(r.who(&r.Log[i])))
		times = max(times, len(moment(r.Log[i].At)))
	}
	fmt.Fprintf(w, "  %s\n", st.bold("what happened last"))
	for k := len(rows) - 1; k >= 0; k-- {
		e := &r.Log[rows[k]]
		fmt.Fprint(w, "  ")
		r.writeRow(w, e, r.sentence(rows[k], Details, r.over(cause, rows[k])), times, whos, st)
	}
}
