package prims

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() { Register(&lockKind) }

var lockKind = Descriptor{
	Kind: decl.Kind{
		Name:    "lock",
		Summary: "mutual exclusion: one process at a time",
		Doc: `A lock, in C a mutex, is free or held. acquire takes it, and blocks while another process (or
the same one) holds it; release frees it and lets one waiter go on. As in
multiprocessing.Lock it is not owned: any process may release it, and a holder
that ends keeps it locked for ever. Which waiter gets it next is not defined.

With robust: true a holder that ends, by a signal or by itself, leaves the lock
to the next acquire, waiting or later: that one fails with OwnerDied and holds
the lock, as pthread_mutex_lock does with EOWNERDEAD. A step with error:
OwnerDied goes on as the holder, repairs what the lock protects, and releases.`,
		Fields: []decl.Field{robustField},
		Facts: []decl.Fact{
			{Name: "locked", Shape: decl.Bool, Doc: "whether somebody holds it"},
			{Name: "holder", Shape: decl.String, Doc: "name of the process that acquired it, empty when it is free"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "acquire", Summary: "take a lock, waiting until it is free", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Blocks until the lock is free and takes it. With block: false it fails with
WouldBlock at once, with timeout: it fails with Timeout, no earlier than that.
With into: the variable becomes true or false instead, as acquire returns it in
multiprocessing.Lock. A robust lock whose holder has ended: OwnerDied, and this
process holds it.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout, OwnerDied},
				Example: "acquire: gate",
			},
			{
				Name: "release", Summary: "free a lock", Place: decl.InProcess,
				Doc:     "Never blocks. Releasing a lock that nobody holds fails with Invalid (ValueError in multiprocessing.Lock).",
				Errors:  []string{Invalid},
				Example: "release: gate",
			},
		},
		Example: "gate: lock",
		Source:  "multiprocessing.Lock; robust: pthread_mutexattr_setrobust(3)",
	},
	ArenaSize: func(Args) int { return 24 },
	Attach: func(a *Attachment) (any, error) {
		return &lock{seq: word64(a.Mem, 0), word: word32(a.Mem, 8), waiters: word32(a.Mem, 12), called: word32(a.Mem, 16), robust: isRobust(a.Args)}, nil
	},
	Facts: func(h any, v View) map[string]any {
		holder := ""
		if o := h.(*lock).owner(); o >= 0 {
			holder = v.Process(o)
		}
		return map[string]any{"locked": holder != "", "holder": holder}
	},
	Ops: []Op{
		{Verb: "acquire", Do: lockAcquire, Ready: func(h any, _ uint64) bool { return h.(*lock).ready() }, Order: Acquire},
		{Verb: "release", Do: lockRelease, Order: Release},
	},
	Holders: func(h any) []int {
		if o := h.(*lock).owner(); o >= 0 {
			return []int{o}
		}
		return nil
	},
	Died:  func(h any, slot int) { h.(*lock).died(slot) },
	Model: func(a Args, _ int) (Model, error) { return lockModel{isRobust(a)}, nil },
}

// blockField is the block: parameter of operations that may wait.
var blockField = decl.Field{Name: "block", Shape: decl.Bool, Default: "true", Static: true,
	Doc: "false: fail at once instead of waiting", Example: "false"}

// lock: word is 0 when free, else the holder's slot + 1, with diedBit once the
// holder of a robust lock has ended. waiters counts the processes that may be
// parked on word, so that an uncontended release stays out of the kernel. A
// waiter that is killed leaves its count behind: the price is a needless wake,
// never a lost one. called is 1 while one of them has been woken and has not
// looked yet: a process that takes the lock again and again need not wake it
// again and again. The engine clears it when a process has ended (Died).
type lock struct {
	seq     *atomic.Uint64
	word    *atomic.Uint32
	waiters *atomic.Uint32
	called  *atomic.Uint32
	robust  bool
}

func (l *lock) owner() int { return int(l.word.Load()&^diedBit) - 1 }

func (l *lock) ready() bool { return l.freeTo(l.word.Load()) }

func (l *lock) freeTo(w uint32) bool { return w == 0 || l.robust && w&diedBit != 0 }

func lockAcquire(h any, c *Call) error {
	l := h.(*lock)
	if done, err := l.try(c); done {
		return err
	}
	if c.NoWait {
		return c.noWait("the lock is held")
	}
	if arena.Soon(l.ready) {
		if done, err := l.try(c); done {
			return err
		}
	}
	c.Self.Enter(c.wait(0))
	l.waiters.Add(1)
	defer func() {
		l.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if done, err := l.try(c); done {
			return err
		}
		seen := l.word.Load()
		if l.freeTo(seen) {
			continue
		}
		out := c.park(l.word, seen, c.Deadline)
		l.called.Store(0)
		switch out {
		case arena.TimedOut:
			if done, err := l.try(c); done {
				return err
			}
			return decl.Fail(Timeout, "still held")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if l.ready() && l.waiters.Load() > 1 {
				l.call()
			}
			return ErrInterrupted
		}
	}
}

// try takes the lock if it is there to be taken. done says that the acquire has
// come to its end, with err.
func (l *lock) try(c *Call) (done bool, err error) {
	me := uint32(c.Self.Index) + 1
	for {
		w := l.word.Load()
		switch {
		case w == 0:
			if l.word.CompareAndSwap(0, me) {
				c.Seq, c.Result = l.seq.Add(1), true
				return true, nil
			}
		case l.robust && (w&diedBit != 0 || hasEnded(c, w)):
			if l.word.CompareAndSwap(w, me) {
				c.Seq = l.seq.Add(1)
				return true, ownerDied(c, w&^diedBit)
			}
		default:
			return false, nil
		}
	}
}

func lockRelease(h any, c *Call) error {
	l := h.(*lock)
	for {
		w := l.word.Load()
		if w == 0 {
			c.Seq = 0
			return decl.Fail(Invalid, "released, but nobody holds it")
		}
		// The number is taken while the lock is still held: that is the order
		// in which the critical sections happened.
		c.Seq = l.seq.Add(1)
		if l.word.CompareAndSwap(w, 0) {
			break
		}
	}
	if l.waiters.Load() != 0 && l.called.Load() == 0 {
		l.call()
	}
	return nil
}

// call wakes one waiter.
func (l *lock) call() {
	l.called.Store(1)
	if arena.Wake(futexWord(l.word), 1) == 0 {
		l.called.Store(0) // nobody was parked: whoever waits is looking
	}
}

// died is told when a process has ended: what it held, or a wake that it took
// with it, goes to a waiter.
func (l *lock) died(slot int) {
	if l.robust {
		setDied(l.word, ^uint32(diedBit), slot)
	}
	l.called.Store(0)
	if l.ready() && l.waiters.Load() != 0 {
		l.call()
	}
}

// lockModel: one byte pair, the holder's number + 1, 0 when free, with
// diedShort once the holder has ended.
type lockModel struct{ robust bool }

func (lockModel) Size() int   { return 2 }
func (lockModel) Init([]byte) {}

func (lockModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	w := binary.LittleEndian.Uint16(st)
	switch verb {
	case "acquire":
		switch {
		case w == 0:
			binary.LittleEndian.PutUint16(st, uint16(p)+1)
			return true, nil, false
		case w&diedShort != 0:
			binary.LittleEndian.PutUint16(st, uint16(p)+1)
			return nil, decl.Fail(OwnerDied, "its holder has ended; it is held by this process now"), false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "the lock is held"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still held"), false
		}
		return nil, nil, true
	case "release":
		if w == 0 {
			return nil, decl.Fail(Invalid, "released, but nobody holds it"), false
		}
		binary.LittleEndian.PutUint16(st, 0)
		return nil, nil, false
	}
	panic("lock has no verb " + verb)
}

// Died implements Mortal.
func (m lockModel) Died(st []byte, p int) {
	if w := binary.LittleEndian.Uint16(st); m.robust && w == uint16(p)+1 {
		binary.LittleEndian.PutUint16(st, w|diedShort)
	}
}
