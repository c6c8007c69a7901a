//go:build linux

package prims

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPipeInterrupted: a signal interrupts a blocked step wherever it is, and
// the step goes on where it was.
func TestPipeInterrupted(t *testing.T) {
	for name, make := range map[string]func() (*rig, string, string){
		"two-way": func() (*rig, string, string) { return twoway(t), "a", "b" },
		"one-way": func() (*rig, string, string) { return oneway(t, map[string]any{"capacity": 4096}), "w", "r" },
	} {
		t.Run(name, func(t *testing.T) {
			r, out, in := make()
			big := pattern(3 << 20)
			r.tell(0, send(out, big))
			r.blocked(0)
			r.tell(1, recv(in))
			for i := 0; ; i++ {
				r.disturb(i % 2)
				select {
				case got := <-r.procs[1].reply:
					if got.Result != big {
						t.Fatalf("received %s %s", short(got.Result), got.Fail)
					}
					if sent := r.hear(0); sent.Fail != "" {
						t.Fatal(sent)
					}
					return
				case <-time.After(100 * time.Microsecond):
				}
			}
		})
	}
}

// TestPipeReceiverDies at every point of a message: the message is lost, the
// next one is whole.
func TestPipeReceiverDies(t *testing.T) {
	for _, size := range []int{10, 3000, 100_000} {
		for _, stop := range []int{0, 1, 4, 5, 50} {
			r := newRig(t, Args{}, []string{"a"}, []string{"b"}, []string{"b"})
			first := pattern(size)
			r.tell(0, send("a", first))
			r.blockedOrDone(0)
			h := r.procs[1].h
			e := &h.ends[1]
			c := &Call{Self: r.procs[1].self, Part: "b"}
			if err := h.beginRecv(e, c); err != nil {
				t.Fatal(err)
			}
			e.in.blind.Store(1) // piece by piece
			n := 0
			for n < stop {
				got, err := h.readOn(e)
				if err != nil {
					break
				}
				n += got
			}
			r.kill(1)
			sent := r.hearIfBusy(0)
			if stop == 0 {
				r.wants(2, recv("b"), first, "")
				r.hearLate(0, sent)
				r.do(0, send("a", "next"))
			} else {
				go func() { r.hearLate(0, sent); r.tell(0, send("a", "next")) }()
			}
			got := r.do(2, recv("b"))
			if got.Result != "next" {
				t.Errorf("size %d, killed after %d bytes: %s %s %s", size, n, short(got.Result), got.Fail, got.Text)
			}
			if stop > 0 {
				r.hear(0)
			}
			if r.fact("size") != 0 || r.fact("received") != 2 {
				t.Errorf("size %v, received %v", r.fact("size"), r.fact("received"))
			}
			r.stop()
		}
	}
}

// blockedOrDone waits until a process is blocked or has finished.
func (r *rig) blockedOrDone(i int) {
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(20 * time.Microsecond) {
		if len(r.procs[i].reply) > 0 || r.arena.Slot(i).State() == 4 {
			return
		}
	}
	r.t.Fatalf("process %d neither blocks nor ends", i)
}

// hearIfBusy takes the reply of a process if it is there.
func (r *rig) hearIfBusy(i int) bool {
	select {
	case <-r.procs[i].reply:
		return true
	default:
		return false
	}
}

func (r *rig) hearLate(i int, heard bool) {
	if !heard {
		<-r.procs[i].reply
	}
}

// TestPipeSenderDies in the middle of a long message: what it has sent is
// taken away as Torn, and nobody waits for ever.
func TestPipeSenderDies(t *testing.T) {
	for _, args := range []Args{{}, {Main: oneWay}} {
		parts := pipeParts(args)
		out, in := parts[0], parts[1]
		if args.Main == oneWay {
			out, in = in, out
		}
		r := newRig(t, args, []string{out}, []string{in}, []string{out}, []string{in})
		half := func(done int) {
			h := r.procs[0].h
			e := &h.ends[slices.Index(parts[:], out)]
			c := &Call{Self: r.procs[0].self, Part: out}
			if err := h.beginSend(e, c); err != nil {
				t.Fatal(err)
			}
			e.out.partial.Store(1)
			frame := append([]byte{0, 1, 0, 0}, pattern(100_000)...)
			if n, err := h.sysWrite(e, c, frame[:done]); n != done {
				t.Fatal(n, err)
			}
		}
		// Somebody is in the middle of receiving it, somebody else wants to send.
		half(5000)
		r.tell(1, recv(in))
		r.blocked(1)
		r.tell(2, send(out, "next"))
		r.blocked(2)
		r.kill(0)
		if got := r.hear(1); got.Fail != Torn {
			t.Fatalf("%s %s", short(got.Result), got.Fail)
		}
		if got := r.hear(2); got.Fail != "" {
			t.Fatal(got.Fail)
		}
		r.wants(3, recv(in), "next", "")
		r.stop()

		// It had sent nothing yet: nobody notices.
		r = newRig(t, args, []string{out}, []string{in}, []string{out}, []string{in})
		half(0)
		r.kill(0)
		r.tell(1, recv(in))
		r.blocked(1)
		r.wants(2, send(out, "next"), "next", "")
		if got := r.hear(1); got.Result != "next" {
			t.Fatal(got)
		}
		r.stop()

		// It was the last sender.
		r = newRig(t, args, []string{out}, []string{in})
		half(5000)
		r.kill(0)
		r.wants(1, recv(in), nil, Torn)
		r.wants(1, recv(in), nil, EOF)
		r.stop()
	}
}

// TestPipeReady: the deadlock finder is told exactly when a wait in the arena
// may be over.
func TestPipeReady(t *testing.T) {
	r := newRig(t, Args{}, []string{"a"}, []string{"b"}, []string{"a"}, []string{"b"})
	defer r.stop()
	ready := func(i int) bool {
		w := r.arena.Slot(i).Look().Wait
		return r.d.Op("recv").Ready(r.facts, w.Arg)
	}
	says := func(i int, verb, want string) {
		t.Helper()
		w := r.arena.Slot(i).Look().Wait
		if b := r.d.Explain(r.facts, verb, w.Arg); !strings.Contains(b.Doing, want) {
			t.Errorf("process %d: %+v, want %s", i, b, want)
		}
	}
	r.tell(1, recv("b"))
	r.blocked(1)
	if ready(1) {
		t.Error("it waits for the kernel, which wakes it")
	}
	says(1, "recv", "waits to recv from x.b")
	r.do(0, send("a", 1))
	r.hear(1)
	r.tell(0, send("a", pattern(1<<20)))
	r.blocked(0)
	says(0, "send", "which is full")
	r.tell(2, send("a", 2))
	r.blocked(2)
	if ready(2) {
		t.Error("somebody is in the middle of a message")
	}
	says(2, "send", "in the middle of a message")
	if b := r.d.Explain(r.facts, "send", r.arena.Slot(2).Look().Wait.Arg); !slices.Equal(b.By, []int{0}) {
		t.Errorf("it waits for %v", b.By)
	}
	r.wants(1, recv("b"), pattern(1<<20), "")
	r.hear(0)
	r.hear(2)
	r.wants(3, recv("b"), 2, "")
}
