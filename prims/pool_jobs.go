package prims

import (
	"math"
	"sync/atomic"
	"unsafe"

	"ipcrun/prims/arena"
)

// pool is a process's handle. What the processes share:
//
//   - for each task that was applied and whose result was not fetched, a job:
//     a piece of memory whose first word says all about it (jobState), so that
//     a process that is stopped or killed leaves nothing half done;
//   - the order in which workers take them, a ring of the numbers of those
//     pieces (queue_ring.go);
//   - pages for arguments and results that do not fit into the job itself.
//     A page says the number of the job that it belongs to, and is free again
//     when that job is: nobody has to give it back;
//   - per worker the job that it does or is about to;
//   - gates, words that grow when somebody who waits should look again.
//
// Who dies in the middle is found by the engine (died): what a caller had
// applied is done for nobody, and the caller of a worker is told.
type pool struct {
	name  string
	size  int // workers
	first int // slot of the first

	seq     *atomic.Uint64 // operations
	ring    queueRing
	next    *atomic.Uint64 // number of the latest job
	mode    *atomic.Uint32
	gate    *atomic.Uint32 // of workers that wait for a task
	idle    *atomic.Uint32 // how many may wait there: never too low
	present *atomic.Uint32 // workers that have not ended
	anyGate *atomic.Uint32 // of callers that wait for any of several tasks
	anybody *atomic.Uint32 // how many may wait there
	workers []atomic.Uint64

	jobs   []poolJob
	pages  []atomic.Uint64
	data   []byte
	region []byte // the mapping
	from   int    // where this process looks for free pages

	mine  uint64             // number of the job that this worker does
	maps  map[*Call]*mapping // maps that were interrupted by a handler
	spare []byte             // an encoded value, kept between operations
}

// Modes of a pool.
const (
	poolOpen uint32 = iota
	poolClosed
	poolTerminated
)

const (
	poolJobs  = 1 << 16 // jobs there can be at one time
	poolCells = 1 << 17 // places in the ring: more, since a job that is given up leaves its place behind
	poolPages = 1 << 18
	poolHead  = 64 // of the memory in the arena; behind it a word for each worker
	inlineMax = 96 // bytes of a value that lie in the job itself

	// workerGone is the job of a worker that has ended.
	workerGone = math.MaxUint64

	// poolKeep is the number of pages that stay with the pool when they are
	// free, so that small values stay out of the kernel.
	poolKeep = 1024
)

// poolJob is one task that was applied.
type poolJob struct {
	state   atomic.Uint64
	bell    atomic.Uint32 // grows when it is done
	waiting atomic.Uint32 // its owner may be parked on bell
	owner   atomic.Uint32 // slot + 1 of the process that applied it
	_       uint32
	args    poolValue
	result  poolValue
	_       [16]byte
	argsIn  [inlineMax]byte
	resIn   [inlineMax]byte
}

// poolValue says where an encoded value lies: in the job itself, or in pages.
type poolValue struct {
	page uint32 // the first page + 1, 0: in the job
	size uint32
}

// jobState is number<<20 | who<<5 | abandoned<<4 | status. who is the slot + 1
// of the process that has it in its hands, 0 for none.
type jobState uint64

const (
	jobFree    = iota // free for another; the number is that of the last
	jobFilling        // who writes into it, or clears it away
	jobQueued         // waits for a worker
	jobRunning        // who does it
	jobDone           // result is there
	jobFailed         // result is the error
	jobLost           // who, a worker, ended before it was done

	jobStatus    = 1<<4 - 1
	jobAbandoned = 1 << 4 // nobody will fetch the result
	jobWhoShift  = 5
	jobWho       = 1<<15 - 1
	jobShift     = 20
)

func jobOf(number uint64, who, status int) jobState {
	return jobState(number<<jobShift | uint64(who)<<jobWhoShift | uint64(status))
}

func (s jobState) number() uint64  { return uint64(s) >> jobShift }
func (s jobState) who() int        { return int(s>>jobWhoShift) & jobWho }
func (s jobState) status() int     { return int(s & jobStatus) }
func (s jobState) abandoned() bool { return s&jobAbandoned != 0 }
func (s jobState) over() bool      { return s.status() >= jobDone }

func (j *poolJob) load() jobState { return jobState(j.state.Load()) }

func (j *poolJob) change(from, to jobState) bool {
	return j.state.CompareAndSwap(uint64(from), uint64(to))
}

// is reports whether a job is still that of a number.
func (j *poolJob) is(number uint64) (jobState, bool) {
	s := j.load()
	return s, s.number() == number && s.status() != jobFree
}

func poolArena(a Args) int { return poolHead + 8*poolSize(a) }

func poolSize(a Args) int {
	n, _ := a.Main.(int)
	return n
}

// poolRegion is the memory of a pool's own. Nothing of it exists before it is
// used.
func poolRegion() int {
	return poolCells*8 + poolJobs*int(unsafe.Sizeof(poolJob{})) + poolPages*8 + poolPages*pageSize
}

func newPool(name string, mem, region []byte, a Args) *pool {
	first, _ := a.Fields[FirstOfStaff].(int)
	p := &pool{name: name, size: poolSize(a), first: first, region: region, maps: map[*Call]*mapping{}}
	p.seq = word64(mem, 0)
	p.ring = newQueueRing(mem[8:], region, poolCells)
	p.next = word64(mem, 24)
	p.mode, p.gate, p.idle = word32(mem, 32), word32(mem, 36), word32(mem, 40)
	p.present, p.anyGate, p.anybody = word32(mem, 44), word32(mem, 48), word32(mem, 52)
	p.workers = unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&mem[poolHead])), p.size)
	off := poolCells * 8
	p.jobs = unsafe.Slice((*poolJob)(unsafe.Pointer(&region[off])), poolJobs)
	off += poolJobs * int(unsafe.Sizeof(poolJob{}))
	p.pages = unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&region[off])), poolPages)
	p.data = region[off+poolPages*8:]
	return p
}

func (p *pool) job(number uint64) *poolJob { return &p.jobs[number%poolJobs] }

// used are the jobs that were ever in use: the others are not to be touched,
// or their memory would come into being.
func (p *pool) used() []poolJob { return p.jobs[:min(p.next.Load()+1, poolJobs)] }

// claim takes a free job for a process. It fails when all are in use.
func (p *pool) claim(me int) (*poolJob, uint64, bool) {
	for range poolJobs {
		number := p.next.Add(1)
		j := p.job(number)
		s := j.load()
		if s.status() == jobFree && s.number() < number && j.change(s, jobOf(number, me, jobFilling)) {
			return j, number, true
		}
	}
	return nil, 0, false
}

// release frees a job that was in state s, if it still is. The pages of its
// values go back to the kernel before anybody else can have them.
func (p *pool) release(j *poolJob, s jobState, me int) bool {
	clearing := jobOf(s.number(), me, jobFilling)
	if s != clearing && !j.change(s, clearing) {
		return false
	}
	p.giveBack(j.args)
	p.giveBack(j.result)
	j.args, j.result = poolValue{}, poolValue{}
	j.waiting.Store(0)
	j.state.Store(uint64(jobOf(s.number(), 0, jobFree)))
	return true
}

func (p *pool) giveBack(v poolValue) {
	if v.page == 0 {
		return
	}
	from, to := int(v.page-1), int(v.page-1)+pagesFor(int(v.size))
	if from = max(from, poolKeep); from < to {
		discard(p.data[from*pageSize : to*pageSize])
	}
}

func pagesFor(n int) int { return (n + pageSize - 1) / pageSize }

// pageFree: the job that had it is over.
func (p *pool) pageFree(i int) bool {
	number := p.pages[i].Load()
	if number == 0 {
		return true
	}
	_, is := p.job(number).is(number)
	return !is
}

// store writes an encoded value of a job that is in this process's hands, into
// the job itself or into pages. It fails when there is no room.
func (p *pool) store(number uint64, inline *[inlineMax]byte, b []byte) (poolValue, bool) {
	v := poolValue{size: uint32(len(b))}
	if len(b) <= len(inline) {
		copy(inline[:], b)
		return v, true
	}
	page, ok := p.place(number, pagesFor(len(b)))
	if !ok {
		return v, false
	}
	copy(p.data[page*pageSize:], b)
	v.page = uint32(page + 1)
	return v, true
}

// place finds pages in a row and makes them the job's.
func (p *pool) place(number uint64, n int) (int, bool) {
	if n > poolPages/4 {
		return 0, false
	}
	if p.from+n > poolPages {
		p.from = 0
	}
	start := p.from
	for wrapped := false; ; {
		i, end := start, min(start+n, poolPages)
		for i < end {
			was := p.pages[i].Load()
			if !p.pageFree(i) || !p.pages[i].CompareAndSwap(was, number) {
				break
			}
			i++
		}
		if i == start+n {
			p.from = i
			if i < poolKeep {
				p.from = 0 // the first ones are used again
			}
			return start, true
		}
		for k := start; k < i; k++ {
			p.pages[k].Store(0)
		}
		start = i + 1
		if start+n > poolPages {
			if wrapped {
				return 0, false
			}
			wrapped, start = true, 0
		}
	}
}

// value is where the bytes of a value lie.
func (p *pool) value(v poolValue, inline *[inlineMax]byte) []byte {
	if v.page == 0 {
		return inline[:v.size]
	}
	off := int(v.page-1) * pageSize
	return p.data[off : off+int(v.size)]
}

// enqueue puts a job at the end of the order. It fails when there is no place.
func (p *pool) enqueue(number uint64) bool {
	for {
		now := p.ring.settle()
		if now.size() >= p.ring.limit {
			return false
		}
		if p.ring.announce(now, number%poolJobs+opPut) {
			p.ring.settle()
			return true
		}
	}
}

// dequeue makes the first queued job the worker's own. A worker says which job
// it is about to take before it does, so that nothing is lost if it is killed:
// the job is taken by the change of its state, and only then leaves the ring.
func (p *pool) dequeue(me, worker int) (*poolJob, uint64, bool) {
	for {
		now := p.ring.settle()
		if now.size() == 0 {
			return nil, 0, false
		}
		block, ok := p.ring.first(now)
		if !ok {
			continue
		}
		j := &p.jobs[block-opPut]
		s := j.load()
		taken := false
		if s.status() == jobQueued {
			if worker >= 0 {
				p.workers[worker].Store(s.number())
			}
			to := jobOf(s.number(), me, jobRunning) | s&jobAbandoned
			taken = j.change(s, to)
		}
		if s.status() == jobQueued && !taken {
			continue
		}
		// Nobody waits for it any more, or it is ours: on to the next.
		if p.ring.announce(now, opGet) {
			p.ring.settle()
		}
		if taken {
			return j, s.number(), true
		}
	}
}

// canTake: a worker that waits for a task would find one, or the end.
func (p *pool) canTake() bool { return p.mode.Load() != poolOpen || p.queued() > 0 }

// queued counts the jobs that wait for a worker.
func (p *pool) queued() int {
	now, n := p.ring.settle(), 0
	for i := now.head(); i < now.tail(); i++ {
		c := p.ring.cells[i&uint64(len(p.ring.cells)-1)].Load() & blockMask
		if c >= opPut && p.jobs[c-opPut].load().status() == jobQueued {
			n++
		}
	}
	return n
}

// running counts the jobs that are being done.
func (p *pool) running() (n int) {
	for k := range p.workers {
		if _, does := p.doing(k); does {
			n++
		}
	}
	return n
}

func (p *pool) slotOf(worker int) int { return p.first + worker }

// workerIn is the number of the worker in a slot, -1 if it is none of them.
func (p *pool) workerIn(slot int) int {
	if k := slot - p.first; k >= 0 && k < p.size {
		return k
	}
	return -1
}

// explain says what a process waits for that is blocked in a verb.
func (p *pool) explain(verb string, arg uint64) Blocked {
	b := Blocked{Doing: "waits for its task to be done"}
	switch {
	case verb == PoolTake:
		return Blocked{Doing: "waits for a task"}
	case arg == waitEnd:
		b.Doing = "waits for the workers to end"
	}
	for k := range p.workers {
		number, does := p.doing(k)
		if arg == waitEnd && p.workers[k].Load() != workerGone || does && (arg == waitAny || arg == number) {
			b.By = append(b.By, p.slotOf(k))
		}
	}
	if len(b.By) == 0 {
		b.Doing = "waits for a worker to take its task"
	}
	return b
}

// doing is the job that a worker does.
func (p *pool) doing(worker int) (number uint64, does bool) {
	number = p.workers[worker].Load()
	s, is := p.job(number).is(number)
	return number, number != 0 && is && s.status() == jobRunning && s.who() == p.slotOf(worker)+1
}

// wakeWorker wakes a worker that waits for a task.
func (p *pool) wakeWorker() {
	if p.idle.Load() != 0 {
		p.gate.Add(1)
		arena.Wake(futexWord(p.gate), 1)
	}
}

// tell wakes the owner of a job that is over, and those who wait for any.
func (p *pool) tell(j *poolJob) {
	j.bell.Add(1)
	if j.waiting.Load() != 0 {
		arena.Wake(futexWord(&j.bell), 1)
	}
	if p.anybody.Load() != 0 {
		p.anyGate.Add(1)
		arena.Wake(futexWord(p.anyGate), math.MaxInt32)
	}
}

// died is told that a process has ended. What a caller had applied is done, but
// it cannot fetch any result. What a worker was doing is lost.
func (p *pool) died(slot int) {
	who := slot + 1
	worker := p.workerIn(slot)
	jobs := p.used()
	order := p.order() // it puts nothing into it any more
	for i := range jobs {
		j := &jobs[i]
		for again := true; again; {
			again = p.bury(j, who, worker >= 0, order[uint64(i)])
		}
	}
	if worker >= 0 {
		p.workers[worker].Store(workerGone)
		if p.present.Add(math.MaxUint32) == 0 {
			p.loseQueued(who)
		}
		arena.Wake(futexWord(p.present), math.MaxInt32)
	}
	// A wake that it had taken, or had not given yet, goes to somebody else.
	if p.canTake() {
		p.wakeWorker()
	}
}

// bury settles what an ended process had to do with a job; waits says that the
// job has come into the ring. It reports whether that has to be looked at again.
func (p *pool) bury(j *poolJob, who int, worker, waits bool) (again bool) {
	s := j.load()
	switch {
	case s.status() == jobFilling && s.who() == who:
		return !p.release(j, s, who)
	case worker && s.status() == jobRunning && s.who() == who:
		if s.abandoned() {
			return !p.release(j, s, who)
		}
		if !j.change(s, jobOf(s.number(), who, jobLost)) {
			return true
		}
		p.tell(j)
	case worker && s.over() && s.who() == who:
		p.tell(j) // it may not have come to that itself
	case worker, s.status() == jobFree, s.status() == jobFilling, int(j.owner.Load()) != who:
	case s.abandoned():
	case s.over(), s.status() == jobQueued && !waits:
		return !p.release(j, s, who)
	default:
		return !j.change(s, s|jobAbandoned)
	}
	return false
}

// order tells which jobs are in the ring, by their place among the jobs.
func (p *pool) order() map[uint64]bool {
	out := map[uint64]bool{}
	now := p.ring.settle()
	for i := now.head(); i < now.tail(); i++ {
		out[p.ring.cells[i&uint64(len(p.ring.cells)-1)].Load()&blockMask-opPut] = true
	}
	return out
}

// loseQueued ends the jobs that wait for a worker, when none will come.
func (p *pool) loseQueued(me int) {
	jobs := p.used()
	for i := range jobs {
		p.lose(&jobs[i], me)
	}
}

func (p *pool) lose(j *poolJob, me int) {
	for {
		s := j.load()
		switch {
		case s.status() != jobQueued:
			return
		case s.abandoned() && p.release(j, s, me):
			return
		case !s.abandoned() && j.change(s, jobOf(s.number(), 0, jobLost)):
			p.tell(j)
			return
		}
	}
}
