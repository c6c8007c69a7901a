package arena

import (
	"runtime"
	"sync/atomic"
)

// lingering is how a process waits for a moment before it goes into the kernel
// to be woken. To park and to wake costs a few microseconds where both sides
// share a processor, and some twenty where the other one's sleeps: longer, then,
// than the one that is waited for needed.
//
// It looks for a moment. One that waits over and over, as those do that hand
// something back and forth, then gives the processor to whoever else wants it, in
// the hope that this is the one that is waited for, and looks again. Where
// somebody else wants it, it comes back late, by a time slice of milliseconds for
// each of them: then it does not give it away for a while, and each time longer.
type lingering struct {
	parks    uint32
	since    int64  // when the last hotParks of them began
	hot      bool   // they took no longer than hotTime
	rounds   uint32 // how often to give the processor away: what has helped
	rest     uint32 // so many parks without
	restNext uint32
}

const (
	fewLooks   = 1500 // at a word; some two microseconds
	oneRound   = 2    // with one processor: who comes next is who there is
	manyRounds = 10   // some twenty-five microseconds
	hotParks   = 64
	hotTime    = hotParks * 100_000
	tryMany    = 16 // every so many parks it waits long, whatever it has learnt
	late       = 200_000
	restFirst  = 256
	restMost   = 1 << 16
	crowd      = 4 // with more processes it meets others than the one it waits for

	soonLooks  = 16
	lookPeriod = 8 // readings of the clock between two looks of Soon
)

// processors is how many this process may run on. It does not change: whoever
// pins a scenario pins ipcrun, before it starts.
var processors = runtime.NumCPU()

// Soon looks again and again for a few microseconds, though not so often that
// it disturbs those who have to change what it looks at, and reports whether
// ready did. With one processor nobody could: it does not look at all.
func Soon(ready func() bool) bool {
	if processors < 2 {
		return false
	}
	for range soonLooks {
		for range lookPeriod {
			Now()
		}
		if ready() {
			return true
		}
	}
	return false
}

// linger reports whether *word has become another number than seen within a
// moment.
func (s *Self) linger(word *uint32, seen uint32) bool {
	return s.Linger(fewLooks, func() bool { return atomic.LoadUint32(word) != seen })
}

// Linger reports whether changed did within a moment. It looks so many times
// before it gives the processor away, which should take some two microseconds,
// and again whenever it has it back.
func (s *Self) Linger(looks int, changed func() bool) bool {
	if processors < 2 {
		looks = 0
	}
	for range looks {
		if changed() {
			return true
		}
	}
	l := &s.lingering
	if l.parks++; l.parks%hotParks == 0 {
		now := Now()
		l.hot, l.since = now-l.since < hotTime, now
	}
	if !l.hot {
		return false
	}
	if l.rest > 0 {
		l.rest--
		return false
	}
	if s.Arena.Live() > crowd {
		return false
	}
	most := uint32(manyRounds)
	if processors < 2 {
		most = oneRound
	}
	rounds := max(l.rounds, oneRound)
	if l.parks%tryMany == 0 {
		rounds = most
	}
	before := Now()
	for i := range rounds {
		yieldProcessor()
		now := Now()
		if now-before > late {
			l.restNext = min(max(2*l.restNext, restFirst), restMost)
			l.rest = l.restNext
			return changed()
		}
		for range max(looks, 1) {
			if changed() {
				l.rounds = min(max(l.rounds, 2*(i+1)), most)
				return true
			}
		}
		before = now
	}
	l.rounds = rounds / 2
	return false
}
