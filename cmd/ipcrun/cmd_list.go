package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/spec"
	"ipcrun/spec/source"
)

func init() { register("list", newList) }

// listOptions are the flags of list.
type listOptions struct {
	display
	params    paramOptions
	selection selection
}

func newList(std streams) *cobra.Command {
	o := &listOptions{}
	cmd := &cobra.Command{
		Use:   "list [FLAGS] FILE|DIR|-...",
		Short: "List scenarios: name, file, checks, points and tags",
		Long: `Lists the scenarios that run would run, in the order of the files. Nothing is
started.

` + exitHelp(exitGood, exitUsage, exitNothing),
		Example: "  ipcrun list -t signals scenarios",
		Args:    needFiles,
		PreRunE: prepare(o.selection.check),
		RunE: func(_ *cobra.Command, args []string) error {
			return runList(o, args, std)
		},
		ValidArgsFunction: completeFiles,
	}
	o.display.add(cmd)
	o.params.add(cmd)
	o.selection.add(cmd)
	return cmd
}

func runList(o *listOptions, args []string, std streams) error {
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	in, err := load(args, std.in, spec.Options{Params: params})
	if err != nil {
		return err
	}
	o.complain(std.err, in.diags)
	list := o.selection.choose(in.scenarios)
	res := outcome{unusable: in.unusable > 0}
	if len(list) == 0 && in.unusable == 0 && !o.selection.allowEmpty {
		res.nothing = true
		return nothing(std, &o.selection, in, &res)
	}
	out := &sink{w: std.out}
	writeList(out, list)
	if out.err != nil {
		return out.err
	}
	return res.err()
}

func writeList(w io.Writer, list []*spec.Scenario) {
	rows := [][]string{}
	for _, sc := range list {
		row := []string{source.Visible(sc.Name), source.Visible(sc.File.Name), plural(checksOf(sc), "check", "checks")}
		points := ""
		if p := pointsOf(sc); p > 0 {
			points = trimmed(p) + " points"
		}
		rows = append(rows, append(row, points, strings.Join(sc.Tags, ", ")))
	}
	writeTable(w, rows)
}

// writeTable aligns columns by terminal cells; a column that is empty in every
// row is left out.
func writeTable(w io.Writer, rows [][]string) {
	var wide []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], source.Cells(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			if wide[i] > 0 {
				line += cell + strings.Repeat(" ", wide[i]-source.Cells(cell)+2)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// checksOf counts the steps of a scenario that check something.
func checksOf(sc *spec.Scenario) int {
	n := len(sc.Always)
	for _, s := range sc.All[1:] {
		if s.Verb.Name != "always" && (s.Verb.Checks || s.Error != "") {
			n++
		}
	}
	return n
}

// pointsOf adds up what can be earned.
func pointsOf(sc *spec.Scenario) float64 {
	sum := 0.0
	for _, s := range sc.All[1:] {
		sum += s.Points
	}
	return sum
}

func trimmed(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
