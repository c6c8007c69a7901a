//go:build linux

package prims

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"time"

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
