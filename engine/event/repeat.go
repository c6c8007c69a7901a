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

// Whole is a record of a process as Write has it, made of what its Writer wrote, in
// that order; nil where it cannot be one. It is good until the next one of the same
// process.
func (d *Reader) Whole(slot int, b []byte) []byte {
	for slot >= len(d.known) {
		d.known = append(d.known, nil)
	}
	k := d.known[slot]
	if k == nil {
		k = &known{}
		d.known[slot] = k
	}
	if len(b) < shortHead {
		return nil
	}
	if b[0]&shortBit == 0 {
		if len(b) < recHead-4 {
			return nil
		}
		k.take(b)
		return b
	}
	head := binary.LittleEndian.Uint32(b)
	f := k.form(head)
	b = b[shortHead:]
	if head&hasSeq != 0 {
		if len(b) < 4 {
			return nil
		}
		f.stride = uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
	}
	f.seq += f.stride
	k.at += int64(head >> 8)
	out := k.room[:recHead-4+8]
	out[0], out[1] = byte(Op), 0
	binary.LittleEndian.PutUint16(out[2:], f.verb)
	binary.LittleEndian.PutUint32(out[4:], f.step)
	binary.LittleEndian.PutUint32(out[8:], f.obj)
	binary.LittleEndian.PutUint64(out[12:], uint64(k.at))
	binary.LittleEndian.PutUint64(out[20:], f.seq)
	clear(out[recHead-4:])
	out[recHead-4] = f.tag
	if f.tag == tagInt {
		if len(b) < 8 {
			return nil
		}
		out = out[:recHead-4+16]
		clear(out[recHead-4+9:])
		copy(out[recHead-4+1:], b[:8])
	}
	return out
}

// known is what the reader knows of one process, and room for a record of it.
type known struct {
	repeats
	room [recHead - 4 + 16]byte
}

// take remembers what the writer of a whole record remembers.
func (k *known) take(b []byte) {
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
