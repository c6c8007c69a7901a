package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
)

// gateDecl is a process that holds a script up until the test sends it
// SIGUSR1: `wait: gate` is then a point at which the test can look around.
// Its pause has a timeout, so the engine does not take it for a deadlock.
const gateDecl = `
  gate:
    signals: {SIGUSR1: [{exit: 0}]}
    steps:
      - pause:
        timeout: 60s
`

// underWay is a run that goes on while the test looks at its processes.
type underWay struct {
	t    *testing.T
	done chan struct{}
	res  *engine.Result
	err  error
}

func start(t *testing.T, text string) *underWay {
	t.Helper()
	sc := load(t, text, nil)
	u := &underWay{t: t, done: make(chan struct{})}
	go func() {
		defer close(u.done)
		u.res, u.err = shared.Run(context.Background(), sc)
	}()
	return u
}

// process waits until a process of that name exists below this one, and
// returns its facts. An agent's kernel name is its declared name.
func (u *underWay) process(name string) (f proc.Facts) {
	u.t.Helper()
	eventually(u.t, "a process named "+name, func() bool {
		f = facts(name)
		return f.Pid != 0
	})
	return f
}

// facts finds a descendant by its name; those of a process without one are zero.
func facts(name string) proc.Facts {
	tree, _ := proc.Tree(os.Getpid())
	for _, pid := range tree {
		if f, err := proc.ReadFacts(pid); err == nil && f.Name == name {
			return f
		}
	}
	return proc.Facts{}
}

// open lets the script pass the gate.
func (u *underWay) open(name string) {
	u.t.Helper()
	gate := u.process(name)
	// Its handler is there when the script runs, and the script is held up.
	eventually(u.t, "the gate handles SIGUSR1", func() bool {
		return facts(name).SigCgt&proc.Bit(int(sig.USR1)) != 0
	})
	if err := unix.Kill(gate.Pid, unix.SIGUSR1); err != nil {
		u.t.Fatal(err)
	}
}

// result waits for the end of the run.
func (u *underWay) result() *outcome {
	u.t.Helper()
	<-u.done
	if u.err != nil {
		u.t.Fatal(u.err)
	}
	return &outcome{u.res, u.t}
}

// driverVariants: the shipped scenario, and one in which both processes show
// that ctrl-c has reached them.
func driverVariants(t *testing.T) map[string]string {
	original := driverFile(t)
	both := edit(t, original, "      SIGINT: ignore\n", "      SIGINT: [{print: driver got it}]\n")
	both = edit(t, both, "SIGINT: [{kill: driver, signal: SIGUSR1}]", "SIGINT: [{print: conductor got it}, {kill: driver, signal: SIGUSR1}]")
	return map[string]string{"original": original, "both handle SIGINT": both}
}

// gated holds the driver scenario up before its first step and after the
// first two keys.
func gated(t *testing.T, text string) string {
	gates := strings.Replace(gateDecl, "gate:", "gate1:", 1) + strings.Replace(gateDecl, "gate:", "gate2:", 1)
	text = edit(t, text, "\nprocesses:\n", "\nprocesses:"+gates)
	text = edit(t, text, "\nsteps:\n", "\nsteps:\n  - wait: gate1\n")
	return edit(t, text, "  - press: ctrl-z\n", "  - wait: gate2\n  - press: ctrl-z\n")
}

// TestDriverFromOutside looks at the processes of the driver scenario through
// the process file system while they run:
//
//  1. The script is held up before its first key, when both processes are
//     ready: their family, session, groups and terminal are looked at.
//  2. It goes on to the first two keys and is held up again: the group is
//     still the foreground one, nobody has ended.
//  3. It goes on to its end; nothing of it is left.
func TestDriverFromOutside(t *testing.T) {
	for name, text := range driverVariants(t) {
		t.Run(name, func(t *testing.T) {
			u := start(t, gated(t, text))
			u.process("gate1")
			eventually(t, "driver and conductor have their dispositions", func() bool {
				return facts("driver").SigCgt&proc.Bit(int(sig.TSTP)) != 0 && facts("conductor").SigCgt&proc.Bit(int(sig.QUIT)) != 0
			})
			driver, conductor := facts("driver"), facts("conductor")
			lookAtFamily(t, driver, conductor)
			supervisor, err := proc.ReadFacts(driver.Ppid)
			if err != nil {
				t.Fatal(err)
			}
			u.open("gate1")
			o := lookBetween(t, u, driver, conductor)
			o.mustPass()
			lookAtKey(t, o, name)
			for _, pid := range []int{driver.Pid, conductor.Pid, supervisor.Pid} {
				if _, err := proc.ReadFacts(pid); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("process %d is still there after the run: %v", pid, err)
				}
			}
			if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
				t.Errorf("processes are left: %v, %v", tree, err)
			}
		})
	}
}

func lookAtFamily(t *testing.T, driver, conductor proc.Facts) {
	t.Helper()
	if conductor.Ppid != driver.Pid {
		t.Errorf("the conductor's parent is %d, the driver is %d", conductor.Ppid, driver.Pid)
	}
	if driver.Tty == 0 || driver.Tty != conductor.Tty {
		t.Errorf("terminals: driver %#x, conductor %#x; want one and the same", driver.Tty, conductor.Tty)
	}
	if driver.Pgid != conductor.Pgid || driver.Tpgid != driver.Pgid || conductor.Tpgid != driver.Pgid {
		t.Errorf("groups: driver %d, conductor %d, foreground %d and %d; want one", driver.Pgid, conductor.Pgid, driver.Tpgid, conductor.Tpgid)
	}
	s, err := proc.ReadFacts(driver.Ppid)
	if err != nil {
		t.Fatal(err)
	}
	if s.Pid != s.Sid || s.Sid != driver.Sid || s.Sid != conductor.Sid {
		t.Errorf("sessions: supervisor %d in %d, driver in %d, conductor in %d; the supervisor has to lead", s.Pid, s.Sid, driver.Sid, conductor.Sid)
	}
	if s.Pgid == driver.Pgid {
		t.Errorf("the supervisor is in the foreground group %d", s.Pgid)
	}
	if s.Tty != driver.Tty {
		t.Errorf("the supervisor's terminal is %#x, not %#x", s.Tty, driver.Tty)
	}
	if s.Ppid != os.Getpid() {
		t.Errorf("the supervisor's parent is %d, not the engine %d", s.Ppid, os.Getpid())
	}
	own, err := proc.ReadFacts(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if own.Sid == s.Sid || own.Tty == driver.Tty {
		t.Errorf("the engine shares session %d or terminal %#x with its processes", own.Sid, own.Tty)
	}
}

// lookBetween looks again when two keys have been pressed.
func lookBetween(t *testing.T, u *underWay, driver, conductor proc.Facts) *outcome {
	t.Helper()
	eventually(t, "the first gate is gone", func() bool { return facts("gate1").Pid == 0 || facts("gate1").State == 'Z' })
	u.open("gate2")
	o := u.result()
	for _, p := range []struct {
		name string
		was  proc.Facts
	}{{"driver", driver}, {"conductor", conductor}} {
		e := o.of(event.Ended, p.name)
		if len(e) != 1 || e[0].Pid != p.was.Pid {
			t.Errorf("the log says that %s ended as %v; it was process %d", p.name, e, p.was.Pid)
		}
	}
	return o
}

// lookAtKey checks what the log says of ctrl-c: from the kernel, to both.
func lookAtKey(t *testing.T, o *outcome, variant string) {
	t.Helper()
	receivers := []string{"conductor"}
	if variant != "original" {
		receivers = append(receivers, "driver")
		for _, p := range receivers {
			if !slices.Contains(o.printed(p), p+" got it") {
				t.Errorf("%s printed %q", p, o.printed(p))
			}
		}
	}
	for _, p := range receivers {
		var got []event.Event
		for _, e := range o.of(event.Got, p) {
			if e.Signal == "SIGINT" {
				got = append(got, e)
			}
		}
		if len(got) != 1 || got[0].Code != "kernel" || got[0].PeerPid != 0 || got[0].Peer != "kernel" {
			t.Errorf("%s got SIGINT as %+v; want it once, from the kernel, without a pid", p, got)
		}
	}
	first, last := o.of(event.Ended, "conductor")[0], o.of(event.Ended, "driver")[0]
	if first.At >= last.At {
		t.Errorf("the conductor ended at %d, the driver at %d", first.At, last.At)
	}
}
