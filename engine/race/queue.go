package race

import "ipcrun/engine/event"

// entry is what is replayed of a record. It is small and has no pointers: of a long run
// there are millions.
type entry struct {
	at   int64
	seq  uint64
	obj  uint32
	step uint32
	what uint32 // number of the effect of an operation, of a signal that of the signal
	verb uint16
	kind event.Kind
	part part
}

// part is what of an operation an entry is.
type part uint8

const (
	partWhole    part = iota
	partReleases      // the first half of one with two numbers
	partLooks         // one that has its number in common with the one before it
	partFills         // that it fills the object, which has no number: see filling
)

// ended is the process that an entry tells the end of, -1 if it tells of none.
func (x *entry) ended() int {
	if x.kind == event.Ended || x.kind == event.Reaped {
		return int(int32(x.obj))
	}
	return -1
}

// queue holds the entries of a process that were not replayed yet.
type queue struct{ entries []entry }

func (q *queue) empty() bool { return len(q.entries) == 0 }

func (q *queue) first() *entry { return &q.entries[0] }

// drop takes the first entry out.
func (q *queue) drop() { q.entries = q.entries[1:] }
