//go:build linux

package prims

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// party is a pool whose callers and workers are threads of this process, each
// with a handle of its own. Callers have the first slots.
type party struct {
	t       fatal
	arena   *arena.Arena
	d       *Descriptor
	handles []any
	engine  any
	close   func()
	crew    *crew // they are real processes
}

// newRealParty is a party of real processes.
func newRealParty(t fatal, callers, workers int) *party {
	t.Helper()
	args := Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}
	c := newCrewOf(t, "pool", args, make([][]string, callers+workers))
	return &party{t: t, arena: c.arena, d: c.d, engine: c.handle, crew: c, close: c.stop}
}

// told is a call as an order to a real process.
func told(verb string, c Call) order {
	o := order{Verb: verb, NoWait: c.NoWait, Refs: c.Refs, More: map[string]any{}}
	if c.Args != nil {
		for i, name := range c.Args.Names {
			if f, ok := c.Args.Vals[i].(*decl.Failure); ok {
				o.Failure = f.Name
				continue
			}
			o.More[name] = c.Args.Vals[i]
		}
	}
	return o
}

func newParty(t fatal, callers, workers int) *party {
	t.Helper()
	d := Get("pool")
	args := Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}
	p := &party{t: t, d: d, arena: arena.InMemory(arena.Layout{Slots: callers + workers, Prims: 4096})}
	cr := &Creation{Name: "crew", Args: args, Mem: p.arena.Prims()}
	if err := d.Create(cr); err != nil {
		t.Fatalf("%v", err)
	}
	attach := func() any {
		h, err := d.Attach(&Attachment{Name: "crew", Args: args, Mem: p.arena.Prims(), Fds: []int{int(cr.Files[0].Fd())}})
		if err != nil {
			t.Fatalf("%v", err)
		}
		return h
	}
	for range callers + workers {
		p.handles = append(p.handles, attach())
	}
	p.engine = attach()
	p.close = func() {
		for _, h := range append(p.handles, p.engine) {
			d.Detach(h)
		}
		cr.Files[0].Close()
	}
	return p
}

// call is an operation of one of them.
func (p *party) call(who int, verb string, c Call) (any, error) {
	if p.crew != nil {
		p.crew.tell(who, told(verb, c))
		if c.Signal != nil {
			for i := range p.crew.workers {
				if p.engine.(*pool).workerIn(i) >= 0 {
					_ = c.Signal(i, sigterm)
				}
			}
		}
		select {
		case r := <-p.crew.workers[who].replies:
			switch {
			case r.Err != "":
				return nil, errors.New(r.Err)
			case r.Fail != "":
				return nil, decl.Fail(r.Fail, "")
			}
			return r.Result, nil
		case <-time.After(patience):
			return nil, errors.New("no reply")
		}
	}
	c.Self = p.arena.Self(who, -1)
	if c.Args == nil {
		c.Args = &Values{}
	}
	err := p.d.Op(verb).Do(p.handles[who], &c)
	return c.Result, err
}

func with(name string, v any) *Values { return &Values{Names: []string{name}, Vals: []any{v}} }

// travelled is a value as it is after it was JSON.
func travelled(t fatal, v any) (out any) {
	b, err := json.Marshal(v)
	if err == nil {
		err = decode(bytes.NewReader(b)).Decode(&out)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return canonical(out)
}

func (p *party) apply(who int, args any) (int, error) {
	v, err := p.call(who, "apply_async", Call{Refs: []int{7}, Args: with("args", args)})
	n, _ := v.(int)
	return n, err
}

// serve has a worker do a task: f says what comes of it.
func (p *party) serve(who int, f func(t PoolTask) (any, *decl.Failure)) bool {
	v, err := p.call(who, PoolTake, Call{})
	if err != nil {
		p.t.Fatalf("take: %v", err)
	}
	t, ok := v.(PoolTask)
	if !ok {
		return false
	}
	res, fail := f(t)
	if _, err := p.call(who, PoolFinish, Call{Args: &Values{Names: []string{"result", "fail"}, Vals: []any{res, fail}}}); err != nil {
		p.t.Fatalf("finish: %v", err)
	}
	return true
}

func echo(t PoolTask) (any, *decl.Failure) { return t.Args, nil }

// staff has all workers serve until the end, in threads of their own.
func (p *party) staff(f func(t PoolTask) (any, *decl.Failure)) (done func()) {
	var wg sync.WaitGroup
	for who := range p.handles {
		if p.handles[who].(*pool).workerIn(who) < 0 {
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for p.serve(who, f) {
			}
		}()
	}
	return func() {
		if _, err := p.call(0, "close", Call{}); err != nil {
			p.t.Fatalf("close: %v", err)
		}
		wg.Wait()
	}
}

func failureName(err error) string {
	if f, ok := err.(*decl.Failure); ok {
		return f.Name
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// empty checks that no job is in use any more.
func (p *party) empty() {
	jobs := p.engine.(*pool).used()
	for i := range jobs {
		if s := jobs[i].load(); s.status() != jobFree {
			p.t.Fatalf("job %d is left in state %d", s.number(), s.status())
		}
	}
}

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

// TestPoolModel: random operations of two callers and two workers end in the
// real form as they do in its model, blocked ones included.
func TestPoolModel(t *testing.T) { poolAgainstModel(t, newParty) }

func init() {
	modelled(poolsAgainstModel, "pool")
}

// poolsAgainstModel: the same between real processes.
func poolsAgainstModel(t *testing.T) {
	checks(t, 10)
	poolAgainstModel(t, newRealParty)
}

func poolAgainstModel(t *testing.T, partyOf func(t fatal, callers, workers int) *party) {
	rapid.Check(t, func(rt *rapid.T) {
		const callers, workers = 2, 2
		p := partyOf(rt, callers, workers)
		model, err := newPoolModel(Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}, callers+workers)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		st := make([]byte, model.Size())
		model.Init(st)

		type outcome struct {
			v   any
			err error
		}
		type pending struct {
			verb string
			call ModelCall
			done chan outcome
		}
		waiting := map[int]*pending{}
		doing := map[int]bool{} // workers that have a task
		gone := map[int]bool{}
		die := func(who int) {
			if !gone[who] {
				gone[who] = true
				model.(Mortal).Died(st, who)
				p.d.Died(p.engine, who)
			}
		}
		var threads sync.WaitGroup
		compare := func(who int, verb string, got outcome, want any, fail *decl.Failure) {
			_, is := want.(PoolTask)
			name := ""
			if fail != nil {
				name = fail.Name
			}
			if failureName(got.err) != name {
				rt.Fatalf("%s of %d: %v, the model says %q", verb, who, got.err, name)
			}
			if p.crew != nil {
				got.v, want = travelled(rt, got.v), travelled(rt, want)
			}
			if name == "" && !reflect.DeepEqual(got.v, want) {
				rt.Fatalf("%s of %d: %v, the model says %v", verb, who, got.v, want)
			}
			if verb == PoolTake {
				doing[who] = is
				if !is {
					die(who)
				}
			}
		}
		// settle lets those go on that the model lets go on.
		settle := func() {
			for moved := true; moved; {
				moved = false
				for who := range callers + workers {
					w := waiting[who]
					if w == nil || gone[who] {
						continue
					}
					v, fail, blocked := model.Do(st, who, w.verb, w.call)
					if blocked {
						select {
						case o := <-w.done:
							rt.Fatalf("%s of %d ends (%v, %v), the model blocks", w.verb, who, o.v, o.err)
						default:
						}
						continue
					}
					delete(waiting, who)
					moved = true
					select {
					case o := <-w.done:
						compare(who, w.verb, o, v, fail)
					case <-time.After(patience):
						rt.Fatalf("%s of %d does not end, the model says %v", w.verb, who, v)
					}
				}
			}
		}
		do := func(who int, verb string, mc ModelCall, c Call) {
			v, fail, blocked := model.Do(st, who, verb, mc)
			if !blocked {
				got, err := p.call(who, verb, c)
				compare(who, verb, outcome{got, err}, v, fail)
				settle()
				return
			}
			w := &pending{verb: verb, call: mc, done: make(chan outcome, 1)}
			waiting[who] = w
			threads.Add(1)
			go func() {
				defer threads.Done()
				v, err := p.call(who, verb, c)
				w.done <- outcome{v, err}
			}()
			for until := time.Now().Add(patience); p.arena.Slot(who).State() != arena.Blocked; {
				if time.Now().After(until) {
					rt.Fatalf("%s of %d does not block, the model does", verb, who)
				}
				time.Sleep(10 * time.Microsecond)
			}
			settle()
		}
		jobs := 0
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		for range steps {
			who := rapid.IntRange(0, callers+workers-1).Draw(rt, "who")
			if waiting[who] != nil || gone[who] {
				continue
			}
			if who >= callers {
				if !doing[who] {
					// Which of two that wait gets a task is not defined.
					if slices.ContainsFunc([]int{2, 3}, func(w int) bool { return waiting[w] != nil }) {
						continue
					}
					do(who, PoolTake, ModelCall{}, Call{})
					continue
				}
				doing[who] = false
				switch rapid.IntRange(0, 5).Draw(rt, "end") {
				case 0:
					die(who)
					settle()
				case 1:
					do(who, PoolFinish, ModelCall{Value: []any{false, Empty}}, Call{Args: with("fail", decl.Fail(Empty, ""))})
				default:
					do(who, PoolFinish, ModelCall{Value: []any{true, jobs}}, Call{Args: with("result", jobs)})
				}
				continue
			}
			jobs++
			arg := rapid.SampledFrom([]any{jobs, strings.Repeat("x", 200)}).Draw(rt, "args")
			switch verb := rapid.SampledFrom([]string{"apply", "apply_async", "apply_async", "map", "get", "get", "ready", "join", "close", "terminate", "die"}).Draw(rt, "verb"); verb {
			case "apply", "apply_async":
				do(who, verb, ModelCall{Value: []any{7, arg}}, Call{Refs: []int{7}, Args: with("args", arg)})
			case "map":
				list := rapid.SampledFrom([][]any{{}, {1}, {1, arg, 3}}).Draw(rt, "over")
				do(who, verb, ModelCall{Value: []any{7, list}}, Call{Refs: []int{7}, Args: with("over", list)})
			case "get", "ready":
				job := rapid.IntRange(0, 12).Draw(rt, "job")
				now := rapid.Bool().Draw(rt, "at once")
				do(who, verb, ModelCall{Value: job, NoWait: now}, Call{Args: with("job", job), NoWait: now})
			case "join", "close":
				if verb == "close" && rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					continue
				}
				do(who, verb, ModelCall{}, Call{})
			case "terminate":
				if rapid.IntRange(0, 5).Draw(rt, "really") > 0 {
					continue
				}
				for k := range workers {
					// One that waits for a task ends, whichever way; one that has
					// a task does not come back.
					delete(waiting, callers+k)
				}
				died := func(slot, _ int) error { die(slot); return nil }
				do(who, verb, ModelCall{}, Call{Signal: died})
			case "die":
				if rapid.IntRange(0, 5).Draw(rt, "really") > 0 {
					continue
				}
				die(who)
				settle()
			}
		}
		// Who still waits goes on when the pool is closed and its workers end.
		if err := p.d.Op("close").Do(p.engine, &Call{}); err != nil {
			rt.Fatalf("%v", err)
		}
		model.Do(st, 0, "close", ModelCall{})
		settle()
		for k := range workers {
			if waiting[callers+k] == nil {
				die(callers + k)
			}
		}
		settle()
		for who, w := range waiting {
			rt.Fatalf("%d still waits in %s", who, w.verb)
		}
		threads.Wait()
		p.close()
	})
}
