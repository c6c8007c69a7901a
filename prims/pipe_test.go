//go:build linux

package prims

import (
	"math"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// TestPipeSigpipe: a write that nobody can receive raises SIGPIPE only where the
// script has said what SIGPIPE does, on kernels with and without RWF_NOSIGNAL.
func TestPipeSigpipe(t *testing.T) {
	arrived := make(chan os.Signal, 10)
	signal.Notify(arrived, unix.SIGPIPE)
	defer signal.Stop(arrived)
	before := noSignalRefused.Load()
	defer noSignalRefused.Store(before)
	for _, old := range []bool{before, true} {
		for _, r := range []*rig{oneway(t, nil), twoway(t)} {
			noSignalRefused.Store(old)
			out, in := r.procs[0].h.ends[0].part, r.procs[1].h.ends[1].part
			if r.procs[0].h.oneWay {
				out, in = in, out
			}
			r.wants(1, pipeOrder{verb: "close", part: in}, nil, "")
			r.wants(0, send(out, 1), nil, BrokenPipe)
			select {
			case <-arrived:
				t.Fatalf("SIGPIPE came, %s", out)
			case <-time.After(20 * time.Millisecond):
			}
			told := 0
			r.procs[0].self.Sigpipe = func() { told++ }
			r.wants(0, send(out, 1), nil, BrokenPipe)
			select {
			case <-arrived:
			case <-time.After(patience):
				t.Fatalf("SIGPIPE did not come, %s", out)
			}
			if told != 1 {
				t.Errorf("the agent was told %d times", told)
			}
		}
	}
}
