//go:build linux && (amd64 || arm64)

package observe

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

func TestProgram(t *testing.T) {
	x := watch(t, Options{}, "sh", "-c", "exit 7")
	events := x.end()
	consistent(t, events)
	if len(events) != 2 || events[0].Kind != Exec || events[1].Kind != Exit {
		t.Fatalf("%s", x.tail())
	}
	if got := strings.Join(events[0].Argv, " "); got != "sh -c exit 7" {
		t.Errorf("argv %q", got)
	}
	if events[0].Exe == "" {
		t.Error("no executable")
	}
	if s := proc.DecodeStatus(events[1].Status); s.Code != 7 {
		t.Errorf("status %v", s)
	}
}

// statuses are the exits of processes, in order, in words.
func statuses(events []Event) string {
	var out []string
	for _, e := range of(events, Exit) {
		out = append(out, proc.DecodeStatus(e.Status).String())
	}
	return strings.Join(out, ", ")
}

func TestFamily(t *testing.T) {
	x := watch(t, Options{}, compiled(t, "family"))
	events := x.end()
	consistent(t, events)
	var ways []string
	for _, e := range of(events, Fork) {
		ways = append(ways, e.Way.String())
	}
	if got, want := strings.Join(ways, " "), "fork vfork clone fork fork fork"; got != want {
		t.Errorf("forks: %s, want %s", got, want)
	}
	// The last two end in either order of their reports: the grandchild only
	// learns from the kernel that its grandparent is gone.
	got := statuses(events)
	if want := "exit 1, exit 2, exit 3, SIGKILL, exit 4, "; !strings.HasPrefix(got, want) ||
		!strings.Contains(got, "exit 5") || !strings.Contains(got, "exit 0") {
		t.Errorf("exits: %s", got)
	}
	killed := of(events, Signal)
	if len(killed) == 0 || !slices.ContainsFunc(killed, func(e Event) bool {
		return e.Signal == int(unix.SIGKILL) && e.Code == FromUnknown && e.Sender == 0
	}) {
		t.Errorf("no SIGKILL among %d signals", len(killed))
	}
}

// TestShim: a version manager's shim executes and forks many times before the
// program runs.
func TestShim(t *testing.T) {
	x := watch(t, Options{}, "sh", "-c", `
		i=0
		while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done
		exec sh -c 'exec sh -c "exit 9"'`)
	events := x.end()
	consistent(t, events)
	if n := len(of(events, Fork)); n != 40 {
		t.Errorf("%d forks", n)
	}
	var own []string
	for _, e := range of(events, Exec) {
		if e.Pid == x.root {
			own = append(own, e.Argv[len(e.Argv)-1])
		}
	}
	if len(own) != 3 || own[2] != "exit 9" {
		t.Errorf("execs of the program: %q", own)
	}
	if last := events[len(events)-1]; last.Pid != x.root || proc.DecodeStatus(last.Status).Code != 9 {
		t.Errorf("last: %s", show(&last))
	}
}

// TestBurst: two hundred processes at once, none is missed.
func TestBurst(t *testing.T) {
	x := watch(t, Options{}, "sh", "-c", "i=0; while [ $i -lt 200 ]; do (exit $((i % 100))) & i=$((i+1)); done; wait")
	events := x.end()
	consistent(t, events)
	if n := len(of(events, Fork)); n != 200 {
		t.Errorf("%d forks", n)
	}
	codes := map[int]int{}
	for _, e := range of(events, Exit) {
		if e.Pid != x.root {
			codes[proc.DecodeStatus(e.Status).Code]++
		}
	}
	for c := range 100 {
		if codes[c] != 2 {
			t.Errorf("exit %d came %d times", c, codes[c])
		}
	}
}

// TestKilledBurst: a tree that forks for ever is killed from outside, again and
// again at another moment; no process stays behind and none is half known.
func TestKilledBurst(t *testing.T) {
	for i := range 20 {
		x := watch(t, Options{Calls: i%2 == 1}, "sh", "-c", "while :; do (:) & (exec /bin/true) & wait; done")
		forks := 0
		x.until("forks", func(e *Event) bool {
			if e.Kind == Fork {
				forks++
			}
			return forks > i
		})
		if err := unix.Kill(-x.root, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		consistent(t, x.end())
	}
}

// TestTracerKilled: with the tracer, everything it traced is gone, what stands
// stopped included.
func TestTracerKilled(t *testing.T) {
	x := watch(t, Options{}, "sh", "-c", "(setsid sleep 1000) & (kill -STOP $$; sleep 1000) & sleep 1000")
	stops, execs := 0, 0
	x.until("three sleeps and a stop", func(e *Event) bool {
		switch {
		case e.Kind == Stop:
			stops++
		case e.Kind == Exec && e.Argv[0] == "sleep":
			execs++
		}
		return stops == 1 && execs == 3 || stops == 1 && execs >= 2
	})
	pids := map[int]bool{}
	for _, e := range x.seen {
		pids[e.Pid] = true
		if e.Kind == Fork {
			pids[e.Child] = true
		}
	}
	x.cmd.Process.Kill()
	x.cmd.Wait()
	x.ended = true
	for pid := range pids {
		eventually(t, "nothing is left", func() bool { return !alive(pid) })
	}
}

// alive: it exists and is no zombie that waits for somebody else.
func alive(pid int) bool {
	f, err := proc.ReadFacts(pid)
	return err == nil && f.State != 'Z' && f.State != 'X'
}

func TestNoProgram(t *testing.T) {
	for name, want := range map[string]string{"/nonexistent/program": "no such file or directory", "/etc/passwd": "permission denied"} {
		needTracing(t, Options{})
		ours := []Event{}
		err := runHere(t, name, &ours)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if IsRefused(err) {
			t.Errorf("%s: %v is not the kernel's refusal to trace", name, err)
		}
		if len(ours) > 0 {
			t.Errorf("events: %v", ours)
		}
	}
}

// runHere calls Run in the test's own process.
func runHere(t *testing.T, path string, events *[]Event) error {
	t.Helper()
	done := make(chan error)
	go func() {
		done <- Run(Options{}, func(gate int) (int, error) {
			pid, pidfd, err := proc.Fork(Command(proc.Start{Path: path, Files: []int{0, 1, 2}, Ctty: -1}, gate))
			if err == nil {
				unix.Close(pidfd)
			}
			return pid, err
		}, func(e *Event) { *events = append(*events, *e) })
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(patience()):
		t.Fatal("Run does not return")
		return nil
	}
}

func TestThreads(t *testing.T) {
	t.Run("exec", func(t *testing.T) {
		x := watch(t, Options{}, compiled(t, "threads"), "exec")
		events := x.end()
		consistent(t, events)
		execs := of(events, Exec)
		if len(execs) != 2 || execs[1].Pid != x.root || statuses(events) != "exit 5" || len(of(events, Fork)) != 0 {
			t.Errorf("%s", x.tail())
		}
	})
	for _, how := range []string{"stop", "leave"} {
		t.Run(how, func(t *testing.T) {
			x := watch(t, Options{}, compiled(t, "threads"), how)
			stop := x.until("a stop", func(e *Event) bool { return e.Kind == Stop })
			if stop.Signal != int(unix.SIGSTOP) {
				t.Errorf("stopped by %d", stop.Signal)
			}
			if err := unix.Kill(x.root, unix.SIGCONT); err != nil {
				t.Fatal(err)
			}
			events := x.end()
			consistent(t, events)
			if len(of(events, Stop)) != 1 || len(of(events, Continue)) != 1 || statuses(events) != "exit 6" {
				t.Errorf("%s", x.tail())
			}
			first := of(events, Signal)[0]
			if first.Code != FromTkill || first.Tid == x.root || first.Pid != x.root {
				t.Errorf("the signal to a thread: %s in thread %d", show(&first), first.Tid)
			}
		})
	}
}
