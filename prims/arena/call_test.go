//go:build linux

package arena

import (
	"runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// callTest is a process that blocks in msgrcv(2) on a queue of its own.
type callTest struct {
	s     *Self
	queue int
	buf   []byte
}

func newCallTest(t *testing.T) *callTest {
	t.Helper()
	const private, mode, rmid = 0, 0o600, 0
	id, _, e := unix.Syscall(unix.SYS_MSGGET, private, mode|0o1000, 0)
	if e != 0 {
		t.Skipf("no message queues here: %v", e)
	}
	t.Cleanup(func() { unix.Syscall(unix.SYS_MSGCTL, id, rmid, 0) })
	c := &callTest{s: InMemory(Layout{Slots: 1}).Self(0, -1), queue: int(id), buf: make([]byte, 16)}
	c.s.Interruptible = true
	c.s.Callable = func() error { return proc.CatchIdly(CallSignal) }
	return c
}

type ended struct {
	n     uintptr
	errno unix.Errno
	out   Outcome
	err   error
	at    int64
}

// begin receives in a thread of its own.
func (c *callTest) begin(until int64) <-chan ended {
	done := make(chan ended, 1)
	go func() {
		var e ended
		e.n, e.errno, e.out, e.err = c.s.Call(until, unix.SYS_MSGRCV, uintptr(c.queue), uintptr(unsafe.Pointer(&c.buf[0])), 8, 0, 0, 0)
		e.at = Now()
		done <- e
	}()
	return done
}

func (c *callTest) send(t *testing.T, text string) {
	t.Helper()
	m := append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, text...)
	if _, _, e := unix.Syscall6(unix.SYS_MSGSND, uintptr(c.queue), uintptr(unsafe.Pointer(&m[0])), uintptr(len(text)), 0, 0, 0); e != 0 {
		t.Fatal(e)
	}
	runtime.KeepAlive(m)
}

func wait(t *testing.T, done <-chan ended) ended {
	t.Helper()
	select {
	case e := <-done:
		if e.err != nil {
			t.Fatal(e.err)
		}
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("still in the call")
		return ended{}
	}
}

// TestCall: it returns what the system call does.
func TestCall(t *testing.T) {
	c := newCallTest(t)
	done := c.begin(0)
	c.send(t, "hello")
	if e := wait(t, done); e.out != Woken || e.errno != 0 || e.n != 5 || string(c.buf[8:13]) != "hello" {
		t.Errorf("%+v %q", e, c.buf)
	}
	c.queue = -1
	if e := wait(t, c.begin(0)); e.out != Woken || e.errno != unix.EINVAL {
		t.Errorf("%+v", e)
	}
}

// TestCallDeadline: a call that knows no timeout has one, no earlier than asked,
// also if it has passed already; and nothing comes of the timer afterwards.
func TestCallDeadline(t *testing.T) {
	c := newCallTest(t)
	for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 300 * time.Microsecond, 20 * time.Millisecond} {
		for range 20 {
			until := Now() + int64(d)
			e := wait(t, c.begin(until))
			if e.out != TimedOut || e.at < until {
				t.Fatalf("%v: %+v, deadline %d", d, e, until)
			}
			if d > time.Millisecond {
				break
			}
		}
	}
	done := c.begin(0)
	select {
	case e := <-done:
		t.Fatalf("ended by an old timer: %+v", e)
	case <-time.After(10 * time.Millisecond):
	}
	c.send(t, "x")
	if e := wait(t, done); e.n != 1 {
		t.Errorf("%+v", e)
	}
}

// TestCallDisturbed: it is interrupted before it enters the call, in it, and on
// the way; who disturbs repeats that as long as NeedsRepeat says so. What had its
// effect is no interruption: no message is lost.
func TestCallDisturbed(t *testing.T) {
	c := newCallTest(t)
	c.s.Disturb()
	if e := wait(t, c.begin(0)); e.out != Interrupted {
		t.Fatalf("%+v", e)
	}
	got, interrupted := 0, 0
	const rounds = 500
	for i := range rounds {
		c.s.Interrupt.Store(0)
		done := c.begin(0)
		for range i % 50 * 20 {
			runtime.Gosched()
		}
		sent := i%3 == 0
		if sent {
			c.send(t, "x")
		}
		c.s.Disturb()
		var e ended
		for over := false; !over; {
			select {
			case e = <-done:
				over = true
			case <-time.After(time.Millisecond):
				if c.s.NeedsRepeat() {
					c.s.Disturb()
				}
			case <-time.After(20 * time.Second):
				t.Fatal("lost")
			}
		}
		switch {
		case e.err != nil:
			t.Fatal(e.err)
		case e.out == Woken && e.n == 1 && sent:
			got++
		case e.out == Interrupted:
			interrupted++
			if sent {
				// It is still there.
				c.s.Interrupt.Store(0)
				if e := wait(t, c.begin(0)); e.out != Woken || e.n != 1 {
					t.Fatalf("%+v", e)
				}
			}
		default:
			t.Fatalf("%+v", e)
		}
	}
	if interrupted == 0 || c.s.NeedsRepeat() {
		t.Errorf("%d got, %d interrupted", got, interrupted)
	}
}
