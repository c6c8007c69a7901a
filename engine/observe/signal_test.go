//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// received are the signals that a process got, one a line, the names of processes
// in place of their numbers.
func received(events []Event, pid int, names map[int]string) string {
	var b strings.Builder
	for _, e := range of(events, Signal) {
		if e.Pid != pid {
			continue
		}
		sender := names[e.Sender]
		if sender == "" {
			sender = fmt.Sprint(e.Sender)
		}
		fmt.Fprintf(&b, "%d %v %s %d %v\n", e.Signal, e.Code, sender, e.Value, e.Disposition)
	}
	return b.String()
}

func TestSenders(t *testing.T) {
	x := watch(t, Options{}, compiled(t, "senders"))
	events := x.end()
	consistent(t, events)
	child := of(events, Fork)[0].Child
	got := received(events, x.root, map[int]string{x.root: "self", child: "child"})
	want := `10 kill self 0 caught
12 kill self 0 ignored
28 kill self 0 default
10 tkill self 0 caught
34 queue self -7 caught
13 kernel 0 0 ignored
13 kill self 0 ignored
14 kernel 0 0 caught
34 timer 0 9 caught
12 kill child 0 ignored
17 child exited child 3 default
10 kill self 0 caught
34 queue self 0 caught
34 queue self 1 caught
34 queue self 2 caught
34 queue self 3 caught
34 queue self 4 caught
10 kill self 0 default
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if s := statuses(events); s != "exit 3, SIGUSR1" {
		t.Errorf("exits: %s", s)
	}
	for _, e := range of(events, Signal) {
		if e.Code.ByProcess() && e.Uid != uint32(os.Getuid()) {
			t.Errorf("%s: user %d", show(&e), e.Uid)
		}
	}
}

// TestStopped: a program that stops, continues and kills its child sees what it
// would see without a tracer.
func TestStopped(t *testing.T) {
	var out bytes.Buffer
	x := watchIO(t, Options{}, nil, &out, compiled(t, "stopped"))
	events := x.end()
	consistent(t, events)
	if s := statuses(events); s != "SIGKILL, SIGTERM, exit 0" {
		t.Errorf("exits: %s", s)
	}
	// A process that its tracer leaves stopped reads as "t", not as "T".
	if out.String() != "state t\n" {
		t.Errorf("output: %q", out.String())
	}
	var story []string
	children := of(events, Fork)
	for _, e := range of(events, Stop, Continue) {
		n := 1
		if e.Pid == children[1].Child {
			n = 2
		}
		story = append(story, fmt.Sprintf("%d %v %d", n, e.Kind, e.Signal))
	}
	// The second stop of the first child is seen unless the kill is quicker.
	got := strings.Replace(strings.Join(story, ", "), "continue 0, 1 stop 19,", "continue 0,", 1)
	if want := "1 stop 19, 1 continue 0, 2 stop 20, 2 continue 0"; got != want {
		t.Errorf("story: %s, want %s", got, want)
	}
}

// TestConductor: a plain Python program of two processes; who signalled whom is
// exact, an ignored signal included.
func TestConductor(t *testing.T) {
	var out bytes.Buffer
	x := watchIO(t, Options{}, nil, &out, python(t), "-c", `
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda *_: print("driver off", flush=True))
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    os.write(w, b"r")
    signal.pause()
os.read(r, 1)
os.kill(pid, signal.SIGINT)
os.kill(pid, signal.SIGUSR2)
os.kill(os.getpid(), signal.SIGUSR1)
os.kill(pid, signal.SIGTERM)
os.waitpid(pid, 0)
`)
	events := x.end()
	consistent(t, events)
	child := of(events, Fork)[0].Child
	names := map[int]string{x.root: "driver", child: "conductor"}
	if got, want := received(events, child, names), "2 kill driver 0 ignored\n12 kill driver 0 ignored\n15 kill driver 0 default\n"; got != want {
		t.Errorf("conductor got\n%swant\n%s", got, want)
	}
	if got, want := received(events, x.root, names), "10 kill driver 0 caught\n17 child killed conductor 15 default\n"; got != want {
		t.Errorf("driver got\n%swant\n%s", got, want)
	}
	if out.String() != "driver off\n" {
		t.Errorf("output %q", out.String())
	}
}

// TestKeys: what a terminal's keys do is the kernel's, for every process of the
// foreground group.
func TestKeys(t *testing.T) {
	needTracing(t, Options{})
	term, err := proc.OpenTerminal(24, 80)
	if err != nil {
		t.Skip(err)
	}
	defer term.Close()
	x := watchIO(t, Options{}, os.NewFile(uintptr(dup(t, term.Slave())), "terminal"), nil,
		"sh", "-c", "trap '' INT; trap : QUIT; sleep 1000; exit 3")
	both := func(what string, fits func(*Event) bool) {
		t.Helper()
		pids := map[int]bool{}
		x.until(what, func(e *Event) bool {
			if fits(e) {
				pids[e.Pid] = true
			}
			return len(pids) == 2
		})
	}
	signalled := func(s unix.Signal) func(*Event) bool {
		return func(e *Event) bool {
			fits := e.Kind == Signal && e.Signal == int(s)
			if fits && (e.Code != FromKernel || e.Sender != 0) {
				t.Errorf("a key: %s", show(e))
			}
			return fits
		}
	}
	press := func(key byte) {
		t.Helper()
		if err := term.Press(key); err != nil {
			t.Fatal(err)
		}
	}
	x.until("sleep", func(e *Event) bool { return e.Kind == Exec && e.Argv[0] == "sleep" })
	press(3)
	both("Ctrl-C", signalled(unix.SIGINT))
	press(26)
	both("both stop", func(e *Event) bool { return e.Kind == Stop && e.Signal == int(unix.SIGTSTP) })
	if err := unix.Kill(-x.root, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	both("both continue", func(e *Event) bool { return e.Kind == Continue })
	press(28)
	both("Ctrl-backslash", signalled(unix.SIGQUIT))
	events := x.end()
	consistent(t, events)
	tstp := 0
	for _, e := range of(events, Signal) {
		if signalled(unix.SIGTSTP)(&e) {
			tstp++
		}
		switch {
		case e.Signal == int(unix.SIGINT) && e.Disposition != Ignored,
			e.Signal == int(unix.SIGTSTP) && e.Disposition != Default,
			e.Signal == int(unix.SIGQUIT) && (e.Disposition == Caught) != (e.Pid == x.root):
			t.Error(show(&e))
		}
	}
	if tstp != 2 {
		t.Errorf("%d times SIGTSTP", tstp)
	}
	if s := statuses(events); !strings.HasPrefix(s, "SIGQUIT") || !strings.HasSuffix(s, ", exit 3") {
		t.Errorf("exits: %s", s)
	}
}

func dup(t *testing.T, fd int) int {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestUndisturbed: a signal that the receiver ignores does not wake it from
// system calls that the kernel would not restart by itself.
func TestUndisturbed(t *testing.T) {
	x := watch(t, Options{}, compiled(t, "undisturbed"))
	events := x.end()
	if s := statuses(events); !strings.HasSuffix(s, ", exit 0") {
		t.Errorf("exits: %s: %s", s, x.stderr.String())
	}
}

// TestWoken: a signal that has no effect leaves no moment in which the handler of
// the next one runs unnoticed by the call that it has to interrupt.
func TestWoken(t *testing.T) {
	for _, o := range []Options{{}, {Calls: true}, {Prints: true}} {
		x := watch(t, o, compiled(t, "woken"), "2000")
		events := x.end()
		if s := statuses(events); s != "exit 0, exit 0" {
			t.Errorf("%+v: exits: %s: %s", o, s, x.stderr.String())
		}
	}
}
