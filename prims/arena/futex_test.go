//go:build linux

package arena

import (
	"math"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

// bothWays runs a test with futex_waitv(2) and, as on an older kernel, without.
func bothWays(t *testing.T, f func(t *testing.T)) {
	for _, tt := range []struct {
		name string
		no   bool
	}{{"with futex_waitv", false}, {"without futex_waitv", true}} {
		t.Run(tt.name, func(t *testing.T) {
			was := noWaitv.Load()
			noWaitv.Store(tt.no)
			defer noWaitv.Store(was)
			f(t)
			if !tt.no && noWaitv.Load() {
				t.Log("this kernel or its sandbox has no futex_waitv: both ways were the same")
			}
		})
	}
}

type parkTest struct {
	a    *Arena
	s    *Self
	word *atomic.Uint32
}

func newParkTest(interruptible bool) *parkTest {
	a := InMemory(Layout{Slots: 1, Prims: 64})
	p := &parkTest{a: a, s: a.Self(0, -1)}
	p.s.Interruptible = interruptible
	p.word = (*atomic.Uint32)(unsafe.Pointer(&a.Prims()[0]))
	return p
}

// park parks in a thread of its own and yields the outcome.
func (p *parkTest) park(seen uint32, deadline int64) <-chan Outcome {
	out := make(chan Outcome, 1)
	go func() { out <- p.s.Park((*uint32)(unsafe.Pointer(p.word)), seen, deadline) }()
	return out
}

func (p *parkTest) wake() int { return Wake((*uint32)(unsafe.Pointer(p.word)), math.MaxInt32) }

func outcome(t *testing.T, c <-chan Outcome, want Outcome) {
	t.Helper()
	select {
	case got := <-c:
		if got != want {
			t.Errorf("outcome %d, want %d", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still parked")
	}
}

func TestPark(t *testing.T) {
	for _, interruptible := range []bool{false, true} {
		name := "uninterruptible"
		if interruptible {
			name = "interruptible"
		}
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T) {
				p := newParkTest(interruptible)
				p.word.Store(7)
				// The word differs: at once, no wake needed.
				outcome(t, p.park(6, 0), Woken)
				// A wake, once somebody waits.
				c := p.park(7, 0)
				var got Outcome
				eventually(t, "somebody was woken", func() bool {
					if n := p.wake(); n > 1 {
						t.Errorf("%d were woken, one waits", n)
					}
					select {
					case got = <-c:
						return true
					default:
						return false
					}
				})
				if got != Woken {
					t.Errorf("outcome %d", got)
				}
				// Nobody waits any more.
				if n := p.wake(); n != 0 {
					t.Errorf("%d were woken, nobody waits", n)
				}
				// A change without a wake is seen by who comes later.
				p.word.Store(8)
				outcome(t, p.park(7, 0), Woken)
			})
		})
	}
}

// TestDeadline: no earlier than asked, and over at once if it has passed.
func TestDeadline(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		for _, interruptible := range []bool{false, true} {
			p := newParkTest(interruptible)
			for _, d := range []time.Duration{0, 100 * time.Microsecond, 3 * time.Millisecond, 30 * time.Millisecond} {
				deadline := Now() + int64(d)
				// Signals of the runtime may wake it, which is allowed.
				got := Woken
				for got == Woken {
					got = <-p.park(0, deadline)
				}
				if got != TimedOut {
					t.Errorf("outcome %d", got)
				}
				if now := Now(); now < deadline {
					t.Errorf("over %v before its deadline of %v", time.Duration(deadline-now), d)
				}
			}
		}
	})
}

// TestDisturb: a process is interrupted wherever it is: before it parks, while
// it does, and just in between.
func TestDisturb(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		p := newParkTest(true)
		p.s.Disturb()
		outcome(t, p.park(0, 0), Interrupted)
		p.s.Interrupt.Store(0)

		armed := false
		p.s.BeforePark = func() { armed = true; p.s.Interrupt.Store(1) }
		outcome(t, p.park(0, 0), Interrupted)
		if !armed {
			t.Error("BeforePark did not run")
		}
		p.s.BeforePark = nil

		for range 200 {
			p.s.Interrupt.Store(0)
			c := p.park(0, 0)
			p.s.Disturb()
			for done := false; !done; {
				select {
				case got := <-c:
					if got != Interrupted {
						t.Fatalf("outcome %d", got)
					}
					done = true
				case <-time.After(time.Millisecond):
					// As its watcher does where a disturbance can be lost.
					if !p.s.NeedsRepeat() {
						continue
					}
					p.s.Disturb()
				}
			}
		}
	})
}

// TestBareFutex: the calls below Park.
func TestBareFutex(t *testing.T) {
	var word uint32
	if futexWait(&word, 1, math.MaxInt64) {
		t.Error("a wait on another value timed out")
	}
	before := Now()
	for !futexWait(&word, 0, before+int64(2*time.Millisecond)) {
		if Now()-before > int64(10*time.Second) {
			t.Fatal("it never times out")
		}
	}
	if Now()-before < int64(2*time.Millisecond) {
		t.Error("too early")
	}
	// As many as asked are woken, and their number is the result.
	c := make(chan bool, 3)
	for range 3 {
		go func() { c <- futexWait(&word, 0, math.MaxInt64) }()
	}
	back := 0
	eventually(t, "three came back", func() bool {
		if n := futexWake(&word, 1); n > 1 {
			t.Errorf("%d were woken instead of one", n)
		}
		for {
			select {
			case timedOut := <-c:
				back++
				if timedOut {
					t.Error("timed out without a deadline")
				}
				continue
			default:
			}
			return back == 3
		}
	})
}

// TestGo: nobody goes before LetGo, everybody after.
func TestGo(t *testing.T) {
	a := InMemory(Layout{Slots: 1})
	c := make(chan struct{}, 3)
	for range 3 {
		go func() { a.AwaitGo(); c <- struct{}{} }()
	}
	select {
	case <-c:
		t.Fatal("somebody went too early")
	case <-time.After(5 * time.Millisecond):
	}
	a.LetGo()
	for range 3 {
		select {
		case <-c:
		case <-time.After(20 * time.Second):
			t.Fatal("somebody does not go")
		}
	}
	a.AwaitGo() // latecomers pass
}

// TestAwaitStarted: whoever wants to signal a process that is just being
// forked waits until it has its dispositions.
func TestAwaitStarted(t *testing.T) {
	a := InMemory(Layout{Slots: 1})
	a.AwaitStarted(0) // unborn: not on its way
	a.Slot(0).MarkForked(1)
	c := make(chan struct{})
	go func() { a.AwaitStarted(0); close(c) }()
	select {
	case <-c:
		t.Fatal("it did not wait")
	case <-time.After(5 * time.Millisecond):
	}
	a.Slot(0).Started()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("it still waits")
	}
	if a.Slot(0).State() != Ready {
		t.Error(a.Slot(0).State())
	}
}
