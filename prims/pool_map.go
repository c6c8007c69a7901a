package prims

import (
	"math"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// poolWindow bounds how many tasks of one map are in the pool at a time.
const poolWindow = poolJobs / 2

// mapping is a map that goes on.
type mapping struct {
	over    []any
	jobs    []uint64 // handed over so far
	results []any    // fetched so far
	err     error    // of the first element whose task failed
}

func poolMap(h any, c *Call) error {
	p := h.(*pool)
	m := p.maps[c]
	if m == nil || c.Resume == 0 {
		over, ok := c.Args.Get("over").([]any)
		if !ok {
			return decl.Fail(Invalid, "map wants a list, not %v", c.Args.Get("over"))
		}
		m = &mapping{over: over, results: make([]any, 0, len(over))}
		if len(over) == 0 {
			if err := p.refuses(); err != nil && p.mode.Load() != poolOpen {
				return err
			}
		}
	}
	err := p.mapOn(c, m)
	if err == ErrInterrupted {
		c.Resume, p.maps[c] = 1, m
		return err
	}
	delete(p.maps, c)
	c.Result = m.results
	return err
}

// mapOn goes on with a map until it is done.
func (p *pool) mapOn(c *Call, m *mapping) error {
	for len(m.results) < len(m.over) {
		for len(m.jobs) < len(m.over) && len(m.jobs)-len(m.results) < poolWindow {
			number, err := p.submit(c, m.over[len(m.jobs)], true)
			if f, full := err.(*decl.Failure); full && f.Name == Full && len(m.jobs) > len(m.results) {
				break // there is room when some of those are fetched
			}
			if err != nil {
				p.giveUp(c, m.jobs[len(m.results):])
				return p.midway(err, len(m.jobs))
			}
			m.jobs = append(m.jobs, number)
		}
		number := m.jobs[len(m.results)]
		if err := p.await(c, number); err != nil {
			if err != ErrInterrupted {
				p.giveUp(c, m.jobs[len(m.results):])
			}
			return err
		}
		v, err := p.fetch(c, number)
		if err != nil && m.err == nil {
			m.err = err
		}
		m.results = append(m.results, v)
	}
	return m.err
}

// midway is the error of a map some of whose tasks were handed over before the
// pool refused one. If it was terminated these are lost as the others are.
func (p *pool) midway(err error, begun int) error {
	if begun > 0 && p.mode.Load() == poolTerminated {
		return decl.Fail(WorkerDied, "%s was terminated before the task began", p.name)
	}
	return err
}

func (p *pool) giveUp(c *Call, jobs []uint64) {
	for _, n := range jobs {
		p.abandon(c, n)
	}
}

// poolImap hands over a task for each element; their numbers are the result.
func poolImap(h any, c *Call) error {
	p := h.(*pool)
	over, ok := c.Args.Get("over").([]any)
	if !ok {
		return decl.Fail(Invalid, "%v is no list", c.Args.Get("over"))
	}
	var jobs []uint64
	numbers := make([]any, 0, len(over))
	for _, v := range over {
		n, err := p.submit(c, v, true)
		if err != nil {
			p.giveUp(c, jobs)
			return p.midway(err, len(jobs))
		}
		jobs, numbers = append(jobs, n), append(numbers, int(n))
	}
	c.Result = numbers
	return nil
}

// poolNextResult fetches job, or, where there is none, any of jobs that was
// not fetched yet. If that fails all of jobs are given up.
func poolNextResult(h any, c *Call) error {
	p := h.(*pool)
	list, _ := c.Args.Get("jobs").([]any)
	var open []uint64
	for _, x := range list {
		n, _ := x.(int)
		if s, is := p.job(uint64(n)).is(uint64(n)); is && !s.abandoned() {
			open = append(open, uint64(n))
		}
	}
	var number uint64
	var err error
	if c.Args.Has("job") {
		n, _ := c.Args.Get("job").(int)
		number = uint64(n)
		err = p.await(c, number)
	} else {
		number, err = p.awaitAny(c, open)
	}
	if err == ErrInterrupted {
		return err
	}
	if err == nil {
		c.Result, err = p.fetch(c, number)
	}
	if err != nil {
		for _, n := range open {
			if n != number || !p.job(n).load().over() {
				if _, is := p.job(n).is(n); is {
					p.abandon(c, n)
				}
			}
		}
	}
	return err
}

// awaitAny blocks until one of some jobs is over, and returns its number.
func (p *pool) awaitAny(c *Call, jobs []uint64) (uint64, error) {
	first := func() uint64 {
		for _, n := range jobs {
			if p.job(n).load().over() {
				return n
			}
		}
		return 0
	}
	if n := first(); n != 0 {
		return n, nil
	}
	c.Self.Enter(c.wait(waitAny))
	p.anybody.Add(1)
	for _, n := range jobs {
		p.job(n).waiting.Store(1)
	}
	defer func() {
		for _, n := range jobs {
			p.job(n).waiting.Store(0)
		}
		p.anybody.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		seen := p.anyGate.Load()
		if n := first(); n != 0 {
			return n, nil
		}
		switch c.park(p.anyGate, seen, c.Deadline) {
		case arena.TimedOut:
			if n := first(); n != 0 {
				return n, nil
			}
			return 0, decl.Fail(Timeout, "no task is done")
		case arena.Interrupted:
			return 0, ErrInterrupted
		}
	}
}
