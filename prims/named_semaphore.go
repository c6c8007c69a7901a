package prims

import (
	"math"
	"sync/atomic"
	"unsafe"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() { Register(&namedSemaphoreKind) }

var namedSemaphoreKind = Descriptor{
	Kind: decl.Kind{
		Name:    "named_semaphore",
		Summary: "a semaphore that any program opens by its name",
		Doc: `A POSIX named semaphore: what sem_open, sem_wait and sem_post of the C library
work with. Like semaphore it is a number that is never negative: acquire
(sem_wait) takes one, and blocks while it is 0; release (sem_post) adds one, up to
2147483647, and lets one waiter go on, be it a process of the run or any other
program. It belongs to nobody: any process may release it, and one that ends gives
nothing back.

name: is the name that a program of others expects; without it the semaphore gets
one that no other run has. The engine makes it before any process is forked. If
there is a semaphore of that name already, the run ends as an error and leaves
that one alone. At the end the name is removed, also when ipcrun is killed.

In memory it is what glibc 2.21 and later have on 64-bit machines: 32 bytes in
/dev/shm/sem.NAME, the value in the lower half of a 64-bit word, the number of
waiters in the upper one. A program linked with another C library (musl) finds the
same file and does not understand its waiters.`,
		Main: &decl.Field{Name: "named_semaphore", Shape: decl.Int, Default: "1", Static: true,
			Min: decl.Num(0), Max: decl.Num(maxSemaphore), Doc: "its first value", Example: "2"},
		Fields: []decl.Field{posixName},
		Check:  func(_ any, fields map[string]any) (string, string) { return checkNameField(fields, len("sem.")) },
		Named:  "name",
		Facts:  []decl.Fact{semaphoreValueFact, semaphoreWaitersFact, nameFact},
		Verbs: []decl.Verb{
			semaphoreAcquireVerb(), semaphoreReleaseVerb("Never blocks. Adding to 2147483647 fails with Invalid (EOVERFLOW)."), semaphoreValueVerb,
			unlinkVerb("a named semaphore", "slots"),
		},
		Example: "slots: {named_semaphore: 2, name: /slots}",
		Source:  "sem_overview(7), sem_open(3), sem_wait(3), sem_post(3)",
	},
	ArenaSize: func(Args) int { return 8 + nameMem },
	Roles:     func(Args) []Role { return []Role{{Name: "memory", Mapped: true}} },
	Create:    createNamedSemaphore,
	Attach:    attachNamedSemaphore,
	Detach:    detachNamedSemaphore,
	Address:   func(h any) string { return h.(*namedSemaphore).name },
	Facts: func(h any, _ View) map[string]any {
		s := h.(*namedSemaphore)
		return map[string]any{"value": int(s.value()), "name": s.name}
	},
	Ops: []Op{
		{Verb: "acquire", Do: namedAcquire, Order: Acquire, Ready: func(h any, _ uint64) bool {
			s := h.(*namedSemaphore)
			return s.open || s.value() != 0
		}},
		{Verb: "release", Do: namedRelease, Order: Release},
		{Verb: "get_value", Do: namedValue, Order: Acquire},
		{Verb: "unlink", Do: func(h any, c *Call) error {
			s := h.(*namedSemaphore)
			c.Seq = s.seq.Add(1)
			return unlinkShm(s.name, "sem."+bare(s.name))
		}},
	},
	Died: func(h any, _ int) {
		// It may have taken a wake with it.
		if s := h.(*namedSemaphore); s.value() != 0 && s.waiting() != 0 {
			s.wake()
		}
	},
	Model: func(a Args, _ int) (Model, error) {
		return namedModel{semaphoreModel{firstValue(a), maxSemaphore}}, nil
	},
}

// namedSemaphore: data is glibc's, the value in its lower half, how many wait in
// its upper half. It may count waiters that were killed, never too few. The
// operations of the run are numbered in the arena: a release takes its number
// before the change, an acquire after it, so who was let in by a process of the
// run has a later number than that. What other programs do has no number.
type namedSemaphore struct {
	seq  *atomic.Uint64
	name string
	open bool
	data *atomic.Uint64
	mem  []byte // the mapping
}

const (
	// semBytes is sizeof(sem_t).
	semBytes = 32
	// semShared is what glibc notes behind the word: its futex is not private to a
	// process.
	semShared    = 128
	semSharedOff = 8

	semWaiter = 1 << 32
)

func (s *namedSemaphore) value() uint32   { return uint32(s.data.Load()) }
func (s *namedSemaphore) waiting() uint32 { return uint32(s.data.Load() >> 32) }

// word is the half that waiters sleep on. Linux on amd64 and arm64 is
// little-endian.
func (s *namedSemaphore) word() *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(s.data)) }

func (s *namedSemaphore) wake() { arena.Wake(futexWord(s.word()), 1) }

// try takes one if there is one. waiter: this process is counted as one that
// waits, and is not any more then.
func (s *namedSemaphore) try(c *Call, waiter bool) bool {
	less := uint64(1)
	if waiter {
		less += semWaiter
	}
	for {
		d := s.data.Load()
		if uint32(d) == 0 {
			return false
		}
		if s.data.CompareAndSwap(d, d-less) {
			c.Seq, c.Result = s.seq.Add(1), true
			return true
		}
	}
}

func namedAcquire(h any, c *Call) error {
	s := h.(*namedSemaphore)
	if s.try(c, false) {
		return nil
	}
	if c.NoWait {
		return c.noWait("the semaphore is 0")
	}
	c.Self.Enter(c.wait(0))
	defer c.Self.Leave()
	s.data.Add(semWaiter)
	const away = math.MaxUint64 - semWaiter + 1
	for {
		if s.try(c, true) {
			return nil
		}
		switch c.park(s.word(), 0, c.Deadline) {
		case arena.TimedOut:
			if s.try(c, true) {
				return nil
			}
			s.data.Add(away)
			return decl.Fail(Timeout, "still 0")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if d := s.data.Add(away); uint32(d) != 0 && d>>32 != 0 {
				s.wake()
			}
			return ErrInterrupted
		}
	}
}

func namedRelease(h any, c *Call) error {
	s := h.(*namedSemaphore)
	for {
		d := s.data.Load()
		if uint32(d) >= maxSemaphore {
			c.Seq = 0
			return semaphoreFull(uint32(d))
		}
		c.Seq = s.seq.Add(1)
		if s.data.CompareAndSwap(d, d+1) {
			if d>>32 != 0 {
				s.wake()
			}
			return nil
		}
	}
}

func namedValue(h any, c *Call) error {
	s := h.(*namedSemaphore)
	c.Result = int(s.value())
	c.Seq = s.seq.Add(1)
	return nil
}
