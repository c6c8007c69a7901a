package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ipcrun/engine/proc/python"
	"ipcrun/engine/sandbox"
	"ipcrun/engine/sandbox/refuse"
)

// TestMain lets the test binary be the commands that ipcrun is tried with.
func TestMain(m *testing.M) {
	// Whoever runs the tests in the background may have had SIGINT ignored,
	// which the programs under test would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT)
	testscript.Main(released{m}, map[string]func(){"refused": refused, "deafened": deafened})
}

// released are tests that find the command ipcrun in their PATH, as it is
// released. The test binary would do as well, but each of the thousands of
// processes that the tests start would need half as long again to start.
type released struct{ *testing.M }

func (r released) Run() int {
	dir, err := os.MkdirTemp("", "ipcrun-released-")
	if err == nil {
		defer os.RemoveAll(dir)
		// Other users run it, too.
		err = cmp.Or(os.Chmod(dir, 0o755), build(filepath.Join(dir, "ipcrun")),
			os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return r.M.Run()
}

// build builds ipcrun as it is released: without cgo, which package net would
// bring in where there is a C compiler, and with it a dynamic linker at the
// start of every process.
func build(path string) error {
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
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
	t.Parallel()
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
