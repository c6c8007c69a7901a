package main

import (
	"os"

	_ "ipcrun/engine/agent" // a re-exec of this binary becomes an agent
)

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run is the whole program. It returns the exit code.
func run(args []string, std streams) int {
	root := newRoot(std)
	out := &sink{w: std.out} // of help, whose writer looks at no error
	root.SetOut(out)
	root.SetArgs(defaultVerb(root, args))
	err := root.Execute()
	if err == nil {
		err = out.err
	}
	return exitOf(std.err, err)
}
