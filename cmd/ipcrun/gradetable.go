package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"ipcrun/cmd/ipcrun/internal/grade"
	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// row is what is known of one submission.
type row struct {
	result *grade.Result // nil: it was not graded
	kept   bool
	err    error // of ours
}

// known: its grading is over, one way or the other.
func (r *row) known() bool { return r.result != nil || r.err != nil }

// gradeTable lists submissions in their order, each as soon as it and those before
// it are known: so the table is the progress, too, where no terminal shows another
// one, and it is the same however many are graded at once.
type gradeTable struct {
	w    io.Writer
	g    *grade.Grader
	subs []grade.Submission
	rows []row
	// details: checks are listed as they are known, and the table comes at the end.
	details, quiet bool
	next           int // the first that was not told
	wide           [3]int
}

func newGradeTable(w io.Writer, g *grade.Grader, subs []grade.Submission, o *gradeOptions) *gradeTable {
	t := &gradeTable{w: w, g: g, subs: subs, rows: make([]row, len(subs)), quiet: o.quiet,
		details: o.verbose > 0 || len(subs) == 1 && !o.quiet}
	for i := range subs {
		t.wide[0] = max(t.wide[0], source.Cells(source.Visible(subs[i].Name)))
	}
	all, fraction := 0.0, 0
	for _, s := range g.Exercise.Scenario.Scored() {
		all += s.Points
		if s.Points != math.Trunc(s.Points) {
			fraction = len(".5")
		}
	}
	most := len(grade.Number(math.Trunc(all))) + fraction
	t.wide[1] = 2*most + len("/")
	for _, word := range []event.Result{event.Pass, event.Failed, event.Flaky, event.Timeout, event.Error} {
		t.wide[2] = max(t.wide[2], len(word))
	}
	return t
}

// set keeps what is known of a submission, and tells what has its turn.
func (t *gradeTable) set(i int, r row) {
	t.rows[i] = r
	for t.next < len(t.rows) && t.rows[t.next].known() {
		t.tell(t.next)
		t.next++
	}
}

func (t *gradeTable) tell(i int) {
	switch {
	case !t.details:
		t.line(i)
	case t.rows[i].result != nil:
		writeResult(t.w, t.rows[i].result)
	}
}

// finish tells the rest, of which some may never have been graded, and how many
// there are of each kind.
func (t *gradeTable) finish(took time.Duration) {
	for ; t.next < len(t.rows); t.next++ {
		t.tell(t.next)
	}
	if t.details {
		for i := range t.rows {
			t.line(i)
		}
	}
	if !t.quiet {
		t.summary(took)
	}
}

// line is what a submission has earned, and the first reason why no more.
func (t *gradeTable) line(i int) {
	cells := [3]string{source.Visible(t.subs[i].Name)}
	reason := ""
	switch r := &t.rows[i]; {
	case r.err != nil:
		cells[2], reason = string(event.Error), "ipcrun could not grade it: "+source.Visible(r.err.Error())
	case r.result == nil || t.quiet && r.result.Full():
		return
	default:
		cells[1], cells[2], reason = points(r.result), string(r.result.Result), r.result.Reason
	}
	text := ""
	for k, cell := range cells {
		text += cell + strings.Repeat(" ", max(0, t.wide[k]-source.Cells(cell))) + "  "
	}
	fmt.Fprintln(t.w, strings.TrimRight(text+reason, " "))
}

func (t *gradeTable) summary(took time.Duration) {
	counts := map[string]int{}
	kept, earned, possible, largest := 0, 0.0, 0.0, int64(0)
	for _, r := range t.rows {
		switch {
		case r.err != nil:
			counts["error"]++
		case r.result == nil:
			counts["not graded"]++
		default:
			counts[string(r.result.Result)]++
			earned += r.result.Points
			possible += r.result.MaxPoints
			if r.kept {
				kept++
			}
			for _, p := range r.result.Processes {
				if p.Resources != nil && p.Resources.Peak != nil {
					largest = max(largest, *p.Resources.Peak)
				}
			}
		}
	}
	var parts []string
	for _, word := range []string{string(event.Pass), string(event.Flaky), string(event.Failed), string(event.Timeout), "error", "not graded"} {
		if counts[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[word], word))
		}
	}
	if possible > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s points", grade.Number(earned), grade.Number(possible)))
	}
	if kept > 0 {
		parts = append(parts, fmt.Sprintf("%d graded before (--again repeats)", kept))
	}
	memory := mebibytes(peakMemory()) + " of memory at most"
	if largest > 0 {
		memory += ", and " + mebibytes(largest) + " in the largest program"
	}
	fmt.Fprintf(t.w, "%s: %s in %s with %s; results in %s\n", plural(len(t.rows), "submission", "submissions"),
		strings.Join(parts, ", "), took.Round(10*time.Millisecond), memory, t.g.Results)
}

// points are those of a result.
func points(r *grade.Result) string { return grade.Number(r.Points) + "/" + grade.Number(r.MaxPoints) }

// writeResult shows every check of a submission. What it printed itself stands
// behind the name of the stream, so that no line of it can be taken for one of
// ours.
func writeResult(w io.Writer, r *grade.Result) {
	fmt.Fprintf(w, "%s  %s  %s points\n", source.Visible(r.Submission), r.Result, points(r))
	wide := 0
	for _, c := range r.Checks {
		wide = max(wide, source.Cells(c.ID))
	}
	for _, c := range r.Checks {
		earned := grade.Number(c.Points) + "/" + grade.Number(c.MaxPoints)
		line := fmt.Sprintf("  %-7s  %5s  %s%s", c.Result, earned, source.Visible(c.ID), strings.Repeat(" ", wide-source.Cells(c.ID)))
		if c.Message != "" {
			line += "  " + c.Message
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
		if c.Actual != "" {
			fmt.Fprintf(w, "    %s\n", c.Actual)
		}
		if c.Why != "" {
			fmt.Fprintf(w, "    why: %s\n", c.Why)
		}
		if c.Hint != "" {
			fmt.Fprintf(w, "    hint: %s\n", source.Visible(c.Hint))
		}
	}
	stream := func(label string, lines []string) {
		for _, l := range lines {
			fmt.Fprintf(w, "  %s| %s\n", label, l)
		}
	}
	stream("compiler", r.Compiler)
	for _, p := range r.Processes {
		stream(p.Name+"|stdout", p.Stdout)
		stream(p.Name+"|stderr", p.Stderr)
	}
}
