package sigprobe

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestKillAndStop: POSIX lets nobody handle or block these two, and everybody
// all others.
func TestKillAndStop(t *testing.T) {
	for n := 1; n <= Last(); n++ {
		free := syscall.Signal(n) != syscall.SIGKILL && syscall.Signal(n) != syscall.SIGSTOP
		if got, want := Ask(n), (Answer{true, free, free}); got != want {
			t.Errorf("signal %d: %+v, want %+v", n, got, want)
		}
	}
}

func TestNoSignals(t *testing.T) {
	for _, n := range []int{-1, 0, Last() + 1, Most + 1, 1000} {
		if got := Ask(n); got != (Answer{}) {
			t.Errorf("signal %d: %+v", n, got)
		}
	}
}

// TestChangesNothing: the masks and actions of the process are afterwards what
// they were.
func TestChangesNothing(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := masks(t)
	if !strings.Contains(before, "SigBlk") || !strings.Contains(before, "SigCgt") {
		t.Fatalf("the process file system says %q", before)
	}
	for n := 1; n <= Most; n++ {
		Ask(n)
	}
	if after := masks(t); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
}

func masks(t *testing.T) string {
	data, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for line := range strings.Lines(string(data)) {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "SigBlk", "SigIgn", "SigCgt":
			out += line
		}
	}
	return out
}
