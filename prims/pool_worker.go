package prims

import (
	"fmt"
	"math"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

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
