package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/grade"
	"ipcrun/schema"
)

func init() { register("schema", newSchema) }

// schemas are the files of which there is one, by the argument that asks for it.
var schemas = map[string]func() ([]byte, error){
	"":        schema.JSON,
	"results": grade.JSONSchema,
}

func newSchema(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema [results]",
		Short: "Print the JSON Schema of scenario files, for editors, or of results",
		Long: `Prints the JSON Schema of scenario files. Editors that know YAML schemas use it
to complete and check a scenario while it is written, if its first line is

  # yaml-language-server: $schema=PATH

With results, prints that of the result files that grade writes.

` + exitHelp(exitGood, exitUsage, exitBroken),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("schema: one at a time")
			}
			if len(args) == 1 && (args[0] == "" || schemas[args[0]] == nil) {
				u := &usageError{text: fmt.Sprintf("schema %s: there are schemas of scenarios (no argument) and of results", args[0]),
					hint: "Try: ipcrun schema, or ipcrun schema results"}
				return u
			}
			return nil
		},
		PreRunE: prepare(),
		RunE: func(_ *cobra.Command, args []string) error {
			of := ""
			if len(args) > 0 {
				of = args[0]
			}
			text, err := schemas[of]()
			if err != nil {
				return err
			}
			_, err = std.out.Write(text)
			return err
		},
		ValidArgs: []string{"results"},
	}
}
