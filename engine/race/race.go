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
	Before    uint64
	BeforeKey int
	// Fills is how much of an object's room it takes, 0 for none: it comes after what
	// has made room, where there would have been none. Frees: it makes room.
	Fills int
	Frees bool
	// Looks: it comes after all that was done to the object, whether that filled or
	// freed it.
	Looks                 bool
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

// World is what is known about a run beside its log.
type World struct {
	// Effect is what a record of an operation means, or of the failure of one.
	Effect func(r *event.Rec) Effect
	// Idle tells the processes that obey the script.
	Idle func(slot int) bool
	// Born are the processes that a process forks before it does anything else, nil
	// where none does. Nothing in the log of the process says so.
	Born func(slot int) []int
	// Bounds is what there is to count about an object.
	Bounds func(object uint32) Bounds
	// Uses tells whether a process can operate on an object at all.
	Uses func(slot int, object uint32) bool
}

// looker is a process that waits to look at an object until the operation of that
// number has been replayed.
type looker struct {
	slot int
	seq  uint64
}

// finder looks for races in one log. The script is a process to it, the last one.
type finder struct {
	n       int
	effect  func(r *event.Rec) Effect
	idle    func(slot int) bool
	bounds  func(object uint32) Bounds
	uses    func(slot int, object uint32) bool
	born    func(slot int) []int
	q       []queue // of each process, what is still to be replayed
	effects effects
	clocks  []clock
	objects map[uint32]*object
	signals map[[3]int]clock // from, to, signal
	found   []Race
	seen    map[[4]uint32]bool
	limit   int
	exited  []bool   // by process: it has ended by itself
	partly  []uint32 // objects that may have been full, and are filled part by part
	late    []int    // processes that wait until all that is earlier was replayed
	about   []int    // memory of filling
	spare   []clock  // memory of clocks that are not needed any more
}

// object is what has been replayed, and what is to come, of one primitive.
type object struct {
	bounds   Bounds
	items    channel       // from releases to acquires
	keyed    map[int]clock // of releases with a key
	unkeyed  clock         // and of those without
	room     channel       // from what frees to what fills
	filled   int           // so much was put in
	total    int           // and is in the end
	fillings []int         // by process: how many operations fill it
	missing  bool          // there is an operation without a record
	numbers  []uint64      // of its operations, sorted
	next     int           // index of the next number to be replayed
	waiting  map[uint64]int
	memory   []cell
	lookers  []looker
	count    int // of its operations that have numbers
	users    users
}

// Find replays a log of n processes and returns the races, each pair of steps
// once, in order of time; at most limit of them.
func Find(n int, log Log, w World, limit int) []Race {
	f := &finder{n: n, effect: w.Effect, idle: w.Idle, bounds: w.Bounds, uses: w.Uses, born: w.Born, objects: map[uint32]*object{}, signals: map[[3]int]clock{},
		seen: map[[4]uint32]bool{}, limit: limit, exited: make([]bool, n+1)}
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
