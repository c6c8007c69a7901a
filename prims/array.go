package prims

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"unsafe"

	"ipcrun/spec/decl"
)

func init() { Register(&arrayKind) }

var arrayKind = Descriptor{
	Kind: decl.Kind{
		Name:    "array",
		Summary: "a row of C variables in shared memory",
		Doc: `An array is a row of variables of one C type in memory of its own that all
processes map, as C lays it out. Verbs take one element (row[2]), a slice
(row[1:3]: from the first to before the second; either may be left out) or all
of them (row). Elements are counted from 0, negative numbers from the end: -1 is
the last. What does not exist, and a slice without elements, fails with Invalid.

Each element is read and written by one machine access; several of them are not
read or written at one moment. Two processes that read, change and write lose
updates, unless a lock orders them. add is atomic. Integers wrap around and
floats round as the C type does. Nothing remembers what was overwritten.

An array of char holds text, one byte in each element; what is behind the text
is zero. Text is read up to the first zero.

As in multiprocessing, an array comes with a lock of its own, which belongs to
the process that acquired it and may be acquired again by it: acquire, release
and with take the array itself. read, write and add do not ask for the lock.`,
		Main: &decl.Field{Name: "array", Shape: decl.CType, Required: true, Static: true,
			Doc: "the C type of its elements, by multiprocessing's letter (i, d, c…) or by name (int32, double, char…)", Example: "i"},
		Fields: []decl.Field{
			{Name: "size", Shape: decl.Int, Default: "the length of initial", Min: decl.Num(1), Max: decl.Num(maxElements), Static: true,
				Doc: "how many elements it has; those without an initial value are 0", Example: "6"},
			{Name: "initial", Shape: decl.Any, Default: "zeros", Doc: "what it holds at first: a list, or text for char", Example: "[1, 2, 3]"},
			lockField,
		},
		Check: func(main any, fields map[string]any) (string, string) {
			return problem(arrayArgs(Args{Main: main, Fields: fields}))
		},
		Elements: true,
		Facts: []decl.Fact{
			{Name: "value", Shape: decl.Any, Doc: "what it holds now: a list, text for char"},
			{Name: "size", Shape: decl.Int, Doc: "how many elements it has"},
			lockedFact, holderFact, depthFact, ownLockWaiters,
		},
		Verbs: []decl.Verb{
			readElements("a shared array"), writeElements("a shared array"), addElement("a shared array"),
			ownAcquire("array", "row"), ownRelease("array", "row"),
		},
		Example: "row: {array: i, initial: [1, 2, 3]}",
		Source:  "multiprocessing.Array; C11 6.2.5",
	},
	ArenaSize: func(Args) int { return 8 + reentrantSize },
	Roles:     func(Args) []Role { return []Role{{Name: "memory", Mapped: true, Handed: true}} },
	Create:    createArray,
	Attach:    attachArray,
	Detach:    detachArray,
	Facts: func(h any, v View) map[string]any {
		a := h.(*array)
		f := a.lock.facts(v)
		f["value"], f["size"] = a.shape.decode(a.all(), a.load), a.shape.n
		return f
	},
	Ops: []Op{
		{Verb: "read", Do: arrayRead, Access: Reads},
		{Verb: "write", Do: arrayWrite, Access: Writes},
		{Verb: "add", Do: arrayAdd, Access: Reads | Writes | Atomic, Order: Acquire | Release},
		{
			Verb:  "acquire",
			Do:    func(h any, c *Call) error { return h.(*array).lock.acquire(c) },
			Ready: func(h any, _ uint64) bool { return h.(*array).lock.ready() },
			Order: Acquire,
		},
		{Verb: "release", Do: func(h any, c *Call) error { return h.(*array).lock.release(c) }, Order: Release},
	},
	Holders: func(h any) []int { return h.(*array).lock.holders() },
	Died:    func(h any, slot int) { h.(*array).lock.died(slot) },
	Model: func(a Args, _ int) (Model, error) {
		s, bits, err := arrayArgs(a)
		return arrayModel{s, bits, hasOwnLock(a)}, err
	},
}

// readElements, writeElements and addElement describe the verbs of a row of
// elements called so.

func readElements(what string) decl.Verb {
	return decl.Verb{
		Name: "read", Summary: "read elements of " + what + " into a variable", Result: decl.Any, Place: decl.InProcess,
		Doc: `Never blocks. One element is read as a number (a byte of text for char), a slice
or all of them as a list (text for char, up to the first zero). An element that
does not exist fails with Invalid.`,
		Errors:  []string{Invalid},
		Example: "{read: row, into: seen}",
	}
}

func writeElements(what string) decl.Verb {
	return decl.Verb{
		Name: "write", Summary: "overwrite elements of " + what, Place: decl.InProcess,
		Doc: `Never blocks; what was there is gone. One element takes a number (a byte of text
for char), a slice or all of them a list with as many elements. In an array of
char a slice takes text of as many bytes, and the whole array text of at most
as many: the rest becomes zero. Anything else, a value that the C type cannot
hold, and elements that do not exist fail with Invalid, and nothing is written.`,
		Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Required: true, Doc: "what to write: a value, a list, or text", Example: "[4, 5, 6]"}},
		Errors:  []string{Invalid},
		Example: "{write: row, value: [4, 5, 6]}",
	}
}

func addElement(what string) decl.Verb {
	return decl.Verb{
		Name: "add", Summary: "add to one element of " + what + ", atomically", Result: decl.Any, Place: decl.InProcess,
		Doc: `Never blocks. The sum is computed and stored in one atomic step; into: receives
it. It takes one element, as row[2]; anything else fails with Invalid.`,
		Fields:  []decl.Field{{Name: "value", Shape: decl.Any, Default: "1", Doc: "what to add", Example: "1"}},
		Errors:  []string{Invalid},
		Example: "{add: row, value: 1}",
	}
}

// maxElements bounds the size of an array.
const maxElements = 1 << 24

// array: the elements lie at offset 0 of a memfd, as a C program that maps it
// expects. Their operations are numbered beside them, in the arena; the numbers
// agree with the order in memory except between accesses that race.
type array struct {
	seq   *atomic.Uint64
	shape arrayShape
	mem   []byte // the mapping
	lock  ownLock
}

func (a *array) at(i int) unsafe.Pointer { return unsafe.Pointer(&a.mem[i*a.shape.t.Size]) }
func (a *array) load(i int) uint64       { return a.shape.t.load(a.at(i)) }
func (a *array) all() span               { return span{0, a.shape.n, false} }

func arrayRead(h any, c *Call) error {
	a := h.(*array)
	sp, err := a.shape.span(c.Elems)
	if err != nil {
		return err
	}
	if a.chars(sp) {
		c.Result = untilZero(a.mem[sp.from:sp.to])
	} else {
		c.Result = a.shape.decode(sp, a.load)
	}
	c.First, c.Last = sp.from, sp.to
	c.Seq = a.seq.Add(1)
	return nil
}

func arrayWrite(h any, c *Call) error {
	a := h.(*array)
	sp, err := a.shape.span(c.Elems)
	if err != nil {
		return err
	}
	text, isText := c.Args.Get("value").(string)
	if n := sp.to - sp.from; isText && a.chars(sp) && (len(text) == n || len(text) < n && !c.Elems.Given) {
		c.Seq = a.seq.Add(1)
		clear(a.mem[sp.from+copy(a.mem[sp.from:sp.to], text) : sp.to])
		c.First, c.Last, c.Result = sp.from, sp.to, untilZero([]byte(text))
		return nil
	}
	bits, err := a.shape.encode(sp, !c.Elems.Given, c.Args.Get("value"))
	if err != nil {
		return err
	}
	c.Seq = a.seq.Add(1)
	for i, b := range bits {
		a.shape.t.store(a.at(sp.from+i), b)
	}
	c.First, c.Last = sp.from, sp.to
	c.Result = a.shape.decode(sp, func(i int) uint64 { return bits[i-sp.from] })
	return nil
}

// chars: several chars, which may be copied as one piece. No other process can
// see half of a byte.
func (a *array) chars(sp span) bool { return a.shape.t.kind == 'c' && !sp.one }

// untilZero is text up to its first zero byte.
func untilZero(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func arrayAdd(h any, c *Call) error {
	a := h.(*array)
	sp, err := a.shape.single(c.Elems)
	if err != nil {
		return err
	}
	var delta any = 1
	if c.Args.Has("value") {
		delta = c.Args.Get("value")
	}
	_, now, err := a.shape.t.update(a.at(sp.from), func(old uint64) (uint64, error) { return a.shape.t.add(old, delta) })
	if err != nil {
		return err
	}
	c.First, c.Last = sp.from, sp.to
	c.Seq = a.seq.Add(1)
	c.Result = a.shape.t.decode(now)
	return nil
}

// arrayShape is what an array is like, whatever it holds.
type arrayShape struct {
	t CType
	n int
}

// arrayArgs reads a declaration: the shape, and the bits of the first elements.
func arrayArgs(a Args) (s arrayShape, bits []uint64, err error) {
	name, _ := a.Main.(string)
	t, ok := ParseCType(name)
	if !ok {
		return s, nil, decl.Fail(Invalid, "no C type %q", name)
	}
	s.t = t
	size, sized := a.Fields["size"].(int)
	init, given := a.Fields["initial"]
	given = given && init != nil
	switch {
	case !sized && !given:
		return s, nil, decl.Fail(Invalid, "an array needs size: or initial:")
	case sized && (size < 1 || size > maxElements):
		return s, nil, decl.Fail(Invalid, "an array has 1 to %d elements, not %d", maxElements, size)
	case given:
		if bits, err = s.list(init); err != nil {
			return s, nil, err
		}
	}
	switch {
	case !sized:
		size = len(bits)
	case size < len(bits):
		return s, nil, decl.Fail(Invalid, "initial: has %d elements, size: is %d", len(bits), size)
	}
	if size < 1 || size > maxElements {
		return s, nil, decl.Fail(Invalid, "an array has 1 to %d elements, not %d", maxElements, size)
	}
	s.n = size
	return s, bits, nil
}

// span is a run of elements, to exclusive; one means that a single element is
// meant, not a slice of one.
type span struct {
	from, to int
	one      bool
}

// span finds the elements that a step names.
func (s arrayShape) span(e Elems) (span, error) {
	if !e.Given {
		return span{0, s.n, false}, nil
	}
	from := e.From
	if from < 0 {
		from += s.n
	}
	if e.Single {
		if from < 0 || from >= s.n {
			return span{}, decl.Fail(Invalid, "there is no element %d: they go from 0 to %d", e.From, s.n-1)
		}
		return span{from, from + 1, true}, nil
	}
	to, text := s.n, ""
	if !e.Open {
		if to = e.To; to < 0 {
			to += s.n
		}
		text = fmt.Sprint(e.To)
	}
	if from < 0 || from >= to || to > s.n {
		return span{}, decl.Fail(Invalid, "there is no slice %d:%s with elements in it: they go from 0 to %d", e.From, text, s.n-1)
	}
	return span{from, to, false}, nil
}

// single finds the one element that a step names.
func (s arrayShape) single(e Elems) (span, error) {
	if !e.Given || !e.Single {
		return span{}, decl.Fail(Invalid, "add takes one element, as row[2]")
	}
	return s.span(e)
}

// decode is what the elements of a span hold.
func (s arrayShape) decode(sp span, load func(i int) uint64) any {
	switch {
	case sp.one:
		return s.t.decode(load(sp.from))
	case s.t.kind == 'c':
		var b strings.Builder
		for i := sp.from; i < sp.to; i++ {
			c := byte(load(i))
			if c == 0 {
				break
			}
			b.WriteByte(c)
		}
		return b.String()
	}
	list := make([]any, sp.to-sp.from)
	for i := range list {
		list[i] = s.t.decode(load(sp.from + i))
	}
	return list
}

// encode turns a value into the bits of the elements of a span. whole: the
// array itself is meant, which takes shorter text.
func (s arrayShape) encode(sp span, whole bool, v any) ([]uint64, error) {
	if sp.one {
		bits, err := s.t.encode(v)
		return []uint64{bits}, err
	}
	bits, err := s.list(v)
	if err != nil {
		return nil, err
	}
	n := sp.to - sp.from
	if _, text := v.(string); text && whole && len(bits) < n {
		bits = append(bits, make([]uint64, n-len(bits))...)
	}
	if len(bits) != n {
		return nil, decl.Fail(Invalid, "%d elements do not take %d", n, len(bits))
	}
	return bits, nil
}

// list turns a list, or text for char, into bits.
func (s arrayShape) list(v any) ([]uint64, error) {
	switch x := v.(type) {
	case string:
		if s.t.kind != 'c' {
			break
		}
		bits := make([]uint64, len(x))
		for i := range bits {
			bits[i] = uint64(x[i])
		}
		return bits, nil
	case []any:
		bits := make([]uint64, len(x))
		for i, e := range x {
			var err error
			if bits[i], err = s.t.encode(e); err != nil {
				return nil, err
			}
		}
		return bits, nil
	}
	what := "a list"
	if s.t.kind == 'c' {
		what = "text or a list"
	}
	return nil, decl.Fail(Invalid, "several elements take %s, not %s", what, describe(v))
}

// arrayModel: the bytes of the elements, then those of the lock.
type arrayModel struct {
	shape  arrayShape
	bits   []uint64
	locked bool
}

func (m arrayModel) Size() int { return m.shape.n*m.shape.t.Size + reentrantBytes }

func (m arrayModel) Init(st []byte) { m.put(st, 0, m.bits) }

func (m arrayModel) put(st []byte, from int, bits []uint64) {
	for i, b := range bits {
		m.shape.t.put(st[(from+i)*m.shape.t.Size:], b)
	}
}

func (m arrayModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	load := func(i int) uint64 { return m.shape.t.get(st[i*m.shape.t.Size:]) }
	var sp span
	var bits []uint64
	var err error
	switch verb {
	case "acquire", "release":
		return ownLockModel(st[m.shape.n*m.shape.t.Size:], m.locked, p, verb, c)
	case "read":
		sp, err = m.shape.span(c.Elems)
	case "write":
		if sp, err = m.shape.span(c.Elems); err == nil {
			bits, err = m.shape.encode(sp, !c.Elems.Given, c.Value)
		}
	case "add":
		if sp, err = m.shape.single(c.Elems); err == nil {
			delta := c.Value
			if delta == nil {
				delta = 1
			}
			var sum uint64
			sum, err = m.shape.t.add(load(sp.from), delta)
			bits = []uint64{sum}
		}
	default:
		panic("array has no verb " + verb)
	}
	if err != nil {
		f, _ := err.(*decl.Failure)
		return nil, f, false
	}
	m.put(st, sp.from, bits)
	return m.shape.decode(sp, load), nil, false
}
