package prims

import (
	"fmt"
	"unsafe"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

func init() { Register(&sysvMemoryKind) }

var sysvMemoryKind = Descriptor{
	Kind: decl.Kind{
		Name:    "sysv_memory",
		Summary: "a System V shared memory segment: a row of C variables",
		Doc: `A segment is a row of variables of one C type, as C lays it out, that the
processes attach (shmat) at their start and detach when they end or close it
(shmdt). Steps name one element (seg[2]), a slice (seg[1:3]) or all of them (seg),
as those of an array; each element is read and written by one machine access, add
is atomic, and nothing else is ordered: what two processes write is a race unless
something else says who comes first. It has no lock of its own.

attached counts the processes that have it attached, those of other programs
included; ipcrun itself is none of them. After remove no process finds it any more,
and those that have it attached keep it until the last one detaches.

It lives in the system, under a key, and any program finds it there with
shmget(key, 0, 0). It is made at the start, for this user alone, zeroed but for
initial, and removed at the end of the run, whatever happens.`,
		Main: &decl.Field{Name: "sysv_memory", Shape: decl.CType, Required: true, Static: true,
			Doc: "the C type of its elements, by multiprocessing's letter (i, d, c…) or by name (int32, double, char…)", Example: "i"},
		Fields: []decl.Field{
			{Name: "size", Shape: decl.Int, Default: "the length of initial", Min: decl.Num(1), Max: decl.Num(maxElements), Static: true,
				Doc: "how many elements it has; those without an initial value are 0", Example: "6"},
			{Name: "initial", Shape: decl.Any, Default: "zeros", Doc: "what it holds at first: a list, or text for char", Example: "[1, 2, 3]"},
			keyField,
		},
		Named:    "key",
		Elements: true,
		Facts: []decl.Fact{
			{Name: "value", Shape: decl.Any, Doc: "what it holds now: a list, text for char; nil once it is gone"},
			{Name: "size", Shape: decl.Int, Doc: "how many elements it has"},
			{Name: "attached", Shape: decl.Int, Doc: "how many processes have it attached (shm_nattch)"},
			idFact, keyFact, removedFact,
		},
		Verbs: []decl.Verb{
			{
				Name: "read", Summary: "read elements of a System V segment into a variable", Result: decl.Any, Place: decl.InProcess,
				Doc: `Never blocks. One element is read as a number (a byte of text for char), a slice
or all of them as a list (text for char, up to the first zero). An element that
does not exist fails with Invalid.`,
				Errors:  []string{Invalid, Closed},
				Example: "{read: seg, into: seen}",
			},
			{
				Name: "write", Summary: "overwrite elements of a System V segment", Place: decl.InProcess,
				Doc: `Never blocks; what was there is gone. Takes what write of an array takes: a number
for one element, a list with as many for several, text for char.`,
				Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Required: true, Doc: "what to write: a value, a list, or text", Example: "[4, 5, 6]"}},
				Errors:  []string{Invalid, Closed},
				Example: "{write: seg, value: [4, 5, 6]}",
			},
			{
				Name: "add", Summary: "add to one element of a System V segment, atomically", Result: decl.Any, Place: decl.InProcess,
				Doc: `Never blocks. The sum is computed and stored in one atomic step; into: receives
it. It takes one element, as seg[2]; anything else fails with Invalid.`,
				Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Default: "1", Doc: "what to add", Example: "1"}},
				Errors:  []string{Invalid, Closed},
				Example: "{add: seg, value: 1}",
			},
			{
				Name: "close", Summary: "detach a System V segment from this process", Place: decl.InProcess,
				Doc: `shmdt(2). Never blocks. Later steps of this process that use the segment fail with
Closed; others do not notice. Closing twice changes nothing.`,
				Example: "close: seg",
			},
			removeVerb("System V segment", "those that have it attached go on using it, and it is gone when none has.", "seg"),
		},
		Check: func(main any, fields map[string]any) (key, text string) {
			if key, text = problem(arrayArgs(Args{Main: main, Fields: fields})); text != "" {
				return key, text
			}
			return checkSysvKey(fields)
		},
		Example: "seg: {sysv_memory: i, initial: [1, 2, 3]}",
		Source:  "shmget(2), shmop(2), shmctl(2); C11 6.2.5",
	},
	ArenaSize: func(Args) int { return sysvMem },
	Create:    createSysvMemory,
	Attach:    attachSysvMemory,
	Detach:    func(h any) { _ = h.(*sysvMemory).detach() },
	Facts:     func(h any, _ View) map[string]any { return h.(*sysvMemory).facts() },
	Ops: []Op{
		{Verb: "read", Do: func(h any, c *Call) error { return ifAttached(h, c, arrayRead) }, Access: Reads},
		{Verb: "write", Do: func(h any, c *Call) error { return ifAttached(h, c, arrayWrite) }, Access: Writes},
		{Verb: "add", Do: func(h any, c *Call) error { return ifAttached(h, c, arrayAdd) }, Access: Reads | Writes | Atomic, Order: Acquire | Release},
		{Verb: "close", Do: closeSysvMemory},
		{Verb: "remove", Do: func(h any, c *Call) error { return h.(*sysvMemory).remove(c) }, Order: Release},
	},
	Address: func(h any) string { return h.(*sysvMemory).address() },
	ID:      func(h any) int { return h.(*sysvMemory).id },
	Model: func(a Args, n int) (Model, error) {
		s, bits, err := arrayArgs(a)
		return sysvMemoryModel{arrayModel{shape: s, bits: bits}, n}, err
	},
}

// sysvMemory is a handle: an array in attached memory. mem of the array is nil
// where it is not attached, as with the engine.
type sysvMemory struct {
	sysvObject
	array array
}

func createSysvMemory(c *Creation) error {
	s, bits, err := arrayArgs(c.Args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	id, err := createSysv(c, sysv.Segment, s.n*s.t.Size)
	if err != nil {
		return err
	}
	mem, err := sysv.Attach(id, false)
	if err != nil {
		return fmt.Errorf("%s: attaching it: %w", c.Name, err)
	}
	for i, b := range bits {
		s.t.store(unsafe.Pointer(&mem[i*s.t.Size]), b)
	}
	return sysv.Detach(mem)
}

func attachSysvMemory(a *Attachment) (any, error) {
	s, _, err := arrayArgs(a.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	m := &sysvMemory{sysvObject: newSysvObject(a, sysv.Segment)}
	m.array = array{seq: m.seq, shape: s}
	if a.Engine {
		return m, nil // it looks in from outside, and is not counted
	}
	if m.array.mem, err = sysv.Attach(m.id, false); err == sysv.ErrRemoved {
		err = nil // by a process that was faster; its steps say so
	}
	if err != nil {
		return nil, fmt.Errorf("%s: attaching it: %w", a.Name, err)
	}
	return m, nil
}

func (m *sysvMemory) facts() map[string]any {
	st, err := sysv.StatSegment(m.id)
	f := m.sysvObject.facts(err)
	f["removed"] = err == sysv.ErrRemoved || st.Mode&sysv.Dest != 0
	f["size"], f["attached"], f["value"] = m.array.shape.n, st.Attached, nil
	a := m.array
	if a.mem == nil {
		var err error
		if a.mem, err = sysv.Attach(m.id, true); err != nil {
			return f
		}
		defer func() { _ = sysv.Detach(a.mem) }()
	}
	f["value"] = a.shape.decode(a.all(), a.load)
	return f
}

func (m *sysvMemory) detach() error {
	if m.array.mem == nil {
		return nil
	}
	mem := m.array.mem
	m.array.mem = nil
	return sysv.Detach(mem)
}

func closeSysvMemory(h any, c *Call) error {
	m := h.(*sysvMemory)
	c.Seq = m.seq.Add(1)
	return m.detach()
}

// ifAttached does an operation of arrays for those who have it attached.
func ifAttached(h any, c *Call, do func(any, *Call) error) error {
	m := h.(*sysvMemory)
	if m.array.mem == nil {
		return errDetached
	}
	return do(&m.array, c)
}

var errDetached = &decl.Failure{Name: Closed, Detail: "this process does not have the segment attached"}

// sysvMemoryModel: the model of an array, a byte for each process that is 1 once
// it has detached, and one that is 1 once the segment was removed.
type sysvMemoryModel struct {
	array arrayModel
	n     int
}

func (m sysvMemoryModel) Size() int      { return m.array.Size() + m.n + 1 }
func (m sysvMemoryModel) Init(st []byte) { m.array.Init(st) }

// Died implements Mortal: a process that ends detaches.
func (m sysvMemoryModel) Died(st []byte, p int) { st[m.array.Size()+p] = 1 }

func (m sysvMemoryModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	flags := st[m.array.Size():]
	switch {
	case verb == "close":
		flags[p] = 1
		return nil, nil, false
	case verb == "remove":
		for _, detached := range flags[:m.n] {
			if detached == 0 {
				flags[m.n] = 1
				return nil, nil, false
			}
		}
		if flags[m.n] != 0 {
			return nil, modelRemoved(sysv.Segment), false
		}
		flags[m.n] = 1
		return nil, nil, false
	case flags[p] != 0:
		return nil, errDetached, false
	}
	return m.array.Do(st, p, verb, c)
}
