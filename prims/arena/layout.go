package arena

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// Sizes of the parts, in bytes.
const (
	headerSize = 4096
	slotSize   = 256
	align      = 64 // one cache line: neighbours never share one by accident

	// RingSize is the room for one process's events that were not drained yet.
	RingSize = 128 << 10
	magic    = 0x69706372756e3031
)

// MaxSlots bounds the processes of one run.
const MaxSlots = 16384

// Header is the first page. Fields are read and written atomically.
type Header struct {
	magic    uint64
	slots    uint32
	_        uint32
	primsOff uint64
	primsLen uint64
	textOff  uint64
	textLen  uint64
	ringsOff uint64
	t0       int64

	_ [64]byte
	// Go is 0 until every process is ready; agents wait on it before their
	// first step.
	Go atomic.Uint32
	_  [60]byte
	// wanted says what the sleeping engine wants to be woken for.
	wanted atomic.Uint32
	_      [60]byte
	// blocked counts the processes that are inside a blocking operation,
	// live those that have started and not ended. A hint for the engine: when
	// they meet, it looks whether anybody can still move.
	blocked atomic.Int32
	live    atomic.Int32
}

// What the engine sleeps for.
const (
	WantNothing uint32 = iota // it is awake, or there is none
	WantEvents                // prints, ends, failures, a ring half full
	WantNotable               // these, and that everybody is blocked
	WantAny                   // any event and any process that blocks
)

// Layout says where the parts of an arena lie. It is computed by the engine
// from the number of processes and the sizes of the primitives.
type Layout struct {
	Slots int
	Prims int // bytes for the primitives
	Text  int // bytes for the programs
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func (l Layout) offsets() (prims, text, rings, total int) {
	prims = headerSize + l.Slots*slotSize
	text = prims + roundUp(l.Prims, align)
	rings = roundUp(text+l.Text, 4096)
	total = rings + l.Slots*RingSize
	return
}

// Arena is one process's view of the shared memory.
type Arena struct {
	mem []byte
	hdr *Header
	fd  int
}

func (a *Arena) at(off int) unsafe.Pointer { return unsafe.Pointer(&a.mem[off]) }

// format writes a fresh header.
func (a *Arena) format(l Layout) {
	p, t, r, _ := l.offsets()
	a.hdr.slots = uint32(l.Slots)
	a.hdr.primsOff, a.hdr.primsLen = uint64(p), uint64(l.Prims)
	a.hdr.textOff, a.hdr.textLen = uint64(t), uint64(l.Text)
	a.hdr.ringsOff = uint64(r)
	a.hdr.t0 = Now()
	a.hdr.magic = magic
}

var errNotArena = errors.New("not an arena of this version")

func attachTo(mem []byte, fd int) (*Arena, error) {
	if len(mem) < headerSize {
		return nil, errNotArena
	}
	a := &Arena{mem: mem, fd: fd}
	a.hdr = (*Header)(a.at(0))
	return a, nil
}

func (a *Arena) check() error {
	if a.hdr.magic != magic {
		return errNotArena
	}
	l := Layout{Slots: int(a.hdr.slots), Prims: int(a.hdr.primsLen), Text: int(a.hdr.textLen)}
	if _, _, _, total := l.offsets(); total > len(a.mem) {
		return fmt.Errorf("arena is %d bytes, its header says %d", len(a.mem), total)
	}
	return nil
}

// InMemory makes an arena in ordinary memory, for tests that have no other process
// to share it with.
func InMemory(l Layout) *Arena {
	_, _, _, total := l.offsets()
	words := make([]uint64, (total+7)/8)
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	a, _ := attachTo(mem, -1)
	a.format(l)
	return a
}

// Header gives access to the shared words of the first page.
func (a *Arena) Header() *Header { return a.hdr }

// T0 is the start of the run on the monotonic clock, in nanoseconds.
func (a *Arena) T0() int64 { return a.hdr.t0 }

// Prims is the memory of the primitives.
func (a *Arena) Prims() []byte {
	o, n := a.hdr.primsOff, a.hdr.primsLen
	return a.mem[o : o+n : o+n]
}

// Text is the memory of the programs, written by the engine before any
// process starts and only read afterwards.
func (a *Arena) Text() []byte {
	o, n := a.hdr.textOff, a.hdr.textLen
	return a.mem[o : o+n : o+n]
}

// Slots is the number of processes the arena has room for.
func (a *Arena) Slots() int { return int(a.hdr.slots) }

// Slot is the status of process i.
func (a *Arena) Slot(i int) *Slot {
	if i < 0 || i >= a.Slots() {
		panic(fmt.Sprintf("arena: slot %d of %d", i, a.Slots()))
	}
	return (*Slot)(a.at(headerSize + i*slotSize))
}

func (a *Arena) ringMem(i int) []byte {
	o := int(a.hdr.ringsOff) + i*RingSize
	return a.mem[o : o+RingSize : o+RingSize]
}
