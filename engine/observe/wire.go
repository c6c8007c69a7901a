package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The travelling form of an Event: its length (4 bytes, little-endian, of what
// follows), its kind (1 byte), and its fields in the order of the struct, those
// of other kinds left out. A number is a signed varint as encoding/binary has it, a
// string its length (an unsigned varint) and its bytes, a list its length and its
// elements.

// MaxEvent bounds the travelling form, in bytes; whoever reads a longer one
// reads something else.
const MaxEvent = 64 << 10

var errWire = errors.New("observe: malformed event")

// Append adds the travelling form of e to b.
func (e *Event) Append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, byte(e.Kind))
	b = numbers(b, e.At, int64(e.Pid), int64(e.Tid))
	switch e.Kind {
	case Fork:
		b = numbers(b, int64(e.Child), int64(e.Way))
	case Exec:
		b = text(b, e.Exe)
		b = binary.AppendUvarint(b, uint64(len(e.Argv)))
		for _, a := range e.Argv {
			b = text(b, a)
		}
	case Exit:
		b = numbers(b, int64(e.Status), e.CPU, e.Peak)
	case Signal:
		b = numbers(b, int64(e.Signal), int64(e.Sender), int64(e.Uid), int64(e.Code), int64(e.Value), int64(e.Disposition))
	case Stop:
		b = numbers(b, int64(e.Signal))
	case Begin, Call:
		c := e.Call
		b = args(text(b, c.Name), c.Args)
		b = text(numbers(b, c.Result), c.Error)
		b = numbers(args(b, c.Results), c.Duration)
	case Print:
		b = text(numbers(b, int64(e.Fd)), e.Text)
	case Lost:
		b = text(numbers(b, int64(e.Status), int64(e.Fd)), e.Text)
	}
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func numbers(b []byte, list ...int64) []byte {
	for _, n := range list {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func text(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func args(b []byte, list []Arg) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, a := range list {
		b = text(b, a.Name)
		b = binary.AppendVarint(b, a.Number)
		b = text(b, a.Text)
	}
	return b
}

// Next takes the first event from b and returns what follows it. ok is false
// while b does not hold a whole one. The event does not refer to b.
func Next(b []byte) (e Event, rest []byte, ok bool, err error) {
	if len(b) < 4 {
		return e, b, false, nil
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 1 || n > MaxEvent {
		return e, b, false, errWire
	}
	if len(b) < 4+n {
		return e, b, false, nil
	}
	r := reader{b: b[4 : 4+n]}
	e.Kind = Kind(r.byte())
	e.At, e.Pid, e.Tid = r.int(), int(r.int()), int(r.int())
	switch e.Kind {
	case Fork:
		e.Child, e.Way = int(r.int()), Way(r.int())
	case Exec:
		e.Exe = r.text()
		for range r.uint() {
			e.Argv = append(e.Argv, r.text())
		}
	case Exit:
		e.Status, e.CPU, e.Peak = uint32(r.int()), r.int(), r.int()
	case Signal:
		e.Signal, e.Sender, e.Uid = int(r.int()), int(r.int()), uint32(r.int())
		e.Code, e.Value, e.Disposition = Code(r.int()), int32(r.int()), Disposition(r.int())
	case Stop:
		e.Signal = int(r.int())
	case Continue:
	case Begin, Call:
		c := new(SystemCall)
		c.Name, c.Args = r.text(), r.args()
		c.Result, c.Error = r.int(), r.text()
		c.Results, c.Duration = r.args(), r.int()
		e.Call = c
	case Print:
		e.Fd, e.Text = int(r.int()), r.text()
	case Lost:
		e.Status, e.Fd, e.Text = uint32(r.int()), int(r.int()), r.text()
	default:
		return e, b, false, fmt.Errorf("%w: kind %d", errWire, e.Kind)
	}
	if r.bad || len(r.b) > 0 {
		return e, b, false, fmt.Errorf("%w: kind %v", errWire, e.Kind)
	}
	return e, b[4+n:], true, nil
}

// reader takes fields from b; after a mistake it yields zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() {
	r.b, r.bad = nil, true
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// uint is a length: at most as many as there are bytes left, since each element
// takes one at least.
func (r *reader) uint() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(len(r.b)-n) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *reader) text() string {
	n := r.uint()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) args() []Arg {
	var list []Arg
	for range r.uint() {
		list = append(list, Arg{Name: r.text(), Number: r.int(), Text: r.text()})
	}
	return list
}
