package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// streams are the three standard streams.
type streams struct{ in, out, err *os.File }

// commands are the constructors of all commands, by name.
var commands = map[string]func(streams) *cobra.Command{}

// register adds a command. It is called by init in the command's own file.
func register(name string, f func(streams) *cobra.Command) {
	if commands[name] != nil {
		panic("command " + name + " is registered twice")
	}
	commands[name] = f
}

const rootLong = `ipcrun runs scenarios: YAML files that declare processes, the primitives they
share (locks, pipes, queues, shared memory, signals, ...) and the steps they
take. It forks real processes, lets them run for real, and checks what happens.

  ipcrun FILE.yaml          run a scenario
  ipcrun DIR                run every *.yaml and *.yml below a folder
  ipcrun -                  run the scenario on standard input

Without a command, run is meant: its flags may stand before the file.
Every flag has an environment variable: --fail-fast is IPCRUN_FAIL_FAST, and a
flag beats its variable.`

func newRoot(std streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "ipcrun [COMMAND] [FLAGS] [FILE|DIR|-]...",
		Short: "Run scenarios of processes that talk to each other",
		Long:  rootLong + "\n\n" + exitHelp(exitGood, exitFailed, exitUsage, exitBroken, exitNothing, 130),
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{text: "which scenario? Give a file, a folder, or - for standard input",
				hint: "Try: ipcrun scenario.yaml, or ipcrun --help"}
		},
		ValidArgsFunction: completeFiles,
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true})
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(flagError)
	for _, f := range commands {
		c := f(std)
		c.SetFlagErrorFunc(flagError)
		c.DisableFlagsInUseLine = true
		root.AddCommand(c)
	}
	return root
}

// flagError makes a mistake in a flag a usage error, with the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	u := &usageError{text: err.Error(), hint: "Try: " + cmd.CommandPath() + " --help"}
	if name, ok := strings.CutPrefix(u.text, "unknown flag: --"); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if s := suggest(name, names); s != "" {
			u.text += " (" + s + ")"
		}
	}
	// pflag ends with what strconv said, which names a function of Go.
	if said, _, ok := strings.Cut(u.text, ": strconv."); ok {
		u.text = said + ": it takes a whole number"
	}
	return u
}

// defaultVerb puts run before arguments that name no command. Flags of run may
// stand before the command or the file.
func defaultVerb(root *cobra.Command, args []string) []string {
	if len(args) == 0 {
		return args
	}
	switch first := args[0]; {
	case len(args) == 1 && (first == "-h" || first == "--help"):
		return args
	case len(args) == 1 && first == "--version":
		return []string{"version"}
	case first == "help":
		// help VERB is VERB --help.
		return append(append([]string{}, args[1:]...), "--help")
	case commands[first] != nil:
		return args
	case strings.HasPrefix(first, "__complete"):
		// A flag before any command is one of run's.
		if len(args) > 1 && strings.HasPrefix(args[1], "-") {
			return append([]string{first, "run"}, args[1:]...)
		}
		return args
	}
	runner, _, err := root.Find([]string{"run"})
	if err != nil {
		return args
	}
	if i := firstWord(runner.Flags(), args); i > 0 && commands[args[i]] != nil {
		// ipcrun -v check FILE: the command, with its flags behind it.
		out := append([]string{args[i]}, args[:i]...)
		return append(out, args[i+1:]...)
	}
	return append([]string{"run"}, args...)
}

// firstWord is the index of the first argument that is neither a flag nor the
// value of one, -1 if there is none.
func firstWord(flags *pflag.FlagSet, args []string) int {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			return -1
		case a == "-" || !strings.HasPrefix(a, "-"):
			return i
		case strings.HasPrefix(a, "--"):
			name, _, has := strings.Cut(a[2:], "=")
			if f := flags.Lookup(name); f != nil && !has && f.NoOptDefVal == "" {
				i++
			}
		default:
			// Of letters run together, the first that takes a value ends them.
			for k, c := range a[1:] {
				f := flags.ShorthandLookup(string(c))
				if f == nil || f.NoOptDefVal != "" {
					continue
				}
				if k == len(a)-2 {
					i++
				}
				break
			}
		}
	}
	return -1
}

// completeFiles lets a shell complete scenario files and folders.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// sink remembers the first error of writing, so that a full disk is not a
// success.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return len(p), nil
	}
	n, err := s.w.Write(p)
	if err != nil {
		s.err = fmt.Errorf("writing the output: %w", err)
		return len(p), nil
	}
	return n, nil
}
