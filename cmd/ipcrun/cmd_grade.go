package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/grade"
	"ipcrun/engine"
	"ipcrun/engine/sandbox"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

func init() { register("grade", newGrade) }

// gradeOptions are the flags of grade.
type gradeOptions struct {
	display
	params     paramOptions
	jobs       jobsOption
	detail     oneOf
	results    string
	again      bool
	repeat     int
	scale      factor
	exitZero   bool
	allowEmpty bool
}

const gradeLong = `Puts submissions in the place of a process of an exercise, runs each, and says
what it has earned and why no more.

EXERCISE is a folder with an exercise.yaml, or such a file. A submission is a
file, which is run by its ending (.py by python3, .sh by bash; .c is compiled by
gcc first) or by itself if it is executable; or a directory, in which make is
run if it has a Makefile, and which else holds one program. A directory without
a Makefile on the command line is a folder of submissions.

Each gets a result file, NAME.json in the folder of --results, which grows with
every check: one that ipcrun was killed amid says "complete": false. What has a
complete result already, of the same exercise, params, submission and flags, is not
graded again. A submission runs in a box: it sees neither exercise nor results
nor other submissions, and can write to none of them.`

func newGrade(std streams) *cobra.Command {
	o := &gradeOptions{scale: 1}
	cmd := &cobra.Command{
		Use:   "grade [FLAGS] EXERCISE SUBMISSION|DIR...",
		Short: "Grade submissions of an exercise",
		Long: gradeLong + "\n\n" + exitHelpOf(map[int]string{exitGood: "every submission has earned every point", exitFailed: "some submission has lost points, or is flaky",
			exitBroken: "some submission could not be graded, which is not its fault", exitNothing: "there was no submission"},
			exitGood, exitFailed, exitUsage, exitBroken, exitNothing, 130),
		Example: "  ipcrun grade driver submissions\n  ipcrun grade -j auto --detail actual-only driver ann.py bob.c\n  ipcrun grade --repeat 20 driver ann.py",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &usageError{text: "grade: which exercise, and which submissions? Give a folder with an exercise.yaml, then files or a folder",
					hint: "Try: " + cmd.CommandPath() + " --help"}
			}
			return nil
		},
		PreRunE: prepare(o.check, o.jobs.check),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGrade(cmd.Context(), o, args[0], args[1:], std)
		},
		ValidArgsFunction: completeFolders,
	}
	o.display.add(cmd)
	o.addQuiet(cmd, "say nothing of submissions that have earned every point, and show no progress")
	o.params.add(cmd)
	o.jobs.add(cmd, "1", "grade `N` submissions at once; auto: as many as there are processors")
	o.detail = newOneOf(string(grade.Full), grade.Details[1:]...)
	o.detail.add(cmd, "detail", "what results say: everything; what the submission did and nothing of what was expected, nor of hidden checks; or only which checks have passed")
	f := cmd.Flags()
	f.StringVar(&o.results, "results", "", "write results to `DIR` (default: results/NAME, NAME being the exercise's folder)")
	f.BoolVar(&o.again, "again", false, "grade again what has a result already")
	f.IntVar(&o.repeat, "repeat", 1, "grade each submission `N` times; a check whose result changes is flaky, and earns nothing")
	f.Var(&o.scale, "timeout-scale", "multiply every limit by this, those of the exercise included, as on a slow machine")
	f.CountVarP(&o.verbose, "verbose", "v", "show every check of every submission, and what it printed; a single one is always shown so")
	f.BoolVar(&o.exitZero, "exit-zero", false, "exit with 0 even if points were lost, as long as everything could be graded")
	f.BoolVar(&o.allowEmpty, "allow-empty", false, "it is no error if there is no submission")
	return cmd
}

func (o *gradeOptions) check() error {
	if o.quiet && o.verbose > 0 {
		return usage("--quiet and --verbose ask for opposite things")
	}
	return atLeastOnce(o.repeat)
}

func atLeastOnce(repeat int) error {
	if repeat < 1 {
		return usage("--repeat %d: at least once", repeat)
	}
	return nil
}

// openExercise reads an exercise; what is wrong with it was told.
func openExercise(path string, params map[string]string, d *display, std streams) (*grade.Exercise, error) {
	const what = "An exercise is a folder with an " + grade.FileName + ", or such a file."
	if st, err := os.Stat(path); err == nil && st.Mode().IsRegular() && !scenarioLike(path) {
		return nil, &usageError{text: path + " is no exercise", hint: what}
	}
	l := &diag.List{}
	ex, err := grade.Open(path, params, l)
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		u := &usageError{text: fmt.Sprintf("%s: %s", p.Path, source.Reason(err))}
		if errors.Is(err, fs.ErrNotExist) && filepath.Base(p.Path) == grade.FileName && p.Path != path {
			u.hint = what
		} else if near := nearFile(p.Path); errors.Is(err, fs.ErrNotExist) {
			u.hint = near
		}
		return nil, u
	}
	if err != nil {
		return nil, err
	}
	d.complain(std.err, l.All())
	if ex == nil {
		return nil, coded(exitUsage)
	}
	return ex, nil
}

func runGrade(ctx context.Context, o *gradeOptions, exercise string, paths []string, std streams) error {
	began := time.Now()
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	ex, err := openExercise(exercise, params, &o.display, std)
	if err != nil {
		return err
	}
	subs, err := grade.Find(paths)
	if err != nil {
		return usage("%v", err)
	}
	var res outcome
	if len(subs) == 0 {
		if !o.allowEmpty {
			res.nothing = true
			fmt.Fprintf(std.err, "ipcrun: nothing to do: there is no submission in %s\n", strings.Join(paths, ", "))
		}
		return res.err()
	}
	c := &crew{out: &sink{w: std.out}, file: std.out, err: std.err}
	ctx, stop := listen(ctx, c.interrupted)
	defer stop()
	e, err := engine.New(engine.Options{Version: version(), TimeoutScale: float64(o.scale)})
	if err != nil {
		return err
	}
	defer e.Close()
	g := &grade.Grader{Engine: e, Exercise: ex, Detail: grade.Detail(o.detail.value), Results: o.results, Repeat: o.repeat, Again: o.again,
		Version: version(), Options: []string{o.scale.String()}}
	if g.Results == "" {
		g.Results = filepath.Join("results", ex.Name)
	}
	if err := g.Prepare(subs); err != nil {
		return usage("--results %s: %s", g.Results, source.Reason(err))
	}
	if g.Detail != grade.Full && !sandbox.Here().Spaces.Has(sandbox.Mount) {
		fmt.Fprintln(std.err, "ipcrun: this machine cannot hide the exercise from a submission, which could print it: see ipcrun doctor")
	}

	t := newGradeTable(c.out, g, subs, o)
	err = c.do(ctx, o.jobs.workers, len(subs), o.quiet, func(i int) string { return subs[i].Name }, func(i int) error {
		r, kept, err := g.Grade(ctx, &subs[i])
		if ctx.Err() != nil && err != nil {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.status.hide()
		t.set(i, row{r, kept, err})
		c.status.show()
		return nil
	})
	if err != nil {
		return err
	}
	if s, ok := context.Cause(ctx).(interrupt); ok {
		res.signal = s.Signal()
	}
	t.finish(time.Since(began))
	for _, r := range t.rows {
		switch {
		case r.err != nil:
			res.broken = true
		case r.result != nil && !r.result.Full() && !o.exitZero:
			res.failed = true
		}
	}
	if c.out.err != nil {
		return c.out.err
	}
	return res.err()
}

// completeFolders lets a shell complete folders and scenario files.
func completeFolders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}
