package engine

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// The limits where nobody sets one.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultStepTimeout = 5 * time.Second
)

// Options are what holds for all runs of an Engine. Zero values mean the
// defaults.
type Options struct {
	Timeout     time.Duration // of a scenario that sets none; default DefaultTimeout
	StepTimeout time.Duration // of a waiting step of the script that sets none; default DefaultStepTimeout
	// TimeoutScale multiplies every limit, those of files included, but not what a
	// process itself waits.
	TimeoutScale float64
	// Who set Timeout and StepTimeout: "the default" or a flag.
	TimeoutSetBy, StepTimeoutSetBy string
	Version                        string
	// PassEnv names variables of the environment that programs get, too.
	PassEnv []string
	// Until is when all runs together must have ended, zero for never; Total
	// is the limit that the log then names.
	Until time.Time
	Total event.Limit
	// Args are the arguments, beside the file, that a run like this one needs
	// again; the log keeps them.
	Args []string
}

// Engine runs scenarios. Its methods may be used from several goroutines.
type Engine struct {
	opt     Options
	spawner *proc.Spawner
}

// New makes an Engine. It makes this process the subreaper of what it starts,
// for good.
func New(opt Options) (*Engine, error) {
	if opt.Timeout == 0 {
		opt.Timeout, opt.TimeoutSetBy = DefaultTimeout, "the default"
	}
	if opt.StepTimeout == 0 {
		opt.StepTimeout, opt.StepTimeoutSetBy = DefaultStepTimeout, "the default"
	}
	if opt.TimeoutScale == 0 {
		opt.TimeoutScale = 1
	}
	if err := proc.BecomeSubreaper(); err != nil {
		return nil, err
	}
	s, err := proc.NewSpawner()
	if err != nil {
		return nil, err
	}
	return &Engine{opt: opt, spawner: s}, nil
}

// Close gives up the Engine. No run may be going on.
func (e *Engine) Close() { e.spawner.Close() }

// Result is what a run leaves.
type Result struct {
	Scenario *spec.Scenario
	// Events is the log in order of time. Of a long one it leaves out routine
	// operations; All has them.
	Events  []event.Event
	Verdict event.Verdict

	run *run
}

// Run runs a scenario to its end. When ctx is cancelled it stops, tears down
// and returns what is known; the cause of the cancellation names the signal.
// The returned error is ours: the run could not even be recorded.
func (e *Engine) Run(ctx context.Context, sc *spec.Scenario) (*Result, error) {
	return e.Watch(ctx, sc, nil)
}

// Watch is Run; told is given the log so far each time that a check which earns
// points is done. The run goes on when told returns.
func (e *Engine) Watch(ctx context.Context, sc *spec.Scenario, told func([]event.Event)) (*Result, error) {
	p, err := plan.Make(sc)
	if err != nil {
		return nil, err
	}
	r := &run{engine: e, plan: p, ctx: ctx, told: told}
	r.execute()
	events := r.digest()
	return &Result{Scenario: sc, Events: events, Verdict: event.Judge(events), run: r}, nil
}

// All is the whole log, in order: of a run of millions of operations it is
// large. See Each.
func (r *Result) All() []event.Event { return r.run.events(nil) }

// Host describes the machine for the record.
func Host() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	return fmt.Sprintf("%s %s %s, %d CPU", unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]), runtime.NumCPU())
}

// scaled is a limit as --timeout-scale has it, at most decl.LongestDuration: what
// comes after that is beyond the end of what a moment can be.
func (e *Engine) scaled(d time.Duration) time.Duration {
	return time.Duration(min(float64(d)*e.opt.TimeoutScale, float64(decl.LongestDuration)))
}

// setBy is who set a limit, the scale included if it changes it.
func (e *Engine) setBy(who string) string {
	if e.opt.TimeoutScale == 1 {
		return who
	}
	return who + event.AndScale
}

// devNull is the standard input of processes without a terminal.
func devNull() (*os.File, error) { return os.Open(os.DevNull) }
