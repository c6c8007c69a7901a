//go:build linux

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

func unlinkQueue(name *byte) {
	_, _, _ = unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(name)), 0, 0)
}

// waitOver waits until a tree is over a limit, and says which. The kernel does not
// tell; somebody has to look.
func (c *contained) waitOver(l Limits) string {
	c.t.Helper()
	for until := time.Now().Add(longest()); time.Now().Before(until); time.Sleep(time.Millisecond) {
		u, err := Measure(c.supervisor, l.Processes)
		if err != nil {
			c.t.Fatal(err)
		}
		if why := u.Over(l); why != "" {
			return why
		}
	}
	c.t.Fatal("it never goes over a limit")
	return ""
}

// TestZoo: each of them is ended from outside, whatever it does, as soon as
// somebody wants it, and nothing is left (see contained.end).
func TestZoo(t *testing.T) {
	each(t, func(t *testing.T, m *Machine) {
		for _, animal := range []struct {
			name string
			want Limits
			test func(t *testing.T, c *contained)
		}{
			{"bomb", Limits{Processes: 30}, func(t *testing.T, c *contained) {
				if why := c.waitOver(c.box.Limits); why != "it has more than 30 processes" {
					t.Error(why)
				}
			}},
			{"hop", Limits{}, nil},
			{"hop-session", Limits{}, nil},
			{"hydra", Limits{}, nil},
			{"escape", Limits{}, func(t *testing.T, c *contained) {
				if st, _ := c.ended(); st.ExitStatus() != 3 {
					t.Errorf("%v", st)
				}
				if u, err := Measure(c.supervisor, 0); err != nil || u.Processes != 1 {
					t.Errorf("who escaped is not seen: %+v, %v", u, err)
				}
			}},
			{"awake", Limits{}, nil},
			{"headless", Limits{}, func(t *testing.T, c *contained) {
				if why := c.waitOver(Limits{Memory: 16 << 20}); why != "it has more than 16 MiB of memory" {
					t.Error(why)
				}
				if u, err := Measure(c.supervisor, 0); err != nil || u.Processes != 1 || u.Zombies != 0 {
					t.Errorf("who lives without a main thread is not seen: %+v, %v", u, err)
				}
			}},
			{"deaf", Limits{}, nil},
			{"stop", Limits{}, nil},
		} {
			t.Run(animal.name, func(t *testing.T) {
				want := wholeBox()
				want.Limits = animal.want
				c, failed := contain(t, m, want, work(t), zoo(t), animal.name)
				if failed != nil {
					t.Fatal(failed.Failed)
				}
				c.line()
				if animal.test != nil {
					animal.test(t, c)
				}
				c.end() // within its deadline, or it says who is left
			})
		}
	})
}

// TestGluttons: memory, files, time and processes have limits that the kernel
// keeps.
func TestGluttons(t *testing.T) {
	dir := work(t)
	m := Here()
	want := wholeBox()
	want.Room = 1 << 20
	want.Limits = Limits{CPU: time.Second, Processes: 20, Memory: 64 << 20, FileBytes: 4 << 20}
	run := func(args ...string) (*contained, string) {
		c, failed := contain(t, m, want, dir, append([]string{zoo(t)}, args...)...)
		if failed != nil {
			t.Fatal(failed.Failed)
		}
		return c, strings.Join(args, " ")
	}
	c, _ := run("spin")
	c.line()
	st, s := c.ended()
	if why := c.box.Limits.Why(st.Signal(), s.CPU, s.Peak); st.Signal() != unix.SIGXCPU || why != "it used more than 1s of CPU time" {
		t.Errorf("%v, %q", st, why)
	}
	c.end()

	c, _ = run("brood")
	n, err := strconv.Atoi(c.line())
	if err != nil {
		t.Fatal(err)
	}
	switch want := want.Limits.Processes; {
	case m.Spaces.Has(User) && (n < want || n > want+supervisorThreads),
		c.box.OwnPids && (n < want-1 || n > want+firstFreePid+1):
		t.Errorf("it had %d children, in %+v", n, c.box)
	}
	if why := c.waitOver(want.Limits); why != "it has more than 20 processes" {
		t.Error(why)
	}
	c.end()

	c, what := run("eat")
	if text := c.line(); !strings.HasPrefix(text, "denied after") {
		t.Error(what, text)
	}
	if st, _ := c.ended(); st.ExitStatus() != 7 {
		t.Error(what, st)
	}
	c.end()

	c, what = run("fill", dir+"/big")
	st, s = c.ended()
	if st.Signal() != unix.SIGXFSZ {
		t.Error(what, st)
	}
	if why := c.box.Limits.Why(st.Signal(), s.CPU, s.Peak); why != "a file of it grew beyond 4 MiB" {
		t.Errorf("%q", why)
	}
	if info, err := os.Stat(dir + "/big"); err != nil || info.Size() != 4<<20 {
		t.Errorf("%v, %v", info, err)
	}
	c.end()

	if c.box.Shm {
		c, what = run("fill", "/dev/shm/big")
		if text := c.line(); text != "full: No space left on device" {
			t.Error(what, text)
		}
		c.end()
	}
}

// TestAssassin: a program that signals everybody it can name hits nobody
// outside of its box: this test, its supervisor, a process that has nothing to
// do with it.
func TestAssassin(t *testing.T) {
	each(t, func(t *testing.T, m *Machine) {
		if m.Spaces == 0 && m.Landlock < scopeVersion && !m.Filter {
			t.Skip("nothing keeps its signals back, and it would hit this test")
		}
		c, failed := contain(t, m, wholeBox(), work(t), zoo(t), "assassin")
		if failed != nil {
			t.Fatal(failed.Failed)
		}
		// In a PID namespace there is nobody else.
		want := []string{"parent: Operation not permitted", "everybody: Operation not permitted", "init: Operation not permitted"}
		switch {
		case c.box.Spaces.Has(PID):
			want = []string{"parent: sent", "everybody: No such process", "init: sent"}
		case c.box.Scoped:
			want[1] = "everybody: sent" // says the kernel, though nobody may be hit
		case c.box.Filtered && os.Getuid() == 0:
			want[2] = "init: sent" // of the machine, which the kernel shields
		}
		for _, w := range want {
			if text := c.line(); text != w {
				t.Errorf("%q instead of %q", text, w)
			}
		}
		if text := c.line(); text != "alive" {
			t.Error(text)
		}
		if st, _ := c.ended(); st != syscall.WaitStatus(9<<8) {
			t.Errorf("%v", st)
		}
		if unix.Kill(c.supervisor, 0) != nil {
			t.Error("the supervisor was hit")
		}
	})
}

// TestStrays: whoever has outlived a supervisor that was killed, in a session of
// its own, is found by its mark and ended; others are not.
func TestStrays(t *testing.T) {
	c, failed := contain(t, &Machine{}, wholeBox(), work(t), zoo(t), "escape")
	if failed != nil {
		t.Fatal(failed.Failed)
	}
	other, failed := contain(t, &Machine{}, wholeBox(), work(t), zoo(t), "deaf")
	if failed != nil {
		t.Fatal(failed.Failed)
	}
	c.line()
	other.line()
	c.ended()
	if err := unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Wait4(c.supervisor, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	killed, left := KillTree(Hunt{Until: time.Now().Add(longest()),
		Strays: func(f proc.Facts) bool { return marked(f.Pid, "IPCRUN_ZOO=1") },
		Reap:   func(pid int) { _, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) }})
	if killed != 1 || len(left) > 0 {
		t.Errorf("%d killed, left %v", killed, left)
	}
	if f, err := proc.ReadFacts(other.started.Outer); err != nil || f.State == 'Z' {
		t.Errorf("somebody else was ended: %+v, %v", f, err)
	}
	c.forget()
	other.end()
	if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
		t.Errorf("processes are left: %v, %v", tree, err)
	}
}

// marked reports whether the environment with which a process was started
// holds a setting, as in "IPCRUN_RUN=7": a mark that orphans carry with them,
// unless they executed something with another environment.
func marked(pid int, setting string) bool {
	f, err := proc.ReadFacts(pid)
	if err != nil {
		return false
	}
	env, err := proc.ReadFile(fmt.Sprintf("/proc/%d/environ", f.Tid))
	return err == nil && slices.ContainsFunc(bytes.Split(env, []byte{0}), func(kv []byte) bool { return string(kv) == setting })
}
