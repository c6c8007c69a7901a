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
