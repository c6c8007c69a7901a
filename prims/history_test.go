//go:build linux

package prims

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"sync/atomic"
	"testing"
	"time"
)

// Operations of several processes at once: whatever the order, these things
// hold.

func init() {
	// lock: rounds of critical sections, each entered in one of three ways. In
	// it the worker counts in a way that loses counts if two are inside.
	loops["lock"] = func(w *worker, o order) (r reply) {
		count, inside := word64(w.mem, scratch), word32(w.mem, scratch+8)
		ways := []order{{Verb: "acquire"}, {Verb: "acquire", NoWait: true}, {Verb: "acquire", After: 50 * time.Microsecond}}
		for i := range o.Rounds {
			got := w.do(ways[(i+w.self.Index)%3])
			if got.Fail != "" {
				got = w.do(ways[0])
			}
			if inside.Add(1) != 1 {
				r.Text = "two processes hold the lock"
			}
			count.Store(count.Load() + 1)
			inside.Add(math.MaxUint32)
			freed := w.do(order{Verb: "release"})
			if got.Fail != "" || freed.Fail != "" {
				r.Text = "acquire " + got.Fail + ", release " + freed.Fail
			}
			r.Ops = append(r.Ops, opDone{Verb: "acquire", Seq: got.Seq}, opDone{Verb: "release", Seq: freed.Seq})
		}
		return r
	}
	// set, clear: one right after the other, before anybody who was woken runs.
	loops["set, clear"] = func(w *worker, o order) (r reply) {
		for range o.Rounds {
			w.do(order{Verb: "set"})
			w.do(order{Verb: "clear"})
		}
		return r
	}
	// add: adds one, many times.
	loops["add"] = func(w *worker, o order) (r reply) {
		for range o.Rounds {
			if got := w.do(order{Verb: "add", Value: o.Value, Given: o.Value != nil}); got.Fail != "" {
				r.Text = got.Fail
			} else {
				r.Ops = append(r.Ops, opDone{Verb: "add", Seq: got.Seq})
			}
		}
		return r
	}
}

// disturbing interrupts random workers until stop is called.
func (c *crew) disturbing() (stop func()) {
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !over.Load(); i++ {
			c.disturb(i % len(c.workers))
			time.Sleep(100 * time.Microsecond)
		}
	}()
	return func() { over.Store(true); <-done }
}

// TestLockExcludes: one process at a time, nobody waits for ever, and the
// numbers of the operations are the order of the critical sections. Signals
// interrupt waiting processes all the time.
func TestLockExcludes(t *testing.T) {
	const workers, rounds = 4, 4000
	c := newCrew(t, "lock", Args{}, workers)
	stop := c.disturbing()
	replies := c.each(order{Verb: "lock", Rounds: rounds})
	stop()
	type entry struct {
		opDone
		p int
	}
	var all []entry
	for p, r := range replies {
		if r.Text != "" {
			t.Errorf("worker %d: %s", p, r.Text)
		}
		for _, o := range r.Ops {
			all = append(all, entry{o, p})
		}
	}
	if n := word64(c.arena.Prims(), scratch).Load(); n != workers*rounds {
		t.Errorf("%d critical sections were counted, %d were entered", n, workers*rounds)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Seq < all[j].Seq })
	for i := range all {
		if i > 0 && all[i].Seq == all[i-1].Seq {
			t.Fatalf("two operations have the number %d", all[i].Seq)
		}
		want := entry{opDone{Verb: "acquire", Seq: uint64(i) + 1}, all[i].p}
		if i%2 == 1 {
			want = entry{opDone{Verb: "release", Seq: uint64(i) + 1}, all[i-1].p}
		}
		if all[i] != want {
			t.Fatalf("operation %d is %+v, want %+v", i+1, all[i], want)
		}
	}
	if c.handle.(*lock).word.Load() != 0 || c.arena.Blocked() != 0 {
		t.Errorf("the lock is %d, %d are blocked", c.handle.(*lock).word.Load(), c.arena.Blocked())
	}
}

// TestEventLosesNoSet: a set releases everybody who waited when it came, even
// if a clear follows at once.
func TestEventLosesNoSet(t *testing.T) {
	for _, disturbed := range []bool{false, true} {
		t.Run(fmt.Sprintf("disturbed %v", disturbed), func(t *testing.T) {
			c := newCrew(t, "event", Args{}, 4)
			if disturbed {
				defer c.disturbing()()
			}
			for round := range 100 {
				for i := 1; i < 4; i++ {
					c.tell(i, order{Verb: "wait"})
				}
				for i := 1; i < 4; i++ {
					c.blocked(t, i)
				}
				c.do(t, 0, order{Verb: "set, clear", Rounds: 1})
				for i := 1; i < 4; i++ {
					if r := c.hear(t, i); r.Fail != "" || r.Result != true {
						t.Fatalf("round %d: worker %d: %+v", round, i, r)
					}
				}
			}
			if n := c.handle.(*event).waiters.Load(); n != 0 {
				t.Errorf("%d waiters are left", n)
			}
		})
	}
}

// TestValueAddsUp: adding is atomic for every type, and wraps as C does.
func TestValueAddsUp(t *testing.T) {
	const workers, rounds = 3, 3000
	for _, ct := range ctypes {
		if ct.kind == 'c' || ct.kind == '?' {
			continue
		}
		t.Run(ct.Letter, func(t *testing.T) {
			c := newCrew(t, "value", Args{Main: ct.Letter}, workers)
			replies := c.each(order{Verb: "add", Value: 1, Rounds: rounds})
			var numbers []uint64
			for p, r := range replies {
				if r.Text != "" {
					t.Errorf("worker %d: %s", p, r.Text)
				}
				for _, o := range r.Ops {
					numbers = append(numbers, o.Seq)
				}
			}
			slices.Sort(numbers)
			if len(slices.Compact(numbers)) != workers*rounds {
				t.Error("two operations have the same number")
			}
			bits := uint64(workers*rounds) & ct.mask()
			want := ct.decode(bits)
			if ct.kind == 'f' {
				want = float64(workers * rounds)
			}
			if r := c.do(t, 0, order{Verb: "read"}); r.Result != canonical(want) {
				t.Errorf("the sum is %v, want %v", r.Result, want)
			}
		})
	}
}
