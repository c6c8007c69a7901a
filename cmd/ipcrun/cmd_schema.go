package main

import (
	"github.com/spf13/cobra"

	"ipcrun/schema"
)

func init() { register("schema", newSchema) }

func newSchema(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Prints the JSON Schema of scenario files. Editors that know YAML schemas use it
to complete and check a scenario while it is written, if its first line is

  # yaml-language-server: $schema=PATH

` + exitHelp(exitGood, exitUsage, exitBroken),
		Args:    noArgs,
		PreRunE: prepare(),
		RunE: func(*cobra.Command, []string) error {
			text, err := schema.JSON()
			if err != nil {
				return err
			}
			_, err = std.out.Write(text)
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}
