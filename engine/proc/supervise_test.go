//go:build linux

package proc

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Descriptors of a supervisor: the terminal, then the Lifeline.
const (
	fdTerminal = fdExtra
	fdLifeline = fdExtra + 1
)

func init() {
	registerHelper("supervisor", func([]string) {
		must(ArmLifeline(fdLifeline))
		declared := helperStart("declared", nil, fdOrders, fdReport, fdTerminal, LifelineFd())
		must(Supervise(fdTerminal, declared,
			func(pid int) { report("started", pid) },
			func(s Status) { report("ended", s) }))
	})
	registerHelper("supervisor-of-nothing", func([]string) {
		report(Supervise(fdTerminal, Start{Path: "/nonexistent/program"}, nil, nil))
	})
	// declared: a program on its terminal; it has a child in its group and
	// exits 5 at an order.
	registerInner("declared", func([]string) {
		must(ArmLifeline(fdLifeline))
		stop := int(unix.SIGTSTP)
		must(Sigaction(stop, Default))
		_, _, err := Fork(helperStart("left-behind", nil, fdOrders, fdReport, fdTerminal, LifelineFd()))
		must(err)
		ready := awaitOrder() // as told by the test: the child is there
		must(Unblock(Bit(stop)))
		report("declared", ready)
		switch awaitOrder() {
		case "end":
			os.Exit(5)
		}
	})
	// left-behind: dies of SIGHUP or SIGINT, whichever comes first.
	registerInner("left-behind", func([]string) {
		must(ArmLifeline(fdLifeline))
		must(Sigaction(int(unix.SIGHUP), Default))
		must(Sigaction(int(unix.SIGINT), Default))
		report("left-behind", os.Getpid())
		for {
			_ = unix.Pause()
		}
	})
}

// The scene of a supervised program:
//
//  1. The engine (this test) starts the supervisor as leader of the
//     terminal's session.
//  2. The supervisor starts the declared process in the foreground group; that
//     one forks a child of its own.
//  3. Ctrl-Z stops the declared process, which it would not if its group were
//     orphaned; SIGCONT wakes it.
//  4. The declared process exits. The supervisor reports it and stays; the
//     child in the group gets no SIGHUP, and a key still reaches it.
//  5. The engine cuts the Lifeline: everybody is gone.
func TestSupervise(t *testing.T) {
	term := openTerminal(t)
	life, err := NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	defer life.Cut()
	sup := startHelper(t, newSpawner(t).Start, func(s *Start) {
		s.Files = append(s.Files, term.Slave(), int(life.ReadEnd().Fd()))
		s.Setsid, s.Ctty = true, fdTerminal
	}, "supervisor")

	var declared, left int
	for declared == 0 || left == 0 {
		switch what, pid := splitReport(t, sup.line()); what {
		case "started":
			declared = pid
		case "left-behind":
			left = pid
		}
	}
	leftFd := adopted(t, left)

	d, err := ReadFacts(declared)
	if err != nil {
		t.Fatal(err)
	}
	if d.Ppid != sup.pid || d.Sid != sup.pid || d.Pgid != declared || d.Tpgid != declared || d.Tty == 0 {
		t.Errorf("%+v; want parent and session %d, foreground group %d", d, sup.pid, declared)
	}
	if pgid, err := term.Foreground(); err != nil || pgid != declared {
		t.Errorf("foreground group %d, %v; want %d", pgid, err, declared)
	}

	sup.order("there")
	if got := sup.line(); got != "declared there" {
		t.Fatal(got)
	}
	if err := term.Press(26); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Ctrl-Z stops the declared process", func() bool {
		f, err := ReadFacts(declared)
		return err == nil && f.State == 'T'
	})
	if f, err := ReadFacts(sup.pid); err != nil || f.State == 'T' || f.ShdPnd&^Bit(int(unix.SIGCHLD)) != 0 {
		// SIGCHLD tells it that its child has stopped.
		t.Errorf("the key reached the supervisor: %+v, %v", f, err)
	}
	if err := Kill(declared, int(unix.SIGCONT)); err != nil {
		t.Fatal(err)
	}

	sup.order("end")
	if got := sup.line(); got != "ended exit 5" {
		t.Errorf("reported: %q", got)
	}
	// What is left of the group dies of the key, so no hang-up came before it.
	if err := term.Press(3); err != nil {
		t.Errorf("the terminal after the end: %v", err)
	}
	if got := waitFor(t, leftFd); got.Signal != unix.SIGINT {
		t.Errorf("who was left behind ended with %v, want SIGINT", got)
	}
	for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGSEGV, unix.SIGUSR1, unix.SIGSYS, 34, 35} {
		if err := Kill(sup.pid, int(sig)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the supervisor swallows the signal", func() bool {
			f, err := ReadFacts(sup.pid)
			return err == nil && f.ShdPnd&^f.SigBlk == 0
		})
	}
	if f, err := ReadFacts(sup.pid); err != nil || f.State == 'Z' {
		t.Errorf("the supervisor after many signals: %+v, %v", f, err)
	}
	if _, reaped, err := WaitPidfd(sup.pidfd); reaped || err != nil {
		t.Errorf("the supervisor left: %v, %v", reaped, err)
	}

	life.Cut()
	if got := sup.wait(); got.Signal != unix.SIGKILL {
		t.Errorf("the supervisor ended with %v", got)
	}
}

func splitReport(t *testing.T, line string) (what string, pid int) {
	t.Helper()
	what, rest, _ := strings.Cut(line, " ")
	pid = decimal([]byte(rest))
	if pid == 0 {
		t.Fatalf("reported: %q", line)
	}
	return what, pid
}

func TestSuperviseNothing(t *testing.T) {
	term := openTerminal(t)
	h := startHelper(t, newSpawner(t).Start, onTerminal(term), "supervisor-of-nothing")
	if got := h.line(); !strings.Contains(got, "/nonexistent/program: no such file") {
		t.Errorf("reported: %q", got)
	}
}
