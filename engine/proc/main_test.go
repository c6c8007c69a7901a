//go:build linux

package proc

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary starts itself again as the processes that the tests need.
// A helper is registered next to the tests that use it.

const helperEnv = "IPCRUN_PROC_HELPER"

// Descriptors of every helper.
const (
	fdOrders = 3 // lines from the test
	fdReport = 4 // lines to the test
	fdExtra  = 5 // what the test hands over beyond that
)

var (
	helpers     = map[string]func(args []string){}
	helpersUsed sync.Map
)

func registerHelper(name string, f func(args []string)) {
	if helpers[name] != nil {
		panic("helper registered twice: " + name)
	}
	helpers[name] = f
}

// registerInner registers a helper that only other helpers start.
func registerInner(name string, f func(args []string)) {
	registerHelper(name, f)
	helpersUsed.Store(name, true)
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
	if err := BecomeSubreaper(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before, err := Descriptors(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if code == 0 {
		code = nothingLeft(before)
	}
	os.Exit(code)
}

// nothingLeft finds descriptors, children and helpers that nobody cared for.
func nothingLeft(before map[int]string) (code int) {
	after, err := Descriptors(os.Getpid())
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
	if tree, err := Tree(os.Getpid()); err != nil || len(tree) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left:", tree, err)
		code = 1
	}
	run, short := flag.Lookup("test.run").Value.String(), testing.Short()
	skip, list := flag.Lookup("test.skip").Value.String(), flag.Lookup("test.list").Value.String()
	if run == "" && skip == "" && list == "" && !short {
		for name := range helpers {
			if _, ok := helpersUsed.Load(name); !ok {
				fmt.Fprintln(os.Stderr, "helper never used:", name)
				code = 1
			}
		}
	}
	return code
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

// child is a helper as the test sees it.
type child struct {
	t          *testing.T
	pid, pidfd int
	orders     *os.File
	report     *bufio.Scanner
	reportEnd  *os.File
	reaped     bool
	status     Status
}

// helperStart describes a helper; extra become its descriptors from fdExtra.
func helperStart(name string, args []string, orders, report int, extra ...int) Start {
	helpersUsed.Store(name, true)
	return Start{
		Path:  Self(),
		Args:  append([]string{"helper-" + name}, args...),
		Env:   append(slices.DeleteFunc(os.Environ(), isHelperEnv), helperEnv+"="+name),
		Files: append([]int{0, 1, 2, orders, report}, extra...),
		Ctty:  -1,
	}
}

// A helper that starts a helper must not pass on its own name: of two, the
// first counts.
func isHelperEnv(kv string) bool { return strings.HasPrefix(kv, helperEnv+"=") }

// startHelper starts a helper by way of start, Fork or a Spawner's method,
// and ends and reaps it when the test ends.
func startHelper(t *testing.T, start func(Start) (int, int, error), adapt func(*Start), name string, args ...string) *child {
	t.Helper()
	ordersR, ordersW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reportR, reportW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := helperStart(name, args, int(ordersR.Fd()), int(reportW.Fd()))
	if adapt != nil {
		adapt(&s)
	}
	pid, pidfd, err := start(s)
	ordersR.Close()
	reportW.Close()
	if err != nil {
		ordersW.Close()
		reportR.Close()
		t.Fatal(err)
	}
	c := &child{t: t, pid: pid, pidfd: pidfd, orders: ordersW, report: bufio.NewScanner(reportR), reportEnd: reportR}
	t.Cleanup(func() {
		if !c.reaped {
			_ = unix.Kill(c.pid, unix.SIGKILL)
			c.wait()
		}
		_ = unix.Close(c.pidfd)
		c.orders.Close()
		reportR.Close()
	})
	return c
}

// line is the next line of the helper's report.
func (c *child) line() string {
	c.t.Helper()
	_ = c.reportEnd.SetReadDeadline(time.Now().Add(patience()))
	if !c.report.Scan() {
		c.t.Fatalf("helper %d reports no more: %v", c.pid, c.report.Err())
	}
	return c.report.Text()
}

// number is the next line as a number.
func (c *child) number() int {
	c.t.Helper()
	line := c.line()
	n, err := strconv.Atoi(line)
	if err != nil {
		c.t.Fatalf("helper %d reports %q instead of a number", c.pid, line)
	}
	return n
}

// order sends the helper a line.
func (c *child) order(line string) {
	c.t.Helper()
	if _, err := c.orders.WriteString(line + "\n"); err != nil {
		c.t.Fatal(err)
	}
}

// wait waits for the child's end and reaps it.
func (c *child) wait() Status {
	c.t.Helper()
	if !c.reaped {
		c.status = waitFor(c.t, c.pidfd)
		c.reaped = true
	}
	return c.status
}

// waitFor waits for the end of a child and reaps it.
func waitFor(t *testing.T, pidfd int) Status {
	t.Helper()
	waitReadable(t, pidfd)
	s, reaped, err := WaitPidfd(pidfd)
	if err != nil || !reaped {
		t.Fatalf("pidfd is readable, but WaitPidfd says %v, %v, %v", s, reaped, err)
	}
	return s
}

func waitReadable(t *testing.T, fd int) {
	t.Helper()
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	deadline := time.Now().Add(patience())
	for {
		n, err := unix.Poll(p, int(max(time.Until(deadline).Milliseconds(), 0)))
		if n > 0 {
			return
		}
		if err == unix.EINTR {
			continue
		}
		t.Fatalf("descriptor %d is not readable after %v: %v", fd, patience(), err)
	}
}

// eventually polls a kernel fact that nothing announces.
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

func newSpawner(t *testing.T) *Spawner {
	t.Helper()
	s, err := NewSpawner()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// The helpers' side.

var ordersScanner = sync.OnceValue(func() *bufio.Scanner {
	return bufio.NewScanner(os.NewFile(fdOrders, "orders"))
})

// awaitOrder returns the next order; without any, the test is over.
func awaitOrder() string {
	if !ordersScanner().Scan() {
		os.Exit(0)
	}
	return ordersScanner().Text()
}

func report(v ...any) {
	if _, err := unix.Write(fdReport, []byte(fmt.Sprintln(v...))); err != nil {
		os.Exit(98)
	}
}

// must ends a helper whose step failed.
func must(err error) {
	if err != nil {
		report("error:", err)
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(97)
	}
}

func init() {
	// exit CODE: ends so.
	registerHelper("exit", func(args []string) {
		code, err := strconv.Atoi(args[0])
		must(err)
		os.Exit(code)
	})
	// obey: stays until it gets an order, then exits 0.
	registerHelper("obey", func([]string) {
		report("ready")
		awaitOrder()
	})
	// burn: uses up a CPU until it is killed.
	registerHelper("burn", func([]string) {
		report("ready")
		go func() { awaitOrder() }()
		for n := 0; ; n++ {
			_ = n
		}
	})
}
