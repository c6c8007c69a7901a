package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/grade"
	"ipcrun/engine"
	"ipcrun/spec/source"
)

func init() { register("verify", newVerify) }

// verifyOptions are the flags of verify.
type verifyOptions struct {
	display
	params paramOptions
	jobs   jobsOption
	repeat int
	scale  factor
}

const verifyLong = `Tries whether an exercise judges right:

  * its own script passes and earns every point;
  * every program of known: good: earns every point;
  * every program of known: bad: loses points, and fails the checks it names;
  * every check with points fails for one of them at least;
  * with --repeat, each of them every time.

EXERCISE is a folder with an exercise.yaml, such a file, or a folder of folders
with exercises. Each exercise is judged as soon as its programs were tried. Until
then standard error has a line for each program that was, unless a terminal shows
which are being tried.`

func newVerify(std streams) *cobra.Command {
	o := &verifyOptions{scale: 1}
	cmd := &cobra.Command{
		Use:   "verify [FLAGS] EXERCISE...",
		Short: "Prove that exercises judge right, by programs whose grades are known",
		Long: verifyLong + "\n\n" + exitHelpOf(map[int]string{exitGood: "every exercise judges right", exitFailed: "an exercise judges wrong, or nothing shows that it judges right"},
			exitGood, exitFailed, exitUsage, exitBroken, exitNothing, 130),
		Example: "  ipcrun verify scenarios/exercises/pingpong\n  ipcrun verify -v scenarios/exercises",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{text: "verify: which exercise? Give a folder with an exercise.yaml", hint: "Try: " + cmd.CommandPath() + " --help"}
			}
			return nil
		},
		PreRunE: prepare(o.jobs.check, func() error { return atLeastOnce(o.repeat) }),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runVerify(cmd.Context(), o, args, std)
		},
		ValidArgsFunction: completeFolders,
	}
	o.display.add(cmd)
	o.addQuiet(cmd, "say nothing of exercises that judge right, and show no progress")
	o.params.add(cmd)
	o.jobs.add(cmd, "auto", "try `N` programs at once; auto: as many as there are processors")
	cmd.Flags().IntVar(&o.repeat, "repeat", 1, "try each program `N` times; an exercise whose judgement changes judges wrong")
	cmd.Flags().Var(&o.scale, "timeout-scale", "multiply every limit by this, those of the exercise included, as on a slow machine")
	cmd.Flags().CountVarP(&o.verbose, "verbose", "v", "say of every program what it has earned")
	return cmd
}

// exercisesIn lists the exercises that a path names.
func exercisesIn(path string) []string {
	if st, err := os.Stat(path); err != nil || !st.IsDir() {
		return []string{path}
	}
	if _, err := os.Stat(filepath.Join(path, grade.FileName)); err == nil {
		return []string{path}
	}
	below, _ := fs.Glob(os.DirFS(path), "*/"+grade.FileName)
	if len(below) == 0 {
		return []string{path} // it is reported as one without an exercise
	}
	var out []string
	for _, f := range below {
		out = append(out, filepath.Join(path, filepath.Dir(f)))
	}
	return out
}

// verification is one exercise and what its programs have earned.
type verification struct {
	exercise *grade.Exercise
	grader   *grade.Grader
	trials   []*grade.Trial
	left     int // how often its programs are still to be tried
}

func runVerify(ctx context.Context, o *verifyOptions, paths []string, std streams) error {
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	c := &crew{out: &sink{w: std.out}, file: std.out, err: std.err}
	ctx, stop := listen(ctx, c.interrupted)
	defer stop()
	e, err := engine.New(engine.Options{Version: version(), TimeoutScale: float64(o.scale)})
	if err != nil {
		return err
	}
	defer e.Close()

	var res outcome
	var all []*verification
	type job struct {
		v *verification
		t *grade.Trial
	}
	var jobs []job
	programs := 0
	for _, path := range paths {
		for _, dir := range exercisesIn(path) {
			ex, err := openExercise(dir, params, &o.display, std)
			if err != nil {
				if exitOf(std.err, err) == exitBroken {
					res.broken = true
				}
				res.unusable = true
				continue
			}
			v := &verification{exercise: ex, trials: ex.Trials(),
				grader: &grade.Grader{Engine: e, Exercise: ex, Detail: grade.Full, Repeat: 1, Version: version()}}
			if err := v.grader.Prepare(nil); err != nil {
				return err
			}
			v.left = o.repeat * len(v.trials)
			all = append(all, v)
			programs += len(v.trials)
		}
	}
	// Each once, and then again: one that takes long would else be tried alone in the
	// end.
	for range o.repeat {
		for _, v := range all {
			for _, t := range v.trials {
				jobs = append(jobs, job{v, t})
			}
		}
	}
	began, tried, told := time.Now(), 0, 0
	err = c.do(ctx, o.jobs.workers, len(jobs), o.quiet, func(i int) string {
		return jobs[i].v.exercise.Name + " " + jobs[i].t.Name()
	}, func(i int) error {
		came := jobs[i].v.grader.Try(ctx, jobs[i].t)
		if came == "" {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		tried++
		if !o.quiet && c.status == nil {
			fmt.Fprintf(std.err, "%d/%d  %s  %s  %s\n", tried, len(jobs), came, jobs[i].v.exercise.Name, source.Visible(jobs[i].t.Name()))
		}
		c.status.hide()
		// Each as soon as it and those before it are known.
		for jobs[i].v.left--; told < len(all) && all[told].left == 0; told++ {
			all[told].report(c.out, o, &res)
		}
		c.status.show()
		return nil
	})
	if err != nil {
		return err
	}
	if s, ok := context.Cause(ctx).(interrupt); ok {
		res.signal = s.Signal()
		return res.err()
	}
	times := ""
	if o.repeat > 1 {
		times = fmt.Sprintf(" %d times each", o.repeat)
	}
	o.say(c.out, "%s and %s tried%s in %s", plural(len(all), "exercise", "exercises"), plural(programs, "program", "programs"), times, time.Since(began).Round(10*time.Millisecond))
	if c.out.err != nil {
		return c.out.err
	}
	return res.err()
}

// report says how an exercise judges.
func (v *verification) report(w *sink, o *verifyOptions, res *outcome) {
	var problems []grade.Problem
	broken := false
	for _, t := range v.trials {
		problems = append(problems, t.Problems(v.exercise)...)
		broken = broken || t.Err != nil
	}
	if !broken { // else some check may have had no occasion
		problems = append(problems, v.exercise.Unfired(v.trials)...)
	}
	word := "ok"
	switch {
	case broken:
		word, res.broken = "error", true
	case len(problems) > 0:
		word, res.failed = "fail", true
	case o.quiet:
		return
	}
	good, bad := len(v.exercise.Scenario.Exercise.Good), len(v.exercise.Scenario.Exercise.Bad)
	fmt.Fprintf(w, "%s  %s  %d good, %d bad, %s\n", word, v.exercise.File(), good, bad, plural(len(v.exercise.Scenario.Scored()), "check", "checks"))
	for _, t := range v.trials {
		switch {
		case t.Err != nil:
			fmt.Fprintf(w, "  error  %s: ipcrun could not try it: %s\n", source.Visible(t.Name()), source.Visible(t.Err.Error()))
		case o.verbose > 0:
			line := fmt.Sprintf("  %5s  %s  %s", points(t.Result), source.Visible(t.Name()), t.Result.Reason)
			fmt.Fprintln(w, strings.TrimRight(line, " "))
		}
	}
	for _, p := range problems {
		fmt.Fprintf(w, "  %s:%d:%d: %s\n", v.exercise.File(), p.At.Start.Line, p.At.Start.Col, p.Text)
	}
}
