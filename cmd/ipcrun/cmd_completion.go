package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func init() { register("completion", newCompletion) }

var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a script that lets a shell complete ipcrun's commands and flags",
		Long: `Prints a script for a shell. For bash, in the running shell:

  source <(ipcrun completion bash)

` + exitHelp(exitGood, exitUsage),
		ValidArgs: shells,
		PreRunE:   prepare(),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				for _, s := range shells {
					if s == args[0] {
						return nil
					}
				}
			}
			u := &usageError{text: "completion: for which shell? One of " + strings.Join(shells, ", ")}
			if len(args) == 1 {
				u.hint = suggest(args[0], shells)
			}
			return u
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(std.out, true)
			case "zsh":
				return root.GenZshCompletion(std.out)
			case "fish":
				return root.GenFishCompletion(std.out, true)
			}
			return root.GenPowerShellCompletionWithDesc(std.out)
		},
	}
}
