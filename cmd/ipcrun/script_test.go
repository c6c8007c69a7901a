package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ipcrun/engine/proc/python"
	"ipcrun/engine/sandbox"
	"ipcrun/engine/sandbox/refuse"
)

// TestMain lets the test binary be ipcrun, and every process of a scenario.
func TestMain(m *testing.M) {
	// Whoever runs the tests in the background may have had SIGINT ignored,
	// which the programs under test would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT)
	testscript.Main(m, map[string]func(){"ipcrun": main, "refused": refused, "deafened": deafened})
}

// refused THINGS COMMAND... executes a command to which the kernel refuses
// things.
func refused() {
	err := refuse.Apply(strings.Split(os.Args[1], ",")...)
	if err == nil {
		var path string
		if path, err = exec.LookPath(os.Args[2]); err == nil {
			err = syscall.Exec(path, os.Args[2:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "refused:", err)
	os.Exit(99)
}

// patience is what the limits that nobody sets are multiplied by where ipcrun is run
// as its users do: others may want the processors, too, for seconds.
const patience = "6"

// TestScripts runs ipcrun as its users do: testdata/*.txtar.
func TestScripts(t *testing.T) {
	scenarios, err := os.ReadDir("../../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	python.First()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			path, err := exec.LookPath("ipcrun")
			if err != nil {
				return err
			}
			env.Setenv("UNDER_TEST", path)
			env.Setenv("IPCRUN_TIMEOUT_SCALE", patience)
			env.Defer(func() { resultsAreValid(t, env.WorkDir) })
			// The shipped scenarios are at hand, under their own names.
			for _, s := range scenarios {
				if s.IsDir() {
					continue
				}
				data, err := os.ReadFile("../../scenarios/" + s.Name())
				if err != nil {
					return err
				}
				if err := os.WriteFile(env.WorkDir+"/"+s.Name(), data, 0o666); err != nil {
					return err
				}
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "boxes":
				return sandbox.Here().Spaces.Has(sandbox.Mount), nil
			case "readonly-shm": // it can be had, in namespaces of its own
				return exec.Command("unshare", "-rm", "sh", "-c", "mount -t tmpfs -o ro none /dev/shm").Run() == nil, nil
			}
			return cond == "root" && os.Getuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"edit": edit, "code": code, "big": big, "interrupt": interruptIt,
			"same": same, "unseen": unseen, "cut": cut,
		},
	})
}
