package report

import (
	"fmt"
	"io"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// writeScored lists the checks that earn points: what each is worth and what
// came of it.
func (r Run) writeScored(w io.Writer, st Style) bool {
	list := event.Score(r.Log)
	if len(list) == 0 {
		return false
	}
	fmt.Fprintf(w, "  %s\n", st.bold("points"))
	wide, ids := 0, 0
	for i := range list {
		wide = max(wide, len(pointsOf(&list[i])))
		ids = max(ids, source.Cells(r.label(&list[i])))
	}
	for i := range list {
		s := &list[i]
		line := fmt.Sprintf("    %-7s  %*s  %s", s.Result, wide, pointsOf(s), source.Pad(r.label(s), ids))
		if why := r.WhyLost(s); why != "" {
			line += "  " + st.faint(why)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	return true
}

func pointsOf(s *event.Scored) string {
	return number(s.Earned) + "/" + number(s.Points)
}

// label is a check's name, or what it checks.
func (r Run) label(s *event.Scored) string {
	if s.Name != "" {
		return visible(s.Name)
	}
	if s.Event >= 0 {
		if c := r.Log[s.Event].Check; c != nil {
			return s.Verb + " " + shorten(visible(c.Text))
		}
	}
	return fmt.Sprintf("%s (line %d)", s.Verb, s.Line)
}

// WhyLost says in one sentence why a check has not earned its points, "" if it
// has.
func (r Run) WhyLost(s *event.Scored) string {
	if s.Result == event.Pass {
		return ""
	}
	if s.Event < 0 {
		if s.Result == event.Error {
			return "ipcrun could not do its job"
		}
		if why := r.explain(event.EndOf(r.Log)).headline; why != "" {
			return "the run had ended before: " + why
		}
		return "the run had ended before it was its turn"
	}
	e := &r.Log[s.Event]
	if event.KindOf(e.Type) == event.Barred {
		return "it needs " + quoted(e.Detail) + ", which has not passed"
	}
	a := r.explain(event.Verdict{Cause: s.Event})
	return a.headline
}

// Account says in sentences how it came that a check was tried and did not hold, ""
// where there is no more to say than WhyLost does.
func (r Run) Account(s *event.Scored) string {
	if s.Result == event.Pass || s.Event < 0 || event.KindOf(r.Log[s.Event].Type) == event.Barred {
		return ""
	}
	e := &r.Log[s.Event]
	var out []string
	if e.Check != nil && e.Verb != "expect" {
		for _, p := range e.Check.Parts {
			// What has not come about; times and numbers would be others in each run.
			if p.Value == "nil" {
				out = append(out, shorten(visible(p.Text))+" is nil.")
			}
		}
	}
	return strings.Join(append(out, r.explain(event.Verdict{Cause: s.Event}).why...), " ")
}

// Why says in a few words why the run ended as it did.
func (r Run) Why() string { return r.explain(event.Judge(r.Log)).headline }
