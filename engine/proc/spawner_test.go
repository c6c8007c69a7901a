//go:build linux

package proc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	registerHelper("descriptors", func([]string) {
		fds, err := Descriptors(os.Getpid())
		must(err)
		for fd := range 20 {
			if what, ok := fds[fd]; ok {
				report(fd, what)
			}
		}
		report("end")
	})
	registerHelper("surroundings", func(args []string) {
		dir, err := os.Getwd()
		must(err)
		report(strings.Join(args, "|"))
		report(dir)
		report(os.Getenv("COLOUR"))
		report(unix.Getpid(), unix.Getpgrp())
		sid, err := unix.Getsid(0)
		must(err)
		report(sid)
	})
}

// catStatus starts cat, which changes nothing about its signals, to read its
// own status file.
func catStatus(t *testing.T, start func(Start) (int, int, error)) Facts {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pid, pidfd, err := start(Start{
		Path:  "/bin/cat",
		Args:  []string{"cat", "/proc/self/status"},
		Files: []int{0, int(w.Fd()), 2},
		Ctty:  -1,
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if s := waitFor(t, pidfd); !s.Exited || s.Code != 0 {
		t.Fatalf("cat (%d) ended with %v", pid, s)
	}
	var f Facts
	if !f.parseStatus(out) {
		t.Fatalf("not a status file: %q", out)
	}
	return f
}

const blockable = AllSignals &^ (1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1))

func TestSpawnedChildHasAllSignalsBlocked(t *testing.T) {
	if f := catStatus(t, newSpawner(t).Start); f.SigBlk != blockable {
		t.Errorf("blocked: %x, want %x", f.SigBlk, blockable)
	}
}

func TestForkBlocksForTheChildAndRestores(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := Mask()
	if err != nil {
		t.Fatal(err)
	}
	if err := Block(Bit(int(unix.SIGUSR2))); err != nil {
		t.Fatal(err)
	}
	defer SetMask(before)
	if f := catStatus(t, Fork); f.SigBlk != blockable {
		t.Errorf("blocked in the child: %x, want %x", f.SigBlk, blockable)
	}
	after, err := Mask()
	if want := before | Bit(int(unix.SIGUSR2)); err != nil || after != want {
		t.Errorf("mask afterwards: %x, %v; want %x", after, err, want)
	}
}

func TestChildHasExactlyTheGivenDescriptors(t *testing.T) {
	// What a careless parent of ours would leave open: not close-on-exec.
	leak, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	zero, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	c := startHelper(t, newSpawner(t).Start, func(s *Start) {
		s.Files = append(s.Files, -1, int(zero.Fd()), -1, 2)
	}, "descriptors")
	got := map[string]string{}
	for line := c.line(); line != "end"; line = c.line() {
		fd, what, _ := strings.Cut(line, " ")
		got[fd] = what
	}
	if got["6"] != "/dev/zero" {
		t.Errorf("descriptor 6 is %q, want /dev/zero", got["6"])
	}
	for fd, what := range got {
		if what == "/dev/null" && fd > "2" {
			t.Errorf("descriptor %s leaked: %s", fd, what)
		}
		// What the child's own runtime opens lands in the holes.
		given := fd == "0" || fd == "1" || fd == "2" || fd == "3" || fd == "4" || fd == "6" || fd == "8"
		if !given && !runtimeOwn(what) && !strings.HasPrefix(what, "/proc/") {
			t.Errorf("descriptor %s is %s, want none", fd, what)
		}
	}
	for _, fd := range []string{"3", "4"} {
		if !strings.HasPrefix(got[fd], "pipe:") {
			t.Errorf("descriptor %s is %q, want a pipe", fd, got[fd])
		}
	}
}

func TestChildSurroundings(t *testing.T) {
	dir := t.TempDir()
	c := startHelper(t, newSpawner(t).Start, func(s *Start) {
		s.Dir = dir
		s.Env = append(s.Env, "COLOUR=红")
		s.Setsid = true
	}, "surroundings", "a b", "", "c")
	if got := c.line(); got != "a b||c" {
		t.Errorf("arguments: %q", got)
	}
	if got := c.line(); got != dir {
		t.Errorf("directory: %q, want %q", got, dir)
	}
	if got := c.line(); got != "红" {
		t.Errorf("environment: %q", got)
	}
	if got, want := c.line(), fmt.Sprint(c.pid, c.pid); got != want {
		t.Errorf("pid and group: %s, want %s", got, want)
	}
	if got := c.number(); got != c.pid {
		t.Errorf("session: %d, want %d", got, c.pid)
	}
}

func TestSetpgid(t *testing.T) {
	c := startHelper(t, Fork, func(s *Start) { s.Setpgid = true }, "obey")
	c.line()
	f, err := ReadFacts(c.pid)
	if err != nil || f.Pgid != c.pid || f.Sid == c.pid {
		t.Errorf("%+v, %v; want group %d in our session", f, err, c.pid)
	}
}

func TestStartErrors(t *testing.T) {
	s := newSpawner(t)
	before, err := Descriptors(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	pid, pidfd, err := s.Start(Start{Path: "/nonexistent/program", Ctty: -1})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/nonexistent/program") || pid != 0 || pidfd != -1 {
		t.Errorf("a missing program: %d, %d, %v", pid, pidfd, err)
	}
	if _, _, err := s.Start(Start{Path: "/bin/cat", Setsid: true, Foreground: true}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("session and foreground: %v", err)
	}
	after, err := Descriptors(os.Getpid())
	if err != nil || len(after) > len(before) {
		t.Errorf("descriptors before: %v, after: %v, %v", before, after, err)
	}
	s.Close()
	s.Close()
	if _, _, err := s.Start(Start{Path: "/bin/cat"}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("start after Close: %v", err)
	}
}

// The signal follows the thread that forked, so a Spawner's end is a child's
// end, and nothing that happens to other threads is.
func TestPdeathsigFollowsTheSpawner(t *testing.T) {
	s := newSpawner(t)
	c := startHelper(t, s.Start, func(s *Start) { s.Pdeathsig = unix.SIGKILL }, "obey")
	c.line()
	for range 10 { // threads come and go
		done := make(chan struct{})
		go func() { runtime.LockOSThread(); close(done) }()
		<-done
	}
	if _, reaped, err := WaitPidfd(c.pidfd); reaped || err != nil {
		t.Fatalf("ended early: %v, %v", reaped, err)
	}
	s.Close()
	if got := c.wait(); got.Signal != unix.SIGKILL {
		t.Errorf("ended with %v, want SIGKILL", got)
	}
}

func TestStartsFromManyGoroutines(t *testing.T) {
	s := newSpawner(t)
	helpersUsed.Store("exit", true)
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := []int{}
	for i := range 20 {
		wg.Go(func() {
			start := helperStart("exit", []string{fmt.Sprint(i)}, 0, 1)
			_, pidfd, err := s.Start(start)
			if err != nil {
				t.Error(err)
				return
			}
			defer unix.Close(pidfd)
			p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
			for {
				if _, err := unix.Poll(p, -1); err != unix.EINTR {
					break
				}
			}
			status, _, err := WaitPidfd(pidfd)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			codes = append(codes, status.Code)
			mu.Unlock()
		})
	}
	wg.Wait()
	slices.Sort(codes)
	for i, code := range codes {
		if code != i {
			t.Fatalf("exit codes: %v", codes)
		}
	}
}

func TestSelf(t *testing.T) {
	if got := Self(); got != "/proc/self/exe" {
		t.Errorf("Self() = %q", got)
	}
}

// BenchmarkStart is the start, first words and end of a helper.
func BenchmarkStart(b *testing.B) {
	s, err := NewSpawner()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	start := helperStart("exit", []string{"0"}, 0, 1)
	for b.Loop() {
		_, pidfd, err := s.Start(start)
		if err != nil {
			b.Fatal(err)
		}
		if err := unix.Waitid(unix.P_PIDFD, pidfd, nil, unix.WEXITED, nil); err != nil && err != unix.EINTR {
			b.Fatal(err)
		}
		unix.Close(pidfd)
	}
}
