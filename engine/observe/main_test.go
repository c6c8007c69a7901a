//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	interpreter "ipcrun/engine/proc/python"
)

// The test binary starts itself again as a supervisor that observes a program and
// writes the events to descriptor 3.

const helperEnv = "IPCRUN_OBSERVE_HELPER"

func TestMain(m *testing.M) {
	helper := os.Getenv(helperEnv)
	os.Unsetenv(helperEnv)
	switch helper {
	case "":
		code := m.Run()
		if left, err := proc.Tree(os.Getpid()); code == 0 && (err != nil || len(left) > 0) {
			fmt.Fprintln(os.Stderr, "processes are left:", left, err)
			code = 1
		}
		os.RemoveAll(programs.dir)
		os.Exit(code)
	case "supervise", "supervise-calls", "supervise-prints":
		supervise(Options{Calls: helper == "supervise-calls", Prints: helper == "supervise-prints"}, os.Args[1:], Command)
	case "supervise-late", "supervise-own":
		superviseLate(helper == "supervise-own", os.Args[1:])
	case "refused":
		refuse()
	default:
		fmt.Fprintln(os.Stderr, "no such helper:", helper)
		os.Exit(99)
	}
	os.Exit(0)
}

// supervise is the helper: it observes argv. Its exit code is 0 if Run returned
// without an error; the error goes to standard error. stage is Command or its like.
func supervise(o Options, argv []string, stage func(proc.Start, int) proc.Start) {
	runtime.LockOSThread()
	must(proc.BecomeSubreaper())
	unix.CloseOnExec(3)
	path, err := exec.LookPath(argv[0])
	must(err)
	var buf []byte
	flush := func() {
		whole := buf
		for len(buf) > 0 {
			n, err := unix.Write(3, buf)
			must(err)
			buf = buf[n:]
		}
		buf = whole[:0]
	}
	start := proc.Start{Path: path, Args: argv, Env: os.Environ(), Files: []int{0, 1, 2}, Setpgid: true, Ctty: -1}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		start.Setpgid, start.Foreground, start.Ctty = false, true, 0
	}
	o.Idle = flush
	err = Run(o, func(gate int) (int, error) {
		pid, pidfd, err := proc.Fork(stage(start, gate))
		if err == nil {
			unix.Close(pidfd)
			forked(pid)
		}
		return pid, err
	}, func(e *Event) { buf = e.Append(buf) })
	flush()
	must(err)
	if left, err := proc.Tree(os.Getpid()); err != nil || len(left) > 0 {
		must(fmt.Errorf("left: %v %v", left, err))
	}
}

// forked is called with the number of the stage.
var forked = func(pid int) {}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if IsRefused(err) {
			os.Exit(77)
		}
		os.Exit(97)
	}
}

// patience bounds waits that a passing run never waits out.
func patience() time.Duration {
	scale := 1
	if s, err := strconv.Atoi(os.Getenv("IPCRUN_TEST_TIMESCALE")); err == nil && s > 0 {
		scale = s
	}
	return time.Duration(scale) * time.Minute
}

// watched is an observed program as a test sees it.
type watched struct {
	t      *testing.T
	cmd    *exec.Cmd
	events *os.File
	buf    []byte
	seen   []Event
	stderr bytes.Buffer
	root   int
	ended  bool
}

// needTracing skips a test where the kernel does not let us observe.
func needTracing(t testing.TB, o Options) {
	t.Helper()
	s := support()
	if s.Events != nil {
		t.Skip(s.Events)
	}
	if (o.Calls || o.Prints) && s.Calls != nil {
		t.Skip(s.Calls)
	}
}

var support = sync.OnceValue(Probe)

// watch starts a program.
func watch(t *testing.T, o Options, argv ...string) *watched { return watchIO(t, o, nil, nil, argv...) }

func watchIO(t *testing.T, o Options, in io.Reader, out io.Writer, argv ...string) *watched {
	t.Helper()
	helper := "supervise"
	if o.Calls {
		helper = "supervise-calls"
	} else if o.Prints {
		helper = "supervise-prints"
	}
	return watchAs(t, helper, o, in, out, argv...)
}

func watchAs(t *testing.T, helper string, o Options, in io.Reader, out io.Writer, argv ...string) *watched {
	t.Helper()
	needTracing(t, o)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := &watched{t: t, events: r}
	x.cmd = exec.Command(proc.Self(), argv...)
	x.cmd.Env = append(os.Environ(), helperEnv+"="+helper)
	x.cmd.ExtraFiles = []*os.File{w}
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = in, out, &x.stderr
	x.cmd.WaitDelay = patience()
	if f, ok := in.(*os.File); ok {
		defer f.Close()
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		}
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		if !x.ended {
			x.cmd.Process.Kill()
			x.cmd.Wait()
		}
		r.Close()
	})
	return x
}

// next is the next event; nil after the last.
func (x *watched) next() *Event {
	x.t.Helper()
	for {
		e, rest, ok, err := Next(x.buf)
		if err != nil {
			x.t.Fatal(err)
		}
		if ok {
			x.buf = append([]byte(nil), rest...)
			x.seen = append(x.seen, e)
			if x.root == 0 {
				x.root = e.Pid
			}
			return &e
		}
		var more [64 << 10]byte
		x.events.SetReadDeadline(time.Now().Add(patience()))
		n, err := x.events.Read(more[:])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			x.t.Fatalf("no more events after %d: %v\n%s", len(x.seen), err, x.tail())
		}
		x.buf = append(x.buf, more[:n]...)
	}
}

// until reads events up to one that fits.
func (x *watched) until(what string, fits func(*Event) bool) *Event {
	x.t.Helper()
	for {
		e := x.next()
		if e == nil {
			x.t.Fatalf("never came: %s\n%s%s", what, x.tail(), x.stderr.String())
		}
		if fits(e) {
			return e
		}
	}
}

// end reads all events and waits for the supervisor.
func (x *watched) end() []Event {
	x.t.Helper()
	if err := x.endError(); err != nil {
		x.t.Fatalf("%v\n%s", err, x.tail())
	}
	return x.seen
}

func (x *watched) endError() error {
	x.t.Helper()
	for x.next() != nil {
	}
	err := x.cmd.Wait()
	x.ended = true
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(x.stderr.String()))
	}
	return nil
}

func (x *watched) tail() string {
	var b strings.Builder
	for _, e := range x.seen[max(0, len(x.seen)-20):] {
		fmt.Fprintln(&b, show(&e))
	}
	return b.String()
}

// show is an event in one line.
func show(e *Event) string {
	switch e.Kind {
	case Fork:
		return fmt.Sprintf("%d %v %d", e.Pid, e.Way, e.Child)
	case Exec:
		return fmt.Sprintf("%d exec %s %q", e.Pid, e.Exe, e.Argv)
	case Exit:
		return fmt.Sprintf("%d exit %v", e.Pid, proc.DecodeStatus(e.Status))
	case Signal:
		return fmt.Sprintf("%d signal %v from %d (%v) value %d, %v", e.Pid, unix.SignalName(syscall.Signal(e.Signal)), e.Sender, e.Code, e.Value, e.Disposition)
	case Stop:
		return fmt.Sprintf("%d stop %v", e.Pid, unix.SignalName(syscall.Signal(e.Signal)))
	case Begin, Call:
		return fmt.Sprintf("%d/%d %v %s", e.Pid, e.Tid, e.Kind, e.Call)
	}
	return fmt.Sprintf("%d %v", e.Pid, e.Kind)
}

// programs are the C programs of testdata, compiled once.
var programs struct {
	mu  sync.Mutex
	dir string
}

// compiled is the path of a C program of testdata.
func compiled(t testing.TB, name string) string {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is needed to compile ", name, ".c")
	}
	programs.mu.Lock()
	defer programs.mu.Unlock()
	if programs.dir == "" {
		if programs.dir, err = os.MkdirTemp("", "observe"); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(programs.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	out, err := exec.Command(gcc, "-Wall", "-O1", "-pthread", "-o", path, filepath.Join("testdata", name+".c"), "-lrt").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// python is the interpreter itself.
func python(t testing.TB) string {
	t.Helper()
	path, err := interpreter.Itself()
	if err != nil {
		t.Skip(err)
	}
	return path
}

// of are the events of a kind, in order.
func of(events []Event, kinds ...Kind) []Event {
	var out []Event
	for _, e := range events {
		for _, k := range kinds {
			if e.Kind == k {
				out = append(out, e)
			}
		}
	}
	return out
}

// consistent checks what holds of every observation: time does not go back, each
// process is forked once before anything else of it and ends once after, and
// nobody but the root comes from nowhere.
func consistent(t *testing.T, events []Event) {
	t.Helper()
	live := map[int]bool{}
	var last int64
	for i, e := range events {
		if e.At < last {
			t.Errorf("event %d: time goes back: %s", i, show(&e))
		}
		last = e.At
		if i == 0 {
			live[e.Pid] = true
		}
		if !live[e.Pid] && !(e.Kind == Fork && e.Pid == 0) {
			t.Errorf("event %d of a process that does not live: %s", i, show(&e))
		}
		switch e.Kind {
		case Fork:
			if live[e.Child] {
				t.Errorf("event %d: forked twice: %s", i, show(&e))
			}
			live[e.Child] = true
		case Exit:
			delete(live, e.Pid)
		}
	}
	if len(live) > 0 {
		t.Errorf("never ended: %v", live)
	}
}

// eventually polls what nothing announces.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience())
	for pause := time.Millisecond; !f(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after %v: %s", patience(), what)
		}
		time.Sleep(pause)
	}
}
