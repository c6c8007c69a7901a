package prims

import (
	"slices"
	"sync/atomic"
	"unsafe"

	"ipcrun/spec/decl"
)

// ManagerDied is what operations of a queue end with whose manager has ended.
const ManagerDied = "ManagerDied"

func init() {
	decl.RegisterError(ManagerDied, "the manager process of the queue has ended, and what was in the queue with it (multiprocessing: EOFError, ConnectionResetError or BrokenPipeError, and ConnectionRefusedError for who had not used it before)")
}

const (
	// managerKey is the key of a queue that has a manager, managerPart the part
	// of the queue that only the manager has.
	managerKey  = "manager"
	managerPart = "manager"
	// QueueServe is what a manager does all its life.
	QueueServe = "serve"

	sigint = 2
)

// hasManager: the queue lives in a process of its own.
func hasManager(a Args) bool { return a.Fields[managerKey] == true }

// The descriptors of a queue with a manager.
const (
	roleBoard = iota // memory that all share
	roleDoor         // through which others reach the manager at first
	roleDesk         // its other end, which the manager alone has
	managerRoles
)

func queueRoles(a Args) []Role {
	if !hasManager(a) {
		return []Role{{Name: "items", Mapped: true}}
	}
	return []Role{{Name: "board", Mapped: true}, {Name: "door", Kept: true}, {Name: "desk", Part: managerPart}}
}

// either chooses between the two forms of a queue: that in shared memory, and
// that which a process asks its manager for.
func either(h any, c *Call, plain func(any, *Call) error, asked func(*proxy, *Call) error) error {
	if p, managed := h.(*proxy); managed {
		return asked(p, c)
	}
	return plain(h, c)
}

// queueBoard is what the manager of a queue shows to all: how the queue stands,
// for facts, and per process what it owes it. The manager alone writes, but for
// the receipts.
//
//	state    as in queueRing: numbers the operations and counts the items
//	bytes    how large these are together
//	visitors one more than the highest slot that has come to the door
//	over     1 when the manager has ended because nobody needed it any more
type queueBoard struct {
	state    *atomic.Uint64
	bytes    *atomic.Uint64
	visitors *atomic.Uint32
	over     *atomic.Uint32
	places   []boardPlace
}

// boardPlace belongs to one process, by its slot.
type boardPlace struct {
	// receipt is the number of the latest get whose item the process has in its
	// hands. It writes this down before anything else: what it was sent and had
	// not received when it ended goes back into the queue.
	receipt atomic.Uint64
	// waits is how many of its puts and gets the manager keeps waiting.
	waits atomic.Uint64
}

const (
	boardSlots = 1 << 14
	boardBytes = boardSlots * int(unsafe.Sizeof(boardPlace{}))
)

func newQueueBoard(mem, region []byte) queueBoard {
	return queueBoard{
		state: word64(mem, 0), bytes: word64(mem, 8), visitors: word32(mem, 16), over: word32(mem, 20),
		places: unsafe.Slice((*boardPlace)(unsafe.Pointer(&region[0])), boardSlots),
	}
}

func (b *queueBoard) now() queueState { return queueState(b.state.Load()) }

// queueLimit is how many items a queue may hold.
func queueLimit(maxsize int) int {
	if maxsize <= 0 || maxsize > maxCells {
		return maxCells
	}
	return maxsize
}

// managedMost is the largest item of a queue with a manager, bytes.
const managedMost = queueData/4 - itemHead

// managerSlot is where the manager lives, -1 if nobody knows.
func managerSlot(a Args) int {
	if n, ok := a.Fields[FirstOfStaff].(int); ok {
		return n
	}
	return -1
}

func (p *proxy) facts(v View) map[string]any {
	n := p.board.now().size()
	return map[string]any{
		"size": n, "full": p.maxsize > 0 && n >= p.maxsize, "empty": n == 0, "maxsize": p.maxsize, "waiters": p.waiters(v),
	}
}

// waiters are the processes that the manager keeps waiting. One that has only
// just asked, and will be answered at once, is none.
func (p *proxy) waiters(v View) []any {
	out, blocked := []any{}, v.Waiters(p.number)
	for i := range p.board.places[:p.board.visitors.Load()] {
		if p.board.places[i].waits.Load() == 0 {
			continue
		}
		if name := v.Process(i); slices.Contains(blocked, any(name)) {
			out = append(out, name)
		}
	}
	return out
}

// inMemory is Ready of a queue's operation that does not block where the queue is
// in shared memory. Whoever waits for a manager goes on when the manager has answered, and before
// that the kernel has something for one of the two: they are not asleep, for
// which the finder of deadlocks looks, too. What the queue holds says nothing: a
// manager that is stopped carries nothing out.
func inMemory(h any, _ uint64) bool {
	_, ok := h.(*queue)
	return ok
}

// explainQueue says what a process waits for that is blocked in a queue with a
// manager.
func explainQueue(h any, verb string, _ uint64) Blocked {
	p, managed := h.(*proxy)
	switch {
	case !managed:
		return Blocked{}
	case verb == QueueServe:
		return Blocked{Doing: "waits for others to ask it for something"}
	}
	b := Blocked{Doing: "wants " + p.manager() + " to " + verb + " something"}
	switch n := p.board.now().size(); {
	case verb == "get" && n == 0:
		b.Doing = "wants to get something from " + p.name + ", which " + p.manager() + " keeps and which is empty"
	case verb == "put" && n >= queueLimit(p.maxsize):
		b.Doing = "wants to put something into " + p.name + ", which " + p.manager() + " keeps and which is full"
	}
	return b
}

func (p *proxy) manager() string { return p.name + "." + managerKey }

// died: the items of a manager that dies go with it. When it ends because all
// is over, facts tell how the queue stood at the end.
func (p *proxy) died(slot int) {
	if slot == p.slot && p.board.over.Load() == 0 {
		p.board.state.Store(p.board.now().seq() << blockBits)
		p.board.bytes.Store(0)
	}
}
