//go:build linux

package arena

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLayout: parts lie where they should, do not overlap, and are the same
// for everybody who maps them.
func TestLayout(t *testing.T) {
	a := newArena(t, Layout{Slots: 3, Prims: 100, Text: 77})
	if len(a.Prims()) != 100 || len(a.Text()) != 77 || a.Slots() != 3 {
		t.Errorf("prims %d, text %d, slots %d", len(a.Prims()), len(a.Text()), a.Slots())
	}
	for i := range a.Prims() {
		a.Prims()[i] = 0xaa
	}
	for i := range a.Text() {
		a.Text()[i] = 0xbb
	}
	a.Slot(2).SetState(Running)
	b, err := Attach(a.Fd())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(b.mem) }()
	for i, v := range b.Prims() {
		if v != 0xaa {
			t.Fatalf("byte %d of prims is %#x", i, v)
		}
	}
	for i, v := range b.Text() {
		if v != 0xbb {
			t.Fatalf("byte %d of text is %#x", i, v)
		}
	}
	if b.Slot(2).State() != Running || b.Slot(0).State() != Unborn || b.Slot(1).State() != Unborn || b.T0() != a.T0() {
		t.Errorf("states %v %v %v", b.Slot(0).State(), b.Slot(1).State(), b.Slot(2).State())
	}
	for i := range 3 {
		if a.Pending(i) {
			t.Errorf("ring %d has something", i)
		}
	}
}

// TestSealed: nobody can shrink or grow the memory under the others.
func TestSealed(t *testing.T) {
	a := newArena(t, Layout{Slots: 1})
	for _, n := range []int64{0, 1 << 30} {
		if err := unix.Ftruncate(a.Fd(), n); !errors.Is(err, unix.EPERM) {
			t.Errorf("truncating to %d: %v", n, err)
		}
	}
}

// TestNotAnArena: what is no arena of this version is refused.
func TestNotAnArena(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(int(f.Fd())); err == nil {
		t.Error("an empty file was accepted")
	}
	if _, err := Attach(-1); err == nil {
		t.Error("no descriptor was accepted")
	}
	if _, err := Create("x", Layout{Slots: MaxSlots + 1}); err == nil {
		t.Error("too many slots were accepted")
	}
}

// TestLookIsConsistent: a look never mixes two waits.
func TestLookIsConsistent(t *testing.T) {
	a := InMemory(Layout{Slots: 1})
	s := a.Self(0, -1)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := uint32(1); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			s.Enter(Wait{On: i, Verb: i, Arg: uint64(i), Step: i, Deadline: int64(i)})
			s.Leave()
			runtime.Gosched()
		}
	})
	blocked := 0
	for range 100_000 {
		l := a.Slot(0).Look()
		w := l.Wait
		if l.State == Blocked {
			blocked++
			if w.On != w.Verb || w.Arg != uint64(w.On) || w.Step != w.On || w.Deadline != int64(w.On) {
				t.Errorf("a mixture: %+v", l)
				break
			}
		}
		if l.Epoch%64 == 0 {
			runtime.Gosched()
		}
	}
	close(stop)
	wg.Wait()
	if blocked == 0 {
		t.Skip("the two never met")
	}
}

// TestEnds: who says first how and when a process ended is believed.
func TestEnds(t *testing.T) {
	a := InMemory(Layout{Slots: 1})
	s := a.Slot(0)
	if _, ok := s.ExitCode(); ok {
		t.Error("an exit code before the end")
	}
	if _, ok := s.Status(); ok || s.EndedAt() != 0 {
		t.Error("a status before the end")
	}
	s.MarkForked(17)
	s.MarkForked(17)
	if s.State() != Starting || s.Pid.Load() != 17 {
		t.Errorf("%v %d", s.State(), s.Pid.Load())
	}
	s.SetState(Running)
	s.MarkForked(17) // its parent, late
	if s.State() != Running {
		t.Errorf("%v", s.State())
	}
	s.RecordExit(0)
	at := s.EndedAt()
	if code, ok := s.ExitCode(); !ok || code != 0 || at == 0 {
		t.Errorf("code %d %v at %d", code, ok, at)
	}
	s.RecordStatus(0)
	s.NoteEnd(at + 5)
	if ws, ok := s.Status(); !ok || ws != 0 || s.EndedAt() != at || s.State() != Ended {
		t.Errorf("status %d %v at %d, want %d; %v", ws, ok, s.EndedAt(), at, s.State())
	}
}

// TestBooks: the count of blocked processes wakes the engine when nobody is
// left who could move.
func TestBooks(t *testing.T) {
	a := InMemory(Layout{Slots: 3})
	fd := eventfd(t)
	a.SetLive(2)
	one, two := a.Self(0, fd), a.Self(1, fd)
	a.Want(WantNotable)
	one.Enter(Wait{On: 0})
	if n := readEventfd(t, fd); n != 0 || a.Blocked() != 1 {
		t.Errorf("woken %d times, %d blocked", n, a.Blocked())
	}
	two.Enter(Wait{On: 0})
	if n := readEventfd(t, fd); n != 1 || a.Blocked() != 2 {
		t.Errorf("woken %d times, %d blocked", n, a.Blocked())
	}
	one.Leave()
	a.Unblocked() // two was killed
	if a.Blocked() != 0 || a.Slot(0).State() != Running {
		t.Errorf("%d blocked, %v", a.Blocked(), a.Slot(0).State())
	}
	a.Want(WantAny)
	one.Enter(Wait{On: 0})
	if n := readEventfd(t, fd); n != 1 {
		t.Errorf("woken %d times", n)
	}
}

func eventfd(t *testing.T) int {
	t.Helper()
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func readEventfd(t *testing.T, fd int) int {
	t.Helper()
	var b [8]byte
	if _, err := unix.Read(fd, b[:]); err != nil {
		return 0
	}
	return int(b[0])
}
