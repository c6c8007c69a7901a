package prims

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// reentrant is a lock that belongs to the process that took it: the owner may
// take it again and frees it with as many releases. It is the mechanism of
// rlock, of a condition's lock, and of the own lock of value and array.
//
// The whole state is one word, 0 when the lock is free:
//
//	bit 31      the owner has ended (robust locks only)
//	bits 15-30  depth: how often the owner holds it
//	bits 0-14   the owner's slot + 1
//
// so whoever is killed between two instructions leaves it either as it was or
// as it is to be. waiters counts the processes that may be parked on word; it may
// be too high, never too low.
type reentrant struct {
	seq     *atomic.Uint64
	word    *atomic.Uint32
	waiters *atomic.Uint32
	robust  bool
}

const (
	reentrantSize = 8 // bytes of an instance's memory

	ownerMask  = 1<<15 - 1
	depthShift = 15
	maxDepth   = 1<<16 - 1
)

// newReentrant is the lock at off of an instance's memory, which begins with
// the operation counter.
func newReentrant(mem []byte, off int, robust bool) reentrant {
	return reentrant{seq: word64(mem, 0), word: word32(mem, off), waiters: word32(mem, off+4), robust: robust}
}

func depthOf(w uint32) uint32 { return w >> depthShift & maxDepth }

// owner is the slot of the holder, -1 for none.
func (r *reentrant) owner() int { return int(r.word.Load()&ownerMask) - 1 }

// ready reports whether somebody else's acquire could go on now.
func (r *reentrant) ready() bool { return r.freeTo(r.word.Load()) }

func (r *reentrant) freeTo(w uint32) bool { return w&ownerMask == 0 || r.robust && w&diedBit != 0 }

// holders lists the process that those who wait for the lock wait for.
func (r *reentrant) holders() []int {
	if o := r.owner(); o >= 0 {
		return []int{o}
	}
	return nil
}

// facts are locked, holder and depth.
func (r *reentrant) facts(v View) map[string]any {
	w := r.word.Load()
	holder := ""
	if o := w & ownerMask; o != 0 {
		holder = v.Process(int(o) - 1)
	}
	return map[string]any{"locked": holder != "", "holder": holder, "depth": int(depthOf(w))}
}

// They are described so.
var (
	lockedFact = decl.Fact{Name: "locked", Shape: decl.Bool, Doc: "whether somebody holds it"}
	holderFact = decl.Fact{Name: "holder", Shape: decl.String, Doc: "name of the process that holds it, empty when it is free"}
	depthFact  = decl.Fact{Name: "depth", Shape: decl.Int, Doc: "how many releases free it: 0 when it is free"}
)

// acquire takes the lock, or once more if this process holds it. It ends with
// WouldBlock, Timeout, Invalid (held 65535 times), and OwnerDied if robust.
func (r *reentrant) acquire(c *Call) error {
	if done, err := r.try(c, 1); done {
		return err
	}
	if c.NoWait {
		return c.noWait("the lock is held")
	}
	return r.block(c, 1, 0, c.Deadline)
}

// release gives back one acquire. It ends with Invalid if this process does not
// hold the lock.
func (r *reentrant) release(c *Call) error {
	w := r.word.Load()
	switch w & ownerMask {
	case uint32(c.Self.Index) + 1:
	case 0:
		return decl.Fail(Invalid, "released, but nobody holds it")
	default:
		return decl.Fail(Invalid, "released, but another process holds it")
	}
	// The number is taken while the lock is still held. Nobody else changes the
	// word of a lock whose owner lives.
	c.Seq = r.seq.Add(1)
	if depthOf(w) > 1 {
		r.word.Store(w - 1<<depthShift)
		return nil
	}
	r.free()
	return nil
}

// free lets go of a lock that this process holds, however deep.
func (r *reentrant) free() {
	r.word.Store(0)
	if r.waiters.Load() != 0 {
		arena.Wake(futexWord(r.word), 1)
	}
}

// heldBy reports whether the process behind c holds the lock, and how deep.
func (r *reentrant) heldBy(c *Call) (depth uint32, held bool) {
	w := r.word.Load()
	return depthOf(w), w&ownerMask == uint32(c.Self.Index)+1
}

// try takes the lock n times over if that can be done now. done says that the
// acquire has come to its end, with err.
func (r *reentrant) try(c *Call, n uint32) (done bool, err error) {
	me := uint32(c.Self.Index) + 1
	for {
		w := r.word.Load()
		o := w & ownerMask
		switch {
		case o == 0:
			if r.word.CompareAndSwap(w, n<<depthShift|me) {
				c.Seq, c.Result = r.seq.Add(1), true
				return true, nil
			}
		case o == me:
			if depthOf(w)+n > maxDepth {
				return true, decl.Fail(Invalid, "this process holds it %d times already", depthOf(w))
			}
			r.word.Store(w + n<<depthShift)
			c.Seq, c.Result = r.seq.Add(1), true
			return true, nil
		case r.robust && (w&diedBit != 0 || hasEnded(c, o)):
			if r.word.CompareAndSwap(w, n<<depthShift|me) {
				c.Seq = r.seq.Add(1)
				return true, ownerDied(c, o)
			}
		default:
			return false, nil
		}
	}
}

// block waits until the lock can be taken n times over. arg goes to Ready.
func (r *reentrant) block(c *Call, n uint32, arg uint64, deadline int64) error {
	w := c.wait(arg)
	w.Deadline = deadline
	c.Self.Enter(w)
	r.waiters.Add(1)
	defer func() {
		r.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if done, err := r.try(c, n); done {
			return err
		}
		seen := r.word.Load()
		if r.freeTo(seen) {
			continue
		}
		switch c.park(r.word, seen, deadline) {
		case arena.TimedOut:
			if done, err := r.try(c, n); done {
				return err
			}
			return decl.Fail(Timeout, "still held")
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if r.ready() && r.waiters.Load() > 1 {
				arena.Wake(futexWord(r.word), 1)
			}
			return ErrInterrupted
		}
	}
}

// died is told when a process has ended: what it held, or a wake that it took
// with it, goes to a waiter.
func (r *reentrant) died(slot int) {
	if r.robust {
		setDied(r.word, ownerMask, slot)
	}
	if r.ready() && r.waiters.Load() != 0 {
		arena.Wake(futexWord(r.word), 1)
	}
}

// reentrantState is the same lock in the bytes of a model: the owner's number
// + 1, with diedShort once it has ended, and the depth.
type reentrantState []byte

const (
	reentrantBytes = 4
	diedShort      = 1 << 15
)

func (s reentrantState) owner() uint16     { return binary.LittleEndian.Uint16(s) &^ diedShort }
func (s reentrantState) orphan() bool      { return binary.LittleEndian.Uint16(s)&diedShort != 0 }
func (s reentrantState) depth() uint16     { return binary.LittleEndian.Uint16(s[2:]) }
func (s reentrantState) heldBy(p int) bool { return s.owner() == uint16(p)+1 }

func (s reentrantState) set(owner, depth uint16) {
	binary.LittleEndian.PutUint16(s, owner)
	binary.LittleEndian.PutUint16(s[2:], depth)
}

// acquire takes the lock n times over.
func (s reentrantState) acquire(p int, n uint16, c ModelCall) (any, *decl.Failure, bool) {
	switch {
	case s.owner() == 0:
		s.set(uint16(p)+1, n)
		return true, nil, false
	case s.heldBy(p):
		if int(s.depth())+int(n) > maxDepth {
			return nil, decl.Fail(Invalid, "this process holds it %d times already", s.depth()), false
		}
		s.set(s.owner(), s.depth()+n)
		return true, nil, false
	case s.orphan():
		s.set(uint16(p)+1, n)
		return nil, decl.Fail(OwnerDied, "its holder has ended; it is held by this process now"), false
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "the lock is held"), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "still held"), false
	}
	return nil, nil, true
}

func (s reentrantState) release(p int) *decl.Failure {
	switch {
	case s.owner() == 0:
		return decl.Fail(Invalid, "released, but nobody holds it")
	case !s.heldBy(p):
		return decl.Fail(Invalid, "released, but another process holds it")
	case s.depth() > 1:
		s.set(s.owner(), s.depth()-1)
	default:
		s.set(0, 0)
	}
	return nil
}

// died notes the end of a process; robust locks only.
func (s reentrantState) died(p int) {
	if s.heldBy(p) {
		s.set(s.owner()|diedShort, s.depth())
	}
}
