package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
	"ipcrun/prims"
	"ipcrun/prims/named"
	"ipcrun/prims/sysv"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// namedKinds declares one of every kind that has a name in the system, by a name
// that is fixed, and one that has none.
func namedKinds(dir string) string {
	var b strings.Builder
	b.WriteString("name: everything with a name\nprimitives:\n")
	for _, d := range prims.All() {
		var fix string
		if d.Named == "key" {
			main := "null"
			if d.Main != nil && d.Main.Required {
				main = d.Main.Example + ", size: 3"
			}
			fmt.Fprintf(&b, "  fixed_%s: {%s: %s, key: 0x%x}\n  own_%s[2]: {%s: %s}\n", d.Name, d.Name, main, testKey(), d.Name, d.Name, main)
			continue
		}
		switch {
		case d.Named == "name" && strings.Contains(fieldDoc(d, "name"), "path"):
			fix = filepath.Join(dir, d.Name)
		case d.Named == "name":
			fix = fmt.Sprintf("/ipcrun-test-%d-%s", os.Getpid(), d.Name)
		default:
			continue
		}
		main := "null"
		if d.Main != nil && d.Main.Required {
			main = d.Main.Example
		}
		fmt.Fprintf(&b, "  fixed_%s: {%s: %s, name: %q}\n  own_%s[2]: {%s: %s}\n", d.Name, d.Name, main, fix, d.Name, d.Name, main)
	}
	b.WriteString("processes: {waits: {steps: [{sleep: 1h}]}}\nsteps: [{wait: waits}]\ntimeout: 2h\n")
	return b.String()
}

// testKey is a key of System V objects that no other test has at this moment.
func testKey() int { return 0x1c000000 + os.Getpid() }

func fieldDoc(d *prims.Descriptor, name string) string {
	for _, f := range d.Fields {
		if f.Name == name {
			return f.Doc
		}
	}
	return ""
}

const namedEnv = "IPCRUN_TEST_NAMED"

func init() {
	// named: runs a scenario with objects of every kind until it is killed.
	registerHelper("named", func([]string) {
		sc := spec.Load(source.New("named.yaml", []byte(os.Getenv(namedEnv))), plan.Vocabulary(), spec.Options{}, &diag.List{})
		e, err := engine.New(patientOptions())
		if err != nil || sc == nil {
			os.Exit(98)
		}
		res, err := e.Run(context.Background(), sc)
		if err != nil {
			os.Exit(97)
		}
		_ = event.WriteAll(os.Stderr, res.Events) // it should not have come so far
	})
}

// shortDir is a directory for the test: that of the test has too long a path for
// a socket, which takes 107 bytes at most.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "k")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) }) // what is in it was left behind
	return dir
}

// TestStoppedJanitor: a janitor that somebody has stopped is ended, and waited for also
// where signals interrupt the wait.
func TestStoppedJanitor(t *testing.T) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = unix.Kill(childNamed("ipcrun-janitor", ended), unix.SIGSTOP)
		_ = unix.Kill(childNamed("lasts", ended), unix.SIGUSR1)
		for {
			select {
			case <-ended:
				return
			default:
			}
			tasks, _ := os.ReadDir("/proc/self/task")
			for _, task := range tasks {
				if tid, err := strconv.Atoi(task.Name()); err == nil {
					_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG) // as the runtime does
				}
			}
		}
	}()
	// It ends only once the janitor is stopped.
	passes(t, `
name: x
timeout: 60s
primitives: {q: {sysv_queue: i}}
processes:
  lasts: {signals: {SIGUSR1: [{exit: 3}]}, steps: [{send: q, value: 1}, {sleep: 1h}]}
steps:
  - {wait: lasts, timeout: 60s}
  - assert: lasts.exit_code == 3
`)
	close(ended)
	<-done
}

// childNamed waits for a child of this process that has a name; it gives up, and says
// that it is a process that is none, when the run has ended.
func childNamed(name string, ended <-chan struct{}) int {
	for {
		children, _ := proc.Children(os.Getpid())
		for _, pid := range children {
			if f, err := proc.ReadFacts(pid); err == nil && f.Name == name {
				return pid
			}
		}
		select {
		case <-ended:
			return math.MaxInt32
		default:
		}
	}
}

// TestNamedObjectsOfAKilledEngine kills an engine with SIGKILL at random moments
// of making, using and removing objects that have names. A janitor that nobody
// sees removes them: the same names are free for the next run, which is the one
// that would fail otherwise.
func TestNamedObjectsOfAKilledEngine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 3))
	fixed, met := shortDir(t), 0
	var whole time.Duration // until there is an object, on this machine
	text := namedKinds(fixed)
	for i := range runs(30, 300) {
		dir := shortDir(t)
		cmd := exec.Command(proc.Self(), "kill-me")
		cmd.Env = append(os.Environ(), helperEnv+"=named", "TMPDIR="+dir, namedEnv+"="+text)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var after time.Duration
		if began := time.Now(); i == 0 {
			eventually(t, "there is an object", func() bool { return len(objects(cmd.Process.Pid, fixed, dir)) > 0 })
			whole = time.Since(began)
		} else {
			after = time.Duration(rnd.Int64N(int64(3 * whole)))
			time.Sleep(after) // the random moment itself, no synchronisation
		}
		if len(objects(cmd.Process.Pid, fixed, dir)) > 0 {
			met++
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("run %d, seed %d, killed after %v", i, seed, after)
		if err := cmd.Wait(); cmd.ProcessState.Exited() {
			t.Fatalf("%s: the engine had ended by itself: %v", what, err)
		}
		eventually(t, what+": no process is left", func() bool {
			reapAdopted()
			tree, err := proc.Tree(os.Getpid())
			return err == nil && len(tree) == 0
		})
		if left := objects(cmd.Process.Pid, fixed, dir); len(left) > 0 {
			t.Fatalf("%s: left %v", what, left)
		}
	}
	if met == 0 {
		t.Error("no object was there at any moment at which the engine was killed")
	}
}

// objects are the named objects that are there of an engine in some process: files in
// directories, in /dev/shm, and queues.
func objects(pid int, dirs ...string) (out []string) {
	for _, dir := range dirs {
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			out = append(out, filepath.Join(dir, f.Name()))
		}
	}
	for name := range namedObjects(os.Getpid(), pid) {
		out = append(out, name)
	}
	for _, f := range []sysv.Family{sysv.Queue, sysv.Set, sysv.Segment} {
		if id, _, ok := f.Listed(int32(testKey())); ok {
			out = append(out, fmt.Sprintf("%s %d", f, id))
		}
	}
	queue := fmt.Sprintf("/ipcrun-test-%d-mqueue", os.Getpid())
	if fd, err := named.OpenQueue(queue, os.O_RDONLY, 0, nil); err == nil {
		_ = os.NewFile(uintptr(fd), queue).Close()
		out = append(out, queue)
	} else if errors.Is(err, fs.ErrPermission) { // it has no mode yet
		out = append(out, queue)
	}
	return out
}

// TestNamedObjectsAreGone: after a run, however it ended, the names are free; an
// object that was there before is named, is the reason why the run is an error,
// and is left alone.
func TestNamedObjectsAreGone(t *testing.T) {
	fixed := shortDir(t)
	text := strings.Replace(namedKinds(fixed), "sleep: 1h", "assert: fixed_mqueue.empty", 1)
	for range 2 {
		res := passes(t, text)
		if clean := res.of(event.Clean, ""); len(clean) != 1 || clean[0].Value != nil {
			t.Errorf("tear-down: %+v", clean)
		}
		if left := objects(os.Getpid(), fixed); len(left) > 0 {
			t.Fatalf("left %v", left)
		}
	}
	path := fmt.Sprintf("/dev/shm/ipcrun-test-%d-shared_memory", os.Getpid())
	if err := os.WriteFile(path, []byte("of another"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	res := run(t, text)
	res.decided(event.Error, "error", 0, "there is a shared memory object /ipcrun-test-")
	if left := objects(os.Getpid(), fixed); len(left) != 1 || left[0] != path {
		t.Errorf("there are %v", left)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "of another" {
		t.Errorf("%q, %v", got, err)
	}
	if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
		t.Errorf("processes are left: %v, %v", tree, err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Error("the object of another is gone")
	}
}
