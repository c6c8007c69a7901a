package prims

import "ipcrun/spec/decl"

func init() { Register(&sharedMemoryKind) }

// What an element is and what the verbs do is as of an array. The lock is
// multiprocessing's idea and not part of what has a name.
var sharedMemoryKind = Descriptor{
	Kind: decl.Kind{
		Name:    "shared_memory",
		Summary: "a row of C variables that any program maps by its name",
		Doc: `A POSIX shared memory object: what shm_open and mmap of the C library, or
multiprocessing.shared_memory.SharedMemory(name), work with. It is a row of
variables of one C type, as C lays it out, with size: elements (1 where nothing
says more), zeros at first unless initial: says otherwise.

Verbs take one element (row[2]), a slice (row[1:3]) or all of them (row), as those
of array do: each element is read and written by one machine access, several are
not read or written at one moment, add is atomic, integers wrap around and floats
round as the C type does. An array of char holds text up to its first zero.

Nothing orders what programs do to it: two that read, change and write lose
updates. A semaphore or a lock beside it does, a named_semaphore also between
programs that are no part of the run. Races among declared processes are found;
what other programs write is not seen.

name: is the name that a program of others expects; without it the object gets
one that no other run has. The engine makes it before any process is forked, with
its size and its first content. If there is one of that name already, the run ends
as an error and leaves that one alone. At the end the name is removed, also when
ipcrun is killed; who has it mapped keeps its memory.`,
		Main: &decl.Field{Name: "array", Shape: decl.CType, Required: true, Static: true,
			Doc: "the C type of its elements, by multiprocessing's letter (i, d, c…) or by name (int32, double, char…)", Example: "i"},
		Fields: []decl.Field{
			{Name: "size", Shape: decl.Int, Default: "the length of initial, or 1", Min: decl.Num(1), Max: decl.Num(maxElements), Static: true,
				Doc: "how many elements it has; those without an initial value are 0", Example: "6"},
			{Name: "initial", Shape: decl.Any, Default: "zeros", Doc: "what it holds at first: a list, or text for char", Example: "[1, 2, 3]"},
			posixName,
		},
		Check: func(main any, fields map[string]any) (string, string) {
			if key, problem := checkNameField(fields, 0); problem != "" {
				return key, problem
			}
			return problem(sharedArgs(Args{Main: main, Fields: fields}))
		},
		Elements: true,
		Named:    "name",
		Facts: []decl.Fact{
			{Name: "value", Shape: decl.Any, Doc: "what it holds now: a list, text for char"},
			{Name: "size", Shape: decl.Int, Doc: "how many elements it has"},
			{Name: "bytes", Shape: decl.Int, Doc: "how many bytes it has, as fstat says"},
			nameFact,
		},
		Verbs: []decl.Verb{
			readElements("named shared memory"), writeElements("named shared memory"), addElement("named shared memory"),
			unlinkVerb("shared memory", "row"),
		},
		Example: "row: {shared_memory: i, size: 4, name: /row}",
		Source:  "shm_overview(7), shm_open(3); C11 6.2.5",
	},
	ArenaSize: func(Args) int { return 8 + nameMem },
	Roles:     func(Args) []Role { return []Role{{Name: "memory", Mapped: true}} },
	Create:    createShared,
	Attach:    attachShared,
	Detach:    func(h any) { detachArray(h.(*sharedMemory).array) },
	Address:   func(h any) string { return h.(*sharedMemory).name },
	Facts: func(h any, _ View) map[string]any {
		m := h.(*sharedMemory)
		return map[string]any{"value": m.shape.decode(m.all(), m.load), "size": m.shape.n, "bytes": m.shape.n * m.shape.t.Size, "name": m.name}
	},
	Ops: []Op{
		{Verb: "read", Do: func(h any, c *Call) error { return arrayRead(h.(*sharedMemory).array, c) }, Access: Reads},
		{Verb: "write", Do: func(h any, c *Call) error { return arrayWrite(h.(*sharedMemory).array, c) }, Access: Writes},
		{Verb: "add", Do: func(h any, c *Call) error { return arrayAdd(h.(*sharedMemory).array, c) }, Access: Reads | Writes | Atomic, Order: Acquire | Release},
		{Verb: "unlink", Do: func(h any, c *Call) error {
			m := h.(*sharedMemory)
			c.Seq = m.seq.Add(1)
			return unlinkShm(m.name, bare(m.name))
		}},
	},
	Model: func(a Args, _ int) (Model, error) {
		s, bits, err := sharedArgs(a)
		return namedModel{arrayModel{shape: s, bits: bits}}, err
	},
}

// sharedMemory is an array at a place that has a name.
type sharedMemory struct {
	*array
	name string
}

// sharedArgs reads a declaration: one element where nothing says more.
func sharedArgs(a Args) (arrayShape, []uint64, error) {
	_, sized := a.Fields["size"]
	init := a.Fields["initial"]
	with := map[string]any{"size": 1}
	for k, v := range a.Fields {
		with[k] = v
	}
	switch init.(type) {
	case nil:
		delete(with, "initial")
	case []any:
		if !sized {
			delete(with, "size")
		}
	case string:
		if t, _ := ParseCType(text(a.Main)); !sized && t.kind == 'c' {
			delete(with, "size")
		}
	default:
		with["initial"] = []any{init}
	}
	return arrayArgs(Args{Main: a.Main, Fields: with})
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
