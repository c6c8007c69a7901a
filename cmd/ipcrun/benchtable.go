package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"ipcrun/cmd/ipcrun/internal/bench"
	"ipcrun/engine"
	"ipcrun/spec/source"
)

// writeBench writes what was measured: a table of messages by size, bars that
// compare within each size, the round trips, and what it comes to.
func writeBench(w io.Writer, results []*bench.Result, effort bench.Effort, width int) {
	width = max(40, min(width, widestText))
	title := func(text string) {
		fmt.Fprintln(w, strings.Join(wrap(text, width), "\n")+"\n")
	}
	var sizes []int
	var means []string
	var trips []*bench.Result
	by := map[int][]*bench.Result{}
	for _, r := range results {
		if r.Case.Group == bench.RoundTrip {
			trips = append(trips, r)
			continue
		}
		if by[r.Case.Size] == nil {
			sizes = append(sizes, r.Case.Size)
		}
		by[r.Case.Size] = append(by[r.Case.Size], r)
		if !slices.Contains(means, r.Case.Name) {
			means = append(means, r.Case.Name)
		}
	}
	if len(sizes) > 0 {
		title("A message from one process to another: time for each, and throughput")
		messageTable(w, sizes, means, by)
		for _, size := range sizes {
			if len(by[size]) < 2 {
				continue // nothing to compare
			}
			fmt.Fprintf(w, "\n%s\n", bench.Bytes(size))
			bars(w, by[size], width)
		}
		fmt.Fprintln(w)
	}
	if len(trips) > 0 {
		title("There and back between two processes: time for each round trip")
		slices.SortStableFunc(trips, func(a, b *bench.Result) int { return sign(a.Each() - b.Each()) })
		bars(w, trips, width)
		fmt.Fprintln(w)
	}
	said := false
	for i, size := range sizes {
		if i == 0 || i == len(sizes)-1 {
			if s := comparison(by[size]); s != "" {
				said = true
				fmt.Fprintf(w, "%s: %s\n", bench.Bytes(size), s)
			}
		}
	}
	if said {
		fmt.Fprintln(w)
	}
	note := fmt.Sprintf("%s. Medians of %s of at least about %s", engine.Host(), plural(len(results[0].Runs), "run", "runs"), effort.Time)
	if len(results[0].Runs) > 1 {
		note += "; ± is half the distance between the quickest and the slowest"
	}
	note += ". Each step was recorded, as in every scenario: compare the numbers with one another."
	for _, line := range wrap(note, width) {
		fmt.Fprintln(w, line)
	}
}

func sign(f float64) int {
	switch {
	case f < 0:
		return -1
	case f > 0:
		return 1
	}
	return 0
}

func messageTable(w io.Writer, sizes []int, means []string, by map[int][]*bench.Result) {
	rows := [][]string{{""}}
	for _, m := range means {
		rows[0] = append(rows[0], m, "")
	}
	for _, size := range sizes {
		row := []string{bench.Bytes(size)}
		for _, m := range means {
			i := slices.IndexFunc(by[size], func(r *bench.Result) bool { return r.Case.Name == m })
			if i < 0 {
				row = append(row, "", "")
				continue
			}
			row = append(row, took(by[size][i].Each()), rate(by[size][i].Rate()))
		}
		rows = append(rows, row)
	}
	for i, line := range rightAligned(rows) {
		if i == 0 {
			line = strings.TrimRight(line, " ")
		}
		fmt.Fprintln(w, line)
	}
}

// rightAligned sets columns flush right, but for a heading over two columns,
// which begins where the first of them does.
func rightAligned(rows [][]string) []string {
	wide := make([]int, len(rows[0]))
	for _, row := range rows[1:] {
		for i, c := range row {
			wide[i] = max(wide[i], source.Cells(c))
		}
	}
	for i := 1; i+1 < len(wide); i += 2 {
		wide[i+1] += max(0, source.Cells(rows[0][i])-wide[i]-2-wide[i+1])
	}
	var out []string
	for k, row := range rows {
		line := strings.Repeat(" ", wide[0]-source.Cells(row[0])) + row[0]
		for i := 1; i+1 < len(row); i += 2 {
			if k == 0 {
				line += "    " + source.Pad(row[i], wide[i]+2+wide[i+1])
				continue
			}
			line += "    " + strings.Repeat(" ", wide[i]-source.Cells(row[i])) + row[i] + "  " + strings.Repeat(" ", wide[i+1]-source.Cells(row[i+1])) + row[i+1]
		}
		out = append(out, line)
	}
	return out
}

// bars shows times as bars, the longest of which is the slowest.
func bars(w io.Writer, list []*bench.Result, width int) {
	name, slowest := 0, 0.0
	for _, r := range list {
		name = max(name, source.Cells(r.Case.Name))
		slowest = max(slowest, r.Each())
	}
	room := width - len(margin) - name - 2 - 9 - 7
	for _, r := range list {
		each := took(r.Each())
		fmt.Fprintf(w, "%s%s  %s%s %-4s %s\n", margin, source.Pad(r.Case.Name, name), strings.Repeat(" ", max(0, 8-source.Cells(each))), each,
			spread(r), bar(r.Each()/slowest, room))
	}
}

// bar is a part of a bar of room cells, exact to an eighth of a cell.
func bar(part float64, room int) string {
	eighths := max(1, int(part*float64(room)*8+0.5))
	out := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		out += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return out
}

// spread is empty where a single run tells nothing of it.
func spread(r *bench.Result) string {
	if len(r.Runs) < 2 {
		return ""
	}
	return fmt.Sprintf("±%.0f%%", r.Spread()*100)
}

// took is a time in nanoseconds with three digits.
func took(ns float64) string {
	switch {
	case ns >= 1e9:
		return digits(ns/1e9) + " s"
	case ns >= 1e6:
		return digits(ns/1e6) + " ms"
	case ns >= 1e3:
		return digits(ns/1e3) + " µs"
	}
	return digits(ns) + " ns"
}

// rate is bytes per second with three digits.
func rate(r float64) string {
	switch {
	case r >= 1<<30:
		return digits(r/(1<<30)) + " GiB/s"
	case r >= 1<<20:
		return digits(r/(1<<20)) + " MiB/s"
	}
	return digits(r/(1<<10)) + " KiB/s"
}

// digits shows three of them.
func digits(f float64) string {
	switch {
	case f >= 99.95:
		return fmt.Sprintf("%.0f", f)
	case f >= 9.995:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// comparison says how much quicker the quickest is than each of the others, ""
// if there is nothing to compare. What the runs do not tell apart it calls
// equal.
func comparison(list []*bench.Result) string {
	if len(list) < 2 {
		return ""
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *bench.Result) int { return sign(a.Each() - b.Each()) })
	best := sorted[0]
	var parts []string
	for _, r := range sorted[1:] {
		if slices.Min(r.Runs) <= scaled(best, r) {
			parts = append(parts, "as quick as "+r.Case.Name+" within the spread")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s times as quick as %s", digits(r.Each()/best.Each()), r.Case.Name))
	}
	return best.Case.Name + " is " + strings.Join(parts, ", ")
}

// scaled is the slowest run of a, in the rounds of b.
func scaled(a, b *bench.Result) int64 {
	return int64(float64(slices.Max(a.Runs)) / float64(a.Rounds) * float64(b.Rounds))
}
