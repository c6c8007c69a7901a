package prims

import (
	"errors"
	"os"
	"slices"
	"strings"

	"ipcrun/prims/arena"
	"ipcrun/prims/named"
	"ipcrun/spec/decl"
)

// Descriptor is everything there is to know about one kind of primitive. Those that
// there are lie in the binary as they are, made by the compiler: see
// docs/decisions.md.
type Descriptor struct {
	decl.Kind

	// ArenaSize is the shared memory an instance needs in the arena, bytes.
	// The first 8 bytes are the operation counter of the instance.
	ArenaSize func(Args) int
	// Roles are the descriptors an instance consists of, in order; each
	// process inherits those that it uses. Nil: none.
	Roles func(Args) []Role
	// Create makes the kernel objects and the initial state, in the engine,
	// before any process is forked. Mem is zeroed.
	Create func(*Creation) error
	// Attach gives a process its handle.
	Attach func(*Attachment) (any, error)
	// Detach gives up a handle; nil where there is nothing to give up.
	Detach func(h any)
	// Facts reads what expressions may ask, as one consistent snapshot.
	Facts func(h any, v View) map[string]any
	// Inner are operations that no step names: parts of others, which are
	// recorded, and what processes of the kind's own do.
	Inner []decl.Verb
	// Serve is the inner verb in which the processes of its own spend their life;
	// "" where they do tasks.
	Serve string
	// Ops performs the verbs.
	Ops []Op
	// Holders lists the processes that somebody who waits for it waits for:
	// the owner of a lock. Nil where the kind has no such notion.
	Holders func(h any) []int
	// Passes is how many acquires are let in without a release: an acquire comes after
	// those releases alone that it could not have done without. Nil: it comes after
	// all that were before it.
	Passes func(Args) int
	// Room is how much an instance holds, for those that hold what was put in until it
	// is taken out. Nil: that is no question.
	Room func(Args) Room
	// Died, if set, is told by the engine that a process has ended, whether or
	// not it ever used the instance: who waits for what it held can be woken.
	Died func(h any, slot int)
	// Explain says of a process that is blocked in a verb, with the operand that
	// its slot shows, what it waits for. Nil where the verb, the name and Holders
	// say enough.
	Explain func(h any, verb string, arg uint64) Blocked
	// Address is the name by which a program that is no part of the run finds the
	// instance: a path, /jobs, or a key. Nil where it has none.
	Address func(h any) string
	// ID is what the kernel calls the instance, by which a program uses it without
	// asking for it by its address. Nil where that is no number of the system.
	ID func(h any) int
	// Model makes the model of an instance for n processes.
	Model func(a Args, n int) (Model, error)
}

// Blocked is what a blocked process waits for, in words.
type Blocked struct {
	// Doing follows the name of the process: waits to recv from orders.r.
	Doing string
	// By are the slots of processes that it waits for.
	By []int
	// Open are the ends of which any open copy keeps it waiting, and Without what
	// does not happen therefore: EOF cannot come.
	Open    []OpenEnd
	Without string
}

// OpenEnd is a kernel object that processes may hold open.
type OpenEnd struct {
	Name   string // orders.w
	Link   string // as the process file system shows it: pipe:[4711]
	Access int    // os.O_RDONLY or os.O_WRONLY: only descriptors that are open so; or AnyAccess
}

// AnyAccess in an OpenEnd: however it is open.
const AnyAccess = -1

// Role is one descriptor of an instance.
type Role struct {
	Name string
	// Part is the part that it belongs to: a process inherits it with that part
	// only. "" comes with the primitive.
	Part string
	// Handed says that a program that somebody else wrote and that uses the
	// primitive gets it: what it leads to is documented.
	Handed bool
	// Mapped says that Attach maps it, so that it need not stay open.
	Mapped bool
	// Kept says that the engine keeps its copy until the script has ended: it
	// stands for the script.
	Kept bool
}

// Op is the real form of one verb.
type Op struct {
	Verb string // its name
	// Do performs it for the process behind c. It returns a *decl.Failure for
	// the errors of the vocabulary, ErrInterrupted when a signal wants to be
	// handled first (the step is then done again), and any other error for
	// what the kernel refused.
	Do func(h any, c *Call) error
	// Ready reports whether the verb, blocked with operand arg, could go on
	// now. The engine asks it of processes that look stuck: one that is about
	// to wake up is not.
	Ready func(h any, arg uint64) bool
	// Order says how the operation orders what processes do before and after
	// it, Access what it does to memory that it does not order.
	Order  Order
	Access Access
	// Keyed: its order is with operations about the same thing alone. The value
	// of its record is the number of that thing, or a mapping with it as job.
	Keyed bool
	// Ahead reports, by the value of its record, whether the operation may have waited
	// after it had taken its number, so that others with larger numbers were done before
	// it; nil: it never does.
	Ahead func(a Args, value any) bool
}

// Order is what an operation contributes to happens-before.
type Order uint8

// The orders. Acquire comes after every Release on the same object that has a
// smaller number; some operations are both. Takes is an Acquire of a kind with Passes,
// which comes after no more of them than it needs. Fills is what takes room in a kind
// with Room: it comes after what Frees, where it could not have been without. Looks is
// an Acquire that sees what Frees as well.
const (
	Acquire Order = 1 << iota
	Release
	Takes
	Fills
	Frees
	Looks
)

// Room is what an instance holds.
type Room struct {
	// Most is how much is surely put in without anything being taken out, in whatever
	// Takes counts; -1 without end.
	Most int
	// Takes is how much an operation that Fills takes at most, by the value of its
	// record. Nil: one.
	Takes func(verb string, value any) int
	// Exact: the operations have the numbers 1, 2, 3… in the order in which they
	// happened; who Looks has that of the last one that it saw. Otherwise a Release
	// takes its number before it happens and an Acquire afterwards.
	Exact bool
	// Partly: an operation may have put in or taken out a part when it is interrupted
	// or fails.
	Partly bool
}

// Access is how an operation touches shared memory. Two accesses to the same
// memory that nothing orders are a race if one of them writes, unless both are
// atomic.
type Access uint8

// The accesses.
const (
	Reads Access = 1 << iota
	Writes
	Atomic
)

// Args are the fields of a declaration, decoded: main holds the kind's own
// value. Values are canonical (nil bool int float64 string []any map).
type Args struct {
	Main   any
	Fields map[string]any
}

// FirstOfStaff is the field that says in which slot the first process of an
// instance's own lives; the others follow it. The plan adds it.
const FirstOfStaff = "first of its staff"

// Creation is what Create works with.
type Creation struct {
	Name string // total, fork[3]
	Args Args
	Mem  []byte
	// Files receives the descriptors, in the order of Roles. The engine owns
	// them from then on.
	Files []*os.File
	// System is where an object is made that has a name in the system, so that it
	// is removed at the end, whatever happens to the engine.
	System *named.Ledger
}

// Attachment is what Attach works with. Fds are in the order of Roles, -1
// where the process did not inherit one. They belong to the process.
type Attachment struct {
	Name   string
	Number uint32 // of the instance, among all of the run
	Args   Args
	Mem    []byte
	Fds    []int
	// Closed, if set, is to be called before a step closes the descriptor of a
	// role, so that no child inherits it any more.
	Closed func(role int)
	// Engine: the handle is the engine's, for facts. Descriptors that are not
	// mapped are closed once the processes are forked.
	Engine bool
}

// View gives facts the names of processes.
type View interface {
	Process(slot int) string
	Waiters(number uint32) []any
}

// Call is one operation by one process.
type Call struct {
	Self     *arena.Self
	Number   uint32 // of the instance
	Verb     uint32 // of the operation, for the status slot
	Step     uint32
	Args     *Values
	NoWait   bool  // block: false
	Deadline int64 // absolute, 0: none
	// Part is the end or part that the step names, as a in send: phone.a; one
	// of the kind's Parts.
	Part string
	// Elems are the elements that the step names, as 2 in read: row[2] or 1 and
	// 3 in read: row[1:3].
	Elems Elems

	// Refs are the other things that the step names, by number, in the order of
	// its parameters.
	Refs []int

	// Resume lets an operation that was interrupted go on where it was when
	// it is done again: its own note to itself, 0 at first.
	Resume uint64

	// Until is the step's until: condition, nil where it has none. It sees what
	// is there when it is called.
	Until func() (bool, error)
	// Log records a part of an operation that goes on, as if it were the verb of
	// that name: what a wait releases before it blocks. seq is the number of the
	// part, value what the record says of it. Nil where nobody records.
	Log func(verb string, seq uint64, value any)
	// Signal sends a signal to the process in a slot and records that. Nil where
	// there are no processes.
	Signal func(slot, signal int) error

	Result any
	// Note, if not nil, is what the record says instead of the result.
	Note any
	Seq  uint64 // number taken from the instance's counter inside the atomic point
	// First and Last are the elements of an array that the operation touched,
	// Last exclusive; both are 0 where there are no elements.
	First, Last int
	// Happened says that the operation took effect although Do fails, as an
	// acquire that ends with OwnerDied and holds the lock: it is recorded, too.
	Happened bool
}

// Anew makes the call ready to be done another time with the same parameters,
// as in a loop: what an operation leaves behind is gone.
func (c *Call) Anew(deadline int64) {
	c.Deadline, c.Resume = deadline, 0
	c.Result, c.Note, c.Seq, c.First, c.Last, c.Happened = nil, nil, 0, 0, 0, false
}

// ErrInterrupted: a signal came while the operation was blocked.
var ErrInterrupted = errors.New("interrupted by a signal")

// Values are the evaluated parameters of a step. They are few: a linear
// search beats a map.
type Values struct {
	Names []string
	Vals  []any
}

// Get is the value of a parameter, nil where it was not given.
func (v *Values) Get(name string) any {
	for i, n := range v.Names {
		if n == name {
			return v.Vals[i]
		}
	}
	return nil
}

// Has reports whether a parameter was given.
func (v *Values) Has(name string) bool {
	for _, n := range v.Names {
		if n == name {
			return true
		}
	}
	return false
}

// Elems selects elements of an array. The zero value means all of them. From
// and To are as the author wrote them: negative ones count from the end, and
// they may be out of range.
type Elems struct {
	Given    bool
	Single   bool // row[2]
	From, To int  // To exclusive
	Open     bool // row[1:]: To is the end
}

// wait describes a blocked call for the status slot.
func (c *Call) wait(arg uint64) arena.Wait {
	return arena.Wait{On: c.Number, Verb: c.Verb, Arg: arg, Step: c.Step, Deadline: c.Deadline}
}

// noWait is the failure of an operation that must not block but would have to.
func (c *Call) noWait(what string) error {
	return decl.Fail(WouldBlock, "%s", what)
}

// Op is the real form of a verb, the zero Op if it is none of the kind's.
func (d *Descriptor) Op(verb string) Op {
	for i := range d.Ops {
		if d.Ops[i].Verb == verb {
			return d.Ops[i]
		}
	}
	return Op{}
}

// registry has room for more kinds than there are: every agent registers them.
var registry = make([]*Descriptor, 0, 32)

// Register adds a kind. Every agent does so at its start, for all kinds: the
// descriptor is not even read. That it is complete is tested (TestDescriptors).
func Register(d *Descriptor) { registry = append(registry, d) }

// Get is the descriptor of a kind, nil if there is none.
func Get(kind string) *Descriptor {
	for _, d := range registry {
		if d.Name == kind {
			return d
		}
	}
	return nil
}

// All lists the kinds, sorted by name.
func All() []*Descriptor {
	out := slices.Clone(registry)
	slices.SortFunc(out, func(a, b *Descriptor) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Names of errors that operations on primitives end with.
const (
	Timeout    = "Timeout"
	WouldBlock = "WouldBlock"
	Closed     = "Closed"
	Invalid    = "Invalid"
)

func init() {
	decl.RegisterError(Timeout, "the step did not get what it waits for within its timeout")
	decl.RegisterError(WouldBlock, "the step was told not to block (block: false) and would have had to")
	decl.RegisterError(Closed, "this process has closed the object, or its end of it, and used it afterwards")
	decl.RegisterError(Invalid, "the operation makes no sense on this object now, as releasing a lock that nobody holds, or a value its type cannot hold")
}

// problem is what is wrong with a declaration, for decl.Kind.Check: the key and
// the sentence.
func problem[S, T any](_ S, _ T, err error) (key, text string) {
	var f *decl.Failure
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &f):
		return "initial", f.Detail
	}
	return "initial", err.Error()
}
