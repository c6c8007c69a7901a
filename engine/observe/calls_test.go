//go:build linux && (amd64 || arm64)

package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// story is what a process did, one call a line, with names in place of what
// differs from run to run.
func story(events []Event, pid int, names map[string]string) string {
	var b strings.Builder
	seen := map[string]string{}
	name := func(s string) string {
		if n, ok := names[s]; ok {
			return n
		}
		return s
	}
	inodes := regexp.MustCompile(`\[\d+\]`)
	arg := func(a Arg) string {
		s := a.Text
		if s == "" {
			s = fmt.Sprint(a.Number)
			switch a.Name {
			case "id", "address":
				s = "ID"
			case "pid", "sender":
				s = name(s)
			}
		}
		if a.Name == "address" && strings.HasPrefix(s, "0x") {
			s = "ADDRESS"
		}
		return a.Name + "=" + inodes.ReplaceAllStringFunc(s, func(i string) string {
			if seen[i] == "" {
				seen[i] = fmt.Sprintf("[%c]", 'a'+len(seen))
			}
			return seen[i]
		})
	}
	for _, e := range of(events, Call, Signal) {
		if e.Pid != pid || e.Signal == int(unix.SIGCHLD) {
			continue // a child's end comes before or after the wait for it
		}
		if e.Kind == Signal {
			fmt.Fprintf(&b, "signal %d %v %s %d %v\n", e.Signal, e.Code, name(fmt.Sprint(e.Sender)), e.Value, e.Disposition)
			continue
		}
		c := e.Call
		b.WriteString(c.Name)
		for _, a := range c.Args {
			b.WriteString(" " + arg(a))
		}
		b.WriteString(" ->")
		if c.Error != "" {
			b.WriteString(" " + c.Error)
		}
		for _, a := range c.Results {
			b.WriteString(" " + arg(a))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestCalls(t *testing.T) {
	queue := fmt.Sprintf("/ipcrun-observe-%d", os.Getpid())
	x := watch(t, Options{Calls: true}, compiled(t, "objects"), queue)
	events := x.end()
	consistent(t, events)
	forks := of(events, Fork)
	if len(forks) != 2 {
		t.Fatal(x.tail())
	}
	names := map[string]string{fmt.Sprint(x.root): "SELF", fmt.Sprint(forks[0].Child): "CHILD", fmt.Sprint(forks[1].Child): "OTHER"}
	got := strings.ReplaceAll(story(events, x.root, names), queue[1:], "QUEUE")
	if runtime.GOARCH == "amd64" { // others have no alarm and no dup2
		want, err := os.ReadFile("testdata/objects.txt")
		if err != nil {
			t.Fatal(err)
		}
		// Libraries differ in which of two calls they use.
		got = strings.NewReplacer("pipe2 flags=0 ", "pipe ", "semtimedop", "semop", " timeout=none ->", " ->").Replace(got)
		if got != string(want) {
			t.Errorf("got\n%s", got)
		}
	}
	killed := of(events, Signal)
	for _, e := range killed {
		if e.Signal == int(unix.SIGKILL) && (e.Pid != forks[1].Child || e.Sender != x.root || e.Code != FromKill || e.Uid != uint32(os.Getuid())) {
			t.Error(show(&e))
		}
	}
	if got, want := story(events, forks[0].Child, names), "futex word=memory [a]+0 operation=wait value=0 ->\n"; got != want {
		t.Errorf("the child: %s", got)
	}
}

// TestMeeting: FIFOs and sockets, which have names, and the calls that wait for any
// of several descriptors.
func TestMeeting(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	x := watch(t, Options{Calls: true}, compiled(t, "meets"), dir)
	events := x.end()
	consistent(t, events)
	got := strings.ReplaceAll(story(events, x.root, nil), dir, "DIR")
	// Architectures and libraries differ in which of two calls they use; the epoll
	// descriptor has some number.
	got = strings.NewReplacer("mknodat", "mknod", "openat", "open", "ppoll", "poll", "pselect6", "select", "epoll_pwait", "epoll_wait",
		"epoll_create1", "epoll_create", "accept4", "accept").Replace(got)
	got = regexp.MustCompile(`epoll=\d+`).ReplaceAllString(got, "epoll=EP")
	want, err := os.ReadFile("testdata/meets.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s", got)
	}
}

// TestBeginOfAPoll: of who waits for any of several it is told for what.
func TestBeginOfAPoll(t *testing.T) {
	for call, code := range map[string]string{
		"poll":  "p = select.poll(); p.register(r, select.POLLIN); p.poll()",
		"epoll": "p = select.epoll(); p.register(r, select.EPOLLIN); p.poll()",
		"sel":   "select.select([r], [], [])",
	} {
		x := watch(t, Options{Calls: true}, python(t), "-c", "import os, select\nr, w = os.pipe()\n"+code)
		e := x.until("it waits: "+call, func(e *Event) bool {
			return e.Kind == Begin && strings.Contains(e.Call.Name, call)
		})
		if text := e.Call.Args[0].Text; !regexp.MustCompile(`^pipe:\[\d+\] in$`).MatchString(text) {
			t.Errorf("%s: %q", call, text)
		}
		if err := unix.Kill(-x.root, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		consistent(t, x.end())
	}
}

// TestInterrupted: a call that goes on after a signal is one call, however often it
// was interrupted.
func TestInterrupted(t *testing.T) {
	in, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer tell.Close()
	x := watchIO(t, Options{Calls: true}, in, nil, compiled(t, "interrupted"))
	met := func(what string, fits func(*Event) bool) {
		t.Helper()
		x.until(what, func(e *Event) bool { return e.Pid == x.root && fits(e) })
		if _, err := tell.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
	}
	signalled := func(s unix.Signal) func(*Event) bool {
		return func(e *Event) bool { return e.Kind == Signal && e.Signal == int(s) }
	}
	met("SIGUSR1", signalled(unix.SIGUSR1))
	met("a stop", func(e *Event) bool { return e.Kind == Stop })
	met("SIGCONT", signalled(unix.SIGCONT))
	met("SIGUSR2", signalled(unix.SIGUSR2))
	events := x.end()
	consistent(t, events)
	var got []string
	for _, e := range of(events, Call, Signal, Stop, Continue) {
		switch {
		case e.Pid != x.root:
		case e.Kind == Signal:
			got = append(got, unix.SignalName(unix.Signal(e.Signal))+" "+e.Disposition.String())
		case e.Kind != Call:
			got = append(got, e.Kind.String())
		case e.Call.Name == "read":
			got = append(got, fmt.Sprintf("read %d %s", e.Call.Result, e.Call.Error))
		}
	}
	want := "SIGUSR1 ignored, SIGSTOP default, stop, continue, SIGCONT default, " +
		"read -1 ERESTART, SIGUSR2 caught, read 1 , read -1 ERESTART, SIGHUP caught, SIGCHLD default"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

// TestBegin: of processes that wait for each other for ever it is told what they
// wait for, although nothing happens any more.
func TestBegin(t *testing.T) {
	x := watch(t, Options{Calls: true}, python(t), "-c", `
import os
r, w = os.pipe()
r2, w2 = os.pipe()
if os.fork() == 0:
    os.read(r, 1)
os.read(r2, 1)
`)
	waits := map[int]string{}
	x.until("both wait", func(e *Event) bool {
		if e.Kind == Begin && e.Call.Name == "read" && strings.HasPrefix(e.Call.Args[0].Text, "pipe:") {
			waits[e.Pid] = e.Call.Args[0].Text
		}
		return len(waits) == 2
	})
	if err := unix.Kill(-x.root, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	events := x.end()
	consistent(t, events)
	pipes := map[string]bool{}
	for pid, what := range waits {
		pipes[what] = true
		for _, e := range of(events, Call) {
			if e.Pid == pid && e.Call.Name == "read" && e.Call.Args[0].Text == what {
				t.Errorf("returned: %s", show(&e))
			}
		}
	}
	if len(pipes) != 2 {
		t.Errorf("waits: %v", waits)
	}
}

// TestMultiprocessing: a queue of Python's, with its feeder thread, its pipe and
// its semaphores.
func TestMultiprocessing(t *testing.T) {
	x := watch(t, Options{Calls: true}, python(t), "-c", `
import multiprocessing as m
def work(q, r):
    while (x := q.get()) is not None:
        r.put(x + 1)
if __name__ == "__main__":
    m.set_start_method("fork")
    q, r = m.Queue(), m.Queue()
    p = m.Process(target=work, args=(q, r))
    p.start()
    for i in range(100):
        q.put(i)
    assert [r.get() for _ in range(100)] == list(range(1, 101))
    q.put(None)
    p.join()
`)
	events := x.end()
	consistent(t, events)
	wrote, read := map[string]int64{}, map[string]int64{}
	for _, e := range of(events, Call) {
		if c := e.Call; c.Result > 0 && strings.HasPrefix(c.Args[0].Text, "pipe:") {
			switch c.Name {
			case "read":
				read[c.Args[0].Text] += c.Result
			case "write":
				wrote[c.Args[0].Text] += c.Result
			}
		}
	}
	if len(wrote) != 2 || !reflect.DeepEqual(wrote, read) {
		t.Errorf("written %v, read %v", wrote, read)
	}
}

// TestProgramsUndisturbed: what programs do and see is the same with their calls
// observed.
func TestProgramsUndisturbed(t *testing.T) {
	for _, test := range []struct {
		name, exits string
		args        []string
	}{
		{"family", "", nil},
		{"senders", "exit 3, SIGUSR1", nil},
		{"stopped", "SIGKILL, SIGTERM, exit 0", nil},
		{"threads", "exit 5", []string{"exec"}},
		{"undisturbed", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := watch(t, Options{Calls: true}, append([]string{compiled(t, test.name)}, test.args...)...)
			events := x.end()
			consistent(t, events)
			if got := statuses(events); test.exits != "" && got != test.exits || test.exits == "" && !strings.Contains(got, "exit 0") {
				t.Errorf("exits: %s: %s", got, x.stderr.String())
			}
		})
	}
}
