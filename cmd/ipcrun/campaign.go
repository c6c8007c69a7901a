package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/spec"
	"ipcrun/spec/source"
)

// campaign is one use of run: a list of scenarios, how often, how many at
// once, and what came of it.
type campaign struct {
	opt     *runOptions
	std     streams
	out     *sink // standard output
	log     *sink // the file of --log, nil if there is none
	list    []*spec.Scenario
	res     *outcome
	invalid int
	began   time.Time

	engine *engine.Engine
	until  time.Time

	// mu guards what follows and every write to out and log.
	mu       sync.Mutex
	status   *statusLine
	next     int // scenario to start
	lines    []report.Line
	failures int
	why      string // why the rest is not run
	ours     error  // an error of the runner itself, the first one
}

// run runs everything and writes the reports. Its error is one of ours; what
// came of the scenarios is in c.res.
func (c *campaign) run(ctx context.Context, opt engine.Options) error {
	ctx, stop := listen(ctx, c.interrupted)
	defer stop()
	e, err := engine.New(opt)
	if err != nil {
		return err
	}
	defer e.Close()
	c.engine, c.until = e, opt.Until
	if c.opt.format.value == "console" && !c.opt.quiet {
		c.mu.Lock()
		c.status = newStatusLine(c.out, c.std.out, len(c.list), &c.mu)
		c.mu.Unlock()
	}
	var workers sync.WaitGroup
	for range min(c.opt.jobs.workers, len(c.list)) {
		workers.Go(func() { c.work(ctx) })
	}
	workers.Wait()
	c.status.close()

	if s, ok := context.Cause(ctx).(interrupt); ok {
		c.res.signal = s.Signal()
	}
	if c.why == whyTotal {
		c.res.failed = true
	}
	c.summary()
	err = errors.Join(c.ours, c.out.err)
	if c.log != nil {
		err = errors.Join(err, c.log.err)
	}
	if err != nil && c.res.signal != 0 { // which decides the exit code
		exitOf(c.std.err, err)
		return nil
	}
	return err
}

// interrupted says that a signal has arrived. It waits for nobody, so that a
// second signal always gets through.
func (c *campaign) interrupted(by interrupt) {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		c.status.hide()
	}
	fmt.Fprintf(c.std.err, "ipcrun: %s: cleaning up; once more to stop at once\n", by.name())
}

const whyTotal = "--total-timeout was over"

// take hands out the next scenario, nil if nothing more is to be started.
func (c *campaign) take(ctx context.Context) *spec.Scenario {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.next >= len(c.list) || c.why != "":
		return nil
	case ctx.Err() != nil:
		c.why = "interrupted"
		return nil
	case !c.until.IsZero() && !time.Now().Before(c.until):
		c.why = whyTotal
		return nil
	case c.opt.maxFailures > 0 && c.failures >= c.opt.maxFailures:
		c.why = fmt.Sprintf("--max-failures %d", c.opt.maxFailures)
		if c.opt.failFast {
			c.why = "--fail-fast"
		}
		return nil
	case c.ours != nil:
		c.why = "ipcrun could not go on"
		return nil
	}
	sc := c.list[c.next]
	c.next++
	c.status.begin(sc, sc.Name)
	return sc
}

func (c *campaign) work(ctx context.Context) {
	for sc := c.take(ctx); sc != nil; sc = c.take(ctx) {
		var runs report.Series
		for range c.opt.repeat {
			res, err := c.engine.Run(ctx, sc)
			if err != nil {
				c.fail(sc, err)
				break
			}
			r := report.Run{File: sc.File, Log: res.Events}
			if c.wantsAll(res) {
				r.Log = res.All()
			}
			runs.Add(r)
			c.record(r, res)
			if ctx.Err() != nil || !c.until.IsZero() && !time.Now().Before(c.until) {
				break
			}
		}
		if runs.Len() > 0 {
			c.finish(sc, &runs)
		}
	}
}

// wantsAll: the report on a run needs each operation.
func (c *campaign) wantsAll(res *engine.Result) bool {
	return c.opt.format.value != "json" && (c.opt.verbose >= int(report.Details) || res.Verdict.Result != event.Pass)
}

// fail notes that a scenario could not even be recorded.
func (c *campaign) fail(sc *spec.Scenario, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.end(sc)
	if c.ours == nil {
		c.ours = fmt.Errorf("%s: %w", sc.File.Name, err)
	}
}

// record writes what is written of every single run.
func (c *campaign) record(r report.Run, res *engine.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	write := func(to *sink) {
		// What the file or the pipe refuses is known to the sink.
		if err := event.WriteEach(to, res.Each()); err != nil && c.ours == nil {
			c.ours = fmt.Errorf("%s: writing the log: %w", r.File.Name, err)
		}
	}
	if c.log != nil {
		write(c.log)
	}
	if c.opt.format.value == "json" {
		write(c.out)
		return
	}
	if c.opt.verbose > 0 {
		c.status.hide()
		report.Timeline(c.out, r, report.Depth(min(c.opt.verbose, int(report.Details))), c.opt.style(c.std))
		c.status.show()
	}
}

// finish reports on a scenario whose runs are done.
func (c *campaign) finish(sc *spec.Scenario, runs *report.Series) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := runs.Verdict()
	c.res.add(v)
	good := v.Result == event.Pass || v.Result == event.Skip
	if !good {
		c.failures++
	}
	c.lines = append(c.lines, report.Line{Name: sc.Name, File: sc.File.Name, Verdict: v})
	c.status.end(sc)
	if c.opt.format.value == "json" || good && c.opt.quiet {
		return
	}
	c.status.hide()
	runs.Write(c.out, c.opt.style(c.std))
	c.status.show()
}

func (c *campaign) summary() {
	if c.opt.quiet || c.opt.format.value == "json" {
		return
	}
	report.Summary(c.out, report.Totals{
		Lines: c.lines, Invalid: c.invalid, NotRun: len(c.list) - c.next, Why: c.why,
		Duration: int64(time.Since(c.began)), Seed: c.opt.order.seed,
	}, c.opt.style(c.std))
}

// nothing says why nothing was selected.
func nothing(std streams, s *selection, in *inputs, res *outcome) error {
	fmt.Fprintf(std.err, "ipcrun: nothing to do: %s\n", s.empty(in))
	return res.err()
}

// usageOrBroken tells a path that is wrong from a machine that refuses.
func usageOrBroken(err error, path string) error {
	if os.IsNotExist(err) || isDirectory(err) {
		return usage("--log %s: %s", path, source.Reason(err))
	}
	return fmt.Errorf("--log %s: %s", path, source.Reason(err))
}

func isDirectory(err error) bool {
	p, ok := err.(*fs.PathError)
	return ok && p.Err == syscall.EISDIR
}
