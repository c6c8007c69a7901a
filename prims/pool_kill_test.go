//go:build linux

package prims

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() {
	// A worker of a pool: it squares, until the end.
	loops["pool: work"] = func(w *worker, _ order) reply {
		for n := 0; ; n++ {
			c := &Call{Self: w.self, Args: &Values{}}
			must(w.d.Op(PoolTake).Do(w.h, c))
			t, ok := c.Result.(PoolTask)
			if !ok {
				return reply{Result: n}
			}
			x := t.Args.([]any)
			y := []any{x[0].(int) * x[0].(int), x[1]}
			c = &Call{Self: w.self, Args: with("result", y)}
			must(w.d.Op(PoolFinish).Do(w.h, c))
		}
	}
	// A caller: it applies, and gets what it asked for or is told that a worker
	// has died. Text is what was wrong, Result how many were lost.
	loops["pool: call"] = func(w *worker, o order) reply {
		lost := 0
		pad := strings.Repeat("p", o.Value.(int))
		for i := range o.Rounds {
			c := &Call{Self: w.self, Refs: []int{0}, Args: with("args", []any{i, pad})}
			err := w.d.Op("apply").Do(w.h, c)
			f, _ := err.(*decl.Failure)
			switch l, _ := c.Result.([]any); {
			case f != nil && f.Name == WorkerDied:
				lost++
			case err != nil:
				return reply{Text: err.Error()}
			case len(l) != 2 || l[0] != i*i || l[1] != pad:
				return reply{Text: "another's result"}
			}
		}
		return reply{Result: lost}
	}
}

// TestPoolKill: workers and callers are killed at any moment, mostly inside an
// operation. Every other caller gets the results of its own tasks or is told
// that a worker has died, at most one for each that did, and nothing is left
// behind.
func TestPoolKill(t *testing.T) {
	for _, size := range []int{8, 3 * pageSize} {
		const callers, workers = 3, 4
		c := newCrew(t, "pool", Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}, callers+workers)
		for i := range workers {
			c.tell(callers+i, order{Verb: "pool: work", Rounds: 1})
		}
		rounds := times(2000, 20_000) // more than there is time for until the last kill
		for i := range callers {
			c.tell(i, order{Verb: "pool: call", Value: size, Given: true, Rounds: rounds})
		}
		// One caller and all workers but one.
		for _, victim := range []int{2, callers, callers + 1, callers + 2} {
			time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
			h := c.workers[victim]
			if err := h.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = h.cmd.Wait()
			if c.arena.Slot(victim).State() == arena.Blocked {
				c.arena.Unblocked()
			}
			c.d.Died(c.handle, victim)
		}
		lost := 0
		for i := range callers - 1 {
			r := c.hear(t, i)
			if r.Text != "" {
				t.Fatalf("caller %d: %s", i, r.Text)
			}
			lost += r.Result.(int)
		}
		if lost > 3 {
			t.Errorf("%d tasks were lost with 3 workers", lost)
		}
		if err := c.d.Op("close").Do(c.handle, &Call{}); err != nil {
			t.Fatal(err)
		}
		c.hear(t, callers+3)
		p := c.handle.(*pool)
		for i := range p.used() {
			if s := p.jobs[i].load(); s.status() != jobFree {
				t.Errorf("job %d is left in state %d of %d", s.number(), s.status(), s.who())
			}
		}
		if n := p.queued(); n != 0 || p.running() != 0 {
			t.Errorf("%d are queued, %d run", n, p.running())
		}
	}
}

// TestPoolStopped: a worker or a caller that is stopped in the middle of an
// operation holds up nobody else.
func TestPoolStopped(t *testing.T) {
	const callers, workers = 2, 2
	c := newCrew(t, "pool", Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}, callers+workers)
	for i := range workers {
		c.tell(callers+i, order{Verb: "pool: work", Rounds: 1})
	}
	halt := func(sig unix.Signal) {
		if err := c.workers[1].cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	for round := range times(10, 100) {
		c.tell(1, order{Verb: "pool: call", Value: 8, Given: true, Rounds: 300})
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
		halt(unix.SIGSTOP)
		r := c.do(t, 0, order{Verb: "pool: call", Value: 8, Given: true, Rounds: 200})
		if r.Text != "" || r.Result != 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
		halt(unix.SIGCONT)
		if r := c.hear(t, 1); r.Text != "" || r.Result != 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
	}
}
