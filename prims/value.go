package prims

import (
	"sync/atomic"
	"unsafe"

	"ipcrun/spec/decl"
)

func init() { Register(&valueKind) }

var valueKind = Descriptor{
	Kind: decl.Kind{
		Name:    "value",
		Summary: "one C variable in shared memory",
		Doc: `A value is one variable of a C type in memory of its own that all processes
map. read and write are one machine access each and are not atomic together: two
processes that read, add and write lose updates, unless a lock orders them. add
is atomic. Integers wrap around and floats round as the C type does. Nothing
remembers what was overwritten.

As in multiprocessing, a value comes with a lock of its own, which belongs to
the process that acquired it and may be acquired again by it: acquire, release
and with take the value itself. read, write and add do not ask for the lock.`,
		Main: &decl.Field{Name: "value", Shape: decl.CType, Required: true, Static: true,
			Doc: "the C type, by multiprocessing's letter (i, d, c…) or by name (int32, double, char…)", Example: "i"},
		Fields: []decl.Field{
			{Name: "initial", Shape: decl.Any, Default: "0", Doc: "what it holds at first", Example: "0"},
			lockField,
		},
		Facts: []decl.Fact{
			{Name: "value", Shape: decl.Any, Doc: "what it holds now"},
			lockedFact, holderFact, depthFact, ownLockWaiters,
		},
		Verbs: []decl.Verb{
			{
				Name: "read", Summary: "read a shared value into a variable", Result: decl.Any, Place: decl.InProcess,
				Doc:     "Never blocks. One machine access.",
				Example: "{read: total, into: seen}",
			},
			{
				Name: "write", Summary: "overwrite a shared value", Place: decl.InProcess,
				Doc:     "Never blocks. One machine access; what was there is gone. A whole number that the C type is too small for wraps around; another kind of value than the type has fails with Invalid.",
				Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Required: true, Doc: "what to write", Example: "${seen + 1}"}},
				Errors:  []string{Invalid},
				Example: `{write: total, value: "${seen + 1}"}`,
			},
			{
				Name: "add", Summary: "add to a shared value, atomically", Result: decl.Any, Place: decl.InProcess,
				Doc:     "Never blocks. The sum is computed and stored in one atomic step; into: receives it.",
				Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Default: "1", Doc: "what to add", Example: "1"}},
				Errors:  []string{Invalid},
				Example: "add: total",
			},
			ownAcquire("value", "total"), ownRelease("value", "total"),
		},
		Check: func(main any, fields map[string]any) (string, string) {
			return problem(valueArgs(Args{Main: main, Fields: fields}))
		},
		Example: "total: {value: i, initial: 0}",
		Source:  "multiprocessing.Value; C11 6.2.5",
	},
	ArenaSize: func(Args) int { return 8 + reentrantSize },
	Roles:     func(Args) []Role { return []Role{{Name: "memory", Mapped: true, Handed: true}} },
	Create:    createValue,
	Attach:    attachValue,
	Detach:    detachValue,
	Facts: func(h any, view View) map[string]any {
		v := h.(*value)
		f := v.lock.facts(view)
		f["value"] = v.t.decode(v.t.load(v.p))
		return f
	},
	Ops: []Op{
		{Verb: "read", Do: valueRead, Access: Reads},
		{Verb: "write", Do: valueWrite, Access: Writes},
		{Verb: "add", Do: valueAdd, Access: Reads | Writes | Atomic, Order: Acquire | Release},
		{
			Verb:  "acquire",
			Do:    func(h any, c *Call) error { return h.(*value).lock.acquire(c) },
			Ready: func(h any, _ uint64) bool { return h.(*value).lock.ready() },
			Order: Acquire,
		},
		{Verb: "release", Do: func(h any, c *Call) error { return h.(*value).lock.release(c) }, Order: Release},
	},
	Holders: func(h any) []int { return h.(*value).lock.holders() },
	Died:    func(h any, slot int) { h.(*value).lock.died(slot) },
	Model: func(a Args, _ int) (Model, error) {
		t, bits, err := valueArgs(a)
		return valueModel{t, bits, hasOwnLock(a)}, err
	},
}

// value: the variable lies at offset 0 of a memfd, as a C program that maps it
// expects. Its operations are numbered beside it, in the arena; the numbers
// agree with the order in memory except between accesses that race.
type value struct {
	seq  *atomic.Uint64
	t    CType
	p    unsafe.Pointer
	mem  []byte // the mapping
	lock ownLock
}

func valueArgs(a Args) (t CType, bits uint64, err error) {
	name, _ := a.Main.(string)
	t, ok := ParseCType(name)
	if !ok {
		return t, 0, decl.Fail(Invalid, "no C type %q", name)
	}
	if init, given := a.Fields["initial"]; given && init != nil {
		bits, err = t.encode(init)
	}
	return t, bits, err
}

func valueRead(h any, c *Call) error {
	v := h.(*value)
	c.Result = v.t.decode(v.t.load(v.p))
	c.Seq = v.seq.Add(1)
	return nil
}

func valueWrite(h any, c *Call) error {
	v := h.(*value)
	given := c.Args.Get("value")
	bits, err := v.t.encode(given)
	if err != nil {
		return err
	}
	c.Seq = v.seq.Add(1)
	v.t.store(v.p, bits)
	c.Result = v.t.held(given, bits)
	return nil
}

func valueAdd(h any, c *Call) error {
	v := h.(*value)
	var delta any = 1
	if c.Args.Has("value") {
		delta = c.Args.Get("value")
	}
	_, now, err := v.t.update(v.p, func(old uint64) (uint64, error) { return v.t.add(old, delta) })
	if err != nil {
		return err
	}
	c.Seq = v.seq.Add(1)
	c.Result = v.t.decode(now)
	return nil
}

// valueModel: the bytes of the variable, then those of its lock.
type valueModel struct {
	t      CType
	bits   uint64
	locked bool
}

func (m valueModel) Size() int      { return m.t.Size + reentrantBytes }
func (m valueModel) Init(st []byte) { m.t.put(st, m.bits) }

func (m valueModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	bits, err := m.t.get(st), error(nil)
	switch verb {
	case "acquire", "release":
		return ownLockModel(st[m.t.Size:], m.locked, p, verb, c)
	case "read":
		return m.t.decode(bits), nil, false
	case "write":
		bits, err = m.t.encode(c.Value)
	case "add":
		delta := c.Value
		if delta == nil {
			delta = 1
		}
		bits, err = m.t.add(bits, delta)
	default:
		panic("value has no verb " + verb)
	}
	if err != nil {
		f, _ := err.(*decl.Failure)
		return nil, f, false
	}
	m.t.put(st, bits)
	return m.t.decode(bits), nil, false
}
