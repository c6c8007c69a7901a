//go:build linux

package prims

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestPipeConformance: what pipes must do, each with its source: a test of
// CPython's _test_multiprocessing.py in brackets, the Linux Test Project (K), or
// the manual.
func TestPipeConformance(t *testing.T) {
	const d = 30 * time.Millisecond
	noWait := func(o pipeOrder) pipeOrder { o.noWait = true; return o }
	within := func(o pipeOrder, d time.Duration) pipeOrder { o.after = d; return o }
	poll := func(part string) pipeOrder { return pipeOrder{verb: "poll", part: part} }
	shut := func(part string) pipeOrder { return pipeOrder{verb: "close", part: part} }
	both := map[string]func(t *testing.T, out, in string, r *rig){
		"an object comes back equal (test_connection)": func(t *testing.T, out, in string, r *rig) {
			for _, v := range []any{nil, true, 0, -1, math.MaxInt, 1.0, 0.1, math.Inf(1), "", "好\x00\xff\"", []any{1, "x", []any{}}, map[string]any{"a": map[string]any{"b": nil}}} {
				r.do(0, send(out, v))
				if got := r.do(1, recv(in)); got.Fail != "" || !reflect.DeepEqual(got.Result, v) {
					t.Errorf("%#v comes as %#v %s", v, got.Result, got.Fail)
				}
			}
		},
		"n sends need n receives, empty ones count (test_strings, test_dont_merge)": func(t *testing.T, out, in string, r *rig) {
			list := []any{"", "a", "", "", "bb", ""}
			for _, v := range list {
				r.do(0, send(out, v))
			}
			for _, v := range list {
				r.wants(1, recv(in), v, "")
			}
			r.wants(1, noWait(recv(in)), nil, WouldBlock)
		},
		"recv raises EOFError when every copy of the other end is closed, data first (test_connection, test_wait; K pipe14)": func(t *testing.T, out, in string, r *rig) {
			r.do(0, send(out, 1))
			r.wants(0, shut(out), nil, "")
			r.wants(1, recv(in), 1, "")
			r.wants(1, recv(in), nil, EOF)
			r.wants(1, recv(in), nil, EOF)
		},
		"a send without a reader raises BrokenPipe (own measurement; K pipe08)": func(t *testing.T, out, in string, r *rig) {
			r.wants(1, shut(in), nil, "")
			r.wants(0, send(out, 1), nil, BrokenPipe)
			r.wants(0, send(out, pattern(100_000)), nil, BrokenPipe)
			r.wants(0, send(out, 1), nil, BrokenPipe)
		},
		"a closed end cannot be used (own measurement)": func(t *testing.T, out, in string, r *rig) {
			r.wants(0, shut(out), nil, "")
			r.wants(0, shut(out), nil, "")
			r.wants(0, send(out, 1), nil, Closed)
			r.wants(1, shut(in), nil, "")
			r.wants(1, recv(in), nil, Closed)
			r.wants(1, poll(in), nil, Closed)
		},
		"poll returns at once, or not before its timeout, and stays true (test_connection, test_empty_string)": func(t *testing.T, out, in string, r *rig) {
			if got := r.wants(1, poll(in), nil, WouldBlock); got.Took > patience/4 {
				t.Errorf("it took %v", got.Took)
			}
			if got := r.wants(1, within(poll(in), d), nil, Timeout); got.Took < d {
				t.Errorf("False after %v", got.Took)
			}
			r.do(0, send(out, ""))
			r.wants(1, within(poll(in), patience), true, "")
			r.wants(1, poll(in), true, "")
			r.wants(1, recv(in), "", "")
			r.wants(1, poll(in), nil, WouldBlock)
			r.tell(1, within(poll(in), patience))
			r.blocked(1)
			r.do(0, send(out, 1))
			if got := r.hear(1); got.Result != true {
				t.Error(got)
			}
		},
		"recv blocks while there is nothing, and not longer than it may (multiprocessing.Pipe)": func(t *testing.T, out, in string, r *rig) {
			r.wants(1, noWait(recv(in)), nil, WouldBlock)
			if got := r.wants(1, within(recv(in), d), nil, Timeout); got.Took < d {
				t.Errorf("Timeout after %v", got.Took)
			}
			r.tell(1, recv(in))
			r.blocked(1)
			r.do(0, send(out, 7))
			if got := r.hear(1); got.Result != 7 {
				t.Error(got)
			}
		},
		"16 MiB pass unchanged (test_connection)": func(t *testing.T, out, in string, r *rig) {
			big := pattern(16 << 20)
			r.tell(0, send(out, big))
			got := r.do(1, recv(in))
			if sent := r.hear(0); sent.Fail != "" || got.Fail != "" || got.Result != big {
				t.Errorf("sent %s, received %s", sent.Fail, got.Fail)
			}
		},
		"a send larger than the free buffer blocks until somebody reads (own measurement)": func(t *testing.T, out, in string, r *rig) {
			if got := r.do(0, send(out, pattern(60_000))); got.Fail != "" {
				t.Fatal(got.Fail)
			}
			r.tell(0, send(out, pattern(300_000)))
			r.blocked(0)
			r.wants(1, recv(in), pattern(60_000), "")
			r.wants(1, recv(in), pattern(300_000), "")
			if got := r.hear(0); got.Fail != "" {
				t.Error(got)
			}
		},
		"a full pipe: at once, or not before the timeout (K pipe12)": func(t *testing.T, out, in string, r *rig) {
			for r.do(0, noWait(send(out, pattern(3000)))).Fail == "" {
			}
			r.wants(0, noWait(send(out, pattern(3000))), nil, WouldBlock)
			if got := r.wants(0, within(send(out, pattern(3000)), d), nil, Timeout); got.Took < d {
				t.Errorf("Timeout after %v", got.Took)
			}
			n := r.fact("size").(int)
			for range n {
				r.wants(1, recv(in), pattern(3000), "")
			}
			r.wants(1, noWait(recv(in)), nil, WouldBlock)
		},
		"a message that is cut off by its timeout (our own rule)": func(t *testing.T, out, in string, r *rig) {
			r.do(0, send(out, "before"))
			if got := r.wants(0, within(send(out, pattern(1<<20)), d), nil, Timeout); got.Took < d {
				t.Errorf("Timeout after %v", got.Took)
			}
			// Nobody can send behind it before it was taken away.
			r.wants(0, noWait(send(out, "after")), nil, WouldBlock)
			r.wants(0, within(send(out, "after"), d), nil, Timeout)
			r.wants(1, recv(in), "before", "")
			r.tell(0, send(out, "after"))
			r.blocked(0)
			r.wants(1, recv(in), nil, Torn)
			if got := r.hear(0); got.Fail != "" {
				t.Fatal(got)
			}
			r.wants(1, recv(in), "after", "")
			if r.fact("size") != 0 {
				t.Errorf("size %v", r.fact("size"))
			}
		},
	}
	for name, f := range both {
		t.Run(name, func(t *testing.T) {
			t.Run("two-way", func(t *testing.T) { f(t, "a", "b", twoway(t)) })
			t.Run("one-way", func(t *testing.T) { f(t, "w", "r", oneway(t, nil)) })
		})
	}

	t.Run("both ends send and receive (test_connection)", func(t *testing.T) {
		r := twoway(t)
		r.do(0, send("a", "there"))
		r.do(1, send("b", "back"))
		r.wants(0, recv("a"), "back", "")
		r.wants(1, recv("b"), "there", "")
	})
	t.Run("the wrong direction is an error, also for poll (test_duplex_false; K pipe03)", func(t *testing.T) {
		r := oneway(t, nil)
		r.wants(0, recv("w"), nil, BadDirection)
		r.wants(0, poll("w"), nil, BadDirection)
		r.wants(1, send("r", 1), nil, BadDirection)
		// And so it is to the kernel.
		if _, err := unix.Write(r.procs[1].h.ends[0].fd, []byte{1}); err != unix.EBADF {
			t.Errorf("write to r: %v", err)
		}
		if _, err := unix.Read(r.procs[0].h.ends[1].fd, []byte{1}); err != unix.EBADF {
			t.Errorf("read from w: %v", err)
		}
	})
	t.Run("EOF needs every copy closed (own measurement; K pipe14 converse)", func(t *testing.T) {
		r := newRig(t, Args{Main: oneWay}, []string{"w"}, nil, []string{"w"})
		t.Cleanup(r.stop)
		r.do(0, shut("w"))
		r.do(2, shut("w"))
		r.wants(1, within(recv("r"), d), nil, Timeout) // the reader's own copy
		r.do(1, shut("w"))
		r.wants(1, recv("r"), nil, EOF)
	})
	t.Run("the capacity is 65536 one-byte writes (K pipe12, pipe2_04)", func(t *testing.T) {
		r := oneway(t, map[string]any{"bytes": true})
		n := 0
		for r.procs[0].do(noWait(send("w", "x"))).Fail == "" {
			n++
		}
		if n != 65536 || r.fact("capacity") != 65536 || r.fact("size") != 65536 {
			t.Errorf("%d bytes fit, capacity %v, size %v", n, r.fact("capacity"), r.fact("size"))
		}
	})
	t.Run("writes of PIPE_BUF are all or nothing (pipe(7))", func(t *testing.T) {
		r := oneway(t, map[string]any{"bytes": true, "capacity": 8192})
		r.wants(0, send("w", pattern(5000)), pattern(5000), "")
		r.wants(0, noWait(send("w", pattern(4096))), nil, WouldBlock)
		if r.fact("size") != 5000 {
			t.Errorf("a part of it was written: %v", r.fact("size"))
		}
	})
	t.Run("a longer write is cut short (pipe(7))", func(t *testing.T) {
		r := oneway(t, map[string]any{"bytes": true, "capacity": 4096})
		got := r.wants(0, noWait(send("w", pattern(5000))), nil, WouldBlock)
		if !strings.Contains(got.Text, "4096 of 5000 bytes were written") || r.fact("size") != 4096 {
			t.Errorf("%s, size %v", got.Text, r.fact("size"))
		}
	})
	t.Run("reads are as short as what is there (pipe(7))", func(t *testing.T) {
		r := oneway(t, map[string]any{"bytes": true})
		r.do(0, send("w", "abc"))
		r.do(0, send("w", "de\xff"))
		r.wants(1, pipeOrder{verb: "recv", part: "r", size: 4}, "abcd", "")
		r.wants(1, pipeOrder{verb: "recv", part: "r", size: 100}, "e\xff", "")
		r.wants(0, send("w", 5), nil, Invalid)
		r.do(0, shut("w"))
		r.wants(1, recv("r"), nil, EOF)
	})
	t.Run("what is sent to a closed end is no reason for a reset", func(t *testing.T) {
		// A socket whose peer was closed with messages unread says ECONNRESET.
		r := twoway(t)
		r.do(0, send("a", "never read"))
		r.do(1, send("b", "last"))
		r.do(1, shut("b"))
		r.wants(0, recv("a"), "last", "")
		r.wants(0, recv("a"), nil, EOF)
		r.wants(0, send("a", 1), nil, BrokenPipe)
	})
	t.Run("children read disjoint parts of one pipe (K pipe11)", func(t *testing.T) {
		r := newRig(t, Args{Main: oneWay}, []string{"w"}, []string{"r"}, []string{"r"}, []string{"r"})
		t.Cleanup(r.stop)
		const rounds = 300
		seen := make(chan int, rounds)
		for i := 1; i <= 3; i++ {
			go func() {
				for {
					r.procs[i].orders <- recv("r")
					got := <-r.procs[i].reply
					if got.Fail != "" {
						seen <- -1
						return
					}
					seen <- got.Result.(int)
				}
			}()
		}
		for i := range rounds {
			r.do(0, send("w", i))
		}
		r.do(0, shut("w"))
		var all []int
		for ended := 0; ended < 3; {
			if n := <-seen; n < 0 {
				ended++
			} else {
				all = append(all, n)
			}
		}
		slices.Sort(all)
		for i := range rounds {
			if len(all) != rounds || all[i] != i {
				t.Fatalf("received %v", all)
			}
		}
	})
}

// TestPipeFrames: what is in the pipe is what Connection.send_bytes writes.
func TestPipeFrames(t *testing.T) {
	r := twoway(t)
	peer := r.procs[1].h.ends[1].fd
	r.do(0, send("a", map[string]any{"n": 1, "x": []any{1.5, "é"}}))
	var b [100]byte
	n, err := unix.Read(peer, b[:])
	want := "\x00\x00\x00\x19{\"n\":1,\"x\":[1.5,\"é\"]}"
	want = string(binary.BigEndian.AppendUint32(nil, uint32(len(want)-4))) + want[4:]
	if err != nil || string(b[:n]) != want {
		t.Errorf("%q %v, want %q", b[:n], err, want)
	}
	// The long form is accepted for any length.
	long := append([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 4}, "true"...)
	for _, piece := range [][]byte{long[:2], long[2:7], long[7:13], long[13:]} {
		if _, err := unix.Write(peer, piece); err != nil {
			t.Fatal(err)
		}
		if len(piece) != 3 {
			r.wants(0, pipeOrder{verb: "recv", part: "a", noWait: true}, nil, WouldBlock)
		}
	}
	r.wants(0, recv("a"), true, "")
	for _, bad := range []struct{ bytes, says string }{
		{"\x00\x00\x00\x06\x80\x04\x95abc", "json.dumps"},
		{"\x00\x00\x00\x03{1}", "no JSON"},
		{"\x00\x00\x00\x00", "ends too early"},
		{"\x80\x00\x00\x00", "no message"},
	} {
		if _, err := unix.Write(peer, []byte(bad.bytes)); err != nil {
			t.Fatal(err)
		}
		if got := r.wants(0, recv("a"), nil, Invalid); !strings.Contains(got.Text, bad.says) {
			t.Errorf("%q: %s", bad.bytes, got.Text)
		}
	}
	// Somebody else sends at the same end as a process of the run.
	if _, err := unix.Write(peer, []byte("\x00\x00\x00\x011\x00\x00\x00\x0222")); err != nil {
		t.Fatal(err)
	}
	r.do(1, send("b", pattern(200)))
	if _, err := unix.Write(peer, []byte("\x00\x00\x00\x03333")); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{1, 22, pattern(200), 333} {
		r.wants(0, recv("a"), v, "")
	}
	r.wants(0, pipeOrder{verb: "recv", part: "a", noWait: true}, nil, WouldBlock)
}

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
		return r.d.Ops["recv"].Ready(r.facts, w.Arg)
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

// TestPipeJSON: a value comes back as what it was, and Python reads the same.
func TestPipeJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := pipeValue(3).Draw(t, "value")
		b, err := appendJSON(nil, v, 0)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseJSON(b)
		if err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("%#v is %s and comes back as %#v %v", v, b, back, err)
		}
		if !json.Valid(b) {
			t.Fatalf("%s is no JSON", b)
		}
	})
	for text, want := range map[string]any{
		`1`: 1, `-0`: 0, `1.0`: 1.0, `1e2`: 100.0, `"\u00e9\ud83d\ude00\udcff\/\b"`: "é😀\xff/\b", ` [ 1 , {"a" : null} ] `: []any{1, map[string]any{"a": nil}},
		`-Infinity`: math.Inf(-1), `1e999`: math.Inf(1), `{"a":1,"a":2}`: map[string]any{"a": 2}, `"\ud800"`: "\ufffd",
	} {
		if got, err := parseJSON([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v %v", text, got, err)
		}
	}
	for _, text := range []string{``, ` `, `01`, `1.`, `.5`, `-`, `1 2`, `"a`, `"\x"`, `"\u12"`, "\"\n\"", `[1`, `[1,]`, `{a:1}`, `{"a" 1}`, `{"a":1,}`, `tru`, `'a'`, `9223372036854775808`, strings.Repeat("[", 2000), `"\`} {
		if v, err := parseJSON([]byte(text)); err == nil {
			t.Errorf("%s is %v", text, v)
		}
	}
	if _, err := appendJSON(nil, make(chan int), 0); err == nil {
		t.Error("a channel is no value")
	}
	deep := any(nil)
	for range maxJSONDepth + 1 {
		deep = []any{deep}
	}
	if _, err := appendJSON(nil, deep, 0); err == nil {
		t.Error("too deep")
	}
}

func pipeValue(depth int) *rapid.Generator[any] {
	simple := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int(), func(i int) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
	}
	if depth > 0 {
		simple = append(simple,
			rapid.Map(rapid.SliceOfN(pipeValue(depth-1), 0, 4), func(l []any) any { return append([]any{}, l...) }),
			rapid.Map(rapid.MapOfN(rapid.String(), pipeValue(depth-1), 0, 4), func(m map[string]any) any { return m }))
	}
	return rapid.OneOf(simple...)
}

// TestPipeDeclarations: what is wrong with a declaration is said of the right key.
func TestPipeDeclarations(t *testing.T) {
	for _, x := range []struct {
		main   any
		fields map[string]any
		key    string
	}{
		{nil, map[string]any{}, ""},
		{oneWay, map[string]any{"capacity": 4096, "ends": []any{"out", "in_2"}}, ""},
		{nil, map[string]any{"capacity": 4096}, "capacity"},
		{nil, map[string]any{"ends": []any{"x"}}, "ends"},
		{nil, map[string]any{"ends": []any{"x", "x"}}, "ends"},
		{nil, map[string]any{"ends": []any{"x", 3}}, "ends"},
		{nil, map[string]any{"ends": []any{"x", "2x"}}, "ends"},
		{nil, map[string]any{"ends": []any{"x", "a.b"}}, "ends"},
	} {
		if key, problem := checkPipe(x.main, x.fields); key != x.key || (key == "") != (problem == "") {
			t.Errorf("%v %v: %q %q", x.main, x.fields, key, problem)
		}
	}
	r := newRig(t, Args{Main: oneWay, Fields: map[string]any{"ends": []any{"out", "in"}}}, nil)
	defer r.stop()
	r.wants(0, send("in", 1), 1, "")
	r.wants(0, recv("out"), 1, "")
}

const python = "python3"

// TestPipeWithPython: a Connection of Python's multiprocessing is at the other
// end, for 10,000 messages.
func TestPipeWithPython(t *testing.T) {
	if _, err := exec.LookPath(python); err != nil {
		t.Skip("no python3 on this machine: nobody to talk to")
	}
	const rounds = 10_000
	const program = `
import json, sys
from multiprocessing.connection import Connection
c = Connection(3)
for i in range(int(sys.argv[1])):
    v = json.loads(c.recv_bytes())
    assert v["i"] == i, v
    v["twice"] = 2 * i
    c.send_bytes(json.dumps(v).encode())
big = c.recv_bytes()
c.send_bytes(big)
try:
    c.recv_bytes()
except EOFError:
    sys.exit(7)
`
	r := newRig(t, Args{}, []string{"a"}, []string{"b"})
	defer r.stop()
	fd, err := unix.Dup(r.procs[1].h.ends[1].fd)
	if err != nil {
		t.Fatal(err)
	}
	r.do(1, pipeOrder{verb: "close", part: "b"})
	f := os.NewFile(uintptr(fd), "b")
	var out bytes.Buffer
	cmd := exec.Command(python, "-c", program, fmt.Sprint(rounds))
	cmd.ExtraFiles, cmd.Stderr = []*os.File{f}, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	text := "日本\x00\"\xff"
	for i := range rounds {
		r.do(0, send("a", map[string]any{"i": i, "f": float64(i), "text": text, "list": []any{nil, true, -1.5}}))
		got := r.do(0, recv("a"))
		want := map[string]any{"i": i, "f": float64(i), "text": text, "list": []any{nil, true, -1.5}, "twice": 2 * i}
		if !reflect.DeepEqual(got.Result, want) {
			t.Fatalf("message %d: %#v %s %s\n%s", i, got.Result, got.Fail, got.Text, &out)
		}
	}
	big := pattern(5 << 20)
	r.do(0, send("a", big))
	if got := r.do(0, recv("a")); got.Result != big {
		t.Errorf("5 MiB come back as %s %s", short(got.Result), got.Fail)
	}
	r.do(0, pipeOrder{verb: "close", part: "a"})
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("python saw no end of file: %v\n%s", err, &out)
	}
}
