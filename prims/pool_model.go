package prims

import (
	"encoding/binary"
	"fmt"

	"ipcrun/spec/decl"
)

// poolModel: how many jobs there were (4 bytes), the mode (1), workers that
// have not ended (2); per process whether it has ended (1) and the jobs that
// it waits for or does, the first and how many (8); per job its status, owner,
// worker and whether it was given up (4) and the number of its value (4): the arguments, later the
// result.
type poolModel struct {
	n, size, first int
	values         *itemNumbers
}

// modelJobs is how many jobs the model has. It does not use them again.
const modelJobs = 512

func newPoolModel(a Args, n int) (Model, error) {
	first, _ := a.Fields[FirstOfStaff].(int)
	if n > 255 || first+poolSize(a) > n {
		return nil, fmt.Errorf("the model of a pool takes at most 255 processes, its workers among them")
	}
	return poolModel{n: n, size: poolSize(a), first: first, values: &itemNumbers{numbers: map[string]uint32{}}}, nil
}

const (
	modelPoolHead = 7
	modelPoolProc = 9
	modelPoolJob  = 8
)

func (m poolModel) Size() int { return modelPoolHead + m.n*modelPoolProc + modelJobs*modelPoolJob }

func (m poolModel) Init(st []byte) { binary.LittleEndian.PutUint16(st[5:], uint16(m.size)) }

// poolView is the state with names.
type poolView struct {
	poolModel
	st []byte
}

func (v poolView) count() int       { return int(binary.LittleEndian.Uint32(v.st)) }
func (v poolView) mode() uint32     { return uint32(v.st[4]) }
func (v poolView) present() int     { return int(binary.LittleEndian.Uint16(v.st[5:])) }
func (v poolView) setPresent(n int) { binary.LittleEndian.PutUint16(v.st[5:], uint16(n)) }
func (v poolView) proc(p int) []byte {
	return v.st[modelPoolHead+p*modelPoolProc:][:modelPoolProc]
}
func (v poolView) job(n int) []byte {
	return v.st[modelPoolHead+v.n*modelPoolProc+(n-1)*modelPoolJob:][:modelPoolJob]
}
func (v poolView) waits(p int) (first, n int) {
	b := v.proc(p)
	return int(binary.LittleEndian.Uint32(b[1:])), int(binary.LittleEndian.Uint32(b[5:]))
}
func (v poolView) setWaits(p, first, n int) {
	b := v.proc(p)
	binary.LittleEndian.PutUint32(b[1:], uint32(first))
	binary.LittleEndian.PutUint32(b[5:], uint32(n))
}
func (v poolView) isWorker(p int) bool { return p >= v.first && p < v.first+v.size }

func (v poolView) value(n int) any {
	return v.values.item(binary.LittleEndian.Uint32(v.job(n)[4:]))
}

func (v poolView) setValue(n int, x any) {
	b, err := AppendValue(nil, x)
	if err != nil {
		b, _ = AppendValue(nil, nil)
	}
	binary.LittleEndian.PutUint32(v.job(n)[4:], v.values.number(b))
}

func (v poolView) refuses() *decl.Failure {
	switch {
	case v.mode() == poolClosed:
		return decl.Fail(Closed, "the pool was closed")
	case v.mode() == poolTerminated:
		return decl.Fail(Closed, "the pool was terminated")
	case v.present() == 0:
		return decl.Fail(WorkerDied, "it has no worker left")
	}
	return nil
}

func (v poolView) submit(p int, task, args any, element bool) (int, *decl.Failure) {
	if f := v.refuses(); f != nil {
		return 0, f
	}
	n := v.count() + 1
	if n > modelJobs {
		return 0, decl.Fail(Full, "the model has %d jobs", modelJobs)
	}
	binary.LittleEndian.PutUint32(v.st, uint32(n))
	j := v.job(n)
	j[0], j[1], j[2], j[3] = jobQueued, byte(p+1), 0, 0
	v.setValue(n, []any{task, element, args})
	return n, nil
}

// submitAll hands over a task for each element.
func (v poolView) submitAll(p int, task any, list []any, element bool) (jobs []any, fail *decl.Failure) {
	jobs = []any{}
	for _, x := range list {
		n, f := v.submit(p, task, x, element)
		if f != nil {
			for _, j := range jobs {
				v.abandon(j.(int))
			}
			return nil, f
		}
		jobs = append(jobs, n)
	}
	return jobs, nil
}

// next fetches a job, or the first of some that is over. If that fails all of
// them are given up.
func (v poolView) next(pair []any, c ModelCall) (any, *decl.Failure, bool) {
	list, _ := pair[0].([]any)
	job, _ := pair[1].(int)
	for i := 0; job == 0 && i < len(list); i++ {
		if v.job(list[i].(int))[0] >= jobDone {
			job = list[i].(int)
		}
	}
	var x any
	var f *decl.Failure
	switch {
	case job != 0 && v.job(job)[0] >= jobDone:
		if x, f = v.fetch(job); f == nil {
			return x, nil, false
		}
	case !c.Expired:
		return nil, nil, true
	default:
		f = decl.Fail(Timeout, "the task is not done")
	}
	for _, j := range list {
		if v.job(j.(int))[0] != jobFree {
			v.abandon(j.(int))
		}
	}
	return nil, f, false
}

// fetch takes what came of a job.
func (v poolView) fetch(n int) (any, *decl.Failure) {
	j := v.job(n)
	status := j[0]
	x := v.value(n)
	clear(j)
	switch status {
	case jobDone:
		return x, nil
	case jobFailed:
		l := x.([]any)
		return nil, decl.Fail(l[0].(string), "%s", l[1])
	}
	return nil, decl.Fail(WorkerDied, "lost")
}

// abandon gives up a job of a caller.
func (v poolView) abandon(n int) {
	j := v.job(n)
	if j[0] >= jobDone {
		clear(j)
		return
	}
	j[3] = 1
}

// collect fetches the jobs that p waits for, if all that it needs are over.
func (v poolView) collect(p int, c ModelCall) (results []any, fail *decl.Failure, blocked bool) {
	first, n := v.waits(p)
	for i := range n {
		if v.job(first + i)[0] >= jobDone {
			continue
		}
		if !c.Expired {
			return nil, nil, true
		}
		for k := range n {
			v.abandon(first + k)
		}
		v.setWaits(p, 0, 0)
		return nil, decl.Fail(Timeout, "the task is not done"), false
	}
	for i := range n {
		x, f := v.fetch(first + i)
		if f != nil && fail == nil {
			fail = f
		}
		results = append(results, x)
	}
	v.setWaits(p, 0, 0)
	return results, fail, false
}

// Do performs a verb. Value is [task, arguments] for apply and apply_async,
// [task, list] for map and imap, a number for get and ready, [jobs, job] for
// next, with 0 for any of jobs, and for finish [true, result] or [false, name
// of an error].
func (m poolModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	v := poolView{m, st}
	pair, _ := c.Value.([]any)
	if len(pair) != 2 {
		pair = []any{nil, nil}
	}
	switch verb {
	case "apply_async":
		n, f := v.submit(p, pair[0], pair[1], false)
		if f != nil {
			return nil, f, false
		}
		return n, nil, false
	case "apply", "map":
		if _, n := v.waits(p); n == 0 {
			list, ok := []any{pair[1]}, true
			if verb == "map" {
				list, ok = pair[1].([]any)
			}
			if !ok {
				return nil, decl.Fail(Invalid, "%v is no list", pair[1]), false
			}
			if len(list) == 0 && v.mode() != poolOpen {
				return nil, v.refuses(), false
			}
			first := v.count() + 1
			if _, f := v.submitAll(p, pair[0], list, verb == "map"); f != nil {
				return nil, f, false
			}
			v.setWaits(p, first, len(list))
		}
		results, f, blocked := v.collect(p, c)
		switch {
		case f != nil || blocked:
			return nil, f, blocked
		case verb == "map":
			return append([]any{}, results...), nil, false
		}
		return results[0], nil, false
	case "imap", "imap_unordered":
		list, ok := pair[1].([]any)
		if !ok {
			return nil, decl.Fail(Invalid, "%v is no list", pair[1]), false
		}
		jobs, f := v.submitAll(p, pair[0], list, true)
		if f != nil {
			return nil, f, false
		}
		return jobs, nil, false
	case poolNext:
		return v.next(pair, c)
	case "get", "ready":
		return v.ask(p, verb, c)
	case "close":
		if v.mode() == poolOpen {
			st[4] = byte(poolClosed)
		}
		return nil, nil, false
	case "join":
		switch {
		case v.mode() == poolOpen:
			return nil, decl.Fail(Invalid, "it is not closed"), false
		case v.present() == 0:
			return nil, nil, false
		case c.Expired:
			return nil, decl.Fail(Timeout, "its workers have not ended"), false
		}
		return nil, nil, true
	case "terminate":
		st[4] = byte(poolTerminated)
		v.loseQueued()
		for k := range m.size {
			m.Died(st, m.first+k)
		}
		return nil, nil, false
	case PoolTake:
		return v.take(p)
	case PoolFinish:
		v.finish(p, pair)
		return nil, nil, false
	}
	panic("pool has no verb " + verb + " in its model")
}

func (v poolView) ask(p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	n, _ := c.Value.(int)
	if n < 1 || n > v.count() {
		return nil, decl.Fail(Invalid, "there is no job %d", n), false
	}
	j := v.job(n)
	over := j[0] >= jobDone
	switch {
	case j[0] == jobFree, j[3] != 0, int(j[1]) != p+1:
		return nil, decl.Fail(Invalid, "job %d was fetched, or is another's", n), false
	case verb == "ready":
		return over, nil, false
	case over:
		x, f := v.fetch(n)
		return x, f, false
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "the task is not done"), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "the task is not done"), false
	}
	return nil, nil, true
}

func (v poolView) take(p int) (any, *decl.Failure, bool) {
	if v.mode() == poolTerminated {
		return PoolEnd{Terminated: true}, nil, false
	}
	for n := 1; n <= v.count(); n++ {
		j := v.job(n)
		if j[0] != jobQueued {
			continue
		}
		j[0], j[2] = jobRunning, byte(p+1)
		v.setWaits(p, n, 1)
		l := v.value(n).([]any)
		task, _ := l[0].(int)
		element, _ := l[1].(bool)
		return PoolTask{Job: n, Task: task, Element: element, Args: l[2]}, nil, false
	}
	if v.mode() == poolClosed {
		return PoolEnd{}, nil, false
	}
	return nil, nil, true
}

func (v poolView) finish(p int, pair []any) {
	n, _ := v.waits(p)
	v.setWaits(p, 0, 0)
	j := v.job(n)
	if j[3] != 0 {
		clear(j)
		return
	}
	if pair[0] != false {
		j[0] = jobDone
		v.setValue(n, pair[1])
		return
	}
	j[0] = jobFailed
	v.setValue(n, []any{pair[1], ""})
}

func (v poolView) loseQueued() {
	for n := 1; n <= v.count(); n++ {
		switch j := v.job(n); {
		case j[0] == jobQueued && j[3] != 0:
			clear(j)
		case j[0] == jobQueued:
			j[0] = jobLost
		}
	}
}

// Died settles what an ended process had to do with the pool.
func (m poolModel) Died(st []byte, p int) {
	v := poolView{m, st}
	if v.proc(p)[0] != 0 {
		return
	}
	v.proc(p)[0] = 1
	v.setWaits(p, 0, 0)
	for n := 1; n <= v.count(); n++ {
		j := v.job(n)
		switch {
		case j[0] == jobRunning && int(j[2]) == p+1 && j[3] != 0:
			clear(j)
		case j[0] == jobRunning && int(j[2]) == p+1:
			j[0] = jobLost
		case int(j[1]) == p+1 && (j[0] == jobRunning || j[0] == jobQueued):
			j[3] = 1
		case int(j[1]) == p+1:
			clear(j)
		}
	}
	if v.isWorker(p) {
		v.setPresent(v.present() - 1)
		if v.present() == 0 {
			v.loseQueued()
		}
	}
}
