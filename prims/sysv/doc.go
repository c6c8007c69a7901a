// Package sysv has the system calls of System V's message queues, semaphore sets
// and shared memory segments, without a C library: msgget(2), semop(2), shmat(2)
// and their kin. It knows the kernel's structures and limits; it must never know
// primitives, names of a run or who waits for what.
package sysv

import "errors"

// Family is one of the three sorts of objects. They have keys of their own: a
// queue and a set may have the same.
type Family uint8

// The families.
const (
	Queue Family = iota
	Set
	Segment
)

// Names of families as the tools of the system have them.
var (
	names   = [...]string{"message queue", "semaphore set", "shared memory segment"}
	listing = [...]string{"ipcs -q", "ipcs -s", "ipcs -m"}
	removal = [...]string{"ipcrm -q", "ipcrm -s", "ipcrm -m"}
	tables  = [...]string{"msg", "sem", "shm"}
)

func (f Family) String() string { return names[f] }

// Listing is the command that lists the objects of a family, Removal the one
// that removes one by its id.
func (f Family) Listing() string { return listing[f] }

// Removal is the command that removes an object of a family, but for its id.
func (f Family) Removal() string { return removal[f] }

// What the kernel says of an object that is not there.
var (
	// ErrRemoved: it was removed while the call waited (EIDRM), or is not there
	// any more (EINVAL).
	ErrRemoved = errors.New("removed")
	// ErrUnsupported: not on this system.
	ErrUnsupported = errors.New("no System V objects here: they exist on 64-bit Linux only")
)

// Perm is what the kernel says of any object.
type Perm struct {
	Key  int32
	Mode uint32 // permissions, and Dest of a segment
	Uid  uint32
}

// Dest in a segment's mode: it was removed, and is gone once nobody is attached.
const Dest = 0o1000

// QueueStat is what the kernel says of a message queue.
type QueueStat struct {
	Perm
	Bytes, Messages, Capacity int
	Sender, Receiver          int // processes of the last msgsnd and msgrcv, 0: none yet
}

// SegmentStat is what the kernel says of a segment.
type SegmentStat struct {
	Perm
	Size, Attached int
}

// Op is one operation of a semop(2).
type Op struct {
	Num  uint16
	Op   int16 // to add, or to take where it is negative; 0 waits for zero
	Flag int16 // Undo
}

// Undo in an Op's Flag: what it changed is taken back when the process ends.
const Undo = 0x1000

// NoWait, NoError and Except are flags of msgsnd(2) and msgrcv(2).
const (
	NoWait  = 0o4000
	NoError = 0o10000
	Except  = 0o20000
)

// MaxValue is the highest value of a semaphore (SEMVMX).
const MaxValue = 32767
