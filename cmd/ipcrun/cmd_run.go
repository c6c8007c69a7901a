package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

func init() { register("run", newRun) }

// runOptions are the flags of run.
type runOptions struct {
	display
	params    paramOptions
	bind      bindOptions
	selection selection
	order     order

	format      oneOf
	showOutput  oneOf
	jobs        jobsOption
	repeat      int
	timeout     duration
	stepTimeout duration
	total       duration
	scale       factor
	failFast    bool
	maxFailures int
	dryRun      bool
	log         string
	exitZero    bool
}

const runLong = `Runs scenarios and says how they went. A folder stands for every *.yaml and
*.yml below it, in the order of their names (what begins with a dot is left
out); - is standard input. A file that is named twice runs twice.

A scenario passes if every check held. The line of one that did not pass is
followed by where it failed, why, what happened last, and how to run it again.`

const runExample = `  ipcrun driver.yaml
  ipcrun run -v --param locked=false tills.yaml
  ipcrun -t 'signals,!slow' --repeat 20 scenarios`

func newRun(std streams) *cobra.Command {
	o := &runOptions{scale: 1}
	cmd := &cobra.Command{
		Use:     "run [FLAGS] FILE|DIR|-...",
		Short:   "Run scenarios (what ipcrun does without a command)",
		Long:    runLong + "\n\n" + exitHelp(exitGood, exitFailed, exitUsage, exitBroken, exitNothing, 130),
		Example: runExample,
		Args:    needFiles,
		PreRunE: prepare(o.check, o.jobs.check, o.selection.check, o.order.check),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRun(cmd.Context(), o, args, std)
		},
		ValidArgsFunction: completeFiles,
	}
	o.display.add(cmd)
	o.addQuiet(cmd, "say nothing of scenarios that pass, and no summary")
	o.params.add(cmd)
	o.bind.add(cmd)
	o.selection.add(cmd)
	o.order.add(cmd)
	o.format = newOneOf("console", "plain", "json")
	o.format.add(cmd, "format", "what goes to standard output: text, text that never moves the cursor or uses colours, or the event log as JSON lines")
	o.showOutput = newOneOf("failed", "all", "none")
	o.showOutput.add(cmd, "show-output", "whose printed lines to show: the last ones of scenarios that fail, all of everybody's, or none")
	f := cmd.Flags()
	o.jobs.add(cmd, "1", "run `N` scenarios at once; auto: as many as there are processors")
	f.IntVar(&o.repeat, "repeat", 1, "run each scenario `N` times and report how often it passed")
	f.Var(&o.timeout, "timeout", "how long a scenario that sets no timeout may take, as 500ms or 2s (default 10s)")
	f.Var(&o.stepTimeout, "step-timeout", "how long a step that sets no timeout may wait (default 5s)")
	f.Var(&o.total, "total-timeout", "how long everything together may take")
	f.Var(&o.scale, "timeout-scale", "multiply every limit by this, those in files included, as on a slow machine")
	f.BoolVarP(&o.failFast, "fail-fast", "x", false, "start nothing more after the first scenario that does not pass")
	f.IntVar(&o.maxFailures, "max-failures", 0, "start nothing more after `N` scenarios that do not pass")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would run, in words, and run nothing")
	f.CountVarP(&o.verbose, "verbose", "v", "show what happened, event by event; -vv: every operation too")
	f.StringVar(&o.log, "log", "", "write the event log of every run to `FILE`, as JSON lines; each run begins with its start event")
	f.BoolVar(&o.exitZero, "exit-zero", false, "exit with 0 even if scenarios fail, as long as they could be run")
	return cmd
}

// needFiles: a command works on at least one file.
func needFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return &usageError{text: cmd.Name() + ": which scenario? Give a file, a folder, or - for standard input",
			hint: "Try: " + cmd.CommandPath() + " --help"}
	}
	return nil
}

func (o *runOptions) check() error {
	switch {
	case o.maxFailures < 0:
		return usage("--max-failures %d: a number, or 0 for no limit", o.maxFailures)
	case o.failFast && o.maxFailures > 1:
		return usage("--fail-fast means --max-failures 1, not %d", o.maxFailures)
	case o.quiet && o.verbose > 0:
		return usage("--quiet and --verbose ask for opposite things")
	}
	if o.failFast {
		o.maxFailures = 1
	}
	return atLeastOnce(o.repeat)
}

// again are the arguments that another run like this one needs.
func (o *runOptions) again(params map[string]string) []string {
	args := append(o.params.args(params), o.bind.args()...)
	for _, d := range []struct {
		flag string
		d    duration
	}{{"--timeout", o.timeout}, {"--step-timeout", o.stepTimeout}} {
		if d.d != 0 {
			args = append(args, d.flag, d.d.String())
		}
	}
	if o.scale != 1 {
		args = append(args, "--timeout-scale", o.scale.String())
	}
	return args
}

func (o *runOptions) engine(params map[string]string, began time.Time) engine.Options {
	opt := engine.Options{
		Timeout: time.Duration(o.timeout), TimeoutSetBy: "--timeout",
		StepTimeout: time.Duration(o.stepTimeout), StepTimeoutSetBy: "--step-timeout",
		TimeoutScale: float64(o.scale), Version: version(), Args: o.again(params), PassEnv: o.bind.passEnv,
	}
	if o.total != 0 {
		total := time.Duration(min(float64(o.total)*float64(o.scale), float64(decl.LongestDuration)))
		opt.Until = began.Add(total)
		opt.Total = event.Limit{What: "total", After: int64(total), SetBy: "--total-timeout"}
	}
	return opt
}

// runRun is the command. Everything but the exit code was said when it
// returns a coded error.
func runRun(ctx context.Context, o *runOptions, args []string, std streams) error {
	began := time.Now()
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	bind, err := o.bind.programs()
	if err != nil {
		return err
	}
	in, err := load(args, std.in, spec.Options{Params: params, Bind: bind})
	if err != nil {
		return err
	}
	o.complain(std.err, in.diags)
	var res outcome
	res.unusable = in.unusable > 0
	list := o.selection.choose(in.scenarios)
	if len(list) == 0 {
		if in.unusable == 0 && !o.selection.allowEmpty {
			res.nothing = true
			return nothing(std, &o.selection, in, &res)
		}
		return res.err()
	}
	o.order.arrange(list)
	if o.dryRun {
		out := &sink{w: std.out}
		for _, sc := range list {
			describe(out, sc, o)
			fmt.Fprintln(out)
		}
		if out.err != nil {
			return out.err
		}
		return res.err()
	}

	c := &campaign{opt: o, std: std, out: &sink{w: std.out}, list: list, res: &res, invalid: in.unusable, began: began}
	closeLog := func() error { return nil }
	if o.log != "" {
		f, err := os.Create(o.log)
		if err != nil {
			return usageOrBroken(err, o.log)
		}
		c.log = &sink{w: f}
		closeLog = f.Close
	}
	// Some file systems tell only at the end that there was no room.
	if err := errors.Join(c.run(ctx, o.engine(params, began)), closeLog()); err != nil {
		return err
	}
	if o.exitZero {
		res.failed = false
	}
	return res.err()
}

// style is that of the report.
func (o *runOptions) style(std streams) report.Style {
	st := o.display.style(std.out)
	st.Output = report.Output(o.showOutput.value)
	if o.format.value == "plain" {
		st.Color = false
	}
	return st
}
