//go:build linux

package proc

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// die SIGNAL: gives the signal its default action and sends it to itself.
	registerHelper("die", func(args []string) {
		n, err := strconv.Atoi(args[0])
		must(err)
		must(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
		if n != int(unix.SIGKILL) {
			must(Sigaction(n, Default))
			must(Unblock(Bit(n)))
		}
		must(Kill(os.Getpid(), n))
		select {}
	})
	// reaper: forks a child that exits with a code, reports its pid, reaps it
	// when told to.
	registerHelper("reaper", func(args []string) {
		_, pidfd, err := Fork(helperStart("exit-later", args, fdExtra, fdReport))
		must(err)
		awaitOrder()
		must(unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED, nil))
		report("reaped")
		awaitOrder()
	})
	// exit-later CODE: reports its pid, exits when its orders end.
	registerInner("exit-later", func(args []string) {
		report(os.Getpid())
		code, err := strconv.Atoi(args[0])
		must(err)
		ordersScanner().Scan()
		os.Exit(code)
	})
}

func TestWaitPidfd(t *testing.T) {
	for _, c := range []struct {
		helper, arg string
		want        Status
		text        string
	}{
		{"exit", "0", Status{Known: true, Exited: true}, "exit 0"},
		{"exit", "255", Status{Known: true, Exited: true, Code: 255}, "exit 255"},
		{"die", "15", Status{Known: true, Signaled: true, Signal: unix.SIGTERM}, "SIGTERM"},
		{"die", "9", Status{Known: true, Signaled: true, Signal: unix.SIGKILL}, "SIGKILL"},
		{"die", "3", Status{Known: true, Signaled: true, Signal: unix.SIGQUIT}, "SIGQUIT"},
		{"die", "11", Status{Known: true, Signaled: true, Signal: unix.SIGSEGV}, "SIGSEGV"},
		{"die", "35", Status{Known: true, Signaled: true, Signal: 35}, "signal 35"},
	} {
		t.Run(c.helper+c.arg, func(t *testing.T) {
			h := startHelper(t, Fork, nil, c.helper, c.arg)
			if got := h.wait(); got != c.want || got.String() != c.text {
				t.Errorf("ended with %+v (%v), want %+v (%s)", got, got, c.want, c.text)
			}
			if _, reaped, err := WaitPidfd(h.pidfd); reaped || !errors.Is(err, unix.ECHILD) {
				t.Errorf("a second time: %v, %v; want ECHILD", reaped, err)
			}
		})
	}
}

func TestWaitPidfdDoesNotBlock(t *testing.T) {
	h := startHelper(t, Fork, nil, "obey")
	h.line()
	if s, reaped, err := WaitPidfd(h.pidfd); s.Known || reaped || err != nil {
		t.Errorf("a living child: %v, %v, %v", s, reaped, err)
	}
	if s, ok := PidfdStatus(h.pidfd); ok {
		t.Errorf("the status of a living child: %v", s)
	}
	if s, ok := ZombieStatus(h.pid); ok {
		t.Errorf("a living child is a zombie: %v", s)
	}
}

func TestStatusOfSomebodyElsesChild(t *testing.T) {
	for _, code := range []int{0, 7} {
		ordersR, ordersW, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		parent := startHelper(t, Fork, func(s *Start) { s.Files = append(s.Files, int(ordersR.Fd())) }, "reaper", strconv.Itoa(code))
		ordersR.Close()
		pid := parent.number()
		fd := adopted(t, pid)
		if _, _, err := WaitPidfd(fd); !errors.Is(err, unix.ECHILD) {
			t.Errorf("waiting for somebody else's child: %v, want ECHILD", err)
		}
		ordersW.Close() // it exits
		waitReadable(t, fd)
		want := Status{Known: true, Exited: true, Code: code}
		if got, ok := ZombieStatus(pid); !ok || got != want {
			t.Errorf("as a zombie: %+v, %v; want %+v", got, ok, want)
		}
		parent.order("reap")
		if got := parent.line(); got != "reaped" {
			t.Fatal(got)
		}
		if got, ok := ZombieStatus(pid); ok {
			t.Errorf("a zombie after it was reaped: %v", got)
		}
		if got, ok := PidfdStatus(fd); ok && got != want {
			t.Errorf("after it was reaped: %+v, want %+v", got, want)
		} else if !ok && kernelAtLeast(t, 6, 15) {
			t.Error("after it was reaped nothing is known")
		}
	}
}

func kernelAtLeast(t *testing.T, major, minor int) bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)
	a, _ := strconv.Atoi(parts[0])
	b, _ := strconv.Atoi(parts[1])
	return a > major || a == major && b >= minor
}

func TestOpenPidfdOfNobody(t *testing.T) {
	h := startHelper(t, Fork, nil, "exit", "0")
	h.wait()
	if fd, err := OpenPidfd(h.pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("pidfd of a process that is gone: %d, %v", fd, err)
	}
}

func TestStatusText(t *testing.T) {
	for want, s := range map[string]Status{
		"unknown":              {},
		"exit 3":               {Known: true, Exited: true, Code: 3},
		"SIGABRT, core dumped": {Known: true, Signaled: true, Signal: unix.SIGABRT, Core: true},
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v prints as %q, want %q", s, got, want)
		}
	}
	if got := rawStatus(0x86); got.Signal != unix.SIGABRT || !got.Core || got.Exited {
		t.Errorf("wait status 0x86: %+v", got)
	}
	if got := rawStatus(0x137f); got.Known {
		t.Errorf("a stopped process has ended: %+v", got)
	}
}
