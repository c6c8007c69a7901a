package main

import (
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/spec"
)

func init() { register("check", newCheck) }

// checkOptions are the flags of check.
type checkOptions struct {
	display
	params     paramOptions
	allowEmpty bool
}

func newCheck(std streams) *cobra.Command {
	o := &checkOptions{}
	cmd := &cobra.Command{
		Use:   "check [FLAGS] FILE|DIR|-...",
		Short: "Find the mistakes in scenario files without running anything",
		Long: `Reads scenario files and reports everything that is wrong with them, all of it
at once: unknown keys and names, wrong types, conditions that cannot be
computed, steps that can never run. No process is started.

` + exitHelp(exitGood, exitUsage, exitNothing),
		Example: "  ipcrun check scenarios\n  ipcrun check --error-format short driver.yaml",
		Args:    needFiles,
		PreRunE: prepare(),
		RunE: func(_ *cobra.Command, args []string) error {
			return runCheck(o, args, std)
		},
		ValidArgsFunction: completeFiles,
	}
	o.display.add(cmd)
	o.addQuiet(cmd, "say nothing of files that are good")
	o.params.add(cmd)
	cmd.Flags().BoolVar(&o.allowEmpty, "allow-empty", false, "it is no error if there is no file")
	return cmd
}

func runCheck(o *checkOptions, args []string, std streams) error {
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	in, err := load(args, std.in, spec.Options{Params: params})
	if err != nil {
		return err
	}
	o.complain(std.err, in.diags)
	out := &sink{w: std.out}
	for _, sc := range in.scenarios {
		o.say(out, "ok  %s  %s", sc.File.Name, about(sc))
	}
	res := outcome{unusable: in.unusable > 0, nothing: in.files == 0 && !o.allowEmpty}
	switch {
	case res.nothing:
		return nothing(std, &selection{}, in, &res)
	case in.unusable > 0:
		o.say(out, "%d of %d files not usable", in.unusable, in.files)
	}
	if out.err != nil {
		return out.err
	}
	return res.err()
}

// about says in a few words what a scenario consists of.
func about(sc *spec.Scenario) string {
	procs := 0
	for _, p := range sc.Procs {
		procs += p.Count
	}
	prims := 0
	for _, p := range sc.Prims {
		prims += p.Count
	}
	parts := []string{plural(procs, "process", "processes")}
	if prims > 0 {
		parts = append(parts, plural(prims, "primitive", "primitives"))
	}
	parts = append(parts, plural(len(sc.All)-1, "step", "steps"), plural(checksOf(sc), "check", "checks"))
	if p := pointsOf(sc); p > 0 {
		parts = append(parts, trimmed(p)+" points")
	}
	return strings.Join(parts, ", ")
}
