package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func init() { register("version", newVersion) }

// release is set by the linker when a release is built.
var release string

// version is what this binary is: a release, a commit, or devel.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func newVersion(std streams) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Prints the version of ipcrun, of Go, and the system it was built for.\n\n" + exitHelp(exitGood, exitUsage),
		Args:    noArgs,
		PreRunE: prepare(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(std.out, "ipcrun %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

// noArgs is for commands that take none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &usageError{text: cmd.Name() + ": it takes no argument, " + args[0] + " is one", hint: "Try: " + cmd.CommandPath() + " --help"}
	}
	return nil
}
