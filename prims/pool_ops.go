package prims

import (
	"fmt"
	"math"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// PoolTask is what a worker takes: the number of the job, the task, and its
// arguments as the caller gave them. Element says that they are an element of
// over:, which a task with one param gets as it is.
type PoolTask struct {
	Job, Task int
	Element   bool
	Args      any
}

// PoolEnd is what a worker takes when there will be no more tasks.
type PoolEnd struct{ Terminated bool }

// poolWindow bounds how many tasks of one map are in the pool at a time.
const poolWindow = poolJobs / 2

// mapping is a map that goes on.
type mapping struct {
	over    []any
	jobs    []uint64 // handed over so far
	results []any    // fetched so far
	err     error    // of the first element whose task failed
}

func me(c *Call) int { return c.Self.Index + 1 }

// refuses says why the pool takes no task now, nil if it does.
func (p *pool) refuses() error {
	switch p.mode.Load() {
	case poolClosed:
		return decl.Fail(Closed, "the pool was closed")
	case poolTerminated:
		return decl.Fail(Closed, "the pool was terminated")
	}
	if p.present.Load() == 0 {
		return decl.Fail(WorkerDied, "%s has no worker left", p.name)
	}
	return nil
}

// submit hands a task over and returns the number of its job.
func (p *pool) submit(c *Call, args any, element bool) (uint64, error) {
	if err := p.refuses(); err != nil {
		return 0, err
	}
	b, err := AppendValue(p.spare[:0], []any{c.Refs[0], element, args})
	if err != nil {
		return 0, decl.Fail(Invalid, "the arguments: %v", err)
	}
	p.keep(b)
	j, number, ok := p.claim(me(c))
	if !ok {
		return 0, decl.Fail(Full, "%d tasks are in the pool whose results nobody has fetched", poolJobs)
	}
	filling := jobOf(number, me(c), jobFilling)
	j.owner.Store(uint32(me(c)))
	if j.args, ok = p.store(number, &j.argsIn, b); !ok {
		p.release(j, filling, me(c))
		return 0, decl.Fail(Invalid, "the arguments take %d bytes, and the pool has no room for so many", len(b))
	}
	seq := p.seq.Add(1)
	queued := jobOf(number, me(c), jobQueued)
	j.state.Store(uint64(queued))
	err = nil
	if !p.enqueue(number) {
		err = decl.Fail(Full, "%d tasks are in the pool", poolCells)
	} else {
		// The last worker may have looked for tasks before this one was there.
		err = p.refuses()
	}
	if err != nil && p.release(j, queued, me(c)) {
		return 0, err
	}
	p.wakeWorker()
	c.Seq = seq
	if c.Log != nil {
		c.Log(poolSubmit, seq, int(number))
	}
	return number, nil
}

func (p *pool) keep(b []byte) {
	if cap(b) <= kept {
		p.spare = b
	}
}

// await blocks until a job of this process is over. Its errors: Timeout,
// WouldBlock, ErrInterrupted.
func (p *pool) await(c *Call, number uint64) error {
	j := p.job(number)
	if j.load().over() {
		return nil
	}
	if c.NoWait {
		return c.noWait("the task is not done")
	}
	c.Self.Enter(c.wait(number))
	j.waiting.Store(1)
	defer func() {
		j.waiting.Store(0)
		c.Self.Leave()
	}()
	for {
		seen := j.bell.Load()
		if j.load().over() {
			return nil
		}
		switch c.park(&j.bell, seen, c.Deadline) {
		case arena.TimedOut:
			if j.load().over() {
				return nil
			}
			return decl.Fail(Timeout, "the task is not done")
		case arena.Interrupted:
			return ErrInterrupted
		}
	}
}

// fetch takes what came of a job that is over, and frees it.
func (p *pool) fetch(c *Call, number uint64) (v any, err error) {
	j := p.job(number)
	s := j.load()
	seq := p.seq.Add(1)
	var said any = int(number)
	switch s.status() {
	case jobDone:
		v, _, err = ReadValue(p.value(j.result, &j.resIn))
	case jobFailed:
		x, _, bad := ReadValue(p.value(j.result, &j.resIn))
		l, _ := x.([]any)
		if bad != nil || len(l) != 2 {
			err = fmt.Errorf("%s: a broken error: %w", p.name, errEncoded)
			break
		}
		name, _ := l[0].(string)
		detail, _ := l[1].(string)
		err = &decl.Failure{Name: name, Detail: detail}
	case jobLost:
		err = p.lost(c, s)
		if s.who() != 0 {
			said = map[string]any{"job": int(number), ResultAfter: s.who() - 1}
		}
	}
	p.release(j, s, me(c))
	c.Seq = seq
	if c.Log != nil {
		c.Log(poolTaken, seq, said)
	}
	return v, err
}

// lost says why a task was not done.
func (p *pool) lost(c *Call, s jobState) error {
	switch who := s.who(); {
	case who != 0:
		return decl.Fail(WorkerDied, "%s.worker[%d] %s before the task was done", p.name, p.workerIn(who-1), howEnded(c.Self.Arena.Slot(who-1)))
	case p.mode.Load() == poolTerminated:
		return decl.Fail(WorkerDied, "%s was terminated before the task began", p.name)
	}
	return decl.Fail(WorkerDied, "%s had no worker left before the task began", p.name)
}

// abandon gives up a job that may not be over. Whatever comes of it counts as
// asked for.
func (p *pool) abandon(c *Call, number uint64) {
	j := p.job(number)
	for {
		s, is := j.is(number)
		if !is || s.over() && p.release(j, s, me(c)) || !s.over() && j.change(s, s|jobAbandoned) {
			break
		}
	}
	if c.Log != nil {
		c.Log(poolTaken, p.seq.Add(1), int(number))
	}
}

func poolApplyAsync(h any, c *Call) error {
	number, err := h.(*pool).submit(c, c.Args.Get("args"), false)
	if err == nil {
		c.Result = int(number)
	}
	return err
}

func poolApply(h any, c *Call) error {
	p := h.(*pool)
	if c.Resume == 0 {
		number, err := p.submit(c, c.Args.Get("args"), false)
		if err != nil {
			return err
		}
		c.Resume = number
	}
	if err := p.await(c, c.Resume); err != nil {
		if err != ErrInterrupted {
			p.abandon(c, c.Resume)
		}
		return err
	}
	var err error
	c.Result, err = p.fetch(c, c.Resume)
	return err
}

// asked is the job that a step asks for.
func (p *pool) asked(c *Call) (uint64, error) {
	n, ok := c.Args.Get("job").(int)
	if !ok || n < 1 {
		return 0, decl.Fail(Invalid, "a job is a number that apply_async gave, not %v", c.Args.Get("job"))
	}
	j := p.job(uint64(n))
	s, is := j.is(uint64(n))
	switch {
	case uint64(n) > p.next.Load():
		return 0, decl.Fail(Invalid, "there is no job %d", n)
	case !is, s.abandoned():
		return 0, decl.Fail(Invalid, "the result of job %d was fetched already", n)
	case int(j.owner.Load()) != me(c):
		return 0, decl.Fail(Invalid, "another process has applied job %d: only that one can fetch its result", n)
	}
	return uint64(n), nil
}

func poolGet(h any, c *Call) error {
	p := h.(*pool)
	number, err := p.asked(c)
	if err != nil {
		return err
	}
	if err := p.await(c, number); err != nil {
		return err
	}
	c.Result, err = p.fetch(c, number)
	return err
}

func poolReady(h any, c *Call) error {
	p := h.(*pool)
	number, err := p.asked(c)
	if err != nil {
		return err
	}
	over := p.job(number).load().over()
	c.Seq, c.Result = p.seq.Add(1), over
	if over && c.Log != nil {
		c.Log(poolSeen, c.Seq, int(number))
	}
	return nil
}

func poolJobReady(h any, arg uint64) bool {
	p := h.(*pool)
	if arg != waitAny {
		s, is := p.job(arg).is(arg)
		return !is || s.over()
	}
	jobs := p.used()
	for i := range jobs {
		if jobs[i].waiting.Load() != 0 && jobs[i].load().over() {
			return true
		}
	}
	return false
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

func poolClose(h any, c *Call) error {
	p := h.(*pool)
	c.Seq = p.seq.Add(1)
	if p.mode.CompareAndSwap(poolOpen, poolClosed) {
		p.wakeWorkers()
	}
	return nil
}

func (p *pool) wakeWorkers() {
	p.gate.Add(1)
	arena.Wake(futexWord(p.gate), math.MaxInt32)
}

func poolJoin(h any, c *Call) error {
	p := h.(*pool)
	if p.mode.Load() == poolOpen {
		return decl.Fail(Invalid, "the pool is neither closed nor terminated, so its workers do not end")
	}
	return p.awaitEnd(c)
}

// awaitEnd blocks until the last worker has ended.
func (p *pool) awaitEnd(c *Call) error {
	if p.present.Load() == 0 {
		c.Seq = p.seq.Add(1)
		return nil
	}
	c.Self.Enter(c.wait(waitEnd))
	defer c.Self.Leave()
	for {
		left := p.present.Load()
		if left == 0 {
			c.Seq = p.seq.Add(1)
			return nil
		}
		switch c.park(p.present, left, c.Deadline) {
		case arena.TimedOut:
			if p.present.Load() == 0 {
				continue
			}
			return decl.Fail(Timeout, "%d workers have not ended", p.present.Load())
		case arena.Interrupted:
			return ErrInterrupted
		}
	}
}

func poolGone(h any, _ uint64) bool { return h.(*pool).present.Load() == 0 }

const sigterm = 15

func poolTerminate(h any, c *Call) error {
	p := h.(*pool)
	if c.Resume == 0 {
		p.mode.Store(poolTerminated)
		p.loseQueued(me(c))
		for k := range p.workers {
			slot := p.slotOf(k)
			if c.Signal == nil || c.Self.Arena.Slot(slot).State() == arena.Ended {
				continue
			}
			if err := c.Signal(slot, sigterm); err != nil {
				if _, gone := err.(*decl.Failure); !gone {
					return err
				}
			}
		}
		// One whose task ignores SIGTERM ends when that is done.
		p.wakeWorkers()
		c.Resume = 1
	}
	return p.awaitEnd(c)
}

// poolTakeTask is a worker's: it blocks until there is a task, or the end.
func poolTakeTask(h any, c *Call) error {
	p := h.(*pool)
	if p.tryTake(c) {
		return nil
	}
	c.Self.Enter(c.wait(0))
	p.idle.Add(1)
	defer func() {
		p.idle.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		seen := p.gate.Load()
		if p.tryTake(c) {
			return nil
		}
		if c.park(p.gate, seen, 0) == arena.Interrupted {
			// A wake meant for us may have been consumed on the way: pass it on.
			if p.canTake() {
				p.wakeWorker()
			}
			return ErrInterrupted
		}
	}
}

// tryTake takes a task if there is one, or the end.
func (p *pool) tryTake(c *Call) bool {
	mode := p.mode.Load()
	if mode == poolTerminated {
		c.Result = PoolEnd{Terminated: true}
		return true
	}
	j, number, ok := p.dequeue(me(c), p.workerIn(c.Self.Index))
	if !ok {
		c.Result = PoolEnd{}
		return mode == poolClosed
	}
	c.Seq = p.seq.Add(1)
	p.mine = number
	x, _, err := ReadValue(p.value(j.args, &j.argsIn))
	l, _ := x.([]any)
	t := PoolTask{Job: int(number), Task: -1}
	if err == nil && len(l) == 3 {
		t.Task, _ = l[0].(int)
		t.Element, _ = l[1].(bool)
		t.Args = l[2]
	}
	c.Result = t
	return true
}

// poolFinishTask is a worker's: it hands over the result of the task that it
// took, or the failure that it ended with.
func poolFinishTask(h any, c *Call) error {
	p := h.(*pool)
	number, status := p.mine, jobDone
	j := p.job(number)
	v := c.Args.Get("result")
	if f, failed := c.Args.Get("fail").(*decl.Failure); failed && f != nil {
		status, v = jobFailed, []any{f.Name, f.Detail}
	}
	b, err := AppendValue(p.spare[:0], v)
	if err != nil {
		status = jobFailed
		b, _ = AppendValue(p.spare[:0], []any{Invalid, "the result: " + err.Error()})
	}
	p.keep(b)
	at, ok := p.store(number, &j.resIn, b)
	if !ok {
		status = jobFailed
		b, _ = AppendValue(nil, []any{Invalid, fmt.Sprintf("no room for %d bytes", len(b))})
		at, _ = p.store(number, &j.resIn, b)
	}
	j.result = at
	c.Seq = p.seq.Add(1)
	for {
		s := j.load()
		if s.abandoned() {
			if p.release(j, s, me(c)) {
				break
			}
		} else if j.change(s, jobOf(number, me(c), status)) {
			p.tell(j)
			break
		}
	}
	if k := p.workerIn(c.Self.Index); k >= 0 {
		p.workers[k].Store(0)
	}
	return nil
}
