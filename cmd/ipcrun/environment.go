package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ipcrun/spec/diag"
)

// variableOf is the environment variable of a flag.
func variableOf(flag string) string {
	return "IPCRUN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnvironment gives every flag that was not on the command line the value
// of its variable. A flag that may be repeated takes one value from each line.
// An empty variable counts as unset.
func readEnvironment(cmd *cobra.Command) error {
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		text := os.Getenv(name)
		if f.Changed || text == "" || f.Name == "help" || bad != nil {
			return
		}
		values := []string{text}
		if _, repeated := f.Value.(pflag.SliceValue); repeated {
			values = strings.Split(strings.TrimRight(text, "\n"), "\n")
		}
		for _, v := range values {
			if err := f.Value.Set(v); err != nil {
				bad = usage("%s=%s: %v", name, text, err)
				return
			}
		}
		f.Changed = true
	})
	return bad
}

// prepare is what every command does before its work: flags from the
// environment, then the checks of its option groups.
func prepare(checks ...func() error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := readEnvironment(cmd); err != nil {
			return err
		}
		for _, check := range checks {
			if err := check(); err != nil {
				return err
			}
		}
		return nil
	}
}

// oneOf is a flag with a fixed set of values.
type oneOf struct {
	value  string
	values []string
}

func newOneOf(def string, others ...string) oneOf {
	return oneOf{value: def, values: append([]string{def}, others...)}
}

func (o *oneOf) String() string { return o.value }
func (o *oneOf) Type() string   { return strings.Join(o.values, "|") }

func (o *oneOf) Set(s string) error {
	for _, v := range o.values {
		if s == v {
			o.value = s
			return nil
		}
	}
	if near := diag.Nearest(s, o.values); near != "" {
		return fmt.Errorf("it takes %s; did you mean %s?", strings.Join(o.values, ", "), near)
	}
	return fmt.Errorf("it takes %s", strings.Join(o.values, ", "))
}

// add makes o a flag that shells can complete.
func (o *oneOf) add(cmd *cobra.Command, name, help string) {
	cmd.Flags().Var(o, name, help)
	values := o.values
	_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	})
}
