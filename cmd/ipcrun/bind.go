package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/spec"
	"ipcrun/spec/source"
)

// bindOptions put programs in the place of declared processes.
type bindOptions struct {
	given   []string
	dir     string
	passEnv []string
}

func (b *bindOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&b.given, "bind", nil, "put a program in the place of a declared process: `NAME=COMMAND`, as driver='python3 x.py' (repeatable)")
	f.StringVar(&b.dir, "bind-dir", "", "the `DIR` of the programs of --bind: each starts in a copy of it")
	f.StringArrayVar(&b.passEnv, "pass-env", nil, "a variable `NAME` of the environment that programs get, too (repeatable)")
}

// programs reads what was given.
func (b *bindOptions) programs() (map[string]spec.Program, error) {
	if len(b.given) == 0 {
		if b.dir != "" {
			return nil, usage("--bind-dir %s: say with --bind which process the program there stands for", b.dir)
		}
		return nil, nil
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if b.dir != "" {
		if st, err := os.Stat(b.dir); err != nil {
			return nil, usage("--bind-dir %s: %s", b.dir, source.Reason(err))
		} else if !st.IsDir() {
			return nil, usage("--bind-dir %s: not a directory", b.dir)
		}
	}
	out := map[string]spec.Program{}
	for _, g := range b.given {
		name, command, ok := strings.Cut(g, "=")
		if !ok || name == "" || strings.TrimSpace(command) == "" {
			return nil, usage("--bind %s: write NAME=COMMAND, as driver='python3 x.py'", g)
		}
		p := spec.Program{Cwd: cwd}
		if b.dir != "" {
			// What is in the directory becomes the program's own.
			dir, err := filepath.Abs(b.dir)
			if err != nil {
				return nil, err
			}
			p.Cwd, p.Files = "", []string{dir + "/."}
		}
		p.Argv = strings.Fields(command)
		if strings.ContainsAny(command, "|&;<>()$`\\\"'*?[]#~%!{}\n=") {
			p.Argv, p.Shell = []string{command}, true
		}
		out[name] = p
	}
	return out, nil
}

// args are the arguments that do the same again.
func (b *bindOptions) args() []string {
	var out []string
	for _, g := range b.given {
		out = append(out, "--bind", g)
	}
	if b.dir != "" {
		out = append(out, "--bind-dir", b.dir)
	}
	for _, e := range b.passEnv {
		out = append(out, "--pass-env", e)
	}
	return out
}
