package script

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"

	"ipcrun/prims"
)

// Programs travel as bytes that mean what the next line of a travel method says: one
// that writes them and one that reads them are the same. Every process reads its own
// at its start, and finding out by reflection what a program consists of would take
// it longer than the reading.
//
//	numbers   varints; those with a fraction 8 bytes
//	text      length, bytes
//	lists     0 for nil, else length + 1, elements
//	mappings  the same; keys and values, sorted
//	pointers  0 for nil, else 1 and what it points to

// Parcel is what travels by itself: a Program, or Common.
type Parcel interface{ travel(t *carrier) }

// Encode is the travelling form of a part. It fails for what is no value of the
// language.
func Encode(p Parcel) ([]byte, error) {
	t := &carrier{}
	p.travel(t)
	return t.b, t.err
}

// Decode is the inverse of Encode. It fails for bytes that are damaged.
func Decode(b []byte, p Parcel) error {
	t := &carrier{b: b, reading: true}
	p.travel(t)
	if t.err == nil && len(t.b) > 0 {
		t.err = errDamaged
	}
	return t.err
}

var errDamaged = errors.New("program: the text of it is damaged")

// carrier appends to b what it is shown, or fills it in from b.
type carrier struct {
	b       []byte
	reading bool
	err     error
}

func (t *carrier) damaged() {
	t.b, t.err = nil, errDamaged
}

func (t *carrier) int(n *int) {
	if !t.reading {
		t.b = binary.AppendVarint(t.b, int64(*n))
		return
	}
	x, size := binary.Varint(t.b)
	if size <= 0 {
		t.damaged()
		return
	}
	*n, t.b = int(x), t.b[size:]
}

func (t *carrier) uint32(n *uint32) {
	x := int(*n)
	t.int(&x)
	*n = uint32(x)
}

func (t *carrier) bool(v *bool) {
	n := 0
	if *v {
		n = 1
	}
	t.int(&n)
	*v = n != 0
}

func (t *carrier) float(f *float64) {
	if !t.reading {
		t.b = binary.LittleEndian.AppendUint64(t.b, math.Float64bits(*f))
		return
	}
	if len(t.b) < 8 {
		t.damaged()
		return
	}
	*f, t.b = math.Float64frombits(binary.LittleEndian.Uint64(t.b)), t.b[8:]
}

// size is the length of what follows. Every element takes a byte at least.
func (t *carrier) size(n int) int {
	if t.int(&n); t.reading && (n < 0 || n > len(t.b)+1) {
		t.damaged()
		return 0
	}
	return n
}

func (t *carrier) text(s *string) {
	n := t.size(len(*s))
	if !t.reading {
		t.b = append(t.b, *s...)
		return
	}
	if n > len(t.b) {
		t.damaged()
		return
	}
	*s, t.b = string(t.b[:n]), t.b[n:]
}

// value is any value of the language.
func (t *carrier) value(v *any) {
	var err error
	if t.reading {
		*v, t.b, err = prims.ReadValue(t.b)
	} else {
		t.b, err = prims.AppendValue(t.b, *v)
	}
	if err != nil && t.err == nil {
		t.err = err
	}
}

func pointer[T any](t *carrier, p **T, what func(*carrier, *T)) {
	there := *p != nil
	t.bool(&there)
	if !there {
		return
	}
	if t.reading {
		*p = new(T)
	}
	what(t, *p)
}

func list[T any](t *carrier, l *[]T, each func(*carrier, *T)) {
	n := 0
	if *l != nil {
		n = len(*l) + 1
	}
	if n = t.size(n); n == 0 {
		return
	}
	if t.reading {
		*l = make([]T, n-1)
	}
	for i := range *l {
		each(t, &(*l)[i])
	}
}

func mapping[K cmp.Ordered, V any](t *carrier, m *map[K]V, key func(*carrier, *K), each func(*carrier, *V)) {
	n := 0
	if *m != nil {
		n = len(*m) + 1
	}
	if n = t.size(n); n == 0 {
		return
	}
	if !t.reading {
		for _, k := range slices.Sorted(maps.Keys(*m)) {
			v := (*m)[k]
			key(t, &k)
			each(t, &v)
		}
		return
	}
	*m = make(map[K]V, n-1)
	for range n - 1 {
		var k K
		var v V
		key(t, &k)
		each(t, &v)
		(*m)[k] = v
	}
}

// What there is a list or a mapping of.

func steps(t *carrier, l *[]*Step) {
	list(t, l, func(t *carrier, s **Step) { pointer(t, s, stepTravels) })
}

func arg(t *carrier, a **Arg) { pointer(t, a, argTravels) }

func ref(t *carrier, r **Ref) {
	pointer(t, r, func(t *carrier, r *Ref) {
		t.text(&r.Name)
		t.text(&r.Index)
		t.text(&r.Part)
		t.text(&r.Elem)
		t.text(&r.To)
		t.bool(&r.Slice)
	})
}

func (c *Common) travel(t *carrier) {
	mapping(t, &c.Names, (*carrier).text, func(t *carrier, n *Name) {
		t.text(&n.Class)
		t.text(&n.Kind)
		t.int(&n.First)
		t.int(&n.Count)
	})
	mapping(t, &c.Params, (*carrier).text, (*carrier).value)
	list(t, &c.Always, func(t *carrier, a *Always) {
		t.uint32(&a.Step)
		t.text(&a.Expr)
		list(t, &a.Prims, (*carrier).text)
	})
}

func (p *Program) travel(t *carrier) {
	t.text(&p.Name)
	steps(t, &p.Steps)
	list(t, &p.Handlers, func(t *carrier, h *Handler) {
		t.int(&h.Signal)
		t.text(&h.Disp)
		steps(t, &h.Steps)
	})
	steps(t, &p.Orders)
	list(t, &p.Vars, (*carrier).text)
	list(t, &p.Uses, func(t *carrier, u *Use) {
		t.text(&u.Name)
		t.text(&u.Kind)
		t.int(&u.Number)
		t.value(&u.Main)
		mapping(t, &u.Fields, (*carrier).text, (*carrier).value)
		t.int(&u.Off)
		t.int(&u.Size)
		list(t, &u.Fds, (*carrier).int)
		list(t, &u.Pass, (*carrier).bool)
	})
	t.bool(&p.Idle)
	pointer(t, &p.Held, func(t *carrier, h *Held) {
		pointer(t, &h.Nice, (*carrier).int)
		pointer(t, &h.Umask, (*carrier).int)
		t.int(&h.CPU)
		t.uint32(&h.NiceAt)
		t.uint32(&h.CPUAt)
	})
	t.int(&p.Output)
	pointer(t, &p.Serves, (*carrier).int)
	list(t, &p.Tasks, func(t *carrier, k **Task) { pointer(t, k, taskTravels) })
}

func taskTravels(t *carrier, k *Task) {
	t.text(&k.Name)
	t.int(&k.Number)
	list(t, &k.Params, (*carrier).text)
	steps(t, &k.Steps)
	arg(t, &k.Result)
	mapping(t, &k.Lines, (*carrier).uint32, (*carrier).int)
}

// stepTravels: what only the top-level script has in a step does not travel.
func stepTravels(t *carrier, s *Step) {
	t.uint32(&s.ID)
	t.text(&s.Verb)
	t.text(&s.Class)
	arg(t, &s.Obj)
	mapping(t, &s.Args, (*carrier).text, arg)
	mapping(t, &s.Blocks, (*carrier).text, steps)
	t.text(&s.When)
	t.text(&s.Error)
	t.text(&s.Into)
	arg(t, &s.Timeout)
}

func argTravels(t *carrier, a *Arg) {
	pointer(t, &a.Int, (*carrier).int)
	pointer(t, &a.Float, (*carrier).float)
	pointer(t, &a.Str, (*carrier).text)
	pointer(t, &a.Bool, (*carrier).bool)
	t.text(&a.Tmpl)
	t.text(&a.Expr)
	pointer(t, &a.List, func(t *carrier, l *[]*Arg) { list(t, l, arg) })
	mapping(t, &a.Map, (*carrier).text, arg)
	ref(t, &a.Ref)
	list(t, &a.Refs, ref)
}
