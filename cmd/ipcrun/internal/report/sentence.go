package report

import (
	"fmt"
	"sort"
	"strings"

	"ipcrun/engine/event"
)

// Depth says how much of a log a timeline shows.
type Depth int

// The depths.
const (
	Turns   Depth = 1 // what changes the course of things: forks, signals, lines, ends
	Details Depth = 2 // every operation and step as well
)

// who is the first column of a timeline.
func (r Run) who(e *event.Event) string {
	if event.KindOf(e.Type) == event.Forked && e.Proc == "" {
		if parent, ok := strings.CutPrefix(e.Detail, "by "); ok {
			return fmt.Sprintf("%s(%d)", parent, r.pidOf(parent))
		}
	}
	switch {
	case e.Proc != "" && e.Pid != 0:
		return fmt.Sprintf("%s(%d)", e.Proc, e.Pid)
	case e.Proc != "":
		return e.Proc
	}
	switch event.KindOf(e.Type) {
	case event.StepBegin, event.StepEnd, event.Print, event.Checked, event.Fail, event.Pressed, event.Typed, event.Barred, event.Sent:
		return "script"
	}
	return "ipcrun"
}

// pidOf is the number of a declared process.
func (r Run) pidOf(proc string) int {
	for i := range r.Log {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Forked && e.Object == proc {
			return e.PeerPid
		}
	}
	return 0
}

// sentence says what an event is, "" if the depth leaves it out. ours says
// that the run was over already, so that what ends now ipcrun has ended.
func (r Run) sentence(i int, depth Depth, ours bool) string {
	e := &r.Log[i]
	ours = ours && !(event.KindOf(e.Type) == event.Ended && r.killed(i))
	if s := turn(e, ours); s != "" {
		if event.KindOf(e.Type) == event.Forked && r.forkedTwice(i) {
			return ""
		}
		return s
	}
	if depth >= Details {
		return detail(e)
	}
	return ""
}

// forkedTwice: the parent has recorded the fork already, with its line.
func (r Run) forkedTwice(i int) bool {
	e := &r.Log[i]
	if e.Proc != "" {
		return false
	}
	for k := range r.Log {
		o := &r.Log[k]
		if o.Type == e.Type && o.Proc != "" && o.Object == e.Object && o.PeerPid == e.PeerPid {
			return true
		}
	}
	return false
}

// turn words the events that change the course of things.
func turn(e *event.Event, ours bool) string {
	switch event.KindOf(e.Type) {
	case event.Forked:
		return fmt.Sprintf("forks %s as process %d", e.Object, e.PeerPid)
	case event.Ready:
		return "is ready"
	case event.Print:
		if e.Stream != "" {
			return "prints to " + e.Stream + " " + value(e.Value)
		}
		return "prints " + value(e.Value)
	case event.Typed:
		if e.Value == nil {
			return "lets the input of " + e.Object + " end"
		}
		return "types " + value(e.Value) + " for " + e.Object
	case event.Overrun:
		return overrun(e)
	case event.Barred:
		return fmt.Sprintf("leaves out the %s in line %d: it needs %s, which has not passed", e.Verb, e.Line, quoted(e.Detail))
	case event.Sent:
		return "sends " + e.Signal + " to " + named(e.Peer, e.PeerPid) + carrying(e)
	case event.Got:
		if minor(e) {
			return ""
		}
		s := "gets " + e.Signal + " from " + sender(e) + carrying(e)
		if e.Detail == "ignored" {
			s += ", and ignores it"
		}
		return s
	case event.Pressed:
		return fmt.Sprintf("presses %v on the terminal of %s", e.Value, e.Object)
	case event.Reaped:
		if e.Status == nil {
			return fmt.Sprintf("has waited for %s, of which no status was kept", e.Object)
		}
		return fmt.Sprintf("takes the status of %s: %s", e.Object, e.Status)
	case event.Disposed:
		return e.Signal + " is now " + disposition(e.Detail)
	case event.Masked:
		return e.Detail + "s " + e.Signal
	case event.Held:
		return held(e)
	case event.Ended:
		if ours && e.Status != nil && e.Status.Signal == "SIGKILL" {
			return "is ended by ipcrun: the run is over"
		}
		return status(e.Status)
	case event.Lost:
		text, _ := e.Value.(string)
		return "ends with " + quoted(text) + " still in its stdio buffer, which it never wrote"
	case event.Checked:
		if e.Check == nil {
			return ""
		}
		if e.Check.OK {
			return e.Verb + " holds: " + visible(e.Check.Text)
		}
		return e.Verb + " FAILS: " + visible(e.Check.Text)
	case event.Fail:
		if e.Error == "AssertionFailed" && e.Verb == "assert" && !e.Travels {
			return "" // the check says it already
		}
		s := strings.TrimLeft(e.Verb+" fails: ", " ") + e.Error // the result of a task is no step
		if e.Detail != "" {
			s += ", " + visible(e.Detail)
		}
		switch {
		case e.Expected && e.Travels:
			s += " (this goes to the caller)"
		case e.Answered:
			s += " (the program is told)"
		case e.Expected:
			s += " (as expected)"
		}
		return s
	case event.Deadlock:
		return "nobody can move any more"
	case event.Expired:
		if e.Limit == nil {
			return "a time limit is over"
		}
		return fmt.Sprintf("the limit of %s for the %s is over", length(e.Limit.After), e.Limit.What)
	case event.Stopped:
		return "is interrupted by " + e.Signal
	case event.Broken:
		return "cannot go on: " + visible(e.Detail)
	case event.Output:
		return "somebody wrote " + value(e.Value)
	case event.Skipped:
		return "cannot run this here: " + visible(e.Detail)
	case event.Raced:
		if e.Race == nil {
			return "somebody uses " + e.Object + " at the same time as somebody else"
		}
		return fmt.Sprintf("found that nothing orders %s of %s by %s (line %d) and %s by %s (line %d)",
			e.Race.First.Verb, e.Object, e.Race.First.Proc, e.Race.First.Line, e.Race.Second.Verb, e.Race.Second.Proc, e.Race.Second.Line)
	case event.Missed:
		return fmt.Sprintf("the %s in line %d never ran", e.Verb, e.Line)
	case event.Clean:
		if e.Value != nil {
			return "could not end " + value(e.Value)
		}
	}
	return ""
}

// minor: a signal of interest to a thorough reader alone: to a process that the
// scenario does not declare, or the news of a child's end that nobody handles.
func minor(e *event.Event) bool {
	return e.Proc != "" && e.Proc[0] >= '0' && e.Proc[0] <= '9' || e.Detail != "" && e.Signal == "SIGCHLD"
}

// held words what a process has set of what the kernel holds of it.
func held(e *event.Event) string {
	m, _ := e.Value.(map[string]any)
	var parts []string
	if n, ok := m["nice"]; ok {
		parts = append(parts, fmt.Sprintf("the nice value %d", integer(n)))
	}
	if s, ok := m["cpu"]; ok {
		parts = append(parts, fmt.Sprintf("a limit of %d s of processor time", integer(s)))
	}
	if u, ok := m["umask"].(string); ok {
		parts = append(parts, "the umask "+u)
	}
	return "has " + list(parts) + " from here on"
}

// overrun words that a program was ended because it went beyond what it may.
func overrun(e *event.Event) string {
	switch e.Detail {
	case "output":
		return fmt.Sprintf("ends %s: it has printed more than %d bytes", e.Object, integer(e.Value))
	case "supervisor":
		return fmt.Sprintf("loses the process that watches %s: something has killed it", e.Object)
	case "stopped":
		return fmt.Sprintf("finds the process that watches %s stopped, and continues it", e.Object)
	}
	return fmt.Sprintf("finds %s beyond a limit: %s", e.Object, e.Detail)
}

// detail words the events that only a thorough reader wants.
func detail(e *event.Event) string {
	switch event.KindOf(e.Type) {
	case event.Op:
		s := e.Verb + " " + e.Object
		if e.Value != nil {
			s += " = " + value(e.Value)
		}
		return fmt.Sprintf("%s  (#%d)", s, e.Seq)
	case event.Called:
		return e.Detail
	case event.Got:
		return "gets " + e.Signal + " from " + sender(e) + carrying(e)
	case event.Returned:
		return "has handled " + e.Signal
	case event.Paused:
		return "pause is over"
	case event.Slept:
		return "sleep is over"
	case event.Alarmed:
		m, _ := e.Value.(map[string]any)
		return fmt.Sprintf("alarm in %vs (before: %vs left)", m["seconds"], m["left"])
	case event.Assigned:
		return "gets the variables " + value(e.Value)
	case event.OrderDone:
		return "has done what the script ordered"
	case event.Exiting:
		return "is about to exit: " + status(e.Status)
	case event.StepBegin:
		return fmt.Sprintf("begins %s in line %d", e.Verb, e.Line)
	case event.StepEnd:
		if ns := integer(e.Value); ns > 0 {
			return fmt.Sprintf("is done with line %d after %s", e.Line, span(ns))
		}
		return fmt.Sprintf("is done with line %d", e.Line)
	case event.Finished:
		return "is done"
	}
	return ""
}

// sender names where a signal came from.
func sender(e *event.Event) string {
	switch {
	case e.Peer == "kernel":
		return "the kernel"
	case e.Peer == "script":
		return "the script"
	case e.Peer == "unknown":
		return "somebody whom the kernel does not name"
	case e.Peer == e.Proc && e.Proc != "":
		return "itself"
	case e.Peer != "" && e.Peer[0] >= '0' && e.Peer[0] <= '9':
		return "process " + e.Peer + ", which the scenario does not declare"
	}
	return e.Peer
}

func named(name string, pid int) string {
	if name == "" || name == "?" {
		return fmt.Sprintf("process %d", pid)
	}
	return name
}

func carrying(e *event.Event) string {
	if e.Value == nil {
		return ""
	}
	return " with value " + value(e.Value)
}

func disposition(s string) string {
	switch s {
	case "ignore":
		return "ignored"
	case "default":
		return "what it is by default"
	case "handle":
		return "handled"
	}
	return s
}

// status is how a process ended, as a verb.
func status(s *event.Status) string {
	switch {
	case s == nil:
		return "ends, nobody knows how"
	case s.Signal != "":
		return "is ended by " + s.Signal
	case s.ExitCode != nil:
		return fmt.Sprintf("exits with code %d", *s.ExitCode)
	}
	return "ends, nobody knows how"
}

// integer reads a number that may have been through JSON.
func integer(v any) int64 {
	switch x := v.(type) {
	case int:
		return int64(x)
	case float64:
		return int64(x)
	}
	return 0
}

// value shows a value of an event on one line.
func value(v any) string {
	if m, ok := v.(map[string]any); ok && len(m) == 2 && m["cut"] != nil && m["bytes"] != nil {
		// The log itself keeps only the beginning of what is very long.
		return fmt.Sprintf("%s (%s bytes)", shorten(visible(fmt.Sprint(m["cut"]))), value(m["bytes"]))
	}
	return shorten(whole(v))
}

// maxShown is how much of a value a line shows, in runes.
const maxShown = 120

func shorten(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

// whole is a value in full.
func whole(v any) string {
	switch x := v.(type) {
	case nil:
		return "nil"
	case string:
		return visible(x)
	case []byte:
		return visible(string(x))
	case float64:
		if x == float64(int64(x)) {
			return fmt.Sprintf("%d", int64(x))
		}
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = value(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = k + ": " + value(x[k])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}
