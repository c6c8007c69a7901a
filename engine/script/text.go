package script

import (
	"encoding/binary"
	"errors"
)

// Text is how the programs of a run lie in shared memory, so that a process
// reads what concerns it and no more:
//
//	parts n | slots m | for each part: offset, length | for each slot: part, index, parent, flags | bytes
//
// Part 0 is Common. All numbers are little-endian uint32.
type Text struct{ b []byte }

// SlotInfo is what a process needs to know of any process of the run.
type SlotInfo struct {
	Part   int // number of its program's part
	Index  int // of name[n], -1 for a single process
	Parent int // slot of its parent, -1 for the engine
	Flags  uint32
}

// Flags of a slot.
const (
	SlotForked   = 1 << iota // a fork: step of its parent forks it
	SlotTerminal             // it has a terminal of its own
	SlotIdle                 // it takes orders
	SlotDaemon               // it is ended with the rest
	SlotStaff                // a primitive has brought it along
	SlotProgram              // it is a program that somebody else wrote
	SlotFound                // a child that such a program forks by itself
)

// MakeText lays out parts and slots.
func MakeText(parts [][]byte, slots []SlotInfo) []byte {
	head := 8 + 8*len(parts) + 16*len(slots)
	b := make([]byte, 0, head)
	put := func(n int) { b = binary.LittleEndian.AppendUint32(b, uint32(n)) }
	put(len(parts))
	put(len(slots))
	off := head
	for _, p := range parts {
		put(off)
		put(len(p))
		off += len(p)
	}
	for _, s := range slots {
		put(s.Part)
		put(s.Index)
		put(s.Parent)
		put(int(s.Flags))
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// ReadText opens what MakeText made.
func ReadText(b []byte) (*Text, error) {
	t := &Text{b}
	if len(b) < 8 || len(b) < 8+8*t.parts()+16*t.Slots() {
		return nil, errors.New("program: text is cut short")
	}
	return t, nil
}

func (t *Text) u32(off int) uint32 { return binary.LittleEndian.Uint32(t.b[off:]) }
func (t *Text) parts() int         { return int(t.u32(0)) }

// Slots is the number of processes.
func (t *Text) Slots() int { return int(t.u32(4)) }

// Part is the encoded form of a program, Common for 0.
func (t *Text) Part(i int) []byte {
	o := 8 + 8*i
	off, n := t.u32(o), t.u32(o+4)
	return t.b[off : off+n]
}

// Slot is the entry of process i.
func (t *Text) Slot(i int) SlotInfo {
	o := 8 + 8*t.parts() + 16*i
	signed := func(o int) int { return int(int32(t.u32(o))) }
	return SlotInfo{Part: int(t.u32(o)), Index: signed(o + 4), Parent: signed(o + 8), Flags: t.u32(o + 12)}
}

// Children are the slots whose parent is i.
func (t *Text) Children(i int) []int {
	var out []int
	for s := range t.Slots() {
		if t.Slot(s).Parent == i {
			out = append(out, s)
		}
	}
	return out
}
