package prims

import (
	"math"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func init() { Register(&eventKind) }

var eventKind = Descriptor{
	Kind: decl.Kind{
		Name:    "event",
		Summary: "a flag that processes wait for",
		Doc: `An event is clear or set and starts clear. wait blocks while it is clear and
passes at once while it is set, for all waiters and any number of times; set
wakes everybody, clear makes later waits block again. A wait that began before
a set ends by it, even if a clear follows at once.`,
		Facts: []decl.Fact{
			{Name: "set", Shape: decl.Bool, Doc: "whether it is set"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that wait for it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "set", Summary: "set an event and wake all who wait for it", Place: decl.InProcess,
				Doc:     "Never blocks. Setting a set event changes nothing.",
				Example: "set: ready",
			},
			{
				Name: "clear", Summary: "clear an event", Place: decl.InProcess,
				Doc:     "Never blocks. Waits that begin afterwards block until the next set.",
				Example: "clear: ready",
			},
			{
				Name: "wait", Summary: "wait until an event is set", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Blocks until the event is set. With block: false it fails with WouldBlock at
once, with timeout: it fails with Timeout, no earlier than that. With into: the
variable becomes true or false instead, as wait returns it in
multiprocessing.Event.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout},
				Example: "{wait: ready, timeout: 500ms}",
			},
			{
				Name: "is_set", Summary: "ask whether an event is set", Result: decl.Bool, Place: decl.InProcess,
				Doc:     "Never blocks. The answer goes where into: says.",
				Example: "{is_set: ready, into: seen}",
			},
		},
		Example: "ready: event",
		Source:  "multiprocessing.Event",
	},
	ArenaSize: func(Args) int { return 16 },
	Attach: func(a *Attachment) (any, error) {
		return &event{seq: word64(a.Mem, 0), word: word32(a.Mem, 8), waiters: word32(a.Mem, 12)}, nil
	},
	Facts: func(h any, _ View) map[string]any {
		return map[string]any{"set": h.(*event).isSet()}
	},
	Ops: []Op{
		{Verb: "set", Do: eventSet, Order: Release},
		{Verb: "clear", Do: eventClear, Order: Frees},
		{Verb: "wait", Do: eventWait, Ready: eventReady, Order: Acquire},
		{Verb: "is_set", Do: eventIsSet, Order: Acquire | Looks},
	},
	Model: func(_ Args, n int) (Model, error) { return eventModel{n}, nil },
}

// event: word counts the changes; it is odd while the event is set. A waiter
// that saw it even waits for any other number: a set and a clear in quick
// succession still let it through.
type event struct {
	seq     *atomic.Uint64
	word    *atomic.Uint32
	waiters *atomic.Uint32
}

func (e *event) isSet() bool { return e.word.Load()&1 != 0 }

// change moves the word to the other parity if it is not there yet. The
// operation's number is taken before the change becomes visible, so whoever
// sees the change takes a later one.
func (e *event) change(to uint32, c *Call) bool {
	for {
		w := e.word.Load()
		if w&1 == to {
			c.Seq = e.seq.Add(1)
			return false
		}
		c.Seq = e.seq.Add(1)
		if e.word.CompareAndSwap(w, w+1) {
			return true
		}
	}
}

func eventSet(h any, c *Call) error {
	e := h.(*event)
	if e.change(1, c) && e.waiters.Load() != 0 {
		arena.Wake(futexWord(e.word), math.MaxInt32)
	}
	return nil
}

func eventClear(h any, c *Call) error {
	h.(*event).change(0, c)
	return nil
}

func eventIsSet(h any, c *Call) error {
	e := h.(*event)
	c.Result = e.isSet()
	c.Seq = e.seq.Add(1)
	return nil
}

// eventReady: arg is the number that the blocked process saw.
func eventReady(h any, arg uint64) bool {
	return h.(*event).word.Load() != uint32(arg)
}

func eventWait(h any, c *Call) error {
	e := h.(*event)
	seen := e.word.Load()
	if c.Resume != 0 {
		// Interrupted by a handler: what was seen before it still counts.
		seen = uint32(c.Resume - 1)
	}
	if seen&1 != 0 || e.word.Load() != seen {
		c.Seq, c.Result = e.seq.Add(1), true
		return nil
	}
	if c.NoWait {
		return c.noWait("the event is not set")
	}
	c.Self.Enter(c.wait(uint64(seen)))
	e.waiters.Add(1)
	defer func() {
		e.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		if e.word.Load() != seen {
			c.Seq, c.Result = e.seq.Add(1), true
			return nil
		}
		switch c.park(e.word, seen, c.Deadline) {
		case arena.TimedOut:
			if e.word.Load() != seen {
				continue
			}
			return decl.Fail(Timeout, "not set")
		case arena.Interrupted:
			c.Resume = uint64(seen) + 1
			return ErrInterrupted
		}
	}
}

// eventModel: byte 0 is 1 when set; then per process a byte: 1 while it waits,
// 2 once a set has released it.
type eventModel struct{ n int }

func (m eventModel) Size() int { return 1 + m.n }
func (eventModel) Init([]byte) {}

func (eventModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	switch verb {
	case "set":
		st[0] = 1
		for i := range st[1:] {
			if st[1+i] == 1 {
				st[1+i] = 2
			}
		}
		return nil, nil, false
	case "clear":
		st[0] = 0
		return nil, nil, false
	case "is_set":
		return st[0] != 0, nil, false
	case "wait":
		released := st[1+p] == 2
		if st[0] != 0 || released || c.NoWait || c.Expired {
			st[1+p] = 0
		}
		switch {
		case st[0] != 0 || released:
			return true, nil, false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "the event is not set"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "not set"), false
		}
		st[1+p] = 1
		return nil, nil, true
	}
	panic("event has no verb " + verb)
}
