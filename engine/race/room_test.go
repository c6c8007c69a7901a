package race

import (
	"testing"

	"ipcrun/engine/event"
)

// More operations of the logs below.
const (
	put   = iota + 100 // fills a box with one thing
	get                // takes the first one out
	count              // looks how many there are
)

func boxEffect(r *event.Rec) Effect {
	switch r.Verb {
	case put:
		return Effect{Release: true, Fills: 1}
	case get:
		return Effect{Acquire: true, Takes: true, Frees: true}
	case count:
		return Effect{Acquire: true, Looks: true}
	}
	return effect(r)
}

const box = 1

// boxWorld is one with a box in it.
func boxWorld(b Bounds) World {
	w := world(func(int) bool { return false }, func(o uint32) Bounds {
		if o == box {
			return b
		}
		return anyNumber(o)
	})
	w.Effect = boxEffect
	return w
}

// boxLog is a log with times of its own: record i of a process is written at the time
// that is said of it.
type boxLog struct{ log }

func (l *boxLog) rec(slot int, at int64, r event.Rec) *boxLog {
	r.At, r.Step = at, uint32(100*slot)+uint32(at)
	l.Log.Add(slot, &r)
	return l
}

func (l *boxLog) write(slot int, at int64) *boxLog {
	return l.rec(slot, at, event.Rec{Kind: event.Op, Verb: write, Obj: memory, Seq: uint64(at)})
}

func (l *boxLog) box(slot int, at int64, verb uint16, seq uint64) *boxLog {
	return l.rec(slot, at, event.Rec{Kind: event.Op, Verb: verb, Obj: box, Seq: seq})
}

func (l *boxLog) exit(slots ...int) *boxLog {
	for _, s := range slots {
		l.rec(s, 1000, event.Rec{Kind: event.Exiting})
	}
	return l
}

type boxCase struct {
	name   string
	bounds Bounds
	build  func(l *boxLog)
	want   int
}

func findBoxes(t *testing.T, cases []boxCase) {
	t.Helper()
	for _, c := range cases {
		l := &boxLog{}
		c.build(l)
		if got := Find(3, l, boxWorld(c.bounds), 10); len(got) != c.want {
			t.Errorf("%s: %d races, want %d: %+v", c.name, len(got), c.want, got)
		}
	}
}

// TestExactRoom: where numbers tell the order, the k-th get comes after k puts, and a
// put after as many gets as it needs.
func TestExactRoom(t *testing.T) {
	one := Bounds{Passes: 0, Room: 1, Exact: true}
	two := Bounds{Passes: 0, Room: 2, Exact: true}
	endless := Bounds{Passes: 0, Room: -1, Exact: true}
	findBoxes(t, []boxCase{
		{"a put that needed the room", one, func(l *boxLog) {
			l.write(1, 1).box(0, 2, put, 1).box(1, 3, get, 2).box(0, 4, put, 3).write(0, 5).exit(0, 1, 2)
		}, 0},
		{"one that did not", two, func(l *boxLog) {
			l.write(1, 1).box(0, 2, put, 1).box(1, 3, get, 2).box(0, 4, put, 3).write(0, 5).exit(0, 1, 2)
		}, 1},
		{"nobody needs any", endless, func(l *boxLog) {
			l.write(1, 1).box(0, 2, put, 1).box(1, 3, get, 2).box(0, 4, put, 3).write(0, 5).exit(0, 1, 2)
		}, 1},
		{"what a get has not done before it", one, func(l *boxLog) {
			l.box(0, 2, put, 1).box(1, 3, get, 2).write(1, 4).box(0, 5, put, 3).write(0, 6).exit(0, 1, 2)
		}, 1},
		{"the first get is of the first put", endless, func(l *boxLog) {
			l.box(2, 1, put, 1).write(0, 2).box(0, 3, put, 2).box(1, 4, get, 3).write(1, 5).exit(0, 1, 2)
		}, 1},
		{"the second of both", endless, func(l *boxLog) {
			l.write(2, 1).box(2, 2, put, 1).box(0, 3, put, 2).box(1, 4, get, 3).box(1, 5, get, 4).write(1, 6).exit(0, 1, 2)
		}, 0},
		{"a later put is known by way of the room", one, func(l *boxLog) {
			l.write(0, 1).box(0, 2, put, 1).box(1, 3, get, 2).box(2, 4, put, 3).write(2, 5).exit(0, 1, 2)
		}, 0},
		{"who counts has seen the put", endless, func(l *boxLog) {
			l.write(0, 1).box(0, 2, put, 1).box(1, 3, count, 1).write(1, 4).exit(0, 1, 2)
		}, 0},
		{"who counts has seen the get", endless, func(l *boxLog) {
			l.box(0, 1, put, 1).write(0, 2).box(0, 3, get, 2).box(1, 4, count, 2).box(2, 5, count, 2).write(1, 6).exit(0, 1, 2)
		}, 0},
		{"stamps are late, and who counts waits", endless, func(l *boxLog) {
			l.write(0, 1).box(1, 2, count, 1).write(1, 3).box(2, 4, count, 1).box(0, 5, put, 1).exit(0, 1, 2)
		}, 0},
		{"and has not seen what came later", endless, func(l *boxLog) {
			l.box(1, 1, count, 0).write(0, 2).box(0, 3, put, 1).write(1, 4).exit(0, 1, 2)
		}, 1},
		{"a get of which there is no record may have taken the first", endless, func(l *boxLog) {
			l.box(2, 1, put, 1).write(0, 2).box(0, 3, put, 2).box(1, 4, get, 4).write(1, 5).exit(0, 1)
		}, 0},
		{"a put of which there is no record", endless, func(l *boxLog) {
			l.write(2, 1).box(1, 4, get, 2).write(1, 5).exit(0, 1)
		}, 0},
	})
}

// TestRoomByTime: where they do not, whoever had begun to take something out when the put
// was over may have made the room, if there was none from the start.
func TestRoomByTime(t *testing.T) {
	one := Bounds{Passes: -1, Room: 1}
	partly := Bounds{Passes: -1, Room: 1, Partly: true}
	findBoxes(t, []boxCase{
		{"the get was recorded before", one, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).box(1, 3, get, 2).box(0, 4, put, 3).write(0, 5).exit(0, 1, 2)
		}, 0},
		{"the get was recorded behind, with a later number", one, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).box(0, 4, put, 2).write(0, 5).box(1, 6, get, 3).exit(0, 1, 2)
		}, 0},
		{"the get began later", one, func(l *boxLog) {
			l.box(0, 1, put, 1).box(0, 4, put, 2).write(0, 5).write(1, 6).box(1, 7, get, 3).exit(0, 1, 2)
		}, 1},
		{"there was room from the start", one, func(l *boxLog) {
			l.write(1, 2).box(0, 4, put, 1).write(0, 5).box(1, 6, get, 2).exit(0, 1, 2)
		}, 1},
		{"there was for this one, and not for a later one", one, func(l *boxLog) {
			l.write(1, 2).box(0, 4, put, 1).write(0, 5).box(1, 6, get, 2).box(0, 7, put, 3).exit(0, 1, 2)
		}, 1},
		{"another put with a later stamp may have had it", one, func(l *boxLog) {
			l.write(1, 1).box(0, 4, put, 1).write(0, 5).box(2, 6, put, 2).box(1, 7, get, 3).exit(0, 1, 2)
		}, 0},
		{"who did something else next has made no room", one, func(l *boxLog) {
			l.write(1, 1).box(0, 2, put, 1).box(0, 4, put, 2).write(0, 5).write(1, 6).exit(0, 1, 2)
		}, 2},
		{"by way of another get", one, func(l *boxLog) {
			l.write(2, 1).box(2, 2, put, 1).box(0, 4, put, 2).write(0, 5).box(1, 6, get, 3).exit(0, 1, 2)
		}, 0},
		{"one that was killed may have done it", one, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).box(0, 4, put, 2).write(0, 5).exit(0, 2)
		}, 0},
		{"or have filled it without a record", one, func(l *boxLog) {
			l.write(1, 2).box(0, 4, put, 1).write(0, 5).box(1, 6, get, 2).exit(0, 1)
		}, 0},
		{"a failed one may have made room in part", partly, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).rec(1, 3, event.Rec{Kind: event.Fail, Verb: get, Obj: event.NoObj})
			l.box(0, 4, put, 2).write(0, 5).exit(0, 1, 2)
		}, 0},
		{"also where that is recorded later", partly, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).box(0, 4, put, 2).write(0, 5)
			l.rec(1, 6, event.Rec{Kind: event.Fail, Verb: get, Obj: event.NoObj}).exit(0, 1, 2)
		}, 0},
		{"but not where all or nothing is done", one, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).rec(1, 3, event.Rec{Kind: event.Fail, Verb: get, Obj: event.NoObj})
			l.box(0, 4, put, 2).write(0, 5).exit(0, 1, 2)
		}, 1},
		{"one that is interrupted has made room in part", partly, func(l *boxLog) {
			l.box(0, 1, put, 1).write(1, 2).rec(1, 3, event.Rec{Kind: event.Got, Value: &event.Signal{Number: 10}})
			l.box(0, 4, put, 2).write(0, 5).box(1, 6, get, 3).exit(0, 1, 2)
		}, 0},
		{"who puts waits until all that is earlier was replayed", one, func(l *boxLog) {
			// 1 may write only behind 2, whose stamp is late.
			l.box(0, 1, put, 1)
			l.rec(1, 2, event.Rec{Kind: event.Op, Verb: acquire, Obj: 9, Seq: 2}).write(1, 3)
			l.box(0, 4, put, 2).write(0, 5).box(1, 6, get, 3)
			l.rec(2, 9, event.Rec{Kind: event.Op, Verb: release, Obj: 9, Seq: 1}).exit(0, 1, 2)
		}, 0},
	})
}
