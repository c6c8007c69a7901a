package event

import "encoding/binary"

// A loop writes the same record again and again, and each byte of it has to travel
// from the memory of one processor to that of another. So what a process records of
// an operation that it has recorded before is short: which one it repeats, and what
// is new. Operations whose value is nothing, a truth or an int are such; others, and
// whatever is no operation, travel whole.
//
// A short record is, without the ring's size field:
//
//	1 byte   shortBit, hasSeq, number of the form
//	3 bytes  nanoseconds since the record before it
//	4 bytes  hasSeq: how much Seq is more than last time; without it, as much as then
//	8 bytes  the value, where it is an int
const (
	shortBit = 0x80 // no kind is as large
	hasSeq   = 0x40

	repeatForms = 64
	formMask    = repeatForms - 1
	shortHead   = 4
	maxShortGap = 1 << 24 // nanoseconds
)

// isShort reports whether a record is of that form, and isWhole whether it can be one
// that Write has written.
func isShort(b []byte) bool { return len(b) >= shortHead && b[0]&shortBit != 0 }
func isWhole(b []byte) bool { return len(b) >= recHead-4 && b[0]&shortBit == 0 }

// repeat is the operation of a step as it was last recorded.
type repeat struct {
	obj, step   uint32
	verb        uint16
	tag         byte   // of its value
	seq, stride uint64 // its number, and how much that was more than the one before
}

// repeats are the last operations of a process. Writer and reader begin with the same,
// and see the same records: what one knows, the other knows.
type repeats struct {
	at    int64 // of the last record
	forms [repeatForms]repeat
}

// form is the place of a step, which it shares with others.
func (k *repeats) form(step uint32) *repeat { return &k.forms[step&formMask] }

// Writer writes the records of one process to its ring.
type Writer struct {
	ring  Ring
	known repeats
}

// NewWriter writes to a ring that nobody else writes to any more.
func NewWriter(r Ring) *Writer { return &Writer{ring: r} }

// Write publishes a record.
func (w *Writer) Write(rec *Rec) {
	if rec.Kind != Op || rec.Flags != 0 || rec.Last != 0 || !w.repeated(rec) {
		Write(w.ring, rec)
	}
	w.known.at = rec.At
}

// repeated writes an operation as a short record, if it can be one, and remembers it.
func (w *Writer) repeated(rec *Rec) bool {
	var tag byte
	var n int
	switch v := rec.Value.(type) {
	case nil:
		tag = tagNil
	case bool:
		if tag = tagFalse; v {
			tag = tagTrue
		}
	case int:
		tag, n = tagInt, v
	default:
		return false
	}
	f := w.known.form(rec.Step)
	gap, more := rec.At-w.known.at, rec.Seq-f.seq
	if f.step != rec.Step || f.obj != rec.Obj || f.verb != rec.Verb || f.tag != tag ||
		uint64(gap) >= maxShortGap || more>>32 != 0 {
		*f = repeat{obj: rec.Obj, step: rec.Step, verb: rec.Verb, tag: tag, seq: rec.Seq}
		return false
	}
	head, size := shortBit|rec.Step&formMask, 4+shortHead
	if more != f.stride {
		head, size = head|hasSeq, size+4
	}
	if tag == tagInt {
		size += 8
	}
	f.seq, f.stride = rec.Seq, more
	size = (size + 7) &^ 7
	b := w.ring.Reserve(size)
	binary.LittleEndian.PutUint32(b[4:], head|uint32(gap)<<8)
	rest := b[4+shortHead:]
	if head&hasSeq != 0 {
		binary.LittleEndian.PutUint32(rest, uint32(more))
		rest = rest[4:]
	}
	if tag == tagInt {
		binary.LittleEndian.PutUint64(rest, uint64(n))
	}
	w.ring.Publish(size, rec.Kind.Notable())
	return true
}

// known is what the reader knows of one process.
func (d *Reader) known(slot int) *repeats {
	for slot >= len(d.processes) {
		d.processes = append(d.processes, nil)
	}
	if d.processes[slot] == nil {
		d.processes[slot] = &repeats{}
	}
	return d.processes[slot]
}

// next is the operation that a short record repeats, and the value of it where that is
// an int; nil where it cannot be one.
func (k *repeats) next(b []byte) (f *repeat, value []byte) {
	head := binary.LittleEndian.Uint32(b)
	f = k.form(head)
	b = b[shortHead:]
	if head&hasSeq != 0 {
		if len(b) < 4 {
			return nil, nil
		}
		f.stride = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	if f.tag == tagInt && len(b) < 8 {
		return nil, nil
	}
	f.seq += f.stride
	k.at += int64(head >> 8)
	return f, b
}

// rec is the record of an operation that was repeated at the time of the last record.
func (k *repeats) rec(f *repeat, value []byte) Rec {
	r := Rec{Kind: Op, Verb: f.verb, Step: f.step, Obj: f.obj, At: k.at, Seq: f.seq}
	switch f.tag {
	case tagFalse:
		r.Value = false
	case tagTrue:
		r.Value = true
	case tagInt:
		r.Value = int(int64(binary.LittleEndian.Uint64(value)))
	}
	return r
}

// take remembers what the writer of a whole record remembers.
func (k *repeats) take(b []byte) {
	k.at = int64(binary.LittleEndian.Uint64(b[12:]))
	if Kind(b[0]) != Op || b[1] != 0 || len(b) < recHead-4+1 || b[recHead-4] > tagInt {
		return
	}
	step := binary.LittleEndian.Uint32(b[4:])
	*k.form(step) = repeat{
		obj: binary.LittleEndian.Uint32(b[8:]), step: step, verb: binary.LittleEndian.Uint16(b[2:]), tag: b[recHead-4],
		seq: binary.LittleEndian.Uint64(b[20:]),
	}
}
