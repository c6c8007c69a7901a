package grade

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/spec"
	"ipcrun/spec/source"
)

// Trial is one program that an exercise is verified by.
type Trial struct {
	Known *spec.Known // nil: the exercise's own script
	Bad   bool
	// Result is what it has earned, and Err why that is not known: an error of ours.
	// Set by Try.
	Result *Result
	Err    error

	mu sync.Mutex
}

// Problem is something that is wrong with an exercise.
type Problem struct {
	At   source.Span
	Text string
}

// Name is what the trial is called.
func (t *Trial) Name() string {
	if t.Known == nil {
		return "the exercise itself"
	}
	return t.Known.Path
}

// Trials are the programs that an exercise is verified by: its own script, and
// those that are known to be good or bad.
func (e *Exercise) Trials() []*Trial {
	ex := e.Scenario.Exercise
	out := []*Trial{{}}
	for i := range ex.Good {
		out = append(out, &Trial{Known: &ex.Good[i]})
	}
	for i := range ex.Bad {
		out = append(out, &Trial{Known: &ex.Bad[i], Bad: true})
	}
	return out
}

// Try runs the program of a trial once, takes into account what it earned then, and
// says it in a word, "" if it was cut short. It may be called several times for one
// trial, at once too.
func (g *Grader) Try(ctx context.Context, t *Trial) (came string) {
	r, err := g.earned(ctx, t)
	switch {
	case err == nil:
		came = Number(r.Points) + "/" + Number(r.MaxPoints)
	case ctx.Err() == nil:
		came = string(event.Error)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil && ctx.Err() != nil: // it was cut short
	case err != nil:
		t.Err = err
	case t.Result == nil:
		t.Result = r
	default:
		t.Result.compare(r)
	}
	return came
}

func (g *Grader) earned(ctx context.Context, t *Trial) (*Result, error) {
	if t.Known == nil {
		return g.itself(ctx)
	}
	path := filepath.Join(g.Exercise.Dir, t.Known.Path)
	r, _, err := g.Grade(ctx, &Submission{Name: filepath.Base(path), Path: path})
	return r, err
}

// Problems are what is not as the exercise says of it, once it was tried.
func (t *Trial) Problems(e *Exercise) (found []Problem) {
	r := t.Result
	if r == nil {
		return nil
	}
	if t.Known == nil {
		at := e.Scenario.Exercise.Submission.Span
		switch {
		case r.Result == event.Flaky:
			return []Problem{{at, "the exercise by itself: " + changed(r)}}
		case !r.Full():
			return []Problem{{at, "the exercise does not pass by itself: it " + lost(r)}}
		}
		return nil
	}
	problem := func(format string, args ...any) {
		found = append(found, Problem{t.Known.Span, fmt.Sprintf(format, args...)})
	}
	switch {
	case r.Result == event.Flaky:
		problem("%s: %s", t.Known.Path, changed(r))
	case !t.Bad && !r.Full():
		problem("%s is said to be good, but %s", t.Known.Path, lost(r))
	case t.Bad && !t.Known.Compiles && !r.Unbuilt:
		problem("%s is said not to compile, but it does", t.Known.Path)
	case t.Bad && t.Known.Compiles && r.Unbuilt:
		problem("%s: %s; if this is what is wrong with it, say compiles: false", t.Known.Path, r.Reason)
	case t.Bad && r.Points >= r.MaxPoints:
		problem("%s is said to be bad, but it earned every point", t.Known.Path)
	case t.Bad && !r.Unbuilt:
		for _, s := range t.Known.Fails {
			if c := r.check(s.Name); c != nil && !fired(c) {
				problem("%s is said to fail “%s”, but there it was: %s%s", t.Known.Path, s.Name, c.Result, because(c.Message))
			}
		}
	}
	return found
}

func (r *Result) check(id string) *Check {
	for i := range r.Checks {
		if r.Checks[i].ID == id {
			return &r.Checks[i]
		}
	}
	return nil
}

// fired reports whether a check has found something wrong by itself.
func fired(c *Check) bool { return c.Result == event.Failed || c.Result == event.Timeout }

func because(message string) string {
	if message == "" {
		return ""
	}
	return " (" + message + ")"
}

// changed says in words what was not the same each time.
func changed(r *Result) string {
	out := r.Reason
	for _, id := range r.Changed {
		if c := r.check(id); c != nil {
			out += fmt.Sprintf(" (%s: %s)", id, c.Message)
		}
	}
	return out
}

// lost says in words what a submission has earned, and why no more.
func lost(r *Result) string {
	out := fmt.Sprintf("earned %s of %s points", Number(r.Points), Number(r.MaxPoints))
	if r.Reason != "" {
		out += ": " + r.Reason
	}
	return out
}

// Number shows points without needless decimals.
func Number(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }

// itself is what the reference solution earns in one run.
func (g *Grader) itself(ctx context.Context) (*Result, error) {
	res, err := g.Engine.Run(ctx, g.Exercise.Scenario)
	if err != nil {
		return nil, err
	}
	v := res.Verdict
	switch {
	case v.Ending == "interrupted":
		return nil, context.Cause(ctx)
	case v.Result == event.Error || v.Result == event.Skip:
		return nil, fmt.Errorf("%s", detailOf(res.Events, v))
	}
	r := &Result{Exercise: g.Exercise.Name, Version: g.Version, Host: engine.Host()}
	g.judge(r, res.Events)
	return r, nil
}

// Unfired are the checks that no bad program has failed: nothing shows that they
// can. The trials were tried.
func (e *Exercise) Unfired(trials []*Trial) []Problem {
	var out []Problem
	for _, s := range e.Scenario.Scored() {
		if !slices.ContainsFunc(trials, func(t *Trial) bool {
			c := (*Check)(nil)
			if t.Bad && t.Result != nil {
				c = t.Result.check(s.Name)
			}
			return c != nil && fired(c)
		}) {
			out = append(out, Problem{s.VerbAt, fmt.Sprintf("nobody has failed “%s”: add a program that does to known: bad:", s.Name)})
		}
	}
	return out
}
