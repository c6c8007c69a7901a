package prims

import (
	"sync/atomic"
	"unsafe"
)

// queueRing is the order of a queue's items. It is shared by processes that can
// be stopped or killed between any two instructions, so no operation is a
// critical section that somebody could fail to leave: whoever comes finishes
// what another has begun.
//
//	state  numbers the operations and counts the items: seq<<26 | size
//	op     the operation that is under way: seq<<26 | what
//	cells  the items: item n, counted from 0, in cell n modulo their number,
//	       as (n+1)<<26 | block
//
// An operation goes like this:
//
//  1. settle: finish what op announces, until it announces nothing; its seq is
//     then that of state, and both are as they were at one moment.
//  2. announce: exchange op for the same seq with what is to be done: opGet, or
//     the block of the item to be put. If that succeeds, the operation has
//     happened, right behind those that state had counted: its number is seq+1.
//  3. settle again, which carries it out (as anybody else may): the block goes
//     into its cell, state counts, op moves on to the next seq.
//
// All words only ever grow, so an exchange that somebody wakes up to do long
// after it was done by others fails.
type queueRing struct {
	state *atomic.Uint64
	op    *atomic.Uint64
	cells []atomic.Uint64
	limit int // items
}

const (
	blockBits = 26
	blockMask = 1<<blockBits - 1

	opNone = 0
	opGet  = 1
	opPut  = 2 // and more: the block to be put
)

// maxCells is the number of items that a queue without maxsize holds.
const maxCells = 1 << 24

// queueCells is how many cells a queue has: a power of two.
func queueCells(maxsize int) int {
	if maxsize <= 0 || maxsize > maxCells {
		return maxCells
	}
	n := 8
	for n < maxsize {
		n *= 2
	}
	return n
}

func newQueueRing(mem, region []byte, maxsize int) queueRing {
	cells := queueCells(maxsize)
	limit := cells
	if maxsize > 0 {
		limit = min(maxsize, cells)
	}
	return queueRing{
		state: word64(mem, 0), op: word64(mem, 8), limit: limit,
		cells: unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&region[0])), cells),
	}
}

// queueState is a value of the state word.
type queueState uint64

func (s queueState) seq() uint64  { return uint64(s) >> blockBits }
func (s queueState) size() int    { return int(s & blockMask) }
func (s queueState) head() uint64 { return (s.seq() - uint64(s.size())) / 2 } // items got so far
func (s queueState) tail() uint64 { return (s.seq() + uint64(s.size())) / 2 } // items put so far

// settle finishes what is under way and returns the state.
func (r *queueRing) settle() queueState {
	for {
		op := r.op.Load()
		now := queueState(r.state.Load())
		switch {
		case op&blockMask != opNone:
			r.carryOut(op)
		case op>>blockBits == now.seq():
			return now
		}
	}
}

// announce makes an operation happen in state now, if now is still the state.
func (r *queueRing) announce(now queueState, what uint64) bool {
	idle := now.seq() << blockBits
	return r.op.CompareAndSwap(idle, idle|what)
}

// carryOut does what op announces, as far as nobody has yet.
func (r *queueRing) carryOut(op uint64) {
	seq, what := op>>blockBits, op&blockMask
	if now := queueState(r.state.Load()); now.seq() == seq {
		size := uint64(now.size())
		if what == opGet {
			size--
		} else {
			r.install(now.tail(), what)
			size++
		}
		r.state.CompareAndSwap(uint64(now), (seq+1)<<blockBits|size)
	}
	r.op.CompareAndSwap(op, (seq+1)<<blockBits)
}

// install puts a block into the cell of item n, unless it or a later one is
// there.
func (r *queueRing) install(n, block uint64) {
	cell := &r.cells[n&uint64(len(r.cells)-1)]
	if was := cell.Load(); was>>blockBits < n+1 {
		cell.CompareAndSwap(was, (n+1)<<blockBits|block)
	}
}

// first is the block of the first item in state now; false if now is past.
func (r *queueRing) first(now queueState) (block uint64, ok bool) {
	n := now.head()
	c := r.cells[n&uint64(len(r.cells)-1)].Load()
	return c & blockMask, c>>blockBits == n+1
}
