//go:build linux

package prims

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestBarrier(t *testing.T) {
	const d = 30 * time.Millisecond
	three, one := Args{Main: 3}, Args{Main: 1}
	wait := func(w int) ask { return call(w, "wait") }
	broken := func(w int) stage { return ends(w, nil, Broken) }
	plays(t, []scene{
		{"all wait for the last one, exactly one gets 0 [test_wait_return]", "barrier", three, []stage{
			begins(wait(1)), facts("waiting", 1, "parties", 3, "broken", false), begins(wait(0)), facts("waiting", 2),
			now(yields(wait(2), 2)), ends(1, 0, ""), ends(0, 1, ""), facts("waiting", 0),
		}},
		{"with one party wait returns at once [test_single_thread]", "barrier", one, []stage{now(yields(wait(0), 0)), now(yields(wait(0), 0))}},
		{"round after round [test_barrier_10]", "barrier", Args{Main: 2}, []stage{
			begins(wait(0)), now(yields(wait(1), 1)), ends(0, 0, ""), begins(wait(1)), now(yields(wait(2), 1)), ends(1, 0, ""),
		}},
		{"a party later than the timeout breaks it for all [test_timeout]", "barrier", three, []stage{
			begins(wait(0)), now(refuses(noEarlier(wait(1), d), Broken)), broken(0), facts("broken", true, "waiting", 0),
			now(refuses(wait(2), Broken)),
		}},
		{"abort breaks it for all, now and later [test_abort]", "barrier", three, []stage{
			begins(wait(0)), begins(wait(1)), now(call(2, "abort")), broken(0), broken(1), now(refuses(wait(2), Broken)), now(call(2, "abort")), facts("broken", true),
		}},
		{"reset frees those who wait with an error, and begins anew [test_reset]", "barrier", three, []stage{
			begins(wait(0)), begins(wait(1)), now(call(2, "reset")), broken(0), broken(1), facts("broken", false, "waiting", 0),
			begins(wait(0)), begins(wait(1)), now(yields(wait(2), 2)), ends(0, 0, ""), ends(1, 1, ""),
		}},
		{"reset of a broken one repairs it [test_abort_and_reset]", "barrier", Args{Main: 2}, []stage{
			now(call(0, "abort")), now(call(0, "reset")), facts("broken", false), begins(wait(0)), now(yields(wait(1), 1)), ends(0, 0, ""),
		}},
		{"reset with nobody waiting changes nothing (threading.Barrier.reset)", "barrier", Args{Main: 2}, []stage{
			now(call(0, "reset")), begins(wait(0)), now(yields(wait(1), 1)), ends(0, 0, ""),
		}},
	})
}

func init() {
	modelled(barrierAgainstModel, "barrier")
}

func barrierAgainstModel(t *testing.T) {
	const n = 4
	args := Args{Main: 3}
	c := newCrew(t, "barrier", args, n)
	model, err := c.d.Model(args, n)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"wait", "wait", "wait", "wait", "reset", "abort"}}
	m.reset = func() {
		b := c.handle.(*barrier)
		s := barrierState(b.state.Load())
		b.state.Store(uint64(barrierAt(s.round()+2, false, 0, s.breaks())))
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for p := range n {
			if _, busy := m.waiting[p]; !busy {
				m.perform(t, p, order{Verb: "reset"})
				return
			}
		}
	}
	m.timed = map[string]bool{"wait": true}
	rapid.Check(t, m.check)
}

// TestBarrierRemembers: a waiter that was stopped while its round came to its
// end is told how that was, whatever happened since.
func TestBarrierRemembers(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  []string // what ends the round
		fail string
	}{
		{"tripped", []string{"wait"}, ""},
		{"aborted", []string{"abort", "reset"}, Broken},
		{"reset", []string{"reset"}, Broken},
		{"tripped, then aborted", []string{"wait", "abort", "reset"}, ""},
		{"tripped, then broken often", []string{"wait", "abort", "reset", "abort", "reset", "abort", "reset"}, ""},
		{"aborted, then broken often", []string{"abort", "reset", "abort", "reset", "abort", "reset"}, Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCrew(t, "barrier", Args{Main: 2}, 3)
			c.tell(0, order{Verb: "wait"})
			c.blocked(t, 0)
			signal := func(s unix.Signal) {
				if err := c.workers[0].cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
			halt(t, c.workers[0].cmd.Process)
			for _, verb := range tt.end {
				if r := c.do(t, 1, order{Verb: verb}); r.Fail != "" {
					t.Fatalf("%s: %+v", verb, r)
				}
			}
			for range 20 { // rounds of the others
				c.tell(1, order{Verb: "wait"})
				c.blocked(t, 1)
				c.do(t, 2, order{Verb: "wait"})
				c.hear(t, 1)
			}
			signal(unix.SIGCONT)
			if r := c.hear(t, 0); r.Fail != tt.fail || r.Fail == "" && r.Result != 0 {
				t.Errorf("%+v, want %q", r, tt.fail)
			}
		})
	}
}

func init() {
	// meet: waits at a barrier again and again; whoever finds it broken repairs it.
	loops["meet"] = func(w *worker, o order) reply {
		return loop(o.After, func() string {
			got := w.do(order{Verb: "wait", After: 5 * time.Millisecond})
			if got.Fail == Broken {
				got = w.do(order{Verb: "reset"})
			}
			return got.Fail
		})
	}
	// rounds: o.Rounds rounds in lockstep; nobody may be ahead of the others.
	loops["rounds"] = func(w *worker, o order) (r reply) {
		came, parties := word32(w.mem, scratch), o.Value.(int)
		for i := range o.Rounds {
			came.Add(1)
			got := w.do(order{Verb: "wait"})
			if n := int(came.Load()); n < (i+1)*parties || n > (i+2)*parties {
				r.Text = "not in lockstep"
			}
			if got.Fail != "" {
				r.Text = got.Fail
			}
			if got.Result == 0 {
				r.Seq++
			}
		}
		return r
	}
}

// TestBarrierLockstep: nobody is in round i+1 before all are in i, 1000 times
// [test_barrier, test_thousand], one of each round gets 0, and signals change
// nothing.
func TestBarrierLockstep(t *testing.T) {
	const n, rounds = 3, 1000
	c := newCrew(t, "barrier", Args{Main: n}, n)
	stop := c.disturbing()
	firsts := uint64(0)
	for i, r := range c.each(order{Verb: "rounds", Rounds: rounds, Value: n}) {
		firsts += r.Seq
		if r.Text != "" {
			t.Errorf("worker %d: %s", i, r.Text)
		}
	}
	stop()
	if firsts != rounds {
		t.Errorf("%d processes got 0 in %d rounds", firsts, rounds)
	}
}

// TestBarrierSurvivesKills: processes are killed at any moment; the others time
// out, repair it and go on.
func TestBarrierSurvivesKills(t *testing.T) {
	const n = 7
	c := newCrew(t, "barrier", Args{Main: 2}, n)
	for i := range n {
		c.tell(i, order{Verb: "meet", Rounds: 1, After: 200 * time.Millisecond})
	}
	for i := range n - 2 {
		time.Sleep(time.Duration(1+i*7%5) * 3100 * time.Microsecond)
		c.kill(i)
	}
	for i := n - 2; i < n; i++ {
		if r := c.hear(t, i); r.Text != "" || r.Seq == 0 {
			t.Errorf("worker %d: %q after %d rounds", i, r.Text, r.Seq)
		}
	}
	c.do(t, n-1, order{Verb: "reset"})
	c.tell(n-2, order{Verb: "wait"})
	c.blocked(t, n-2)
	if r := c.do(t, n-1, order{Verb: "wait"}); r.Fail != "" || r.Result != 1 {
		t.Errorf("%+v", r)
	}
	c.hear(t, n-2)
}

// TestBarrierCountsTheDead: a process that is killed while it waits has arrived.
func TestBarrierCountsTheDead(t *testing.T) {
	c := newCrew(t, "barrier", Args{Main: 3}, 3)
	c.tell(0, order{Verb: "wait"})
	c.blocked(t, 0)
	c.kill(0)
	c.tell(1, order{Verb: "wait"})
	c.blocked(t, 1)
	if r := c.do(t, 2, order{Verb: "wait"}); r.Fail != "" || r.Result != 2 {
		t.Errorf("%+v", r)
	}
	c.hear(t, 1)
	c.tell(1, order{Verb: "wait"})
	c.blocked(t, 1)
	if r := c.do(t, 2, order{Verb: "wait", After: 20 * time.Millisecond}); r.Fail != Broken {
		t.Errorf("the next round: %+v", r)
	}
	c.hear(t, 1)
}
