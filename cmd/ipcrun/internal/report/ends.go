package report

import (
	"fmt"
	"slices"

	"ipcrun/engine/event"
)

// endOf is the end of a process, nil if it lived at event number at.
func (r Run) endOf(proc string, at int) *event.Event {
	for i := range at {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Ended && e.Proc == proc && proc != "" {
			return e
		}
	}
	return nil
}

// howEnded says how a process came to its end before event number at, and
// whom it left behind.
func (r Run) howEnded(end *event.Event, at int) []string {
	proc := end.Proc
	st := end.Status
	switch {
	case st != nil && st.Signal != "":
		return []string{r.killedBy(end)}
	case st == nil || st.ExitCode == nil:
		return []string{proc + " had ended before, and nobody knows how."}
	}
	if f := r.uncaught(proc, at); f != nil {
		return []string{fmt.Sprintf("%s had ended before: its %s in line %d failed with %s%s.", proc, f.Verb, f.Line, f.Error, because(f.Detail))}
	}
	why := []string{fmt.Sprintf("%s had exited with code %d before: %s.", proc, *st.ExitCode, r.lastDone(proc, at))}
	if r.isProgram(proc) {
		why[0] = fmt.Sprintf("%s had exited with code %d before.", proc, *st.ExitCode)
	}
	if orphans := r.childrenAlive(proc, end); len(orphans) > 0 {
		verb := "was"
		if len(orphans) > 1 {
			verb = "were"
		}
		why = append(why, fmt.Sprintf("It did not wait for its child: %s %s still running then.", list(orphans), verb))
	}
	return why
}

// isProgram reports whether the file does not script a process.
func (r Run) isProgram(proc string) bool { return slices.Contains(r.head().Programs, proc) }

// inLine is where in the file an event belongs, "" if it belongs nowhere there.
func inLine(e *event.Event) string {
	if e.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", e.Line)
}

func because(detail string) string {
	if detail == "" {
		return ""
	}
	return " (" + visible(detail) + ")"
}

// killedBy says which signal ended a process and who sent it.
func (r Run) killedBy(end *event.Event) string {
	proc, signal := end.Proc, end.Status.Signal
	if s := r.sentBefore(proc, signal, end.At); s != nil {
		by := s.Proc
		switch by {
		case "":
			by = "the script"
		case proc:
			by = "it itself"
		}
		if signal == "SIGKILL" {
			return fmt.Sprintf("%s was ended by SIGKILL, which %s sent%s, and which no process can handle or ignore.", proc, by, inLine(s))
		}
		return fmt.Sprintf("%s was ended by %s, which %s sent%s: %s neither handles nor ignores it.", proc, signal, by, inLine(s), proc)
	}
	if key := r.keyBefore(end.At, signal); key != nil {
		return fmt.Sprintf("%s was ended by %s: %v (line %d) sends it to every process at the terminal, and %s neither handles nor ignores it.", proc, signal, key.Value, key.Line, proc)
	}
	if o := r.beyond(proc); o != nil && signal == "SIGKILL" {
		if o.Detail == "output" {
			return fmt.Sprintf("%s was ended by SIGKILL: it had printed more than %d bytes, which is its limit (limits: output:).", proc, integer(o.Value))
		}
		return fmt.Sprintf("%s was ended by SIGKILL: %s.", proc, o.Detail)
	}
	switch {
	case signal == "SIGXCPU":
		return fmt.Sprintf("%s was ended by SIGXCPU: it had used as much processor time as its limit allows, and neither handles nor ignores the signal.", proc)
	case signal == "SIGKILL" && r.warned(end):
		return fmt.Sprintf("%s was ended by SIGKILL: it went on after SIGXCPU and came to its hard limit of processor time.", proc)
	}
	return fmt.Sprintf("%s was ended by %s.", proc, signal)
}

// beyond is where a process went beyond a limit that ipcrun looks after, nil if it
// never did.
func (r Run) beyond(proc string) *event.Event {
	for i := range r.Log {
		e := &r.Log[i]
		if event.KindOf(e.Type) == event.Overrun && e.Object == proc && e.Detail != "supervisor" && e.Detail != "stopped" {
			return e
		}
	}
	return nil
}

// warned: the kernel had told a process before its end that it has used up its
// processor time.
func (r Run) warned(end *event.Event) bool {
	return slices.ContainsFunc(r.Log, func(e event.Event) bool {
		return event.KindOf(e.Type) == event.Got && e.Proc == end.Proc && e.Signal == "SIGXCPU" && e.Peer == "kernel" && e.At <= end.At
	})
}

// uncaught is the error that ended a process, nil if none did.
func (r Run) uncaught(proc string, at int) *event.Event {
	for i := range at {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Fail && e.Proc == proc && !e.Expected {
			return e
		}
	}
	return nil
}

// lastDone says how far a process came in its steps.
func (r Run) lastDone(proc string, at int) string {
	for i := range r.Log {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Exiting && e.Proc == proc && e.Line > 0 {
			return fmt.Sprintf("that is its exit in line %d", e.Line)
		}
	}
	for i := at - 1; i >= 0; i-- {
		e := &r.Log[i]
		if e.Proc == proc && e.Line > 0 && r.answering(i) == nil {
			return fmt.Sprintf("it had no more steps after line %d", e.Line)
		}
	}
	return "it had no more steps"
}

// childrenAlive lists the children of a process that outlived it.
func (r Run) childrenAlive(proc string, end *event.Event) []string {
	var out []string
	for i := range r.Log {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Forked || e.At > end.At || e.Proc != proc && e.Detail != "by "+proc || slices.Contains(out, e.Object) {
			continue
		}
		ended := false
		for k := range r.Log {
			o := &r.Log[k]
			ended = ended || event.KindOf(o.Type) == event.Ended && o.Proc == e.Object && o.At <= end.At
		}
		if !ended {
			out = append(out, e.Object)
		}
	}
	return out
}

// badEnds speaks of the processes that ended otherwise than with code 0.
func (r Run) badEnds(at int) []string {
	var why []string
	for i := range at {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Ended || e.Status == nil {
			continue
		}
		switch {
		case e.Status.Signal == "SIGKILL" && r.over(at, i) && !r.killed(i):
			// ipcrun has ended it, as the run was over.
		case e.Status.Signal != "":
			why = append(why, r.killedBy(e))
		case e.Status.ExitCode != nil && *e.Status.ExitCode != 0:
			if f := r.uncaught(e.Proc, at); f != nil {
				why = append(why, fmt.Sprintf("%s ended with an error: its %s in line %d failed with %s%s.", e.Proc, f.Verb, f.Line, f.Error, because(f.Detail)))
			} else {
				why = append(why, fmt.Sprintf("%s had exited with code %d.", e.Proc, *e.Status.ExitCode))
			}
		}
	}
	return why
}

// badEndsBut leaves out the process whose error is the matter already.
func (r Run) badEndsBut(e *event.Event) []string {
	var out []string
	for i := range r.Log {
		o := &r.Log[i]
		if o.At > e.At || event.KindOf(o.Type) != event.Ended || o.Proc == e.Proc || o.Status == nil || o.Status.Signal == "" {
			continue
		}
		out = append(out, r.killedBy(o))
	}
	return out
}
