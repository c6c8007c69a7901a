package prims

import (
	"encoding/binary"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() { Register(&conditionKind) }

var conditionKind = Descriptor{
	Kind: decl.Kind{
		Name:    "condition",
		Summary: "a lock, and waiting for those who hold it to change something",
		Doc: `A condition has a re-entrant lock of its own: acquire and release (or with) guard
what the processes share. Who holds the lock and finds that something is not yet
as it needs it says wait: that gives the lock up, blocks until a notify, and
takes the lock again. Who has changed something says notify or notify_all, while
holding the lock.

A notify that finds nobody waiting is lost. Waiters go on one after the other,
since each needs the lock; in which order they are chosen is not defined. A
process that ends while it waits is forgotten; one that was notified and is
killed before it goes on has used the notify up. One that ends while it holds
the lock keeps it locked for ever.`,
		Facts: []decl.Fact{
			lockedFact, holderFact, depthFact,
			{Name: "waiting", Shape: decl.Int, Doc: "how many processes wait for a notify"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it, for a notify or for its lock"},
		},
		Verbs: []decl.Verb{
			{
				Name: "acquire", Summary: "take the lock of a condition", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Passes at once if the lock is free or this process holds it; else blocks until
it is free. With block: false it fails with WouldBlock at once, with timeout: it
fails with Timeout, no earlier than that. With into: the variable becomes true
or false instead.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout, Invalid},
				Example: "acquire: changed",
			},
			{
				Name: "release", Summary: "give the lock of a condition back", Place: decl.InProcess,
				Doc:     "Never blocks. The lock is free after as many releases as acquires. A process that does not hold it fails with Invalid.",
				Errors:  []string{Invalid},
				Example: "release: changed",
			},
			{
				Name: "wait", Summary: "give the lock up until notified", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Needs the lock, else it fails with Invalid. Gives the lock up, however often it
was acquired, blocks until a notify, and takes it again as often. With timeout:
it fails with Timeout, no earlier than that, and holds the lock then, too. With
into: the variable becomes true or false instead, as wait returns it.

With until: it is wait_for: the condition is asked first, and again after every
notify, always while holding the lock; the step ends when it holds. timeout: is
for all of it.`,
				Fields: []decl.Field{{Name: "until", Shape: decl.Cond,
					Doc: "the condition to wait for, asked while holding the lock", Example: "total.value > 3"}},
				Errors:  []string{Timeout, Invalid},
				Example: `{wait: changed, until: "total.value > 3"}`,
			},
			{
				Name: "notify", Summary: "wake one who waits on a condition", Place: decl.InProcess,
				Doc:    "Never blocks. Needs the lock, else it fails with Invalid. The waiter goes on once the lock is given back. Nobody waits: nothing happens.",
				Fields: []decl.Field{{Name: "n", Shape: decl.Int, Min: decl.Num(0), Default: "1", Doc: "how many to wake at most", Example: "2"}},
				Errors: []string{Invalid},

				Example: "notify: changed",
			},
			{
				Name: "notify_all", Summary: "wake all who wait on a condition", Place: decl.InProcess,
				Doc:     "Never blocks. Needs the lock, else it fails with Invalid. The waiters go on one after the other, once the lock is given back.",
				Errors:  []string{Invalid},
				Example: "notify_all: changed",
			},
		},
		Example: "changed: condition",
		Source:  "multiprocessing.Condition with its default RLock",
	},
	ArenaSize: func(Args) int { return conditionSize },
	Attach: func(a *Attachment) (any, error) {
		return &condition{
			lock: newReentrant(a.Mem, 8, false), ticket: word32(a.Mem, 16), top: word32(a.Mem, 20), mem: a.Mem,
		}, nil
	},
	Facts: conditionFacts,
	Ops: []Op{
		{
			Verb:  "acquire",
			Do:    func(h any, c *Call) error { return h.(*condition).lock.acquire(c) },
			Ready: conditionReady,
			Order: Acquire,
		},
		{
			Verb:  "release",
			Do:    func(h any, c *Call) error { return h.(*condition).lock.release(c) },
			Order: Release,
		},
		{Verb: "wait", Do: conditionWait, Ready: conditionReady, Order: Acquire},
		{Verb: "notify", Do: conditionNotify, Order: Release},
		{Verb: "notify_all", Do: conditionNotifyAll, Order: Release},
	},
	Holders: func(h any) []int { return h.(*condition).lock.holders() },
	Died: func(h any, slot int) {
		k := h.(*condition)
		k.entry(slot).Store(0)
		k.lock.died(slot)
	},
	Model: func(_ Args, n int) (Model, error) { return conditionModel{n}, nil },
}

// condition: a re-entrant lock, and a word for each slot. That word is 0, or
// entryWaiting with a ticket in the other bits while its process waits, or
// entryNotified once it was chosen. The process parks on its own word, so a
// notify reaches the one that it is for, however many of the others are stopped
// or have been killed. Entries become waiting and notified only under the lock.
//
// ticket counts the waits, so that the longest waiting is chosen first. top is
// the highest slot + 1 that ever waited: no scan goes further, and the memory
// behind it is never touched.
type condition struct {
	lock        reentrant
	ticket, top *atomic.Uint32
	mem         []byte
}

const (
	entriesOff    = 24
	conditionSize = entriesOff + 4*arena.MaxSlots

	entryWaiting  = 1
	entryNotified = 2
	entryBits     = 3 // mask of the two
	ticketShift   = 2
)

func (k *condition) entry(slot int) *atomic.Uint32 { return word32(k.mem, entriesOff+4*slot) }

// waiting counts those who wait for a notify.
func (k *condition) waiting() (n int) {
	for i := range int(k.top.Load()) {
		if k.entry(i).Load()&entryBits == entryWaiting {
			n++
		}
	}
	return n
}

func conditionFacts(h any, v View) map[string]any {
	k := h.(*condition)
	for range 16 {
		before, word := k.lock.seq.Load(), k.lock.word.Load()
		f := k.lock.facts(v)
		f["waiting"] = k.waiting()
		if k.lock.seq.Load() == before && k.lock.word.Load() == word {
			return f
		}
	}
	f := k.lock.facts(v)
	f["waiting"] = k.waiting()
	return f
}

// What a blocked process gives to Enter: 0 for acquire; in a wait its slot and
// what it waits for now.
const (
	argNotify = 1
	argRetake = 2
	argShift  = 2
)

func conditionReady(h any, arg uint64) bool {
	k := h.(*condition)
	if arg&3 == argNotify {
		return k.entry(int(arg>>argShift)).Load()&entryBits != entryWaiting
	}
	return k.lock.ready()
}

// The phases of a wait; with what else must survive an interruption they make
// up Call.Resume.
const (
	phaseBegin    = iota // holding the lock, nothing done yet
	phaseWaiting         // registered, the lock given up
	phaseRetaking        // notified or timed out, taking the lock again
)

type waitState struct {
	phase    uint64
	timedOut bool
	depth    uint32 // of the lock, to be restored
}

func (s waitState) pack() uint64 {
	r := s.phase | uint64(s.depth)<<8
	if s.timedOut {
		r |= 4
	}
	return r
}

func unpackWait(r uint64) waitState {
	return waitState{phase: r & 3, timedOut: r&4 != 0, depth: uint32(r >> 8)}
}

func conditionWait(h any, c *Call) error {
	k := h.(*condition)
	s := unpackWait(c.Resume)
	if s.phase == phaseBegin {
		if _, held := k.lock.heldBy(c); !held {
			return notHeld("wait")
		}
		if c.Until != nil {
			if ok, err := c.Until(); ok || err != nil {
				c.Seq, c.Result = k.lock.seq.Add(1), true
				return err
			}
		}
	}
	for {
		switch s.phase {
		case phaseBegin:
			if c.Until != nil && c.Deadline != 0 && arena.Now() >= c.Deadline {
				// As in wait_for: with no time left the lock is not given up again.
				c.Happened, c.Result = c.Seq != 0, nil
				return waitTimeout(true)
			}
			if err := k.begin(c, &s); err != nil {
				return err
			}
		case phaseWaiting:
			if interrupted := k.sleep(c, &s); interrupted {
				c.Resume = s.pack()
				return ErrInterrupted
			}
		case phaseRetaking:
			done, err := k.lock.try(c, s.depth)
			if !done {
				err = k.lock.block(c, s.depth, uint64(c.Self.Index)<<argShift|argRetake, 0)
			}
			if err == ErrInterrupted {
				c.Resume = s.pack()
			}
			if err != nil {
				return err
			}
			if c.Until != nil {
				ok, err := c.Until()
				if ok || err != nil {
					c.Happened = true
					return err
				}
				s.phase = phaseBegin // where it ends if no time is left
				continue
			}
			if s.timedOut {
				c.Happened, c.Result = true, nil
				return waitTimeout(false)
			}
			return nil
		}
	}
}

func notHeld(verb string) *decl.Failure {
	return decl.Fail(Invalid, "%s needs the lock of the condition, and this process does not hold it", verb)
}

func waitTimeout(until bool) *decl.Failure {
	if until {
		return decl.Fail(Timeout, "the condition does not hold")
	}
	return decl.Fail(Timeout, "not notified")
}

// begin registers the process as a waiter and gives the lock up.
func (k *condition) begin(c *Call, s *waitState) error {
	me := c.Self.Index
	if k.entry(me).Load() != 0 {
		return waitsAlready()
	}
	if k.top.Load() < uint32(me)+1 {
		k.top.Store(uint32(me) + 1)
	}
	k.entry(me).Store(k.ticket.Add(1)<<ticketShift | entryWaiting)
	s.depth, _ = k.lock.heldBy(c)
	s.phase, s.timedOut = phaseWaiting, false
	seq := k.lock.seq.Add(1)
	k.lock.free()
	if c.Log != nil {
		c.Log("release", seq, nil)
	}
	return nil
}

func waitsAlready() *decl.Failure {
	return decl.Fail(Invalid, "this process waits on it already: the wait that a signal has interrupted")
}

// sleep waits until the process is notified or its time has run out.
func (k *condition) sleep(c *Call, s *waitState) (interrupted bool) {
	e := k.entry(c.Self.Index)
	s.phase = phaseRetaking
	w := e.Load()
	if w&entryBits != entryWaiting {
		e.Store(0)
		return false
	}
	c.Self.Enter(c.wait(uint64(c.Self.Index)<<argShift | argNotify))
	defer c.Self.Leave()
	for {
		if e.Load() != w {
			e.Store(0)
			return false
		}
		switch c.park(e, w, c.Deadline) {
		case arena.TimedOut:
			s.timedOut = e.CompareAndSwap(w, 0)
			if !s.timedOut { // notified in the last moment
				e.Store(0)
			}
			return false
		case arena.Interrupted:
			s.phase = phaseWaiting
			return true
		}
	}
}

func conditionNotify(h any, c *Call) error {
	n := 1
	if c.Args.Has("n") {
		var ok bool
		if n, ok = wholeNumber(c.Args.Get("n")); !ok || n < 0 {
			return badNotify(c.Args.Get("n"))
		}
	}
	return h.(*condition).notify(c, "notify", n)
}

func conditionNotifyAll(h any, c *Call) error {
	return h.(*condition).notify(c, "notify_all", arena.MaxSlots)
}

func badNotify(v any) *decl.Failure {
	return decl.Fail(Invalid, "n is how many to wake, not %s", describe(v))
}

// wholeNumber accepts floats without a fraction, as a division yields them.
func wholeNumber(v any) (int, bool) {
	switch x := v.(type) {
	case int:
		return x, true
	case float64:
		return int(x), float64(int(x)) == x
	}
	return 0, false
}

// notify wakes the n processes that have waited longest.
func (k *condition) notify(c *Call, verb string, n int) error {
	if _, held := k.lock.heldBy(c); !held {
		return notHeld(verb)
	}
	c.Seq = k.lock.seq.Add(1)
	for ; n > 0; n-- {
		for {
			slot, w := k.longest(c)
			if slot < 0 {
				return nil
			}
			// Its time may run out just now: then another one is meant.
			if k.entry(slot).CompareAndSwap(w, entryNotified) {
				arena.Wake(futexWord(k.entry(slot)), 1)
				break
			}
		}
	}
	return nil
}

// longest finds the living process that has waited longest, -1 for none.
func (k *condition) longest(c *Call) (slot int, word uint32) {
	slot = -1
	for i := range int(k.top.Load()) {
		w := k.entry(i).Load()
		if w&entryBits != entryWaiting || slot >= 0 && int32(w-word) >= 0 || hasEnded(c, uint32(i)+1) {
			continue
		}
		slot, word = i, w
	}
	return slot, word
}

// conditionModel: the bytes of the lock, then 5 for each process: its phase,
// its place in the order of waiting from 1, and the depth to be restored.
type conditionModel struct{ n int }

const conditionProc = 5

// What else a process of the model may be in, beside the phases of a wait.
const phaseExpired = phaseRetaking + 1 // as retaking, its time has run out

func (m conditionModel) Size() int   { return reentrantBytes + m.n*conditionProc }
func (conditionModel) Init(_ []byte) {}

type conditionProcState []byte

func (m conditionModel) proc(st []byte, p int) conditionProcState {
	return st[reentrantBytes+p*conditionProc:][:conditionProc]
}

func (s conditionProcState) rank() uint16     { return binary.LittleEndian.Uint16(s[1:]) }
func (s conditionProcState) setRank(r uint16) { binary.LittleEndian.PutUint16(s[1:], r) }
func (s conditionProcState) depth() uint16    { return binary.LittleEndian.Uint16(s[3:]) }
func (s conditionProcState) setDepth(d uint16) {
	binary.LittleEndian.PutUint16(s[3:], d)
}

func (m conditionModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	lock := reentrantState(st[:reentrantBytes])
	switch verb {
	case "acquire":
		return lock.acquire(p, 1, c)
	case "release":
		return nil, lock.release(p), false
	case "wait":
		return m.wait(st, p, c)
	case "notify", "notify_all":
		n := m.n
		if verb == "notify" {
			n = 1
			if c.Value != nil {
				var ok bool
				if n, ok = wholeNumber(c.Value); !ok || n < 0 {
					return nil, badNotify(c.Value), false
				}
			}
		}
		if !lock.heldBy(p) {
			return nil, notHeld(verb), false
		}
		for ; n > 0; n-- {
			if !m.wake(st, 1, phaseRetaking) {
				break
			}
		}
		return nil, nil, false
	}
	panic("condition has no verb " + verb)
}

// wake takes the process of a rank out of the order of waiting.
func (m conditionModel) wake(st []byte, rank uint16, phase byte) (found bool) {
	for i := range m.n {
		switch s := m.proc(st, i); {
		case s.rank() == rank:
			s[0], found = phase, true
			s.setRank(0)
		case s.rank() > rank:
			s.setRank(s.rank() - 1)
		}
	}
	return found
}

func (m conditionModel) wait(st []byte, p int, c ModelCall) (any, *decl.Failure, bool) {
	lock, s := reentrantState(st[:reentrantBytes]), m.proc(st, p)
	fits := func() bool {
		ok, err := c.Until()
		return ok && err == nil
	}
	if s[0] == phaseBegin {
		switch {
		case !lock.heldBy(p):
			return nil, notHeld("wait"), false
		case c.Until != nil && fits():
			return true, nil, false
		case c.Until != nil && c.Expired:
			return nil, waitTimeout(true), false
		}
		m.register(st, p)
		if !c.Expired {
			return nil, nil, true
		}
	}
	if s[0] == phaseWaiting {
		if !c.Expired {
			return nil, nil, true
		}
		m.wake(st, s.rank(), phaseExpired)
	}
	expired := s[0] == phaseExpired
	if _, fail, blocked := lock.acquire(p, s.depth(), ModelCall{}); blocked || fail != nil {
		return nil, fail, blocked
	}
	s[0] = phaseBegin
	s.setDepth(0)
	switch {
	case c.Until != nil && fits():
		return true, nil, false
	case expired, c.Until != nil && c.Expired:
		return nil, waitTimeout(c.Until != nil), false
	case c.Until != nil:
		m.register(st, p)
		return nil, nil, true
	}
	return true, nil, false
}

// register makes p the last of those who wait and gives its lock up.
func (m conditionModel) register(st []byte, p int) {
	lock, s := reentrantState(st[:reentrantBytes]), m.proc(st, p)
	last := uint16(0)
	for i := range m.n {
		last = max(last, m.proc(st, i).rank())
	}
	s[0] = phaseWaiting
	s.setRank(last + 1)
	s.setDepth(lock.depth())
	lock.set(0, 0)
}

// Died implements Mortal.
func (m conditionModel) Died(st []byte, p int) {
	s := m.proc(st, p)
	if s[0] == phaseWaiting {
		m.wake(st, s.rank(), phaseBegin)
	}
	clear(s)
}
