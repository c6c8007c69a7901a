package prims

import (
	"sync/atomic"
	"unsafe"
)

// queueStore is the memory in which the items of a queue lie. It is cut into
// segments. Small items lie behind one another in a segment that their producer
// keeps open; a larger one has a run of segments for itself. Nobody frees an
// item: a segment is free again when the last item that was put into it has
// been got.
//
// One word says all about a segment, so that a process that is killed leaves
// nothing half done, and names who has it, so that it can be taken from one that
// has ended:
//
//	owner<<48 | last
//
// owner is the slot + 1 of the process that may write into it, 0 for none. last
// is the number of the last item in it, counted from 1, 0 for none. A producer
// writes the number down before it announces the item: if it does not come to
// that, last is too high, which keeps the segment for a while, never too low.
type queueStore struct {
	state *atomic.Uint64  // of the ring: it knows what has been got
	table []atomic.Uint64 // a word for each segment
	dead  []atomic.Uint32 // a bit for each slot whose process has ended
	data  []byte

	open int // the segment that this process keeps open, -1 for none
	fill int // bytes of it in use
}

const (
	segSize   = 16 << 10
	itemAlign = 32
	itemHead  = 4           // bytes before an item: its length
	smallItem = segSize / 4 // up to here items share a segment
	ownerBit  = 48
	lastMask  = 1<<ownerBit - 1
	deadBytes = 1 << 14 / 8 // a bit for each slot there can be

	// queueData is the memory for items, not touched before it is used.
	queueData = 1 << 30

	// Segments that keep their pages when they are free, from the first on and
	// from the last on: a queue that is used evenly stays out of the kernel.
	keepFirst = 64
	keepLast  = 256
)

// storeBytes is the memory of a store with room for so many bytes of items,
// behind so many bytes of something else.
func storeBytes(before, data int) int {
	head := before + deadBytes + data/segSize*8
	return (head+pageSize-1)&^(pageSize-1) + data
}

// newQueueStore is the store in region, behind so many bytes of something else.
// state is the word of the ring.
func newQueueStore(region []byte, before int, state *atomic.Uint64) queueStore {
	n := (len(region) - before - deadBytes) / (segSize + 8)
	return queueStore{
		state: state,
		dead:  unsafe.Slice((*atomic.Uint32)(unsafe.Pointer(&region[before])), deadBytes/4),
		table: unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&region[before+deadBytes])), n),
		data:  region[len(region)-n*segSize:],
		open:  -1,
	}
}

// place is where an item lies.
type place struct{ off, size int }

// block is the place as the ring knows it.
func (p place) block() uint64 { return uint64(p.off/itemAlign) + opPut }

// small: the item shares its segment with others.
func (p place) small() bool { return p.size <= smallItem }

// segs are the segments of the item, to exclusive.
func (p place) segs() (from, to int) {
	return p.off / segSize, (p.off + p.size + segSize - 1) / segSize
}

// need is the room that an item of n bytes takes, most the largest there is.
func (s *queueStore) need(n int) int { return (itemHead + n + itemAlign - 1) &^ (itemAlign - 1) }
func (s *queueStore) most() int      { return len(s.data) / 4 }

// ended reports whether the process of an owner has.
func (s *queueStore) ended(owner uint64) bool {
	return s.dead[(owner-1)/32].Load()&(1<<((owner-1)%32)) != 0
}

// died notes the end of a process.
func (s *queueStore) died(slot int) { s.dead[slot/32].Or(1 << (slot % 32)) }

// got is how many items have been got.
func (s *queueStore) got() uint64 { return queueState(s.state.Load()).head() }

// free reports whether a segment can be taken: all its items have been got, and
// nobody who lives has it.
func (s *queueStore) free(w, got uint64) bool {
	if w&lastMask > got {
		return false
	}
	owner := w >> ownerBit
	return owner == 0 || s.ended(owner)
}

// take makes a free segment the process's own.
func (s *queueStore) take(i int, me, got uint64) bool {
	w := s.table[i].Load()
	return s.free(w, got) && s.table[i].CompareAndSwap(w, me<<ownerBit)
}

// place finds room for an item of n bytes, which is then the process's own.
func (s *queueStore) place(me uint64, n int) (p place, ok bool) {
	p.size = s.need(n)
	if !p.small() {
		return s.placeRun(me, p)
	}
	got := s.got()
	if s.open >= 0 {
		if s.table[s.open].Load()&lastMask <= got {
			s.fill = 0
		}
		if s.fill+p.size > segSize {
			s.close(me, s.open, s.open+1)
			s.open = -1
		}
	}
	for i := 0; s.open < 0 && i < len(s.table); i++ {
		if s.take(i, me, got) {
			s.open, s.fill = i, 0
		}
	}
	if s.open < 0 {
		return p, false
	}
	p.off = s.open*segSize + s.fill
	return p, true
}

// placeRun finds a run of segments.
func (s *queueStore) placeRun(me uint64, p place) (place, bool) {
	for {
		from, to, ok := s.run(p.size)
		if !ok {
			return p, false
		}
		i, got := from, s.got()
		for i < to && s.take(i, me, got) {
			i++
		}
		if i == to {
			p.off = from * segSize
			return p, true
		}
		// Somebody was faster.
		s.release(from, i)
	}
}

// run looks for free segments with so much room together. It searches from the
// end: there the segments of small items do not get into the way.
func (s *queueStore) run(need int) (from, to int, ok bool) {
	k, n, got := (need+segSize-1)/segSize, 0, s.got()
	for i := len(s.table) - 1; i >= 0; i-- {
		if n++; !s.free(s.table[i].Load(), got) {
			n = 0
		}
		if n == k {
			return i, i + k, true
		}
	}
	return 0, 0, false
}

// hasRoom reports whether somebody who found no room would find it now. It has
// no segment open: it has closed the one it had.
func (s *queueStore) hasRoom(need int) bool {
	_, _, ok := s.run(need)
	return ok
}

// write copies an item to its place.
func (s *queueStore) write(p place, item []byte) {
	(*atomic.Uint32)(unsafe.Pointer(&s.data[p.off])).Store(uint32(len(item)))
	copy(s.data[p.off+itemHead:], item)
}

// read appends the item of a block to b. It may be called for an item that was
// taken and overwritten meanwhile: what it yields then is not to be used.
func (s *queueStore) read(b []byte, block uint64) (item []byte, p place, ok bool) {
	p.off = int(block-opPut) * itemAlign
	if p.off >= len(s.data) {
		return nil, p, false
	}
	n := int((*atomic.Uint32)(unsafe.Pointer(&s.data[p.off])).Load())
	if p.size = s.need(n); p.size > len(s.data)-p.off {
		return nil, p, false
	}
	return append(b, s.data[p.off+itemHead:p.off+itemHead+n]...), p, true
}

// mark writes down that the item at p is to become item number last.
func (s *queueStore) mark(me uint64, p place, last uint64) {
	from, to := p.segs()
	for i := from; i < to; i++ {
		s.table[i].Store(me<<ownerBit | last)
	}
}

// commit: the item at p is in the queue.
func (s *queueStore) commit(me uint64, p place) {
	if p.small() {
		s.fill += p.size
		return
	}
	from, to := p.segs()
	s.close(me, from, to)
}

// abandon: the item at p does not get into the queue.
func (s *queueStore) abandon(p place) {
	if !p.small() {
		from, to := p.segs()
		s.release(from, to)
	}
}

// close gives up segments that hold items. If these have been got already,
// nobody else will give the pages back.
func (s *queueStore) close(me uint64, from, to int) {
	for i := from; i < to; i++ {
		s.table[i].Store(s.table[i].Load() & lastMask)
	}
	s.reclaim(me, from, to)
}

// give is called when the item at p has been got: if it was the last one of its
// segments, their pages go back to the kernel.
func (s *queueStore) give(me uint64, p place) {
	from, to := p.segs()
	s.reclaim(me, from, to)
}

// reclaim gives back the pages of those segments that have no owner and hold
// nothing any more, but for those that are to keep them.
func (s *queueStore) reclaim(me uint64, from, to int) {
	from, to = max(from, keepFirst), min(to, len(s.table)-keepLast)
	if from >= to {
		return
	}
	got := s.got()
	for i := from; i < to; i++ {
		first := i
		for ; i < to; i++ {
			w := s.table[i].Load()
			if w == 0 || w>>ownerBit != 0 || w&lastMask > got || !s.table[i].CompareAndSwap(w, me<<ownerBit) {
				break
			}
		}
		s.release(first, i)
	}
}

// release frees segments that are the process's own and hold nothing.
func (s *queueStore) release(from, to int) {
	if lo, hi := max(from, keepFirst), min(to, len(s.table)-keepLast); lo < hi {
		discard(s.data[lo*segSize : hi*segSize])
	}
	for i := from; i < to; i++ {
		s.table[i].Store(0)
	}
}
