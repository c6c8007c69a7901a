package grade

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/spec"
	"ipcrun/spec/diag"
)

// Grader grades submissions of one exercise. Its methods may be used from several
// goroutines.
type Grader struct {
	Engine   *engine.Engine
	Exercise *Exercise
	Detail   Detail
	// Results is the directory of the results, "" if none are to be written.
	Results string
	// Repeat is how often each submission is graded, at least 1; Again grades
	// those as well of which there is a result.
	Repeat  int
	Again   bool
	Version string
	// Options are what else of the command line decides about results, for
	// whoever asks whether a result can be kept.
	Options []string

	hidden []string
}

// Prepare makes the directory of the results, and decides what no submission
// sees: the exercise, the results and the places of the submissions.
func (g *Grader) Prepare(subs []Submission) error {
	g.hidden = []string{g.Exercise.Dir}
	if g.Results != "" {
		if err := os.MkdirAll(g.Results, 0o755); err != nil {
			return err
		}
		full, err := filepath.Abs(g.Results)
		if err != nil {
			return err
		}
		g.Results = full
		g.hidden = append(g.hidden, full)
	}
	for _, s := range subs {
		g.hidden = append(g.hidden, filepath.Dir(s.Path))
	}
	slices.Sort(g.hidden)
	g.hidden = slices.DeleteFunc(slices.Compact(g.hidden), needed)
	return nil
}

// needed reports whether a directory cannot be hidden from programs, since what
// they run on may lie below it.
func needed(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return true
	}
	self, _ := os.Executable()
	paths := append(filepath.SplitList(os.Getenv("PATH")), self, os.Getenv("HOME"), os.TempDir(), "/dev/shm", "/proc", "/usr/lib", "/lib")
	return slices.ContainsFunc(paths, func(p string) bool {
		full, err := filepath.EvalSymlinks(p)
		return err == nil && (full == dir || strings.HasPrefix(full, strings.TrimSuffix(dir, "/")+"/"))
	})
}

// path is where the result of a submission lies.
func (g *Grader) path(s *Submission) string { return filepath.Join(g.Results, s.Name+".json") }

// Grade grades a submission, or finds that its result is there already: kept. An
// error is ours, and says nothing about the submission. If ctx is cancelled, the
// error is the cause, and the result stays incomplete.
func (g *Grader) Grade(ctx context.Context, s *Submission) (r *Result, kept bool, err error) {
	key, err := g.key(s)
	if err != nil {
		return nil, false, err
	}
	if g.Results != "" && !g.Again && g.Repeat == 1 {
		if old := read(g.path(s)); old != nil && old.Complete && old.Key == key && old.Result != event.Error {
			return old, true, nil
		}
	}
	var first *Result
	for i := range g.Repeat {
		one, err := g.once(ctx, s, key, i == 0)
		if err != nil {
			return nil, false, err
		}
		if i == 0 {
			first = one
		} else {
			first.compare(one)
		}
	}
	if g.Repeat > 1 {
		first.Repeats = g.Repeat
	}
	first.Complete = true
	return first, false, g.save(s, first)
}

func (g *Grader) save(s *Submission, r *Result) error {
	if g.Results == "" {
		return nil
	}
	return r.write(g.path(s))
}

// key hashes what a result depends on.
func (g *Grader) key(s *Submission) (string, error) {
	own := "" // of a submission of which nothing is read
	if s.wrong == "" {
		var err error
		if own, err = s.hash(); err != nil {
			return "", err
		}
	}
	h := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %q %q %q", g.Exercise.identity, own, g.Detail, g.Version, s.Name, g.Options))
	return hex.EncodeToString(h[:]), nil
}

// compare takes a further run into account: a result that changes is flaky, and
// of the points only those are earned that always were.
func (r *Result) compare(other *Result) {
	ours, theirs := r.verdicts(), other.verdicts()
	r.Changed = nil
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Result == event.Flaky {
			r.Changed = append(r.Changed, c.ID)
			continue
		}
		if ours[c.ID] == theirs[c.ID] {
			continue
		}
		r.Changed = append(r.Changed, c.ID)
		c.Message = fmt.Sprintf("it was %s once, and %s another time", ours[c.ID], theirs[c.ID])
		r.Points -= c.Points
		c.Result, c.Points = event.Flaky, 0
	}
	if len(r.Changed) > 0 || ours[""] != theirs[""] {
		r.Result = event.Flaky
		r.Reason = "not the same each time"
		if len(r.Changed) > 0 {
			r.Reason += ": " + strings.Join(r.Changed, ", ")
		}
	}
}

// once grades a submission one time. If flush is set, its result is written as
// it grows.
func (g *Grader) once(ctx context.Context, s *Submission, key string, flush bool) (*Result, error) {
	began := time.Now()
	r := &Result{Schema: Schema, Version: g.Version, Exercise: g.Exercise.Name, Submission: s.Name, Key: key, Detail: g.Detail,
		Started: began.UTC().Format(time.RFC3339), Host: engine.Host(), Result: event.Blocked, Checks: []Check{}, Processes: []Process{}}
	if g.Detail == Full {
		r.Params = g.Exercise.Scenario.Params
	}
	if flush {
		if err := g.save(s, r); err != nil {
			return nil, err
		}
	}
	b, err := g.build(ctx, s)
	if b != nil {
		defer b.close()
	}
	if err != nil {
		return nil, err
	}
	if b.wrong != "" {
		g.unbuilt(r, b)
	} else if err := g.run(ctx, s, r, b, flush); err != nil {
		return nil, err
	}
	r.Duration = time.Since(began).Milliseconds()
	return r, nil
}

// unbuilt is the result of a submission that is no program.
func (g *Grader) unbuilt(r *Result, b *built) {
	r.Result, r.Reason, r.Unbuilt = event.Failed, b.wrong, true
	if g.Detail != None {
		r.Compiler = b.output
	}
	for _, step := range g.Exercise.Scenario.Scored() {
		c := Check{ID: step.Name, Result: event.Blocked, MaxPoints: step.Points, Visibility: step.Visibility, Message: b.wrong}
		if c.Visibility == "" {
			c.Visibility = "visible"
		}
		if g.Detail != Full && c.Visibility != "visible" {
			continue
		}
		r.MaxPoints += c.MaxPoints
		r.Checks = append(r.Checks, c)
	}
}

// run runs a program in the submission's place.
func (g *Grader) run(ctx context.Context, s *Submission, r *Result, b *built, flush bool) error {
	if g.Detail != None {
		r.Compiler = b.output
	}
	l := &diag.List{}
	sc := g.Exercise.load(map[string]spec.Program{g.Exercise.Scenario.Exercise.Submission.Name: b.program}, l)
	if sc == nil {
		return fmt.Errorf("%s: %s", g.Exercise.File(), l.All()[0].Summary)
	}
	var failed error
	res, err := g.Engine.Watch(ctx, sc, func(log []event.Event) {
		if !flush || failed != nil {
			return
		}
		part := *r
		g.judge(&part, log)
		part.Result = event.Blocked // nobody knows yet
		failed = g.save(s, &part)
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case res.Verdict.Ending == "interrupted":
		return context.Cause(ctx)
	case res.Verdict.Result == event.Error || res.Verdict.Result == event.Skip:
		return fmt.Errorf("%s", detailOf(res.Events, res.Verdict))
	}
	g.judge(r, res.Events)
	return nil
}

// judge fills a result from a log, whole or not.
func (g *Grader) judge(r *Result, log []event.Event) {
	run := report.Run{File: g.Exercise.Source(), Log: log}
	r.Checks = g.checks(run)
	r.Processes = g.processes(log)
	r.Points, r.MaxPoints, r.Reason = 0, 0, ""
	first := ""
	for _, c := range r.Checks {
		r.Points += c.Points
		r.MaxPoints += c.MaxPoints
		if first == "" && c.Result != event.Pass {
			first = c.ID + ": " + c.Message
			if _, end, ended := strings.Cut(c.Actual, "; it had "); ended && end != "exited 0" {
				first += " (" + c.Actual + ")" // a program that is no more explains it better
			}
		}
	}
	v := event.Judge(log)
	r.Result, r.Reason = v.Result, first
	switch {
	case g.Detail != Full && first == "" && len(r.Checks) > 0:
		r.Result = event.Pass // whatever was lost, was lost by what is hidden
	case first == "" && v.Result != event.Pass:
		r.Reason = run.Why()
	}
}
