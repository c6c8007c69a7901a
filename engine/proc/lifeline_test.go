//go:build linux

package proc

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// engine: holds a Lifeline and starts one armed child, which it stops if
	// told so; then waits for its end.
	registerHelper("engine", func(args []string) {
		life, err := NewLifeline()
		must(err)
		s, err := NewSpawner()
		must(err)
		start := helperStart("armed", args[1:], fdOrders, fdReport, int(life.ReadEnd().Fd()))
		pid, pidfd, err := s.Start(start)
		must(err)
		if args[0] == "stop" {
			// Only after the child has reported itself armed (order "go").
			awaitOrder()
			must(Kill(pid, int(unix.SIGSTOP)))
			must(unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WSTOPPED, nil))
			report("stopped")
		}
		switch awaitOrder() {
		case "cut":
			life.Cut()
			must(unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED, nil))
			report("cut")
		case "panic":
			panic("an engine with a bug")
		}
	})
	// armed [grandchild]: arms and stays.
	registerInner("armed", func(args []string) {
		must(ArmLifeline(fdExtra))
		if len(args) > 0 && args[0] == "grandchild" {
			_, _, err := Fork(helperStart("armed", nil, fdOrders, fdReport, LifelineFd()))
			must(err)
		}
		report(os.Getpid())
		for {
			_ = unix.Pause()
		}
	})
	// descriptors of an armed process.
	registerHelper("armed-report", func([]string) {
		must(ArmLifeline(fdExtra))
		fds, err := Descriptors(os.Getpid())
		must(err)
		_, low := fds[fdExtra]
		report(LifelineFd(), low)
		awaitOrder()
	})
}

// adopted opens a pidfd for a process that will become ours.
func adopted(t *testing.T, pid int) (pidfd int) {
	t.Helper()
	pidfd, err := OpenPidfd(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pidfd) })
	return pidfd
}

// The proof that a stopped process does not outlive a killed engine:
//
//  1. The test starts an engine; the engine starts a child that arms.
//  2. The engine stops the child with SIGSTOP: not one instruction of the
//     child can run any more.
//  3. The test kills the engine with SIGKILL: not one instruction of the
//     engine can run any more.
//  4. The child ends by SIGKILL; the test, as subreaper, reaps it.
func TestStoppedChildDiesWithKilledEngine(t *testing.T) {
	engine := startHelper(t, Fork, nil, "engine", "stop")
	pid := engine.number()
	fd := adopted(t, pid)
	engine.order("go")
	if got := engine.line(); got != "stopped" {
		t.Fatal(got)
	}
	if f, err := ReadFacts(pid); err != nil || f.State != 'T' {
		t.Fatalf("the child is in state %c, %v; want stopped", f.State, err)
	}
	if err := Kill(engine.pid, int(unix.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	engine.wait()
	if got := waitFor(t, fd); got.Signal != unix.SIGKILL {
		t.Errorf("the child ended with %v, want SIGKILL", got)
	}
}

func TestGrandchildDiesWithKilledEngine(t *testing.T) {
	engine := startHelper(t, Fork, nil, "engine", "run", "grandchild")
	a := adopted(t, engine.number())
	b := adopted(t, engine.number())
	if err := Kill(engine.pid, int(unix.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	engine.wait()
	// Both die at once, in either order, and either may have reported first: one of
	// them is ours only when the other has ended.
	for _, fd := range []int{a, b} {
		waitReadable(t, fd)
		eventually(t, "the orphan is ours", func() bool {
			got, reaped, err := WaitPidfd(fd)
			if reaped && got.Signal != unix.SIGKILL {
				t.Errorf("ended with %v, want SIGKILL", got)
			}
			return err == nil && reaped
		})
	}
}

func TestChildDiesWithPanickingEngine(t *testing.T) {
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	engine := startHelper(t, Fork, func(s *Start) { s.Files[2] = int(quiet.Fd()) }, "engine", "run")
	fd := adopted(t, engine.number())
	engine.order("panic")
	if got := engine.wait(); got.Code != 2 {
		t.Errorf("the engine ended with %v, want exit 2", got)
	}
	if got := waitFor(t, fd); got.Signal != unix.SIGKILL {
		t.Errorf("the child ended with %v, want SIGKILL", got)
	}
}

func TestCut(t *testing.T) {
	engine := startHelper(t, Fork, nil, "engine", "stop")
	engine.number()
	engine.order("go")
	if got := engine.line(); got != "stopped" {
		t.Fatal(got)
	}
	engine.order("cut")
	if got := engine.line(); got != "cut" {
		t.Error(got)
	}
	if got := engine.wait(); !got.Exited || got.Code != 0 {
		t.Errorf("the engine ended with %v", got)
	}
}

func TestCutTwice(t *testing.T) {
	l, err := NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	l.Cut()
	l.Cut()
}

func TestArmedDescriptorIsOutOfTheWay(t *testing.T) {
	l, err := NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Cut()
	c := startHelper(t, Fork, func(s *Start) { s.Files = append(s.Files, int(l.ReadEnd().Fd())) }, "armed-report")
	if got, want := c.line(), fmt.Sprint(lifelineFloor, false); got != want {
		t.Errorf("armed descriptor and whether the old one is open: %s, want %s", got, want)
	}
}

func TestArmingAfterTheEnd(t *testing.T) {
	l, err := NewLifeline()
	if err != nil {
		t.Fatal(err)
	}
	read, err := unix.Dup(int(l.ReadEnd().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(read)
	l.Cut()
	c := startHelper(t, Fork, func(s *Start) { s.Files = append(s.Files, read) }, "armed-report")
	if got := c.wait(); got.Signal != unix.SIGKILL {
		t.Errorf("ended with %v, want SIGKILL", got)
	}
}

// A socket cannot be opened anew, which is one way for arming to be refused.
func TestArmingByGoroutine(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := startHelper(t, Fork, func(s *Start) { s.Files = append(s.Files, pair[0]) }, "armed-report")
	unix.Close(pair[0])
	if got, want := c.line(), fmt.Sprint(lifelineFloor, false); got != want {
		t.Errorf("armed descriptor and whether the old one is open: %s, want %s", got, want)
	}
	unix.Close(pair[1])
	if got := c.wait(); got.Signal != unix.SIGKILL {
		t.Errorf("ended with %v, want SIGKILL", got)
	}
}

func TestArmingNothing(t *testing.T) {
	if err := ArmLifeline(-1); err == nil {
		t.Error("descriptor -1 could be armed")
	}
	if got := LifelineFd(); got != -1 {
		t.Errorf("LifelineFd() = %d in a process that is not armed", got)
	}
}
