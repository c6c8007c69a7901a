package report

import (
	"fmt"
	"io"
	"sort"
	"strings"

	"ipcrun/engine/event"
)

// Line is what a summary needs of one run.
type Line struct {
	Name, File string
	Verdict    event.Verdict
}

// Totals are what a summary is made of.
type Totals struct {
	Lines    []Line
	Invalid  int    // files that could not be used
	NotRun   int    // scenarios that were selected and never started
	Why      string // why they were not started
	Duration int64  // of everything, nanoseconds
	Seed     string // of the order, "" if it was that of the command line
}

// wordOrder is the order in which results are counted.
var wordOrder = []string{string(event.Pass), string(event.Skip), string(event.Flaky), string(event.Failed), string(event.Timeout), string(event.Error), interrupted}

// Summary writes the counts of each result, the duration, the seed and the
// slowest three. The error is w's.
func Summary(w io.Writer, t Totals, st Style) error {
	n := map[string]int{}
	earned, possible := 0.0, 0.0
	for _, l := range t.Lines {
		n[wordOf(l.Verdict)]++
		earned += l.Verdict.Points
		possible += l.Verdict.MaxPoints
	}
	var parts []string
	for _, word := range wordOrder {
		if n[word] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[word], st.word(word)))
		}
	}
	if t.NotRun > 0 {
		parts = append(parts, fmt.Sprintf("%d not run (%s)", t.NotRun, t.Why))
	}
	if t.Invalid > 0 {
		parts = append(parts, fmt.Sprintf("%s not usable", count(t.Invalid, "file")))
	}
	if possible > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s points", number(earned), number(possible)))
	}
	if len(parts) == 0 {
		parts = []string{"nothing ran"}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s\n", count(len(t.Lines)+t.NotRun, "scenario"), strings.Join(parts, ", "), span(t.Duration))
	if t.Seed != "" {
		fmt.Fprintf(&b, "order shuffled with seed %s: the same order again with --seed %s\n", t.Seed, t.Seed)
	}
	if len(t.Lines) > 3 {
		slow := append([]Line{}, t.Lines...)
		sort.SliceStable(slow, func(i, j int) bool { return slow[i].Verdict.Duration > slow[j].Verdict.Duration })
		fmt.Fprintln(&b, "slowest:")
		for _, l := range slow[:3] {
			fmt.Fprintf(&b, "  %6s  %s  %s\n", span(l.Verdict.Duration), visible(l.Name), st.faint(visible(l.File)))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
