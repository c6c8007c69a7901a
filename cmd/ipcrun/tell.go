package main

import (
	"fmt"
	"io"
	"strings"

	"ipcrun/engine/plan"
	"ipcrun/spec"
)

// tell tells a scenario in words: what is made, who runs, and every step with
// what it does.
func tell(w io.Writer, sc *spec.Scenario, st pageStyle) {
	describe(w, sc, &runOptions{scale: 1})
	if p, err := plan.Make(sc); err == nil {
		fmt.Fprintf(w, "%sin all %s", margin, plural(len(p.Slots), "process", "processes"))
		if n := len(p.Prims); n > 0 {
			fmt.Fprintf(w, ", and %s in %s of shared memory", plural(n, "primitive", "primitives"), plural(p.PrimSize, "byte", "bytes"))
		}
		if p.Fds > 0 {
			fmt.Fprintf(w, " with %s", plural(p.Fds, "descriptor", "descriptors"))
		}
		fmt.Fprintln(w)
	}
	t := &teller{sc: sc, said: map[string]bool{}}
	part := func(title string, steps []*spec.Step) {
		if len(steps) == 0 {
			return
		}
		fmt.Fprintf(w, "\n%s%s\n", margin, st.bold(title))
		for _, line := range columns(t.rows(steps, ""), st.width-2*len(margin)) {
			fmt.Fprintln(w, margin+margin+line)
		}
	}
	for _, p := range sc.Procs {
		for _, d := range p.Signals {
			part(declared(p.Decl)+", when "+plan.Vocabulary().Signals.Name(d.Signal)+" arrives", d.Steps)
		}
		part(declared(p.Decl), p.Steps)
	}
	for _, t := range sc.Tasks {
		part(taskTitle(t), t.Steps)
	}
	part("the script, once every process is ready", sc.Steps)
	if len(sc.Always) > 0 {
		fmt.Fprintf(w, "\n%s%s\n", margin, st.bold("at all times"))
		for _, a := range sc.Always {
			fmt.Fprintf(w, "%s%s%s\n", margin, margin, oneLine(a.Expr.Source()))
		}
	}
	part("at last, after every process has ended", sc.Finally)
}

// taskTitle says what a task takes and gives.
func taskTitle(t *spec.Task) string {
	out := "task " + t.Name
	if len(t.Params) > 0 {
		out += " of " + strings.Join(t.Params, ", ")
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
