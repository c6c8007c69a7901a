package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/bench"
	"ipcrun/engine"
	"ipcrun/engine/plan"
)

func init() { register("bench", newBench) }

// benchOptions are the flags of bench.
type benchOptions struct {
	display
	time  duration
	runs  int
	sizes []string
	json  bool

	bytes []int // sizes, read
}

// defaultBenchTime is how long one run of a measurement takes at least about.
const defaultBenchTime = 50 * time.Millisecond

func newBench(std streams) *cobra.Command {
	o := &benchOptions{}
	cmd := &cobra.Command{
		Use:   "bench [FLAGS] [NAME]...",
		Short: "Measure pipe, queue, shared memory, locks and signals between real processes",
		Long: `Compares the primitives on this machine: texts of several sizes from one process
to another through a pipe, a queue and shared memory, and round trips between two
processes with each means of waiting. Every measurement is a scenario: what is
timed are its steps, each of them recorded, so that numbers compare with one
another and not with those of a C program. All are measured, or those named.

` + exitHelp(exitGood, exitUsage, exitBroken, 130),
		Example: "  ipcrun bench\n  ipcrun bench queue pipe --sizes 8,64KiB --runs 5\n  ipcrun bench --json > here.json",
		PreRunE: prepare(o.check),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBench(cmd.Context(), o, args, std)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return benchNames(bench.Cases(plan.Vocabulary(), []int{bench.LeastSize})), cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.display.add(cmd)
	o.addQuiet(cmd, "show no progress")
	f := cmd.Flags()
	f.Var(&o.time, "time", "how long a run takes at least about (default "+defaultBenchTime.String()+")")
	f.IntVar(&o.runs, "runs", 3, "measure each `N` times and take the median")
	f.StringSliceVar(&o.sizes, "sizes", []string{"8", "64", "1KiB", "8KiB", "64KiB", "1MiB"}, "sizes of messages, powers of 2 from 8 to 1MiB")
	f.BoolVar(&o.json, "json", false, "as JSON")
	return cmd
}

func (o *benchOptions) check() error {
	if o.runs < 1 {
		return usage("--runs %d: at least one", o.runs)
	}
	o.bytes = nil
	for _, s := range o.sizes {
		n, err := parseSize(s)
		if err != nil || n < bench.LeastSize || n > bench.MostSize || n&(n-1) != 0 {
			return usage("--sizes %s: a size is a power of 2 from 8 to 1MiB, as 64 or 8KiB", s)
		}
		o.bytes = append(o.bytes, n)
	}
	slices.Sort(o.bytes)
	o.bytes = slices.Compact(o.bytes)
	return nil
}

// parseSize reads 64, 64B, 8KiB and 1MiB.
func parseSize(s string) (int, error) {
	s = strings.ReplaceAll(s, " ", "")
	unit := 1
	for _, u := range []struct {
		name string
		n    int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = rest, u.n
			break
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > bench.MostSize {
		return 0, errors.New("no size")
	}
	return n * unit, nil
}

// benchNames lists what can be measured, each name once.
func benchNames(cases []bench.Case) []string {
	var out []string
	for i := range cases {
		if !slices.Contains(out, cases[i].Name) {
			out = append(out, cases[i].Name)
		}
	}
	return out
}

// chooseCases keeps those with one of the names, all if there is none.
func chooseCases(all []bench.Case, names []string) ([]bench.Case, error) {
	known := benchNames(all)
	for _, n := range names {
		if !slices.Contains(known, n) {
			u := &usageError{text: fmt.Sprintf("bench: nothing to measure is called %q", n), hint: suggest(n, known)}
			if u.hint == "" {
				u.hint = "one of: " + strings.Join(known, ", ")
			}
			return nil, u
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(c bench.Case) bool { return !slices.Contains(names, c.Name) }), nil
}

// runBench measures and writes what is known when it ends, even if a signal
// ended it.
func runBench(ctx context.Context, o *benchOptions, args []string, std streams) error {
	cases, err := chooseCases(bench.Cases(plan.Vocabulary(), o.bytes), args)
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Options{Version: version()})
	if err != nil {
		return err
	}
	defer e.Close()
	bar := newProgress(std.err, o.quiet)
	defer bar.close()
	ctx, stop := listen(ctx, func(by interrupt) {
		fmt.Fprintf(std.err, "\nipcrun: %s: cleaning up; once more to stop at once\n", by.name())
	})
	defer stop()

	effort := bench.Effort{Time: time.Duration(o.time), Runs: o.runs}
	if effort.Time == 0 {
		effort.Time = defaultBenchTime
	}
	var results []*bench.Result
	var res outcome
	for i := range cases {
		bar.show(i, len(cases), cases[i].Title())
		r, err := bench.Measure(ctx, e, cases[i], effort)
		if by, ok := errors.AsType[interrupt](err); ok {
			res.signal = by.Signal()
			break
		}
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	bar.close()
	out := &sink{w: std.out}
	if o.json {
		if err := writeBenchJSON(out, results, effort); err != nil {
			return err
		}
	} else if len(results) > 0 {
		writeBench(out, results, effort, orElse(width(std.out), plainWidth))
	}
	if out.err != nil {
		return out.err
	}
	return res.err()
}

// benchEntry is one measurement in JSON.
type benchEntry struct {
	What   string  `json:"what"` // message or round trip
	Name   string  `json:"name"`
	Bytes  int     `json:"bytes,omitempty"`
	How    string  `json:"how"`
	Rounds int     `json:"rounds"`
	RunsNs []int64 `json:"runs_ns"`
	EachNs float64 `json:"each_ns"`
	Rate   float64 `json:"bytes_per_second,omitempty"`
}

func writeBenchJSON(out *sink, results []*bench.Result, effort bench.Effort) error {
	doc := struct {
		Schema  string       `json:"schema"`
		Version string       `json:"version"`
		Host    string       `json:"host"`
		Time    string       `json:"time"`
		Results []benchEntry `json:"results"`
	}{Schema: "ipcrun/bench/v1", Version: version(), Host: engine.Host(), Time: effort.Time.String(), Results: []benchEntry{}}
	for _, r := range results {
		doc.Results = append(doc.Results, benchEntry{
			What: string(r.Case.Group), Name: r.Case.Name, Bytes: r.Case.Size, How: r.Case.How,
			Rounds: r.Rounds, RunsNs: r.Runs, EachNs: r.Each(), Rate: r.Rate(),
		})
	}
	return writeJSON(out, doc)
}
