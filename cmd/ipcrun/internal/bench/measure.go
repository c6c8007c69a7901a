package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// Effort is how much is spent on a case.
type Effort struct {
	Time time.Duration // that one run of it should take at least about
	Runs int           // that are measured, at least 1
}

// Result is what came of a case.
type Result struct {
	Case   Case
	Rounds int     // of one run
	Runs   []int64 // nanoseconds of each run's loop
}

// Each is the median of the time that one round takes, in nanoseconds.
func (r *Result) Each() float64 {
	sorted := slices.Sorted(slices.Values(r.Runs))
	return float64(sorted[len(sorted)/2]) / float64(r.Rounds)
}

// Spread is half the distance between the quickest and the slowest run, as a
// part of the median.
func (r *Result) Spread() float64 {
	low, high := slices.Min(r.Runs), slices.Max(r.Runs)
	return float64(high-low) / 2 / (r.Each() * float64(r.Rounds))
}

// Rate is bytes per second, 0 for round trips.
func (r *Result) Rate() float64 { return float64(r.Case.Size) / r.Each() * 1e9 }

const (
	fewest = 16
	most   = 200_000
	// mostLogged bounds what the logs of one run take: a record keeps the first
	// bytes of a large value.
	mostLogged = 48 << 20
	keptOfOne  = 24 << 10
)

// limit is the number of rounds that a run of the case has at most.
func (c *Case) limit() int {
	return max(fewest, min(most, mostLogged/(2*min(c.Size, keptOfOne)+1000)))
}

// Measure runs a case with more and more rounds until a run takes long
// enough, and then as often as asked. It blocks for that long. Its error is
// the context's if that was cancelled.
func Measure(ctx context.Context, e *engine.Engine, c Case, how Effort) (*Result, error) {
	n := fewest
	for {
		took, err := once(ctx, e, &c, n)
		if err != nil {
			return nil, err
		}
		if took >= int64(how.Time)/2 || n == c.limit() {
			break
		}
		// The first rounds are slow: the goal is approached, not jumped at.
		grow := min(16, 1+int64(how.Time)/max(took, 1))
		n = min(c.limit(), n*int(grow))
	}
	r := &Result{Case: c, Rounds: n}
	for range max(1, how.Runs) {
		took, err := once(ctx, e, &c, n)
		if err != nil {
			return nil, err
		}
		r.Runs = append(r.Runs, took)
	}
	return r, nil
}

// once is the time between the begin and the end of n rounds, in nanoseconds.
func once(ctx context.Context, e *engine.Engine, c *Case, n int) (int64, error) {
	l := &diag.List{}
	sc := spec.Load(source.New(c.Title(), []byte(c.Scenario(n))), plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		return 0, fmt.Errorf("%s: the scenario of this measurement is wrong: %s", c.Title(), l.All()[0].Summary)
	}
	res, err := e.Run(ctx, sc)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Title(), err)
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if res.Verdict.Result != event.Pass {
		return 0, fmt.Errorf("%s: %w", c.Title(), why(res))
	}
	var begin, end int64
	for _, ev := range res.Events {
		if ev.Type == event.Print.String() {
			switch ev.Value {
			case "begin":
				begin = ev.At
			case "end":
				end = ev.At
			}
		}
	}
	if begin == 0 || end <= begin {
		return 0, fmt.Errorf("%s: the event log does not say how long it took", c.Title())
	}
	return end - begin, nil
}

// why says why a measurement's scenario did not pass.
func why(res *engine.Result) error {
	text := "the measurement ended in " + res.Verdict.Ending
	if i := res.Verdict.Cause; i >= 0 {
		ev := res.Events[i]
		for _, s := range []string{ev.Proc, ev.Verb, ev.Error, ev.Detail} {
			if s != "" {
				text += ", " + s
			}
		}
	}
	return errors.New(text)
}
