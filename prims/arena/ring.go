package arena

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// A ring holds the events of one process: the process writes, the engine
// reads. Records are published by storing the head after the bytes, so what
// was published survives the writer's death, SIGKILL included.
//
// A record starts with its size (4 bytes, a multiple of 8 including itself);
// what follows belongs to the layers above. A size with padBit fills the end
// of the buffer so that no record wraps around.

const padBit = 1 << 31

// MaxRecord is the largest record one Write takes; longer contents are split
// by the layers above.
const MaxRecord = RingSize / 4

// Ring is the writer's end.
type Ring struct {
	slot   *Slot
	mem    []byte
	arena  *Arena
	wakeFd int
	head   uint64
	tail   uint64 // as last seen
}

// Ring is the writer's end of process i's ring. wakeFd is the eventfd that
// wakes the engine, -1 for none.
func (a *Arena) Ring(i, wakeFd int) *Ring {
	s := a.Slot(i)
	return &Ring{slot: s, mem: a.ringMem(i), arena: a, wakeFd: wakeFd, head: s.head.Load(), tail: s.tail.Load()}
}

// Reserve gives room for a record of n bytes, size field included, waiting
// for the engine to drain the ring when it is full. n must be a multiple of 8
// and at most MaxRecord. Nothing is visible before Publish.
func (r *Ring) Reserve(n int) []byte {
	if n%8 != 0 || n > MaxRecord || n < 8 {
		panic("arena: bad record size")
	}
	pos := int(r.head & (RingSize - 1))
	need := n
	if pos+n > RingSize {
		need += RingSize - pos
	}
	if r.head+uint64(need)-r.tail > RingSize {
		r.waitRoom(uint64(need))
	}
	if pos+n > RingSize {
		binary.LittleEndian.PutUint32(r.mem[pos:], uint32(RingSize-pos)|padBit)
		r.head += uint64(RingSize - pos)
		pos = 0
	}
	b := r.mem[pos : pos+n : pos+n]
	binary.LittleEndian.PutUint32(b, uint32(n))
	return b
}

// Publish makes the reserved record visible and wakes the engine if it sleeps
// and the record is worth it.
func (r *Ring) Publish(n int, notable bool) {
	r.head += uint64(n)
	r.slot.head.Store(r.head)
	w := r.arena.hdr.wanted.Load()
	if w == WantNothing {
		return
	}
	if notable || w == WantAny || r.head-r.slot.tail.Load() > RingSize/2 {
		r.arena.WakeEngine(r.wakeFd)
	}
}

func (r *Ring) waitRoom(need uint64) {
	s := r.slot
	for {
		r.tail = s.tail.Load()
		if r.head+need-r.tail <= RingSize {
			return
		}
		seen := s.drained.Load()
		s.full.Store(1)
		r.tail = s.tail.Load()
		if r.head+need-r.tail <= RingSize {
			s.full.Store(0)
			return
		}
		r.arena.WakeEngine(r.wakeFd)
		futexWait((*uint32)(unsafe.Pointer(&s.drained)), seen, math.MaxInt64)
	}
}

// Drain hands every published record of process i to f, oldest first, without
// its size field, and makes room. It reports how many there were. f must not
// keep the bytes.
func (a *Arena) Drain(i int, f func(rec []byte)) int {
	s, mem := a.Slot(i), a.ringMem(i)
	head, tail := s.head.Load(), s.tail.Load()
	n := 0
	for tail < head {
		pos := int(tail & (RingSize - 1))
		size := binary.LittleEndian.Uint32(mem[pos:])
		if size&padBit != 0 {
			tail += uint64(size &^ padBit)
			continue
		}
		f(mem[pos+4 : pos+int(size)])
		tail += uint64(size)
		n++
	}
	if tail != s.tail.Load() {
		s.tail.Store(tail)
		if s.full.Swap(0) != 0 {
			s.drained.Add(1)
			futexWake((*uint32)(unsafe.Pointer(&s.drained)), 1)
		}
	}
	return n
}

// Pending reports whether process i has published records that were not
// drained yet.
func (a *Arena) Pending(i int) bool {
	s := a.Slot(i)
	return s.head.Load() != s.tail.Load()
}

// Want announces that the engine is about to sleep and for what it wants to
// be woken; the caller then looks at the rings once more before it sleeps.
func (a *Arena) Want(w uint32) { a.hdr.wanted.Store(w) }
