//go:build linux

package prims

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// TestPool: each line names its source; [names] are tests of multiprocessing.
func TestPool(t *testing.T) {
	const d = 30 * time.Millisecond
	boom := func(PoolTask) (any, *decl.Failure) { return nil, decl.Fail(Empty, "nothing here") }
	get := func(p *party, who, job int, c Call) (any, error) {
		c.Args = with("job", job)
		return p.call(who, "get", c)
	}
	deadline := func() int64 { return arena.Now() + int64(d) }
	cases := []struct {
		fact string
		play func(p *party) error
	}{
		{"apply gives the result of the task [test_apply]", func(p *party) error {
			defer p.staff(echo)()
			v, err := p.call(0, "apply", Call{Refs: []int{7}, Args: with("args", map[string]any{"x": 3})})
			if err != nil || !reflect.DeepEqual(v, map[string]any{"x": 3}) {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"map keeps the order of its elements, whoever is faster [test_map]", func(p *party) error {
			defer p.staff(func(t PoolTask) (any, *decl.Failure) {
				time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
				return t.Args.(int) * 2, nil
			})()
			var over, want []any
			for i := range 300 {
				over, want = append(over, i), append(want, 2*i)
			}
			v, err := p.call(0, "map", Call{Refs: []int{7}, Args: with("over", over)})
			if err != nil || !reflect.DeepEqual(v, want) {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"map of an empty list is an empty list [test_empty_iterable]", func(p *party) error {
			v, err := p.call(0, "map", Call{Refs: []int{7}, Args: with("over", []any{})})
			if l, ok := v.([]any); err != nil || !ok || len(l) != 0 {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"a worker takes the oldest task (documentation: tasks are handed out in order)", func(p *party) error {
			for i := range 3 {
				if n, err := p.apply(0, i); err != nil || n != i+1 {
					return fmt.Errorf("job %d: %v", n, err)
				}
			}
			for i := range 3 {
				if v, _ := p.call(2, PoolTake, Call{}); !reflect.DeepEqual(v, PoolTask{Job: i + 1, Task: 7, Args: i}) {
					return fmt.Errorf("took %v", v)
				}
				p.call(2, PoolFinish, Call{})
			}
			for i := range 3 {
				if _, err := get(p, 0, i+1, Call{}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"get with a timeout fails no earlier than it, and leaves the result [test_async_timeout]", func(p *party) error {
			n, _ := p.apply(0, 5)
			began := time.Now()
			if _, err := get(p, 0, n, Call{Deadline: deadline()}); failureName(err) != Timeout || time.Since(began) < d {
				return fmt.Errorf("%v after %v", err, time.Since(began))
			}
			p.serve(2, echo)
			if v, err := get(p, 0, n, Call{Deadline: deadline()}); v != 5 || err != nil {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"ready is false before and true after (documentation of AsyncResult.ready)", func(p *party) error {
			n, _ := p.apply(0, 5)
			before, _ := p.call(0, "ready", Call{Args: with("job", n)})
			p.serve(2, boom)
			after, _ := p.call(0, "ready", Call{Args: with("job", n)})
			if _, err := get(p, 0, n, Call{}); before != false || after != true || failureName(err) != Empty {
				return fmt.Errorf("%v, %v, %v", before, after, err)
			}
			return nil
		}},
		{"an error in a task is raised at the caller with its text, and the pool stays usable [test_traceback]", func(p *party) error {
			n, _ := p.apply(0, 5)
			p.serve(2, boom)
			if _, err := get(p, 0, n, Call{}); failureName(err) != Empty || !strings.Contains(err.Error(), "nothing here") {
				return fmt.Errorf("%v", err)
			}
			n, _ = p.apply(0, 6)
			p.serve(2, echo)
			if v, err := get(p, 0, n, Call{}); v != 6 || err != nil {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"an error in one task of a map ends the map, when all are done (documentation of map)", func(p *party) error {
			done := 0
			var mu sync.Mutex
			defer p.staff(func(t PoolTask) (any, *decl.Failure) {
				mu.Lock()
				defer mu.Unlock()
				done++
				if t.Args == 2 {
					return nil, decl.Fail(Empty, "two")
				}
				return t.Args, nil
			})()
			_, err := p.call(0, "map", Call{Refs: []int{7}, Args: with("over", []any{1, 2, 3, 4, 5})})
			if mu.Lock(); failureName(err) != Empty || done != 5 {
				err = fmt.Errorf("%v after %d", err, done)
			} else {
				err = nil
			}
			mu.Unlock()
			return err
		}},
		{"a result that cannot be handed over is an error, and no worker is lost [test_unpickleable_result]", func(p *party) error {
			for range 20 {
				n, _ := p.apply(0, 5)
				p.serve(2, func(PoolTask) (any, *decl.Failure) { return make(chan int), nil })
				if _, err := get(p, 0, n, Call{}); failureName(err) != Invalid {
					return fmt.Errorf("%v", err)
				}
			}
			return nil
		}},
		{"close: no further tasks, what was applied is done, then the workers end (documentation of close)", func(p *party) error {
			n, _ := p.apply(0, 5)
			p.call(1, "close", Call{})
			p.call(0, "close", Call{})
			for _, verb := range []string{"apply", "apply_async", "map", "imap"} {
				c := Call{Refs: []int{7}, Args: with("over", []any{1})}
				if _, err := p.call(0, verb, c); failureName(err) != Closed {
					return fmt.Errorf("%s: %v", verb, err)
				}
			}
			if !p.serve(2, echo) || p.serve(2, echo) || p.serve(3, echo) {
				return fmt.Errorf("the workers do not end as they should")
			}
			if v, err := get(p, 0, n, Call{}); v != 5 || err != nil {
				return fmt.Errorf("%v, %v", v, err)
			}
			return nil
		}},
		{"join before close is a value error (facts, Pool); after it, it waits for the last worker", func(p *party) error {
			if _, err := p.call(0, "join", Call{}); failureName(err) != Invalid {
				return fmt.Errorf("%v", err)
			}
			p.call(0, "close", Call{})
			if _, err := p.call(0, "join", Call{Deadline: deadline()}); failureName(err) != Timeout {
				return fmt.Errorf("%v", err)
			}
			p.d.Died(p.engine, 2)
			p.d.Died(p.engine, 3)
			_, err := p.call(0, "join", Call{})
			return err
		}},
		{"terminate sends SIGTERM to each worker and drops what has not begun (documentation of terminate)", func(p *party) error {
			n, _ := p.apply(0, 5)
			m, _ := p.apply(0, 6)
			p.call(2, PoolTake, Call{})
			var sent []int
			signal := func(slot, sig int) error { sent = append(sent, slot*100+sig); p.d.Died(p.engine, slot); return nil }
			if _, err := p.call(1, "terminate", Call{Signal: signal}); err != nil || !slices.Equal(sent, []int{215, 315}) {
				return fmt.Errorf("%v, %v", err, sent)
			}
			for _, job := range []int{n, m} {
				if _, err := get(p, 0, job, Call{}); failureName(err) != WorkerDied {
					return fmt.Errorf("job %d: %v", job, err)
				}
			}
			_, err := p.call(0, "apply", Call{Refs: []int{7}})
			if failureName(err) != Closed {
				return fmt.Errorf("%v", err)
			}
			return nil
		}},
		{"a worker that ends in the middle is named, not waited for (a decision: multiprocessing hangs)", func(p *party) error {
			n, _ := p.apply(0, 5)
			p.call(3, PoolTake, Call{})
			p.d.Died(p.engine, 3)
			if _, err := get(p, 0, n, Call{}); failureName(err) != WorkerDied || !strings.Contains(err.Error(), "crew.worker[1]") {
				return fmt.Errorf("%v", err)
			}
			m, _ := p.apply(0, 6)
			p.d.Died(p.engine, 2)
			if _, err := get(p, 0, m, Call{}); failureName(err) != WorkerDied {
				return fmt.Errorf("%v", err)
			}
			if _, err := p.apply(0, 7); failureName(err) != WorkerDied {
				return fmt.Errorf("%v", err)
			}
			return nil
		}},
		{"a result belongs to the process that applied the task, and is fetched once", func(p *party) error {
			n, _ := p.apply(0, 5)
			p.serve(2, echo)
			for _, job := range []int{0, -1, n + 1} {
				if _, err := get(p, 0, job, Call{}); failureName(err) != Invalid {
					return fmt.Errorf("job %d: %v", job, err)
				}
			}
			if _, err := get(p, 1, n, Call{}); failureName(err) != Invalid {
				return fmt.Errorf("another's: %v", err)
			}
			if _, err := get(p, 0, n, Call{NoWait: true}); err != nil {
				return err
			}
			if _, err := get(p, 0, n, Call{}); failureName(err) != Invalid {
				return fmt.Errorf("again: %v", err)
			}
			m, _ := p.apply(0, 6)
			if _, err := get(p, 0, m, Call{NoWait: true}); failureName(err) != WouldBlock {
				return fmt.Errorf("at once: %v", err)
			}
			p.serve(2, echo)
			_, err := get(p, 0, m, Call{})
			return err
		}},
		{"an apply that gives up leaves its task to the worker, whose result is dropped", func(p *party) error {
			if _, err := p.call(0, "apply", Call{Refs: []int{7}, Args: with("args", 1), Deadline: deadline()}); failureName(err) != Timeout {
				return fmt.Errorf("%v", err)
			}
			p.serve(2, echo)
			return nil
		}},
		{"arguments and results of any size come back equal", func(p *party) error {
			defer p.staff(echo)()
			for _, n := range []int{0, 1, inlineMax, inlineMax + 1, pageSize, 5*pageSize + 1, 16 << 20} {
				want := strings.Repeat("x", n)
				v, err := p.call(0, "apply", Call{Refs: []int{7}, Args: with("args", want)})
				if err != nil || v != want {
					return fmt.Errorf("%d bytes: %v", n, err)
				}
			}
			return nil
		}},
		{"what there is no room for is refused", func(p *party) error {
			h := p.handles[0].(*pool)
			if _, ok := h.place(1, poolPages/4+1); ok {
				return errors.New("more than a quarter of the room went to one")
			}
			j, number, ok := h.claim(0)
			if !ok {
				return errors.New("no job is free")
			}
			for i := range h.pages {
				h.pages[i].Store(number)
			}
			if _, err := p.apply(0, strings.Repeat("x", 3*pageSize)); failureName(err) != Invalid {
				return fmt.Errorf("%v", err)
			}
			if !h.release(j, jobOf(number, 0, jobFilling), 0) {
				return errors.New("the job cannot be released")
			}
			n, err := p.apply(0, strings.Repeat("x", 3*pageSize))
			if err == nil {
				p.serve(2, echo)
				_, err = get(p, 0, n, Call{})
			}
			return err
		}},
		{"what does not fit at all is refused", func(p *party) error {
			if !atLength() {
				return nil // it is a quarter of a gigabyte: at length
			}
			if _, err := p.apply(0, strings.Repeat("x", poolPages/4*pageSize)); failureName(err) != Invalid {
				return fmt.Errorf("%v", err)
			}
			return nil
		}},
		{"as many tasks as there is room for; then Full, until one is fetched", func(p *party) error {
			for i := range poolJobs {
				if _, err := p.apply(0, i); err != nil {
					return fmt.Errorf("%d: %v", i, err)
				}
			}
			if _, err := p.apply(1, 0); failureName(err) != Full {
				return fmt.Errorf("%v", err)
			}
			p.serve(2, echo)
			if v, err := get(p, 0, 1, Call{}); v != 0 || err != nil {
				return fmt.Errorf("%v, %v", v, err)
			}
			if n, err := p.apply(1, 0); err != nil {
				return fmt.Errorf("%d, %v", n, err)
			}
			p.d.Died(p.engine, 0)
			p.d.Died(p.engine, 1)
			// What they had applied is done all the same, for nobody.
			p.d.Op("close").Do(p.engine, &Call{})
			for done := 1; ; done++ {
				if !p.serve(3, echo) {
					if done != poolJobs+1 {
						return fmt.Errorf("%d were done", done)
					}
					return nil
				}
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.fact, func(t *testing.T) {
			p := newParty(t, 2, 2)
			defer p.close()
			if err := c.play(p); err != nil {
				t.Fatal(err)
			}
			p.empty()
		})
	}
}

// TestPoolReady: what the deadlock finder is told is exact.
func TestPoolReady(t *testing.T) {
	p := newParty(t, 2, 2)
	defer p.close()
	ready := func(verb string, arg uint64) bool { return p.d.Op(verb).Ready(p.engine, arg) }
	explain := func(verb string, arg uint64) []int { return p.d.Explain(p.engine, verb, arg).By }
	check := func(when string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	check("no task", ready(PoolTake, 0), false)
	n, _ := p.apply(0, 1)
	check("a task", ready(PoolTake, 0), true)
	check("not begun", ready("get", uint64(n)), false)
	check("nobody does it", explain("get", uint64(n)), []int(nil))
	p.call(3, PoolTake, Call{})
	check("taken", ready(PoolTake, 0), false)
	check("being done", ready("apply", uint64(n)), false)
	check("who does it", explain("get", uint64(n)), []int{3})
	check("waiting for the end", explain("join", waitEnd), []int{2, 3})
	p.call(3, PoolFinish, Call{})
	check("done", ready("get", uint64(n)), true)
	p.call(0, "close", Call{})
	check("closed", ready(PoolTake, 0), true)
	check("workers there", ready("join", waitEnd), false)
	p.d.Died(p.engine, 2)
	check("one has ended", explain("join", waitEnd), []int{3})
	p.d.Died(p.engine, 3)
	check("all have ended", ready("join", waitEnd), true)
}
