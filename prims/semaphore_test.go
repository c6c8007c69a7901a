//go:build linux

package prims

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestSemaphore(t *testing.T) {
	const d = 30 * time.Millisecond
	two := Args{Main: 2}
	value := func(w, v int) stage { return now(yields(call(w, "get_value"), v)) }
	plays(t, []scene{
		{"values 2, 1, 0, then without blocking False, and the value stays 0 [test_semaphore]", "semaphore", two, []stage{
			value(0, 2), now(acquire(0)), value(1, 1), now(acquire(0)), value(1, 0), now(try(0)), now(try(1)), value(0, 0), facts("value", 0),
		}},
		{"release raises it without upper limit: 3, 4 [test_semaphore]", "semaphore", two, []stage{
			now(release(0)), value(0, 3), now(release(1)), value(0, 4), facts("value", 4),
		}},
		{"the first value is 1 where none is given (documentation of multiprocessing.Semaphore)", "semaphore", Args{}, []stage{value(0, 1)}},
		{"acquire with a timeout gives up no earlier [P sem_timedwait: ETIMEDOUT no earlier]", "semaphore", Args{Main: 0}, []stage{
			now(within(0, "acquire", d)), value(0, 0),
		}},
		{"never negative, however many wait [P sem_getvalue]", "semaphore", Args{Main: 0}, []stage{
			begins(acquire(0)), begins(acquire(1)), value(2, 0), now(release(2)), now(release(2)), ends(0, true, ""), ends(1, true, ""), value(2, 0),
		}},
		{"anybody may release (documentation of multiprocessing.Semaphore)", "semaphore", Args{Main: 1}, []stage{
			now(acquire(0)), begins(acquire(1)), now(release(2)), ends(1, true, ""),
		}},
		{"a value above the maximum is refused [P sem_post: EOVERFLOW, SEM_VALUE_MAX]", "semaphore", Args{Main: math.MaxInt32 - 1}, []stage{
			now(release(0)), value(0, math.MaxInt32), now(refuses(release(0), Invalid)), value(0, math.MaxInt32),
		}},
		{"a bounded one is the same, but a release too many is an error [facts.md, BoundedSemaphore]", "bounded_semaphore", two, []stage{
			now(refuses(release(0), Invalid)), now(acquire(0)), now(acquire(0)), now(try(1)), now(release(1)), value(0, 1),
			now(release(1)), now(refuses(release(1), Invalid)), value(0, 2),
		}},
	})
}

func init() {
	modelled(semaphoreAgainstModel, "semaphore", "bounded_semaphore")
}

func semaphoreAgainstModel(t *testing.T) {
	for _, kind := range []string{"semaphore", "bounded_semaphore"} {
		t.Run(kind, func(t *testing.T) {
			args := Args{Main: 2}
			c := newCrew(t, kind, args, 4)
			model, err := c.d.Model(args, 4)
			if err != nil {
				t.Fatal(err)
			}
			m := &modelTest{c: c, model: model, verbs: []string{"acquire", "acquire", "release", "get_value"}, any: true, waits: map[string]bool{"acquire": true}}
			m.reset = func() { c.handle.(*semaphore).word.Store(2) }
			m.fits = func(_ int, o order) bool { return o.Verb != "acquire" || len(m.waiting) < 3 }
			m.free = func(m *modelTest, t *rapid.T) {
				for p := 0; len(m.waiting) > 0; p = (p + 1) % 4 {
					if _, busy := m.waiting[p]; !busy {
						m.perform(t, p, order{Verb: "release"})
					}
				}
			}
			rapid.Check(t, m.check)
		})
	}
}

func init() {
	// places: takes a place among some, counts who is inside, gives it back.
	loops["places"] = func(w *worker, o order) reply {
		inside, most := word32(w.mem, scratch), int(o.Value.(int))
		return loop(o.After, func() string {
			if got := w.do(order{Verb: "acquire"}); got.Fail != "" {
				return "acquire: " + got.Fail
			}
			if n := inside.Add(1); int(n) > most {
				return "too many have a place"
			}
			inside.Add(math.MaxUint32)
			if got := w.do(order{Verb: "release"}); got.Fail != "" {
				return "release: " + got.Fail
			}
			return ""
		})
	}
}

// TestSemaphoreAdmits: at most N at any time [facts.md, Semaphore], with signals
// that interrupt the waiting ones.
func TestSemaphoreAdmits(t *testing.T) {
	c := newCrew(t, "semaphore", Args{Main: 2}, 4)
	stop := c.disturbing()
	for i, r := range c.each(order{Verb: "places", Rounds: 1, Value: 2, After: 100 * time.Millisecond}) {
		if r.Text != "" || r.Seq == 0 {
			t.Errorf("worker %d: %q after %d rounds", i, r.Text, r.Seq)
		}
	}
	stop()
	s := c.handle.(*semaphore)
	if s.word.Load() != 2 || s.waiters.Load() != 0 {
		t.Errorf("value %d, waiters %d", s.word.Load(), s.waiters.Load())
	}
}

// TestSemaphoreSurvives: of five processes that compete for three places, one is
// stopped and one is killed, at any moment. They take at most two places with
// them; the others go on, though wakes may have gone to the two.
func TestSemaphoreSurvives(t *testing.T) {
	for round := range times(2, 20) {
		c := newCrew(t, "semaphore", Args{Main: 3}, 5)
		for i := range 5 {
			c.tell(i, order{Verb: "places", Rounds: 1, Value: 5, After: 80 * time.Millisecond})
		}
		time.Sleep(time.Duration(2000+rand.IntN(2000)) * time.Microsecond)
		halt(t, c.workers[0].cmd.Process)
		time.Sleep(time.Duration(1000+rand.IntN(700)) * time.Microsecond)
		c.kill(1)
		for i := 2; i < 5; i++ {
			if r := c.hear(t, i); r.Text != "" || r.Seq == 0 {
				t.Errorf("round %d, worker %d: %q after %d rounds", round, i, r.Text, r.Seq)
			}
		}
		if v := c.handle.(*semaphore).word.Load(); v < 1 || v > 3 {
			t.Errorf("round %d: the value is %d", round, v)
		}
		if err := c.workers[0].cmd.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if r := c.hear(t, 0); r.Text != "" {
			t.Errorf("round %d, the stopped one: %q", round, r.Text)
		}
	}
}
