package race

import "ipcrun/engine/event"

// Effect is what a record means here. The engine derives it from the
// descriptor of the operation.
type Effect struct {
	Acquire, Release bool
	// Takes: it acquires from as many releases as it needs, see Find.
	Takes bool
	// Key, if not 0, says that the order is with operations of the same key and
	// with those without one.
	Key int
	// Before, if not 0, is the number with which the operation releases, with
	// BeforeKey as key; with its own it only acquires.
	Before                uint64
	BeforeKey             int
	Reads, Writes, Atomic bool
	// From and To are the elements that an access touches, To exclusive.
	From, To int
	// After is the slot + 1 of a process that had ended when the operation took
	// over what it held, 0 for none: all that it did came before.
	After int
	// Ends: it comes after the end of every process that has done nothing since.
	Ends bool
}

// Access is one side of a race.
type Access struct {
	Proc  int // slot
	Step  uint32
	At    int64
	Write bool
}

// Race is two accesses to the same memory that nothing orders.
type Race struct {
	Object        uint32
	First, Second Access
}

// Log is the record of a run: f is called with every record of every process
// in the order in which each process wrote them.
type Log interface {
	Each(keep func(n int, k event.Kind) bool, f func(slot int, r event.Rec))
}

// finder looks for races in one log. The script is a process to it, the last one.
type finder struct {
	n       int
	effect  func(r *event.Rec) Effect
	idle    func(slot int) bool
	passes  func(object uint32) int
	q       []queue // of each process, what is still to be replayed
	effects effects
	clocks  []clock
	objects map[uint32]*object
	signals map[[3]int]clock // from, to, signal
	found   []Race
	seen    map[[4]uint32]bool
	limit   int
}

// object is what has been replayed, and what is to come, of one primitive.
type object struct {
	released clock         // joined clocks of all releases so far
	keyed    map[int]clock // of those with a key
	unkeyed  clock         // and of those without
	numbers  []uint64      // of its operations, sorted
	next     int           // index of the next number to be replayed
	waiting  map[uint64]int
	memory   []cell
	free     int     // acquires that need no release, -1: each needs all before it
	given    []clock // releases that no acquire needs yet
	count    int     // of its operations
	users    users
}

// Find replays a log of n processes and returns the races, each pair of steps
// once, in order of time; at most limit of them. idle tells the processes that
// obey the script, and passes how many acquires of an object are let in without a
// release, -1 where that is no question of numbers.
func Find(n int, log Log, effect func(r *event.Rec) Effect, idle func(slot int) bool, passes func(object uint32) int, limit int) []Race {
	f := &finder{n: n, effect: effect, idle: idle, passes: passes, objects: map[uint32]*object{}, signals: map[[3]int]clock{},
		seen: map[[4]uint32]bool{}, limit: limit}
	for i := range n + 1 {
		c := make(clock, n+1)
		c[i] = 1
		f.clocks = append(f.clocks, c)
	}
	if sizes := f.survey(log); sizes != nil {
		f.replay(f.queues(log, sizes))
	}
	return f.found
}
