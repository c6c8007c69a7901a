package main

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// describe says in words what a run of a scenario would do.
func describe(w io.Writer, sc *spec.Scenario, o *runOptions) {
	fmt.Fprintf(w, "%s  (%s)\n", sc.Name, sc.File.Name)
	if sc.About != "" {
		fmt.Fprintf(w, "  %s\n", strings.TrimSpace(sc.About))
	}
	if len(sc.Params) > 0 {
		var names []string
		for n := range sc.Params {
			names = append(names, n)
		}
		sort.Strings(names)
		for i, n := range names {
			names[i] = n + " = " + cond.Text(sc.Params[n])
		}
		fmt.Fprintf(w, "  with %s\n", strings.Join(names, ", "))
	}
	for _, p := range sc.Prims {
		fmt.Fprintf(w, "  creates %s: %s\n", declared(p.Decl), kindOf(p))
	}
	for _, p := range sc.Procs {
		fmt.Fprintf(w, "  %s\n", processLine(p))
	}
	for _, t := range sc.Tasks {
		fmt.Fprintf(w, "  %s\n", taskLine(t))
	}
	if n := len(sc.Steps); n > 0 {
		fmt.Fprintf(w, "  then the script: %s (%s)\n", plural(n, "step", "steps"), verbs(sc.Steps))
	}
	if n := len(sc.Finally); n > 0 {
		fmt.Fprintf(w, "  at last, after every process has ended: %s (%s)\n", plural(n, "step", "steps"), verbs(sc.Finally))
	}
	checks := plural(checksOf(sc), "check", "checks")
	if n := len(sc.Always); n > 0 {
		checks += fmt.Sprintf(", %d of them at all times", n)
	}
	if p := pointsOf(sc); p > 0 {
		checks += ", " + trimmed(p) + " points"
	}
	fmt.Fprintf(w, "  %s; it is meant to %s within %s\n", checks, meant(sc), limitOf(sc, o))
	if o.repeat > 1 {
		fmt.Fprintf(w, "  all of this %d times\n", o.repeat)
	}
}

func meant(sc *spec.Scenario) string {
	if sc.Outcome == "pass" {
		return "pass"
	}
	return "end in " + sc.Outcome
}

func declared(d spec.Decl) string {
	switch {
	case d.Array && d.Count == 1:
		return d.Name + "[0]"
	case d.Array && d.Count == 2:
		return fmt.Sprintf("%s[0] and %s[1]", d.Name, d.Name)
	case d.Array:
		return fmt.Sprintf("%s[0] to %s[%d]", d.Name, d.Name, d.Count-1)
	}
	return d.Name
}

func kindOf(p *spec.Prim) string {
	out := decl.Article(p.Kind.Name)
	var fields []string
	if p.Main != nil {
		fields = append(fields, cond.Text(p.Main))
	}
	var names []string
	for n := range p.Fields {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fields = append(fields, n+" "+cond.Text(p.Fields[n]))
	}
	if len(fields) > 0 {
		out += " (" + strings.Join(fields, ", ") + ")"
	}
	return out
}

func processLine(p *spec.Proc) string {
	by := "forks "
	if p.Parent != nil {
		by = p.Parent.Name + " forks "
		if p.Forked {
			by = "a fork: step of " + p.Parent.Name + " forks "
		}
	}
	out := by + declared(p.Decl)
	var traits []string
	if p.Terminal {
		traits = append(traits, "on a terminal of its own")
	}
	if p.Idle {
		traits = append(traits, fmt.Sprintf("does what %s of the script order", plural(len(p.Orders), "step", "steps")))
	}
	if p.Daemon {
		traits = append(traits, "is ended with the others")
	}
	if len(p.Signals) > 0 {
		var s []string
		for _, d := range p.Signals {
			how := map[string]string{"default": "leaves %s alone", "ignore": "ignores %s", "handle": "handles %s"}[d.Disp]
			s = append(s, fmt.Sprintf(how, plan.Vocabulary().Signals.Name(d.Signal)))
		}
		traits = append(traits, s...)
	}
	if p.Of != nil && !p.Of.Kind.Staff.Tasks {
		traits = append(traits, "keeps "+p.Of.Name)
	} else if len(p.Uses) > 0 {
		var s []string
		for _, u := range p.Uses {
			s = append(s, u.Prim.Name)
		}
		traits = append(traits, "uses "+strings.Join(s, ", "))
	}
	if len(p.Steps) > 0 {
		traits = append(traits, fmt.Sprintf("%s (%s)", plural(len(p.Steps), "step", "steps"), verbs(p.Steps)))
	}
	if len(traits) > 0 {
		out += ": " + strings.Join(traits, ", ")
	}
	return out
}

func taskLine(t *spec.Task) string {
	out := taskTitle(t)
	if n := len(t.Steps); n > 0 {
		out += fmt.Sprintf(": %s (%s)", plural(n, "step", "steps"), verbs(t.Steps))
	}
	if t.Result != nil {
		out += ", with a result"
	}
	return out
}

// verbs lists the verbs of steps, in order, the first ones.
func verbs(steps []*spec.Step) string {
	const most = 8
	var out []string
	for i, s := range steps {
		if i == most {
			out = append(out, "...")
			break
		}
		out = append(out, s.Verb.Name)
	}
	return strings.Join(out, ", ")
}

// limitOf is the scenario's timeout and who set it.
func limitOf(sc *spec.Scenario, o *runOptions) string {
	d, by := engine.DefaultTimeout, "the default"
	switch {
	case sc.Timeout > 0:
		d, by = sc.Timeout, "set by the file"
	case o.timeout != 0:
		d, by = time.Duration(o.timeout), "set by --timeout"
	}
	d = time.Duration(float64(d) * float64(o.scale))
	return fmt.Sprintf("%s (%s)", d, by)
}
