package prims

import (
	"sync/atomic"
	"time"

	"ipcrun/prims/arena"
)

// recheck bounds how long a waiter sleeps without a look at the word. A process
// that is stopped or killed after it has changed a word and before it has woken
// those who wait for that, or in the moment of its own waking, when it has taken
// with it the one wake that there was, holds up nobody longer than this.
//
// Each look costs a waiter about a millisecond of a slow processor: where hundreds
// wait they take turns, and look so seldom that it is lookers looks a recheck.
const (
	recheck = int64(250 * time.Millisecond)
	lookers = 50
)

// recheckEvery is how often one of n processes looks.
func recheckEvery(n int) int64 { return recheck * int64(max(1, n/lookers)) }

// park is Self.Park with that bound. deadline is absolute, 0: none; TimedOut
// means that it has passed, and Woken that the caller has to look again.
func (c *Call) park(word *atomic.Uint32, seen uint32, deadline int64) arena.Outcome {
	until := arena.Now() + recheckEvery(c.Self.Arena.Live())
	if deadline != 0 && deadline <= until {
		return c.Self.Park(futexWord(word), seen, deadline)
	}
	if out := c.Self.Park(futexWord(word), seen, until); out != arena.TimedOut {
		return out
	}
	return arena.Woken
}
