//go:build linux

package proc

import (
	"os"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	if os.Getenv(helperEnv) == "leaderless" {
		runtime.LockOSThread() // what it does, its main thread does
	}
	registerHelper("leaderless", func([]string) {
		report("ready")
		go func() {
			runtime.LockOSThread()
			var buf [1]byte
			_, _ = unix.Read(fdOrders, buf[:]) // until the test ends it
			os.Exit(0)
		}()
		// Not exit_group: the other threads go on.
		_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	})
}

// TestMainThreadHasLeft: a process whose main thread has left lives, and everything
// that the kernel shows only under the number of a thread that lives is found there.
func TestMainThreadHasLeft(t *testing.T) {
	h := startHelper(t, Fork, nil, "leaderless")
	h.line()
	var stat Facts
	eventually(t, "the main thread has left", func() bool {
		b, err := os.ReadFile(procPath(h.pid, "stat"))
		stat = Facts{}
		return err == nil && stat.parseStat(b) && stat.State == 'Z'
	})
	f, err := ReadFacts(h.pid)
	if err != nil || f.State == 'Z' || f.Tid == h.pid || f.Tid == 0 || f.Exiting {
		t.Fatalf("%+v, %v", f, err)
	}
	if f.Pid != h.pid || f.Ppid != os.Getpid() || f.StartTime != stat.StartTime || f.Umask < 0 {
		t.Errorf("%+v, where the main thread has %+v", f, stat)
	}
	own, err := ReadFacts(os.Getpid())
	if err != nil || own.Tid != own.Pid {
		t.Errorf("of this process: %+v, %v", own, err)
	}
	if st, known := ZombieStatus(h.pid); known {
		t.Errorf("it is said to have ended: %+v", st)
	}
	if got, want := Executable(h.pid), Executable(os.Getpid()); got != want {
		t.Errorf("it executes %q, want %q", got, want)
	}
	if line := CommandLine(h.pid); len(line) == 0 {
		t.Error("it has no command line")
	}
	fds, err := Descriptors(h.pid)
	if err != nil || fds[fdReport] == "" || fds[fdReport] != Target(h.pid, fdReport) {
		t.Errorf("its descriptors are %v, %v", fds, err)
	}
	if !Writable(h.pid, fdReport) || Writable(h.pid, fdOrders) {
		t.Error("which of its descriptors it can write to is wrong")
	}
	eventually(t, "the kernel says what it is blocked in", func() bool { return ReadBlocked(h.pid).In != Awake })
	if kids, err := Children(os.Getpid()); err != nil || !slices.Contains(kids, h.pid) {
		t.Errorf("our children are %v, %v", kids, err)
	}
	_ = Kill(h.pid, int(unix.SIGKILL))
	h.wait()
}
