package race

import (
	"testing"

	"ipcrun/engine/event"
)

// The operations of the logs below, by verb number.
const (
	read = iota + 1
	write
	atomicAdd
	acquire
	release
	both      // a semop that gives and takes: its first number is one less than its second
	countdown // one that only takes
	zero      // one that waits for zero
	take      // of a semaphore
)

// anyNumber: an acquire comes after all releases before it.
func anyNumber(uint32) Bounds { return Bounds{Passes: -1, Room: -1} }

func world(idle func(int) bool, bounds func(uint32) Bounds) World {
	return World{Effect: effect, Idle: idle, Bounds: bounds, Uses: func(int, uint32) bool { return true }}
}

func effect(r *event.Rec) Effect {
	switch r.Verb {
	case read:
		return Effect{Reads: true, From: int(r.First), To: int(r.Last)}
	case write:
		return Effect{Writes: true, From: int(r.First), To: int(r.Last)}
	case atomicAdd:
		return Effect{Reads: true, Writes: true, Atomic: true, Acquire: true, Release: true}
	case acquire:
		return Effect{Acquire: true}
	case release:
		return Effect{Release: true}
	case both:
		return Effect{Acquire: true, Key: 1, Release: true, Before: r.Seq - 1}
	case countdown:
		return Effect{Acquire: true, Key: 1, Release: true, Before: r.Seq - 1, BeforeKey: 2}
	case zero:
		return Effect{Acquire: true}
	case take:
		return Effect{Acquire: true, Takes: true}
	}
	return Effect{}
}

// log is a hand-made log: at is the index of the record.
type log struct {
	event.Log
	at  int64
	seq map[uint32]uint64
}

func (l *log) add(slot int, r event.Rec) *log {
	l.at++
	r.At = l.at
	l.Log.Add(slot, &r)
	return l
}

func (l *log) op(slot int, verb uint16, obj uint32) *log {
	if l.seq == nil {
		l.seq = map[uint32]uint64{}
	}
	l.seq[obj]++
	if verb == both || verb == countdown {
		l.seq[obj]++
	}
	return l.add(slot, event.Rec{Kind: event.Op, Verb: verb, Obj: obj, Seq: l.seq[obj], Step: uint32(10*slot) + uint32(verb)})
}

const (
	memory = 0
	gate   = 1
)

func TestFind(t *testing.T) {
	signal := &event.Signal{Number: 10}
	for _, c := range []struct {
		name  string
		build func(l *log)
		want  int
	}{
		{"two writes that nothing orders", func(l *log) { l.op(0, write, memory).op(1, write, memory) }, 1},
		{"a read and a write", func(l *log) { l.op(0, read, memory).op(1, write, memory) }, 1},
		{"two reads", func(l *log) { l.op(0, read, memory).op(1, read, memory) }, 0},
		{"different memory", func(l *log) { l.op(0, write, memory).op(1, write, 7) }, 0},
		{"one process", func(l *log) { l.op(0, write, memory).op(0, read, memory) }, 0},
		{"a lock orders them", func(l *log) {
			l.op(0, acquire, gate).op(0, write, memory).op(0, release, gate).op(1, acquire, gate).op(1, read, memory)
		}, 0},
		{"only one of them holds the lock", func(l *log) {
			l.op(0, acquire, gate).op(0, write, memory).op(0, release, gate).op(1, write, memory)
		}, 1},
		{"another lock does not", func(l *log) {
			l.op(0, acquire, gate).op(0, write, memory).op(0, release, gate).op(1, acquire, 2).op(1, write, memory)
		}, 1},
		{"the lock before the access does not order what came after its release", func(l *log) {
			l.op(0, acquire, gate).op(0, release, gate).op(0, write, memory).op(1, acquire, gate).op(1, write, memory)
		}, 1},
		{"atomic additions", func(l *log) { l.op(0, atomicAdd, memory).op(1, atomicAdd, memory) }, 0},
		{"an atomic addition and a plain write before it", func(l *log) { l.op(0, write, memory).op(1, atomicAdd, memory) }, 1},
		{"an operation with two numbers passes on what was before it", func(l *log) {
			l.op(0, write, memory).op(0, both, gate).op(1, both, gate).op(1, read, memory)
		}, 0},
		{"and not what came after it", func(l *log) {
			l.op(0, both, gate).op(0, write, memory).op(1, both, gate).op(1, read, memory)
		}, 1},
		{"who takes passes on nothing to who takes", func(l *log) {
			l.op(0, write, memory).op(0, countdown, gate).op(1, countdown, gate).op(1, read, memory)
		}, 1},
		{"but to who waits for zero", func(l *log) {
			l.op(0, write, memory).op(0, countdown, gate).op(1, zero, gate).op(1, read, memory)
		}, 0},
		{"who takes sees who gave", func(l *log) {
			l.op(0, write, memory).op(0, release, gate).op(1, countdown, gate).op(1, read, memory)
		}, 0},
		{"fork orders the parent's past", func(l *log) {
			l.op(0, write, memory).add(0, event.Rec{Kind: event.Forked, Obj: 1}).op(1, read, memory)
		}, 0},
		{"fork does not order the parent's future", func(l *log) {
			l.add(0, event.Rec{Kind: event.Forked, Obj: 1}).op(0, write, memory).op(1, read, memory)
		}, 1},
		{"that the engine sees a fork does not give the script's knowledge to the child", func(l *log) {
			l.op(0, write, memory).add(0, event.Rec{Kind: event.Print}).add(-1, event.Rec{Kind: event.StepBegin})
			l.add(-1, event.Rec{Kind: event.Forked, Obj: 1}).op(1, read, memory)
		}, 1},
		{"wait orders the child's past", func(l *log) {
			l.op(1, write, memory).add(1, event.Rec{Kind: event.Exiting}).add(0, event.Rec{Kind: event.Reaped, Obj: 1}).op(0, read, memory)
		}, 0},
		{"wait orders the past of a child that was killed", func(l *log) {
			l.op(1, write, memory).add(0, event.Rec{Kind: event.Reaped, Obj: 1}).op(0, read, memory)
		}, 0},
		{"wait for one child does not order another", func(l *log) {
			l.op(1, write, memory).add(0, event.Rec{Kind: event.Reaped, Obj: 2}).op(0, read, memory)
		}, 1},
		{"a signal orders the sender's past", func(l *log) {
			l.op(0, write, memory).add(0, event.Rec{Kind: event.Sent, Obj: 1, Value: signal}).add(1, event.Rec{Kind: event.Got, Value: signal}).op(1, read, memory)
		}, 0},
		{"another signal does not", func(l *log) {
			l.op(0, write, memory).add(0, event.Rec{Kind: event.Sent, Obj: 1, Value: signal}).
				add(1, event.Rec{Kind: event.Got, Value: &event.Signal{Number: 12}}).op(1, read, memory)
		}, 1},
		{"the same pair of steps is reported once", func(l *log) {
			for range 5 {
				l.op(0, write, memory).op(1, write, memory)
			}
		}, 1},
		{"orders of the script, one after the other", func(l *log) {
			l.add(-1, event.Rec{Kind: event.StepBegin}).op(2, write, memory).add(2, event.Rec{Kind: event.OrderDone}).
				add(-1, event.Rec{Kind: event.StepEnd}).add(-1, event.Rec{Kind: event.StepBegin}).op(3, read, memory)
		}, 0},
	} {
		l := &log{}
		c.build(l)
		got := Find(4, l, world(func(slot int) bool { return slot >= 2 }, anyNumber), 10)
		if len(got) != c.want {
			t.Errorf("%s: %d races, want %d: %+v", c.name, len(got), c.want, got)
		}
	}
}

// TestElements: accesses to different elements do not race.
func TestElements(t *testing.T) {
	for _, c := range []struct {
		a, b [2]uint32
		want int
	}{
		{[2]uint32{0, 1}, [2]uint32{1, 2}, 0},
		{[2]uint32{0, 2}, [2]uint32{1, 2}, 1},
		{[2]uint32{0, 8}, [2]uint32{8, 16}, 0},
	} {
		l := &log{}
		for slot, e := range [][2]uint32{c.a, c.b} {
			l.add(slot, event.Rec{Kind: event.Op, Verb: write, Obj: memory, Seq: uint64(slot + 1), Step: uint32(slot), First: e[0], Last: e[1]})
		}
		if got := Find(2, l, world(func(int) bool { return false }, anyNumber), 10); len(got) != c.want {
			t.Errorf("%v and %v: %d races, want %d", c.a, c.b, len(got), c.want)
		}
	}
}

// TestTwoNumbers: what an operation saw that began later and took its second
// number earlier than the other one is ordered all the same, by the first one.
func TestTwoNumbers(t *testing.T) {
	for _, c := range []struct {
		before uint64 // of the one that gives
		want   int
	}{{1, 0}, {3, 1}} {
		effect := func(r *event.Rec) Effect {
			e := effect(r)
			if r.Verb == both {
				e.Before = c.before
				if r.Seq == 2 {
					e.Before = 0
				}
			}
			return e
		}
		w := world(func(int) bool { return false }, anyNumber)
		w.Effect = effect
		l := &log{}
		l.op(0, write, memory)
		l.add(0, event.Rec{Kind: event.Op, Verb: both, Obj: gate, Seq: 4})
		l.add(1, event.Rec{Kind: event.Op, Verb: both, Obj: gate, Seq: 2})
		l.add(1, event.Rec{Kind: event.Op, Verb: write, Obj: memory, Seq: 2, Step: 9})
		if got := Find(2, l, w, 10); len(got) != c.want {
			t.Errorf("first number %d: %d races, want %d: %+v", c.before, len(got), c.want, got)
		}
	}
}

// TestStampsOutOfOrder: a release whose time stamp was taken after that of the
// acquire that followed it still orders what it protects.
func TestStampsOutOfOrder(t *testing.T) {
	l := &log{}
	l.op(0, acquire, gate).op(0, write, memory)
	at := l.at
	l.add(1, event.Rec{Kind: event.Op, Verb: acquire, Obj: gate, Seq: 3})
	l.add(1, event.Rec{Kind: event.Op, Verb: write, Obj: memory, Seq: 2})
	l.at = at + 10
	l.add(0, event.Rec{Kind: event.Op, Verb: release, Obj: gate, Seq: 2})
	if got := Find(2, l, world(func(int) bool { return false }, anyNumber), 10); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestEndBeforeItsStamps: what a process did came before its end, also where the
// stamp of somebody else holds its last records up.
func TestEndBeforeItsStamps(t *testing.T) {
	l := &log{}
	l.op(0, acquire, gate).op(0, write, memory)
	l.add(1, event.Rec{Kind: event.Op, Verb: acquire, Obj: gate, Seq: 3})
	l.add(1, event.Rec{Kind: event.Op, Verb: release, Obj: gate, Seq: 4})
	l.add(1, event.Rec{Kind: event.Op, Verb: write, Obj: memory, Seq: 2})
	l.add(-1, event.Rec{Kind: event.Ended, Obj: 1})
	// Its stamp was taken long after the operation itself.
	l.add(0, event.Rec{Kind: event.Op, Verb: release, Obj: gate, Seq: 2})
	l.add(-1, event.Rec{Kind: event.Ended, Obj: 0})
	l.add(-1, event.Rec{Kind: event.StepBegin, Obj: event.NoObj})
	l.add(2, event.Rec{Kind: event.Op, Verb: read, Obj: memory, Seq: 3})
	if got := Find(3, l, world(func(s int) bool { return s == 2 }, anyNumber), 10); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestCounted: of a semaphore that lets several in, an acquire comes after those
// releases alone that it needs, whichever were there by chance.
func TestCounted(t *testing.T) {
	const memory, sem = 1, 2
	for _, c := range []struct {
		name  string
		first int // how many it lets in
		log   func(l *log)
		races int
	}{
		{"two may be inside, one after the other", 2, func(l *log) {
			l.op(0, take, sem).op(0, write, memory).op(0, release, sem)
			l.op(1, take, sem).op(1, write, memory).op(1, release, sem)
		}, 1},
		{"one may", 1, func(l *log) {
			l.op(0, take, sem).op(0, write, memory).op(0, release, sem)
			l.op(1, take, sem).op(1, write, memory).op(1, release, sem)
		}, 0},
		{"none before a release", 0, func(l *log) {
			l.op(0, write, memory).op(0, release, sem)
			l.op(1, take, sem).op(1, write, memory)
		}, 0},
		{"the third of two comes after one", 2, func(l *log) {
			l.op(0, take, sem).op(0, write, memory).op(0, release, sem)
			l.op(1, take, sem).op(1, take, sem).op(1, write, memory)
		}, 0},
		{"a release that is not needed", 1, func(l *log) {
			l.op(0, write, memory).op(0, release, sem)
			l.op(1, take, sem).op(1, write, memory)
		}, 1},
		{"who asks for the value sees all", 1, func(l *log) {
			l.op(0, write, memory).op(0, release, sem)
			l.op(1, acquire, sem).op(1, write, memory)
		}, 0},
		{"more than are kept apart", 2000, func(l *log) {
			l.op(0, write, memory)
			for range mostGiven + 1 {
				l.op(0, release, sem)
			}
			l.op(1, take, sem).op(1, write, memory)
		}, 0},
	} {
		l := &log{}
		c.log(l)
		passes := func(o uint32) Bounds {
			b := anyNumber(o)
			if o == sem {
				b.Passes = c.first
			}
			return b
		}
		if got := Find(2, l, world(func(int) bool { return false }, passes), 10); len(got) != c.races {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
