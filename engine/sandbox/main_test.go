//go:build linux

package sandbox

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine/proc"
)

// The test binary starts itself again as the processes that the tests need.
// A helper is registered next to the tests that use it.

const helperEnv = "IPCRUN_SANDBOX_HELPER"

var helpers = map[string]func(args []string){}

func registerHelper(name string, f func(args []string)) {
	if helpers[name] != nil {
		panic("helper registered twice: " + name)
	}
	helpers[name] = f
}

func TestMain(m *testing.M) {
	if name := os.Getenv(helperEnv); name != "" {
		f := helpers[name]
		if f == nil {
			fmt.Fprintln(os.Stderr, "no such helper:", name)
			os.Exit(99)
		}
		f(os.Args[1:])
		os.Exit(0)
	}
	flag.Parse()
	if err := proc.BecomeSubreaper(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before, err := proc.Descriptors(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(zooDir)
	if code == 0 {
		code = nothingLeft(before)
	}
	os.Exit(code)
}

// nothingLeft finds descriptors and children that nobody cared for.
func nothingLeft(before map[int]string) (code int) {
	after, err := proc.Descriptors(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for fd, what := range after {
		if _, ok := before[fd]; !ok && !runtimeOwn(what) {
			fmt.Fprintf(os.Stderr, "descriptor %d is left open: %s\n", fd, what)
			code = 1
		}
	}
	if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left:", tree, err)
		code = 1
	}
	return code
}

// runtimeOwn tells what the Go runtime opens for itself: its poller, and the
// CPU limit of its cgroup.
func runtimeOwn(what string) bool {
	return strings.HasPrefix(what, "anon_inode:[event") || strings.HasPrefix(what, "/sys/fs/cgroup/")
}

// longest bounds every wait of the tests; it is never waited out in a run that
// passes.
func longest() time.Duration {
	scale := 1
	if s, err := strconv.Atoi(os.Getenv("IPCRUN_TEST_TIMESCALE")); err == nil && s > 0 {
		scale = s
	}
	return time.Duration(scale) * time.Minute
}
