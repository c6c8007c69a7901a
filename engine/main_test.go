package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	_ "ipcrun/engine/agent" // a re-exec of this binary becomes an agent
	"ipcrun/engine/proc"
)

// The processes of the scenarios are this binary again. A helper is what a
// test needs that must be a process of its own but no agent: an engine that is
// killed. It is registered next to the test that uses it.

const helperEnv = "IPCRUN_ENGINE_HELPER"

var helpers = map[string]func(args []string){}

func registerHelper(name string, f func(args []string)) {
	if helpers[name] != nil {
		panic("helper registered twice: " + name)
	}
	helpers[name] = f
}

// shared is the Engine of all tests that need no other.
var shared *engine.Engine

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
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	tmp, err := os.MkdirTemp("", "engine-test")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(tmp)
	os.Setenv("TMPDIR", tmp)
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before, err := proc.Descriptors(os.Getpid())
	if err != nil {
		return failed(err)
	}
	shm := namedObjects(os.Getpid())
	if shared, err = engine.New(patientOptions()); err != nil {
		return failed(err)
	}
	code := m.Run()
	shared.Close()
	if code == 0 {
		code = nothingLeft(before, shm, tmp)
	}
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// nothingLeft finds what the runs have left behind in this process and on the
// machine.
func nothingLeft(before map[int]string, shm map[string]bool, tmp string) (code int) {
	after, err := proc.Descriptors(os.Getpid())
	if err != nil {
		return failed(err)
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
	for name := range namedObjects(os.Getpid()) {
		if !shm[name] {
			fmt.Fprintln(os.Stderr, "a shared memory object is left:", name)
			code = 1
		}
	}
	if files, err := os.ReadDir(tmp); err != nil || len(files) > 0 {
		fmt.Fprintln(os.Stderr, "files are left:", files, err)
		code = 1
	}
	return code
}

// namedObjects are the shared memory objects whose names say that an engine in one
// of some processes has made them, or a test that runs there. Others on the machine
// have theirs.
func namedObjects(pids ...int) map[string]bool {
	out := map[string]bool{}
	files, _ := os.ReadDir("/dev/shm")
	for _, f := range files {
		for _, pid := range pids {
			if strings.Contains(f.Name(), fmt.Sprintf("ipcrun-%d-", pid)) || strings.Contains(f.Name(), fmt.Sprintf("ipcrun-test-%d-", pid)) {
				out[filepath.Join("/dev/shm", f.Name())] = true
			}
		}
	}
	return out
}

// runtimeOwn tells what the Go runtime opens for itself: its poller, and the
// CPU limit of its cgroup.
func runtimeOwn(what string) bool {
	return strings.HasPrefix(what, "anon_inode:[event") || strings.HasPrefix(what, "/sys/fs/cgroup/")
}

// patience bounds every wait of the tests; it is never waited out in a run
// that passes.
func patience() time.Duration {
	scale := 1
	if s, err := strconv.Atoi(os.Getenv("IPCRUN_TEST_TIMESCALE")); err == nil && s > 0 {
		scale = s
	}
	return time.Duration(scale) * time.Minute
}

// patientOptions are limits that no run of the tests comes near: the default ones are
// for people who wait at a machine of their own, and on one that has much else to do
// every process may be held up for a while. A run that ends within them was ended by
// what happened in it.
func patientOptions() engine.Options {
	return engine.Options{Timeout: 2 * patience(), StepTimeout: patience()}
}

// eventually polls a kernel fact that nothing announces.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience())
	for pause := time.Millisecond; !f(); pause = min(2*pause, 20*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after %v: %s", patience(), what)
		}
		time.Sleep(pause)
	}
}
