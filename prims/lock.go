package prims

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() {
	Register(&Descriptor{
		Kind: decl.Kind{
			Name:    "lock",
			Summary: "mutual exclusion: one process at a time",
			Doc: `A lock is free or held. acquire takes it, and blocks while another process (or
the same one) holds it; release frees it and lets one waiter go on. As in
multiprocessing.Lock it is not owned: any process may release it, and a holder
that ends keeps it locked for ever. Which waiter gets it next is not defined.`,
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
multiprocessing.Lock.`,
					Fields:  []decl.Field{blockField},
					Errors:  []string{WouldBlock, Timeout},
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
			Source:  "multiprocessing.Lock",
		},
		ArenaSize: func(Args) int { return 16 },
		Attach: func(a *Attachment) (any, error) {
			return &lock{seq: word64(a.Mem, 0), word: word32(a.Mem, 8), waiters: word32(a.Mem, 12)}, nil
		},
		Facts: func(h any, v View) map[string]any {
			l := h.(*lock)
			holder := ""
			w := l.word.Load()
			if w != 0 {
				holder = v.Process(int(w) - 1)
			}
			return map[string]any{"locked": w != 0, "holder": holder}
		},
		Ops: map[string]Op{
			"acquire": {Do: lockAcquire, Ready: func(h any, _ uint64) bool { return h.(*lock).word.Load() == 0 }, Order: Acquire},
			"release": {Do: lockRelease, Order: Release},
		},
		Holders: func(h any) []int {
			if w := h.(*lock).word.Load(); w != 0 {
				return []int{int(w) - 1}
			}
			return nil
		},
		Model: func(Args, int) (Model, error) { return lockModel{}, nil },
	})
}

// blockField is the block: parameter of operations that may wait.
var blockField = decl.Field{Name: "block", Shape: decl.Bool, Default: "true", Static: true,
	Doc: "false: fail at once instead of waiting", Example: "false"}

// lock: word is 0 when free, else the holder's slot + 1. waiters counts the
// processes that may be parked on word, so that an uncontended release stays
// out of the kernel. A waiter that is killed leaves its count behind: the
// price is a needless wake, never a lost one.
type lock struct {
	seq     *atomic.Uint64
	word    *atomic.Uint32
	waiters *atomic.Uint32
}

func lockAcquire(h any, c *Call) error {
	l := h.(*lock)
	me := uint32(c.Self.Index) + 1
	if l.word.CompareAndSwap(0, me) {
		c.Seq, c.Result = l.seq.Add(1), true
		return nil
	}
	if c.NoWait {
		return c.noWait("the lock is held")
	}
	c.Self.Enter(c.wait(0))
	l.waiters.Add(1)
	defer func() {
		l.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if l.word.CompareAndSwap(0, me) {
			c.Seq, c.Result = l.seq.Add(1), true
			return nil
		}
		seen := l.word.Load()
		if seen == 0 {
			continue
		}
		switch c.Self.Park(futexWord(l.word), seen, c.Deadline) {
		case arena.TimedOut:
			if l.word.CompareAndSwap(0, me) {
				c.Seq, c.Result = l.seq.Add(1), true
				return nil
			}
			return decl.Fail(Timeout, "still held")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if l.word.Load() == 0 && l.waiters.Load() > 1 {
				arena.Wake(futexWord(l.word), 1)
			}
			return ErrInterrupted
		}
	}
}

func lockRelease(h any, c *Call) error {
	l := h.(*lock)
	for {
		w := l.word.Load()
		if w == 0 {
			return decl.Fail(Invalid, "released, but nobody holds it")
		}
		// The number is taken while the lock is still held: that is the order
		// in which the critical sections happened.
		c.Seq = l.seq.Add(1)
		if l.word.CompareAndSwap(w, 0) {
			break
		}
	}
	if l.waiters.Load() != 0 {
		arena.Wake(futexWord(l.word), 1)
	}
	return nil
}

// lockModel: one byte pair, the holder's number + 1, 0 when free.
type lockModel struct{}

func (lockModel) Size() int   { return 2 }
func (lockModel) Init([]byte) {}

func (lockModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	held := binary.LittleEndian.Uint16(st) != 0
	switch verb {
	case "acquire":
		switch {
		case !held:
			binary.LittleEndian.PutUint16(st, uint16(p)+1)
			return true, nil, false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "the lock is held"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still held"), false
		}
		return nil, nil, true
	case "release":
		if !held {
			return nil, decl.Fail(Invalid, "released, but nobody holds it"), false
		}
		binary.LittleEndian.PutUint16(st, 0)
		return nil, nil, false
	}
	panic("lock has no verb " + verb)
}
