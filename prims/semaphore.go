package prims

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// maxSemaphore is SEM_VALUE_MAX on Linux.
const maxSemaphore = math.MaxInt32

func init() {
	Register(&semaphoreKind)
	Register(&boundedSemaphoreKind)
}

var semaphoreKind = Descriptor{
	Kind: decl.Kind{
		Name:    "semaphore",
		Summary: "a counter of what is to be had",
		Doc: `A semaphore is a number that is never negative. acquire takes one, and blocks
while it is 0; release adds one, without upper limit (up to 2147483647), and lets
one waiter go on. It belongs to nobody: any process may release it, and one that
ends gives nothing back. Which waiter goes on is not defined.`,
		Main: &decl.Field{Name: "semaphore", Shape: decl.Int, Default: "1", Static: true,
			Min: decl.Num(0), Max: decl.Num(maxSemaphore), Doc: "its first value", Example: "2"},
		Facts:   []decl.Fact{semaphoreValueFact, semaphoreWaitersFact},
		Verbs:   []decl.Verb{semaphoreAcquireVerb(), semaphoreReleaseVerb("Never blocks. Adding to 2147483647 fails with Invalid."), semaphoreValueVerb},
		Example: "slots: {semaphore: 2}",
		Source:  "multiprocessing.Semaphore, sem_overview(7)",
	},
	ArenaSize: func(Args) int { return 16 },
	Create:    createSemaphore,
	Attach:    func(a *Attachment) (any, error) { return newSemaphore(a, maxSemaphore), nil },
	Facts:     semaphoreFacts,
	Ops:       semaphoreOps,
	Passes:    func(a Args) int { return int(firstValue(a)) },
	Died:      semaphoreDied,
	Model:     func(a Args, _ int) (Model, error) { return semaphoreModel{firstValue(a), maxSemaphore}, nil },
}

var boundedSemaphoreKind = Descriptor{
	Kind: decl.Kind{
		Name:    "bounded_semaphore",
		Summary: "a semaphore that is never above its first value",
		Doc: `A semaphore that notices a release too many: one that would bring it above its
first value fails with Invalid. Otherwise it is like semaphore: acquire takes
one, and blocks while it is 0; release adds one.`,
		Main: &decl.Field{Name: "bounded_semaphore", Shape: decl.Int, Default: "1", Static: true,
			Min: decl.Num(0), Max: decl.Num(maxSemaphore), Doc: "its first value", Example: "2"},
		Facts: []decl.Fact{semaphoreValueFact, semaphoreWaitersFact},
		Verbs: []decl.Verb{
			semaphoreAcquireVerb(),
			semaphoreReleaseVerb("Never blocks. A release that would bring it above its first value fails with Invalid (ValueError in multiprocessing.BoundedSemaphore)."),
			semaphoreValueVerb,
		},
		Example: "slots: {bounded_semaphore: 2}",
		Source:  "multiprocessing.BoundedSemaphore",
	},
	ArenaSize: func(Args) int { return 16 },
	Create:    createSemaphore,
	Attach:    func(a *Attachment) (any, error) { return newSemaphore(a, firstValue(a.Args)), nil },
	Facts:     semaphoreFacts,
	Ops:       semaphoreOps,
	Passes:    func(a Args) int { return int(firstValue(a)) },
	Died:      semaphoreDied,
	Model:     func(a Args, _ int) (Model, error) { return semaphoreModel{firstValue(a), firstValue(a)}, nil },
}

// What all kinds of semaphores have in common, named ones as well.
var (
	semaphoreValueFact   = decl.Fact{Name: "value", Shape: decl.Int, Doc: "how many acquires would pass now"}
	semaphoreWaitersFact = decl.Fact{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"}

	semaphoreValueVerb = decl.Verb{
		Name: "get_value", Summary: "ask for the value of a semaphore", Result: decl.Int, Place: decl.InProcess,
		Doc:     "Never blocks. The answer goes where into: says. It is never negative, however many processes wait.",
		Example: "{get_value: slots, into: left}",
	}
)

// semaphoreAcquireVerb describes acquire.
func semaphoreAcquireVerb() decl.Verb {
	return decl.Verb{
		Name: "acquire", Summary: "take one from a semaphore, waiting while it is 0", Waits: true, Result: decl.Bool, Place: decl.InProcess,
		Doc: `Blocks while the value is 0 and takes one. With block: false it fails with
WouldBlock at once, with timeout: it fails with Timeout, no earlier than that.
With into: the variable becomes true or false instead, as acquire returns it in
multiprocessing.`,
		Fields:  []decl.Field{blockField},
		Errors:  []string{WouldBlock, Timeout},
		Example: "acquire: slots",
	}
}

// semaphoreReleaseVerb describes a release of which doc says what there is to it.
func semaphoreReleaseVerb(doc string) decl.Verb {
	return decl.Verb{
		Name: "release", Summary: "add one to a semaphore", Place: decl.InProcess,
		Doc:     doc,
		Errors:  []string{Invalid},
		Example: "release: slots",
	}
}

var semaphoreOps = []Op{
	{Verb: "acquire", Do: semaphoreAcquire, Ready: func(h any, _ uint64) bool { return h.(*semaphore).word.Load() != 0 }, Order: Acquire | Takes},
	{Verb: "release", Do: semaphoreRelease, Order: Release},
	{Verb: "get_value", Do: semaphoreValue, Order: Acquire},
}

func createSemaphore(c *Creation) error {
	word32(c.Mem, 8).Store(firstValue(c.Args))
	return nil
}

func newSemaphore(a *Attachment, highest uint32) *semaphore {
	return &semaphore{seq: word64(a.Mem, 0), word: word32(a.Mem, 8), waiters: word32(a.Mem, 12), highest: highest}
}

func semaphoreFacts(h any, _ View) map[string]any {
	return map[string]any{"value": int(h.(*semaphore).word.Load())}
}

// semaphoreDied: who ended may have taken a wake with it.
func semaphoreDied(h any, _ int) {
	if s := h.(*semaphore); s.word.Load() != 0 && s.waiters.Load() != 0 {
		arena.Wake(futexWord(s.word), 1)
	}
}

// firstValue is the value of a declaration, 1 where it says none.
func firstValue(a Args) uint32 {
	if n, ok := wholeNumber(a.Main); ok {
		return uint32(n)
	}
	return 1
}

// semaphore: word is the value. A release takes its number before the change,
// an acquire after it: who was let in has a later number than who let it in.
// waiters counts the processes that may be parked on word; it may be too high,
// never too low.
type semaphore struct {
	seq     *atomic.Uint64
	word    *atomic.Uint32
	waiters *atomic.Uint32
	highest uint32
}

// try takes one if there is one.
func (s *semaphore) try(c *Call) bool {
	for {
		n := s.word.Load()
		if n == 0 {
			return false
		}
		if s.word.CompareAndSwap(n, n-1) {
			c.Seq, c.Result = s.seq.Add(1), true
			return true
		}
	}
}

func semaphoreAcquire(h any, c *Call) error {
	s := h.(*semaphore)
	if s.try(c) {
		return nil
	}
	if c.NoWait {
		return c.noWait("the semaphore is 0")
	}
	c.Self.Enter(c.wait(0))
	s.waiters.Add(1)
	defer func() {
		s.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if s.try(c) {
			return nil
		}
		switch c.park(s.word, 0, c.Deadline) {
		case arena.TimedOut:
			if s.try(c) {
				return nil
			}
			return decl.Fail(Timeout, "still 0")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if s.word.Load() != 0 && s.waiters.Load() > 1 {
				arena.Wake(futexWord(s.word), 1)
			}
			return ErrInterrupted
		}
	}
}

func semaphoreRelease(h any, c *Call) error {
	s := h.(*semaphore)
	for {
		n := s.word.Load()
		if n >= s.highest {
			c.Seq = 0
			return semaphoreFull(n)
		}
		c.Seq = s.seq.Add(1)
		if s.word.CompareAndSwap(n, n+1) {
			break
		}
	}
	if s.waiters.Load() != 0 {
		arena.Wake(futexWord(s.word), 1)
	}
	return nil
}

func semaphoreFull(n uint32) *decl.Failure {
	return decl.Fail(Invalid, "released too often: it is at its highest value, %d", n)
}

func semaphoreValue(h any, c *Call) error {
	s := h.(*semaphore)
	c.Result = int(s.word.Load())
	c.Seq = s.seq.Add(1)
	return nil
}

// semaphoreModel: the value in four bytes.
type semaphoreModel struct{ first, highest uint32 }

func (semaphoreModel) Size() int        { return 4 }
func (m semaphoreModel) Init(st []byte) { binary.LittleEndian.PutUint32(st, m.first) }

func (m semaphoreModel) Do(st []byte, _ int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	n := binary.LittleEndian.Uint32(st)
	switch verb {
	case "acquire":
		switch {
		case n > 0:
			binary.LittleEndian.PutUint32(st, n-1)
			return true, nil, false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "the semaphore is 0"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still 0"), false
		}
		return nil, nil, true
	case "release":
		if n >= m.highest {
			return nil, semaphoreFull(n), false
		}
		binary.LittleEndian.PutUint32(st, n+1)
		return nil, nil, false
	case "get_value":
		return int(n), nil, false
	}
	panic("semaphore has no verb " + verb)
}
