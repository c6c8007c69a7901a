package report

import (
	"fmt"
	"io"

	"ipcrun/engine/event"
	"ipcrun/spec/diag"
)

// explainRace accounts for two accesses to the same memory that nothing
// orders.
func explainRace(a *account, e *event.Event) {
	r := e.Race
	if r == nil {
		a.headline = "two processes use " + e.Object + " at once"
		return
	}
	a.headline = fmt.Sprintf("nothing says who comes first at %s, %s or %s", e.Object, r.First.Proc, r.Second.Proc)
	a.why = []string{
		raceSentence(e),
		"This time the one of " + r.First.Proc + " came first; the next run may do it the other way round, with another result.",
		"A lock around both, or anything else that makes one wait for the other, would order them; a scenario that means it to be so says race: warn or race: off.",
	}
}

// raceSentence says which two accesses are meant.
func raceSentence(e *event.Event) string {
	f, s := e.Race.First, e.Race.Second
	return fmt.Sprintf("%s does a %s of %s in line %d and %s does a %s of it in line %d, and nothing makes one of them wait for the other.",
		f.Proc, f.Verb, e.Object, f.Line, s.Proc, s.Verb, s.Line)
}

// firstAccess points at the first of the two accesses of a race.
func (r Run) firstAccess(w io.Writer, e *event.Event, st Style) {
	f := e.Race.First
	fmt.Fprintf(w, "  %s the other one, in line %d\n", st.faint("-->"), f.Line)
	if p := r.find(&event.Event{Line: f.Line, Col: f.Col, Verb: f.Verb}); p.at.Start.IsValid() {
		diag.WriteExcerpt(w, r.File, p.at, st.excerpt())
	}
}

// warnings says below the line of a scenario what did not decide against it.
func (r Run) warnings(w io.Writer, st Style) {
	for i := range r.Log {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Raced || e.Race == nil || e.Race.Severity == "error" {
			continue
		}
		for k, line := range diag.Wrap("warning: "+raceSentence(e), st.width()-2) {
			if k == 0 {
				line = st.word(warning) + line[len(warning):]
			}
			fmt.Fprintln(w, "  "+line)
		}
	}
}
