package prims

import (
	"errors"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// Errors of queues, beside Closed.
const (
	Full  = "Full"
	Empty = "Empty"
)

func init() {
	decl.RegisterError(Full, "a put found the queue full, at once (block: false) or until its timeout")
	decl.RegisterError(Empty, "a get found the queue empty, at once (block: false) or until its timeout")
}

func init() { Register(&queueKind) }

var queueKind = Descriptor{
	Kind: decl.Kind{
		Name:    "queue",
		Summary: "a queue of any data: first in, first out",
		Doc: `Any number of processes put and get; each item goes to exactly one get. Items
leave in the order in which their puts happened, whoever made them. An item is
any data: numbers, text, lists and mappings of them, as large as 256 MiB.

maxsize bounds the number of items: put blocks while there are so many. Without
it, or with 0, memory is the limit: put blocks only while a gigabyte is in the
queue. get blocks while there is none. Which of several blocked processes goes
on first is not defined.

A process that is killed in the middle of a put has put either all of its item
or nothing, one that is killed in the middle of a get may take its item with it;
nobody else is held up, nor by one that is stopped.

With manager: true the queue lives in a process of its own, jobs.manager, as
multiprocessing.Manager().Queue() does. Every put, get, qsize, full and empty is
then a request to it over a socket, and its answer; what is said above holds all
the same, and an item that was on its way to a process which is killed is the
first in the queue again. The manager ignores SIGINT, and ends when no process is
left that could use the queue. When it dies before that the items are gone, and
puts and gets fail with ManagerDied; while it is stopped they wait for it, those
with block: false or timeout: as well.

Beside multiprocessing.Queue: items do not pass through a thread of their own.
What has been put can be got at once, size and empty are exact, and a process
that ends right after a put loses nothing.`,
		Main: &decl.Field{Name: "maxsize", Shape: decl.Int, Default: "0", Min: decl.Num(0), Static: true,
			Doc: "how many items it holds at most, 0 for as many as memory allows", Example: "3"},
		Fields: []decl.Field{
			{Name: managerKey, Shape: decl.Bool, Default: "false", Static: true, Doc: "true: a process of its own keeps the queue, as multiprocessing.Manager().Queue()", Example: "true"},
		},
		Staff: &decl.Staff{Name: managerKey, Key: managerKey, Part: managerPart, Ignores: []int{sigint}},
		Facts: []decl.Fact{
			{Name: "size", Shape: decl.Int, Doc: "how many items are in it"},
			{Name: "full", Shape: decl.Bool, Doc: "whether it holds maxsize items; never so without a maxsize"},
			{Name: "empty", Shape: decl.Bool, Doc: "whether it holds none"},
			{Name: "maxsize", Shape: decl.Int, Doc: "how many items it holds at most, 0 for no limit"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked in a put or a get"},
			{Name: managerKey, Shape: decl.Map, Doc: "with manager: true the process that keeps it, with the facts of a process: jobs.manager.pid"},
		},
		Verbs: []decl.Verb{
			{
				Name: "put", Summary: "put an item into a queue, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `Blocks while the queue is full. With block: false it fails with Full at once,
with timeout: it fails with Full, no earlier than that. After this process has
closed the queue it fails with Closed (ValueError in multiprocessing). An item
larger than 256 MiB fails with Invalid.`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Any, Required: true, Doc: "the item: any data", Example: "[1, two]"},
					blockField,
				},
				Errors:  []string{Full, Closed, Invalid, ManagerDied},
				Example: "{put: jobs, value: 3}",
			},
			{
				Name: "get", Summary: "take the first item out of a queue, waiting while it is empty", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `Blocks while the queue is empty; into: receives the item. With block: false it
fails with Empty at once, with timeout: it fails with Empty, no earlier than
that. After this process has closed the queue it fails with Closed (ValueError
in multiprocessing).`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{Empty, Closed, ManagerDied},
				Example: "{get: jobs, into: job}",
			},
			{
				Name: "close", Summary: "give up a queue in this process", Place: decl.InProcess,
				Doc: `Never blocks. Later puts and gets of this process fail with Closed; other
processes do not notice, and what is in the queue stays there. Closing twice
changes nothing.`,
				Example: "close: jobs",
			},
			{
				Name: "qsize", Summary: "count the items in a queue", Result: decl.Int, Place: decl.InProcess,
				Doc:     "Never blocks. Exact at its moment; others may put and get before the next step.",
				Errors:  []string{ManagerDied},
				Example: "{qsize: jobs, into: left}",
			},
			{
				Name: "full", Summary: "ask whether a queue is full", Result: decl.Bool, Place: decl.InProcess,
				Doc:     "Never blocks. A queue without maxsize is never full.",
				Errors:  []string{ManagerDied},
				Example: "{full: jobs, into: busy}",
			},
			{
				Name: "empty", Summary: "ask whether a queue is empty", Result: decl.Bool, Place: decl.InProcess,
				Doc:     "Never blocks. Exact at its moment, unlike in multiprocessing, where an item may still be on its way.",
				Errors:  []string{ManagerDied},
				Example: "{empty: jobs, into: done}",
			},
		},
		Example: "jobs: {queue: 3}",
		Source:  "multiprocessing.Queue",
	},
	ArenaSize: func(Args) int { return queueMem },
	Inner:     []decl.Verb{{Name: QueueServe, Summary: "carry out what others ask of the queue", Waits: true}},
	Serve:     QueueServe,
	Roles:     queueRoles,
	Create:    createQueue,
	Attach:    attachQueue,
	Detach:    detachQueue,
	Facts: func(h any, v View) map[string]any {
		if p, managed := h.(*proxy); managed {
			return p.facts(v)
		}
		q := h.(*queue)
		n := q.size()
		return map[string]any{"size": n, "full": q.maxsize > 0 && n >= q.maxsize, "empty": n == 0, "maxsize": q.maxsize}
	},
	Ops: []Op{
		{
			Verb: "put",
			Do:   func(h any, c *Call) error { return either(h, c, queuePut, (*proxy).put) },
			Ready: func(h any, need uint64) bool {
				q, here := h.(*queue)
				return here && q.canPut(int(need))
			},
			Order: Release | Fills,
		},
		{
			Verb: "get",
			Do:   func(h any, c *Call) error { return either(h, c, queueGet, (*proxy).get) },
			Ready: func(h any, _ uint64) bool {
				q, here := h.(*queue)
				return here && q.size() > 0
			},
			Order: Acquire | Takes | Frees,
		},
		{Verb: "close", Do: func(h any, c *Call) error { return either(h, c, queueClose, (*proxy).close) }},
		{Verb: "qsize", Do: func(h any, c *Call) error { return either(h, c, queueSize, (*proxy).qsize) }, Ready: inMemory, Order: Acquire | Looks},
		{Verb: "full", Do: func(h any, c *Call) error { return either(h, c, queueFull, (*proxy).full) }, Ready: inMemory, Order: Acquire | Looks},
		{Verb: "empty", Do: func(h any, c *Call) error { return either(h, c, queueEmpty, (*proxy).empty) }, Ready: inMemory, Order: Acquire | Looks},
		{Verb: QueueServe, Do: queueServe, Ready: inMemory},
	},
	// The first item is that of the first put: the k-th get comes after k puts.
	Passes: func(Args) int { return 0 },
	Room: func(a Args) Room {
		most, _ := a.Main.(int)
		if most <= 0 {
			most = -1
		}
		return Room{Most: most, Exact: true}
	},
	Explain: explainQueue,
	Died: func(h any, slot int) {
		if p, managed := h.(*proxy); managed {
			p.died(slot)
			return
		}
		h.(*queue).died(slot)
	},
	Model: newQueueModel,
}

// queue is a process's handle. What the processes share:
//
//   - the order of the items, in two words of the arena and a ring of cells
//     (queue_ring.go),
//   - the items themselves, in segments of a memory of its own
//     (queue_store.go),
//   - two gates, words that grow whenever somebody who waits should look
//     again, and how many may be waiting at each. The counts may be too high,
//     if a waiter was killed, never too low.
type queue struct {
	maxsize int
	ring    queueRing
	store   queueStore

	getGate *atomic.Uint32
	getters *atomic.Uint32
	putGate *atomic.Uint32
	putters *atomic.Uint32
	short   *atomic.Uint32 // putters that found no memory

	closed bool   // by this process
	region []byte // the mapping
	buf    []byte // an encoded item, kept between operations while it is small
}

// queueMem is the memory of an instance in the arena: the word of the ring that
// counts operations comes first.
const queueMem = 64

// newQueue is the queue whose order lies in mem and whose items lie in region.
func newQueue(mem, region []byte, a Args) *queue {
	maxsize, _ := a.Main.(int)
	ring := newQueueRing(mem, region, maxsize)
	return &queue{
		maxsize: maxsize,
		ring:    ring,
		store:   newQueueStore(region, len(ring.cells)*8, ring.state),
		getGate: word32(mem, 16), getters: word32(mem, 20),
		putGate: word32(mem, 24), putters: word32(mem, 28),
		short:  word32(mem, 32),
		region: region,
	}
}

func (q *queue) size() int { return q.ring.settle().size() }

// tell answers a question. It takes the number of the operation that it saw last.
func (q *queue) tell(c *Call, v any) error {
	c.Seq, c.Result = q.ring.settle().seq(), v
	return nil
}

func queueSize(h any, c *Call) error {
	q := h.(*queue)
	return q.tell(c, q.size())
}

func queueFull(h any, c *Call) error {
	q := h.(*queue)
	return q.tell(c, q.maxsize > 0 && q.size() >= q.maxsize)
}

func queueEmpty(h any, c *Call) error {
	q := h.(*queue)
	return q.tell(c, q.size() == 0)
}

func queueClose(h any, c *Call) error {
	q := h.(*queue)
	q.closed = true
	return q.tell(c, nil)
}

var errClosedQueue = &decl.Failure{Name: Closed, Detail: "this process has closed the queue"}

// kept bounds the buffer that a handle keeps, bytes.
const kept = 1 << 20

func (q *queue) keep(b []byte) {
	if cap(b) > kept {
		b = nil
	}
	q.buf = b
}

// Outcomes of an attempt.
var (
	errQueueFull  = errors.New("full")
	errQueueShort = errors.New("no memory")
)

func queuePut(h any, c *Call) error {
	q := h.(*queue)
	if q.closed {
		return errClosedQueue
	}
	v := c.Args.Get("value")
	item, err := AppendValue(q.buf[:0], v)
	if err != nil {
		return decl.Fail(Invalid, "%v", err)
	}
	defer q.keep(item)
	need := q.store.need(len(item))
	if most := q.store.most(); need > most {
		return decl.Fail(Invalid, "the item takes %d bytes, a queue takes items of at most %d", len(item), most-itemHead)
	}
	c.Result = v
	if err = q.tryPut(c, item); err == nil {
		return nil
	}
	if c.NoWait {
		return q.fullFailure(err)
	}
	return q.waitPut(c, item, need, err)
}

// waitPut blocks until the item can be put; err is why it cannot be now.
func (q *queue) waitPut(c *Call, item []byte, need int, err error) error {
	c.Self.Enter(c.wait(uint64(need)))
	q.putters.Add(1)
	short := false
	defer func() {
		if short {
			q.short.Add(math.MaxUint32)
		}
		q.putters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if err == errQueueShort && !short {
			q.short.Add(1)
			short = true
		}
		seen := q.putGate.Load()
		if err = q.tryPut(c, item); err == nil {
			return nil
		}
		if err == errQueueShort && !short {
			continue
		}
		switch c.park(q.putGate, seen, c.Deadline) {
		case arena.TimedOut:
			if err = q.tryPut(c, item); err == nil {
				return nil
			}
			return q.fullFailure(err)
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if q.putters.Load() > 1 && q.canPut(need) {
				q.wakePutter()
			}
			return ErrInterrupted
		}
	}
}

func (q *queue) fullFailure(err error) error {
	if err == errQueueShort {
		return decl.Fail(Full, "there is no memory left for the item: the queue holds %d", q.size())
	}
	return decl.Fail(Full, "it holds %d, as many as it may", q.ring.limit)
}

// tryPut puts the item if that can be done now, else it ends with errQueueFull
// or errQueueShort.
func (q *queue) tryPut(c *Call, item []byte) error {
	me := uint64(c.Self.Index) + 1
	now := q.ring.settle()
	if now.size() >= q.ring.limit {
		return errQueueFull
	}
	p, ok := q.store.place(me, len(item))
	if !ok {
		return errQueueShort
	}
	q.store.write(p, item)
	for {
		now = q.ring.settle()
		if now.size() >= q.ring.limit {
			q.store.abandon(p)
			return errQueueFull
		}
		q.store.mark(me, p, now.tail()+1)
		if !q.ring.announce(now, p.block()) {
			continue
		}
		c.Seq = now.seq() + 1
		q.ring.settle()
		if q.getters.Load() != 0 {
			q.wakeGetter()
		}
		q.store.commit(me, p)
		if q.short.Load() != 0 {
			q.wakePutter() // a segment that was closed may be free already
		}
		return nil
	}
}

// canPut reports whether an item that needs so much room could be put now by
// somebody who is blocked in put.
func (q *queue) canPut(need int) bool {
	now := q.ring.settle()
	return now.size() < q.ring.limit && q.store.hasRoom(need)
}

func queueGet(h any, c *Call) error {
	q := h.(*queue)
	if q.closed {
		return errClosedQueue
	}
	if done, err := q.tryGet(c); done {
		return err
	}
	if c.NoWait {
		return decl.Fail(Empty, "there is no item in it")
	}
	return q.waitGet(c)
}

// waitGet blocks until there is an item.
func (q *queue) waitGet(c *Call) error {
	c.Self.Enter(c.wait(0))
	q.getters.Add(1)
	defer func() {
		q.getters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		seen := q.getGate.Load()
		if done, err := q.tryGet(c); done {
			return err
		}
		switch c.park(q.getGate, seen, c.Deadline) {
		case arena.TimedOut:
			if done, err := q.tryGet(c); done {
				return err
			}
			return decl.Fail(Empty, "still no item in it")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if q.getters.Load() > 1 && q.size() > 0 {
				q.wakeGetter()
			}
			return ErrInterrupted
		}
	}
}

// tryGet takes the first item if there is one. The item is copied before it is
// taken: whoever is stopped or killed while it copies holds nothing, and if
// somebody else took the item meanwhile, the copy is worthless and the attempt
// fails.
func (q *queue) tryGet(c *Call) (done bool, err error) {
	for {
		now := q.ring.settle()
		if now.size() == 0 {
			return false, nil
		}
		block, ok := q.ring.first(now)
		if !ok {
			continue
		}
		item, p, ok := q.store.read(q.buf[:0], block)
		if !ok || !q.ring.announce(now, opGet) {
			continue
		}
		q.keep(item)
		c.Seq = now.seq() + 1
		q.ring.settle()
		q.store.give(uint64(c.Self.Index)+1, p)
		if q.putters.Load() != 0 {
			q.wakePutter()
		}
		c.Result, _, err = ReadValue(item)
		return true, err
	}
}

func (q *queue) wakeGetter() {
	q.getGate.Add(1)
	arena.Wake(futexWord(q.getGate), 1)
}

// wakePutter wakes one who waits for a place, or all if some wait for memory:
// the room of one item need not suffice for the one who would be woken.
func (q *queue) wakePutter() {
	q.putGate.Add(1)
	n := 1
	if q.short.Load() != 0 {
		n = math.MaxInt32
	}
	arena.Wake(futexWord(q.putGate), n)
}

// died finishes what an ended process had announced and gives up the memory it
// held. A wake that it had taken, or had not given yet, goes to somebody else.
func (q *queue) died(slot int) {
	q.store.died(slot)
	now := q.ring.settle()
	if now.size() > 0 && q.getters.Load() != 0 {
		q.wakeGetter()
	}
	if now.size() < q.ring.limit && q.putters.Load() != 0 {
		q.wakePutter()
	}
}
