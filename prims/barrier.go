package prims

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// Broken is what everybody's wait at a broken barrier ends with.
const Broken = "Broken"

func init() {
	decl.RegisterError(Broken, "the barrier is broken, by a wait whose timeout passed, an abort or a reset: those who waited do not get together, and nobody does before a reset (BrokenBarrierError)")
}

// maxParties is as many as there can be processes.
const maxParties = arena.MaxSlots

func init() { Register(&barrierKind) }

var barrierKind = Descriptor{
	Kind: decl.Kind{
		Name:    "barrier",
		Summary: "a place where processes wait for one another",
		Doc: `A barrier has a number of parties. wait blocks until as many processes wait, and
then lets all of them go on; the next ones meet in a new round, again and again.
A wait whose timeout passes, and abort, break the barrier: everybody who waits
fails with Broken, and so does every later wait, until reset.

A process that is killed while it waits has arrived all the same: the others
need not wait for it in this round, but they do in the next.`,
		Main: &decl.Field{Name: "barrier", Shape: decl.Int, Required: true, Static: true,
			Min: decl.Num(1), Max: decl.Num(maxParties), Doc: "how many processes have to meet", Example: "3"},
		Facts: []decl.Fact{
			{Name: "parties", Shape: decl.Int, Doc: "how many processes have to meet"},
			{Name: "waiting", Shape: decl.Int, Doc: "how many have arrived and wait for the others"},
			{Name: "broken", Shape: decl.Bool, Doc: "whether it is broken"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "wait", Summary: "wait at a barrier for the other parties", Waits: true, Result: decl.Int, Place: decl.InProcess,
				Doc: `Blocks until all parties have arrived. into: receives the number of those who
were there before, from 0; so exactly one of a round gets 0, and the last one
never blocks. If its timeout: passes first it breaks the barrier, no earlier than
that, and fails with Broken like everybody else. In the log an arrival and the
going on are two operations.`,
				Errors:  []string{Broken},
				Example: "wait: meet",
			},
			{
				Name: "reset", Summary: "make a barrier as new", Place: decl.InProcess,
				Doc:     "Never blocks. Who waits fails with Broken; later waits begin a new round, whether or not the barrier was broken.",
				Example: "reset: meet",
			},
			{
				Name: "abort", Summary: "break a barrier", Place: decl.InProcess,
				Doc:     "Never blocks. Who waits fails with Broken, and so does every later wait, until reset.",
				Example: "abort: meet",
			},
		},
		Example: "meet: {barrier: 3}",
		Source:  "multiprocessing.Barrier, threading.Barrier",
	},
	ArenaSize: func(Args) int { return barrierSize },
	Attach: func(a *Attachment) (any, error) {
		parties, err := partiesOf(a.Args)
		return &barrier{
			seq: word64(a.Mem, 0), state: word64(a.Mem, 8), low: word32(a.Mem, 8), top: word32(a.Mem, topOff), mem: a.Mem, parties: parties,
		}, err
	},
	Facts: func(h any, _ View) map[string]any {
		b := h.(*barrier)
		s := barrierState(b.state.Load())
		return map[string]any{"parties": b.parties, "waiting": s.count(), "broken": s.broken()}
	},
	Ops: []Op{
		{Verb: "wait", Do: barrierWait, Ready: func(h any, arg uint64) bool { return h.(*barrier).low.Load() != uint32(arg) }, Order: Acquire | Release},
		{Verb: "reset", Do: barrierReset, Order: Release},
		{Verb: "abort", Do: barrierAbort, Order: Release},
	},
	Died: func(h any, _ int) {
		// It may have ended a round without getting so far as to wake the others.
		h.(*barrier).wake()
	},
	Model: func(a Args, n int) (Model, error) {
		parties, err := partiesOf(a)
		return barrierModel{parties, n}, err
	},
}

func partiesOf(a Args) (int, error) {
	n, ok := wholeNumber(a.Main)
	if !ok || n < 1 || n > maxParties {
		return 0, decl.Fail(Invalid, "a barrier has 1 to %d parties, not %s", maxParties, describe(a.Main))
	}
	return n, nil
}

// barrier: the whole state is one word that changes in one step, so nobody who
// is killed or stopped leaves a round half over:
//
//	bit 0       the barrier is broken
//	bits 1-31   number of the round
//	bits 32-46  how many have arrived in it
//	bits 47-63  number of breaks so far
//
// Waiters park on the lower half, which changes when the round is over or
// broken, and not with every arrival. A round ends by its last arrival, and by a
// reset that breaks it or follows a break.
//
// A waiter that looks again after a long time, because it was stopped, sees the
// round gone and has to know whether it was broken. If the number of breaks is
// the one that it saw when it arrived, it was not. Else the first break since
// then is in the breaks, a ring of the rounds that were broken: whoever breaks a
// round first notes it there, and then changes the state.
type barrier struct {
	seq     *atomic.Uint64
	state   *atomic.Uint64
	low     *atomic.Uint32 // lower half of state
	top     *atomic.Uint32 // highest slot + 1 that ever waited
	mem     []byte
	parties int
}

const (
	breaksOff   = 16
	breaksKept  = 8
	breaksTold  = 4 // after so many more, those who waited are marked
	topOff      = breaksOff + 4*breaksKept
	fatesOff    = topOff + 8
	barrierSize = fatesOff + 4*arena.MaxSlots
)

// fate is the word of a slot: 0, or waitsIn its round, or markedIn it.
func (b *barrier) fate(slot int) *atomic.Uint32 { return word32(b.mem, fatesOff+4*slot) }

func waitsIn(round uint32) uint32  { return markedIn(round) | 1 }
func markedIn(round uint32) uint32 { return round + 2 }

// enlist notes the round that a process is about to wait in. Where its word is taken, by
// the wait that a handler's wait has interrupted, it stays as it is.
func (b *barrier) enlist(c *Call, a *arrival) {
	e := b.fate(c.Self.Index)
	if !a.enlisted && e.Load() != 0 {
		return
	}
	if top := uint32(c.Self.Index) + 1; b.top.Load() < top {
		for old := b.top.Load(); old < top && !b.top.CompareAndSwap(old, top); old = b.top.Load() {
		}
	}
	a.enlisted = true
	e.Store(waitsIn(a.round))
}

func (b *barrier) leave(c *Call, a *arrival) {
	if a.enlisted {
		b.fate(c.Self.Index).Store(0)
	}
}

// mark tells those who waited in a round that was broken some breaks before s.
func (b *barrier) mark(s barrierState) {
	round := b.noted(s.breaks() - breaksTold).Load()
	if round == 0 || barrierState(b.state.Load()).breaks() != s.breaks() {
		return // that of another break, perhaps
	}
	round &= roundMask
	for i := range int(b.top.Load()) {
		b.fate(i).CompareAndSwap(waitsIn(round), markedIn(round))
	}
}

type barrierState uint64

const (
	countShift = 32
	countMask  = 1<<15 - 1
	breakShift = 47
	breakMask  = 1<<17 - 1
	roundMask  = math.MaxUint32 &^ 1
)

func (s barrierState) broken() bool   { return s&1 != 0 }
func (s barrierState) low() uint32    { return uint32(s) }
func (s barrierState) round() uint32  { return uint32(s) & roundMask }
func (s barrierState) count() int     { return int(s >> countShift & countMask) }
func (s barrierState) breaks() uint32 { return uint32(s >> breakShift) }

// barrierAt puts a state together; round has bit 0 clear.
func barrierAt(round uint32, broken bool, count int, breaks uint32) barrierState {
	s := barrierState(round) | barrierState(count)<<countShift | barrierState(breaks&breakMask)<<breakShift
	if broken {
		s |= 1
	}
	return s
}

func (b *barrier) swap(old, now barrierState) bool {
	return b.state.CompareAndSwap(uint64(old), uint64(now))
}

func (b *barrier) wake() { arena.Wake(futexWord(b.low), math.MaxInt32) }

// noted is where the n-th break is noted.
func (b *barrier) noted(n uint32) *atomic.Uint32 {
	return word32(b.mem, breaksOff+4*int(n%breaksKept))
}

// note notes that the next break after those of s is in its round. Others may
// note the same; one that comes late does not undo what came after.
func (b *barrier) note(s barrierState) {
	b.mark(s)
	w, now := b.noted(s.breaks()), s.round()|1
	for {
		old := w.Load()
		if int32(now-old) <= 0 && old != 0 || w.CompareAndSwap(old, now) {
			return
		}
	}
}

// arrival is what a wait knows of its round, and what must survive an
// interruption.
type arrival struct {
	round    uint32
	breaks   uint32
	index    int
	enlisted bool
}

func (a arrival) pack() uint64 {
	r := 1<<63 | uint64(a.breaks)<<46 | uint64(a.index)<<32 | uint64(a.round)
	if a.enlisted {
		r |= 1 // no bit of the round
	}
	return r
}

func unpackArrival(r uint64) arrival {
	return arrival{round: uint32(r) & roundMask, index: int(r >> 32 & (1<<14 - 1)), breaks: uint32(r >> 46 & breakMask), enlisted: r&1 != 0}
}

func barrierWait(h any, c *Call) error {
	b := h.(*barrier)
	if c.Resume != 0 {
		return b.await(c, unpackArrival(c.Resume))
	}
	var a arrival
	for {
		s := barrierState(b.state.Load())
		if s.broken() {
			b.leave(c, &a)
			return isBroken()
		}
		a = arrival{round: s.round(), breaks: s.breaks(), index: s.count(), enlisted: a.enlisted}
		// What came before the arrival is numbered before it is seen.
		seq := b.seq.Add(1)
		if a.index+1 == b.parties {
			if b.swap(s, barrierAt(s.round()+2, false, 0, s.breaks())) {
				b.leave(c, &a)
				b.arrived(c, seq)
				if b.parties > 1 {
					b.wake()
				}
				c.Seq, c.Result = b.seq.Add(1), a.index
				return nil
			}
			continue
		}
		b.enlist(c, &a)
		if b.swap(s, barrierAt(s.round(), false, a.index+1, s.breaks())) {
			b.arrived(c, seq)
			return b.await(c, a)
		}
	}
}

// arrived records an arrival.
func (b *barrier) arrived(c *Call, seq uint64) {
	if c.Log != nil {
		c.Log("wait", seq, "arrived")
	}
}

func isBroken() *decl.Failure { return decl.Fail(Broken, "the barrier is broken") }

// over reports whether the round of an arrival is over, and how.
func (b *barrier) over(c *Call, a arrival) (over, broken bool) {
	s := barrierState(b.state.Load())
	if s.low() == a.round {
		return false, false
	}
	broken = s.breaks() != a.breaks && b.noted(a.breaks).Load() == a.round|1
	// Last: who finds the note gone finds the mark.
	return true, broken || b.fate(c.Self.Index).Load() == markedIn(a.round)
}

// await waits for the end of a round.
func (b *barrier) await(c *Call, a arrival) error {
	if over, err := b.outcome(c, a); over {
		return err
	}
	c.Self.Enter(c.wait(uint64(a.round)))
	defer c.Self.Leave()
	for {
		if over, err := b.outcome(c, a); over {
			return err
		}
		switch c.park(b.low, a.round, c.Deadline) {
		case arena.TimedOut:
			b.breakRound(c, a.round)
			if over, err := b.outcome(c, a); over {
				return err
			}
		case arena.Interrupted:
			c.Resume = a.pack()
			return ErrInterrupted
		}
	}
}

// outcome ends a wait whose round is over.
func (b *barrier) outcome(c *Call, a arrival) (over bool, err error) {
	over, broken := b.over(c, a)
	if !over {
		return false, nil
	}
	b.leave(c, &a)
	if c.Seq = b.seq.Add(1); broken {
		c.Happened = true
		return true, isBroken()
	}
	c.Result = a.index
	return true, nil
}

// breakRound breaks the barrier and reports whether it did: it must still be in
// that round.
func (b *barrier) breakRound(c *Call, round uint32) bool {
	for {
		s := barrierState(b.state.Load())
		if s.low() != round {
			return false
		}
		b.note(s)
		c.Seq = b.seq.Add(1)
		if b.swap(s, barrierAt(round, true, 0, s.breaks()+1)) {
			b.wake()
			return true
		}
	}
}

func barrierAbort(h any, c *Call) error {
	b := h.(*barrier)
	for {
		s := barrierState(b.state.Load())
		if s.broken() {
			c.Seq = b.seq.Add(1)
			return nil
		}
		if b.breakRound(c, s.round()) {
			return nil
		}
	}
}

func barrierReset(h any, c *Call) error {
	b := h.(*barrier)
	for {
		s := barrierState(b.state.Load())
		c.Seq = b.seq.Add(1)
		breaks := s.breaks()
		if s.count() > 0 {
			b.note(s)
			breaks++
		}
		if !s.broken() && s.count() == 0 {
			return nil
		}
		if b.swap(s, barrierAt(s.round()+2, false, 0, breaks)) {
			b.wake()
			return nil
		}
	}
}

// barrierModel: byte 0 is 1 when it is broken, two bytes count the arrivals;
// then for each process its phase and, in two bytes, its index.
type barrierModel struct{ parties, n int }

const (
	barrierHead = 3
	barrierProc = 3
)

// The phases of a process at a model's barrier.
const (
	atNone   = iota
	atWaits  // it has arrived
	atPassed // its round is over
	atBroken // its round was broken
)

func (m barrierModel) Size() int   { return barrierHead + m.n*barrierProc }
func (barrierModel) Init(_ []byte) {}

func (m barrierModel) proc(st []byte, p int) []byte {
	return st[barrierHead+p*barrierProc:][:barrierProc]
}

// end ends the round for all who wait.
func (m barrierModel) end(st []byte, how byte) {
	binary.LittleEndian.PutUint16(st[1:], 0)
	for i := range m.n {
		if s := m.proc(st, i); s[0] == atWaits {
			s[0] = how
		}
	}
}

func (m barrierModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	switch verb {
	case "wait":
		return m.wait(st, p, c)
	case "reset":
		st[0] = 0
		m.end(st, atBroken)
		return nil, nil, false
	case "abort":
		st[0] = 1
		m.end(st, atBroken)
		return nil, nil, false
	}
	panic("barrier has no verb " + verb)
}

func (m barrierModel) wait(st []byte, p int, c ModelCall) (any, *decl.Failure, bool) {
	s := m.proc(st, p)
	if s[0] == atNone {
		if st[0] != 0 {
			return nil, isBroken(), false
		}
		index := binary.LittleEndian.Uint16(st[1:])
		s[0] = atWaits
		binary.LittleEndian.PutUint16(s[1:], index)
		binary.LittleEndian.PutUint16(st[1:], index+1)
		if int(index)+1 == m.parties {
			m.end(st, atPassed)
		}
	}
	if s[0] == atWaits {
		if !c.Expired {
			return nil, nil, true
		}
		st[0] = 1
		m.end(st, atBroken)
	}
	passed, index := s[0] == atPassed, int(binary.LittleEndian.Uint16(s[1:]))
	clear(s)
	if !passed {
		return nil, isBroken(), false
	}
	return index, nil, false
}
