package grade

import (
	"fmt"
	"strings"
	"time"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// Detail is how much a result says.
type Detail string

// The details. In all but Full, hidden checks are left out, and so is whatever
// says what was expected: a student's result leads nobody to the answer.
const (
	Full   Detail = "full"        // everything, for the author
	Actual Detail = "actual-only" // what the submission did
	None   Detail = "none"        // which checks have passed
)

// Details are all of them.
var Details = []string{string(Full), string(Actual), string(None)}

const (
	tailLines = 20  // of each stream of each process
	tailWidth = 300 // characters of each line
)

// tailOf are the last lines that a process printed on a stream, "" for the
// standard output, made visible.
func tailOf(log []event.Event, proc, stream string) []string {
	out := []string{}
	for i := range log {
		e := &log[i]
		text, isText := e.Value.(string)
		if event.KindOf(e.Type) != event.Print || e.Proc != proc || e.Stream != stream || !isText {
			continue
		}
		for line := range strings.SplitSeq(text, "\n") {
			out = append(out, shown(line))
		}
	}
	if before := len(out) - tailLines; before > 0 {
		return append([]string{fmt.Sprintf("… %d more before", before)}, out[before:]...)
	}
	return out
}

// shown is a line that somebody else wrote, harmless wherever it is shown.
func shown(line string) string {
	if r := []rune(line); len(r) > tailWidth {
		line = string(r[:tailWidth]) + "…"
	}
	return source.Visible(line)
}

// checks are what came of the checks in a log, as far as the detail allows.
func (g *Grader) checks(run report.Run) []Check {
	out := []Check{}
	for _, s := range event.Score(run.Log) {
		c := Check{ID: s.ID, Result: s.Result, Points: s.Earned, MaxPoints: s.Points, Visibility: s.Visibility}
		if c.Visibility == "" {
			c.Visibility = "visible"
		}
		if g.Detail != Full && c.Visibility != "visible" {
			continue
		}
		if s.Result != event.Pass {
			c.Hint = s.Hint
		}
		switch g.Detail {
		case Full:
			c.At = fmt.Sprintf("%d:%d", s.Line, s.Col)
			c.Message, c.Why = run.WhyLost(&s), run.Account(&s)
			if s.Event >= 0 {
				if e := run.Log[s.Event]; e.Check != nil {
					c.Expected = source.Visible(e.Check.Text)
				}
			}
			c.Actual = g.did(run.Log, &s)
		case Actual:
			c.Actual = g.did(run.Log, &s)
			fallthrough
		default:
			c.Message = plainly(s.Result)
		}
		out = append(out, c)
	}
	return out
}

// plainly says why a check has earned nothing, and nothing of the check.
func plainly(r event.Result) string {
	switch r {
	case event.Pass:
		return ""
	case event.Blocked:
		return "it was not tried, because of what had failed before it"
	case event.Timeout:
		return "nothing of the kind happened in time"
	case event.Error:
		return "ipcrun could not do its job"
	}
	return "this did not happen"
}

// did is what the submission had done when a check was decided, or when the run
// ended before that: the last line that it printed, and how it ended.
func (g *Grader) did(log []event.Event, s *event.Scored) string {
	at := s.Event
	if at < 0 {
		at = event.EndOf(log).Cause
	}
	if s.Result == event.Pass || at < 0 {
		return ""
	}
	name := g.Exercise.Scenario.Exercise.Submission.Name
	before := log[:at]
	parts := []string{name + " has printed nothing"}
	if lines := tailOf(before, name, ""); len(lines) > 0 {
		parts[0] = name + " printed “" + lines[len(lines)-1] + "” last"
	}
	end := "it was running"
	for i := range before {
		if e := &before[i]; event.KindOf(e.Type) == event.Ended && e.Proc == name {
			end = "it had " + strings.Replace(e.Status.String(), "ended by", "been ended by", 1)
		}
	}
	return strings.Join(append(parts, end), "; ")
}

// processes are what became of those whose fate is to be told: of everybody, or
// of the submission and the processes that it forks.
func (g *Grader) processes(log []event.Event) []Process {
	out := []Process{}
	if g.Detail == None {
		return out
	}
	at, began := map[string]int{}, map[string]int64{}
	for _, name := range g.told(log) {
		at[name] = len(out)
		p := Process{Name: name, Stdout: tailOf(log, name, ""), Stderr: tailOf(log, name, "stderr")}
		out = append(out, p)
	}
	for i := range log {
		e := &log[i]
		switch event.KindOf(e.Type) {
		case event.Forked:
			if k, ok := at[e.Object]; ok {
				out[k].Pid = e.PeerPid
				began[e.Object] = e.At
			}
		case event.Ended:
			if k, ok := at[e.Proc]; ok {
				out[k].Status = e.Status
				out[k].Resources = resources(e, began)
			}
		}
	}
	return out
}

// resources are those of a process that has ended.
func resources(end *event.Event, began map[string]int64) *Resources {
	at, known := began[end.Proc]
	if !known {
		return nil
	}
	r := &Resources{Wall: (end.At - at) / int64(time.Millisecond)}
	if u := end.Used; u != nil {
		cpu := u.CPU / int64(time.Millisecond)
		r.CPU, r.Peak = &cpu, &u.Peak
	}
	return r
}

// told are the names of the processes that a result speaks of.
func (g *Grader) told(log []event.Event) []string {
	var run *event.Run
	for i := range log {
		if log[i].Run != nil {
			run = log[i].Run
			break
		}
	}
	if run == nil {
		return nil
	}
	if g.Detail == Full {
		return run.Procs
	}
	top := g.Exercise.Scenario.Exercise.Submission
	mine := map[string]bool{}
	for _, p := range g.Exercise.Scenario.Procs {
		q := p
		for q.Parent != nil {
			q = q.Parent
		}
		mine[p.Name] = q == top
	}
	var out []string
	for _, name := range run.Procs {
		base, _, _ := strings.Cut(name, "[")
		if mine[base] {
			out = append(out, name)
		}
	}
	return out
}
