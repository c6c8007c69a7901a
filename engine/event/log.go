package event

import "encoding/binary"

// Log keeps the records of a run in the order in which they were drained. Of a
// record it keeps what the one before it of the same form does not tell: a loop
// of a million operations is a few bytes for each, and so few new pages of memory,
// which are dear.
type Log struct {
	// Fresh, if set, is shown memory that the log is about to fill, at least a
	// megabyte of it.
	Fresh  func([]byte)
	chunks [][]byte
	n      int
	known  forms
}

const chunkSize = 4 << 20

// Append keeps a copy of an encoded record of process slot; -1 is the engine.
// What is too short to be a record is not kept.
func (l *Log) Append(slot int, rec []byte) {
	if len(rec) < recHead-4 {
		return
	}
	need := formedMax + len(rec)
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < need {
		// The first chunks are small: most runs are.
		size := max(need, min(chunkSize, 4096<<(2*len(l.chunks))))
		chunk := make([]byte, 0, size)
		if l.Fresh != nil && size >= 1<<20 {
			l.Fresh(chunk[:size])
		}
		l.chunks = append(l.chunks, chunk)
		last++
	}
	l.chunks[last] = l.known.write(l.chunks[last], int32(slot), rec)
	l.n++
}

// Add keeps a record that was not encoded yet.
func (l *Log) Add(slot int, r *Rec) { Write(&adder{log: l, slot: slot}, r) }

// adder is a Ring whose records a log keeps.
type adder struct {
	log  *Log
	slot int
	b    []byte
}

func (a *adder) Reserve(n int) []byte { a.b = make([]byte, n); return a.b }
func (a *adder) Publish(int, bool)    { a.log.Append(a.slot, a.b[4:]) }

// Len is the number of records.
func (l *Log) Len() int { return l.n }

// Each calls f with every record that keep accepts, in order of arrival. n is
// the record's number in that order.
func (l *Log) Each(keep func(n int, k Kind) bool, f func(slot int, r Rec)) {
	i := 0
	var d Reader
	var known forms
	var rec []byte
	for _, c := range l.chunks {
		for len(c) > 0 {
			m := known.read(&c)
			i++
			kind := PeekKind(m.form.head[:])
			if kind != Piece && keep != nil && !keep(i-1, kind) {
				continue
			}
			rec = m.record(rec[:0])
			slot := int(m.form.slot)
			if r, more, err := d.Read(slot, rec); err == nil && !more {
				f(slot, r)
			}
		}
	}
}

// form is what records of one step of a process have in common.
type form struct {
	slot int32
	size uint32         // of the record, bytes
	head [formHead]byte // kind, flags, verb, step, object
	seq  uint64         // of the last such record
}

const (
	formHead  = 12 // where the time begins in a record
	formsBits = 7  // a number of a form and isNew fit in a byte
	isNew     = 1 << formsBits
	// formedMax is how many bytes more than a record its form may take: its
	// number, slot, size, and three numbers of variable length.
	formedMax = 1 + 4 + 4 + 3*binary.MaxVarintLen64
)

// forms are those of the last records. Writer and reader each have their own
// and see the same records: what one knows, the other knows.
type forms struct {
	at    int64 // time of the last record
	known [1 << formsBits]form
}

// place is where a form belongs, which it shares with others.
func (k *forms) place(slot int32, rec []byte) int {
	h := binary.LittleEndian.Uint64(rec) + uint64(uint32(slot))<<17 + uint64(binary.LittleEndian.Uint32(rec[8:]))<<9
	return int(h * 0x9E3779B97F4A7C15 >> (64 - formsBits)) // Knuth, The Art of Computer Programming 3, 6.4: multiplicative hashing
}

// write appends a record.
func (k *forms) write(c []byte, slot int32, rec []byte) []byte {
	n := k.place(slot, rec)
	f := &k.known[n]
	if f.slot != slot || f.size != uint32(len(rec)) || f.head != [formHead]byte(rec) {
		*f = form{slot: slot, size: uint32(len(rec)), head: [formHead]byte(rec)}
		c = append(c, byte(n)|isNew)
		c = binary.LittleEndian.AppendUint32(c, uint32(slot))
		c = binary.LittleEndian.AppendUint32(c, f.size)
		c = append(c, f.head[:]...)
	} else {
		c = append(c, byte(n))
	}
	at, seq := int64(binary.LittleEndian.Uint64(rec[formHead:])), binary.LittleEndian.Uint64(rec[formHead+8:])
	c = binary.AppendVarint(c, at-k.at)
	c = binary.AppendVarint(c, int64(seq-f.seq))
	k.at, f.seq = at, seq
	value := rec[recHead-4:]
	for len(value) > 0 && value[len(value)-1] == 0 { // no value, small numbers, padding
		value = value[:len(value)-1]
	}
	c = binary.AppendUvarint(c, uint64(len(value)))
	return append(c, value...)
}

// formed is a record that was read as far as to know its form.
type formed struct {
	form  *form
	at    int64
	value []byte
}

// read takes the first record off c.
func (k *forms) read(c *[]byte) formed {
	b := *c
	n := b[0]
	b = b[1:]
	f := &k.known[n&^isNew]
	if n&isNew != 0 {
		*f = form{
			slot: int32(binary.LittleEndian.Uint32(b)), size: binary.LittleEndian.Uint32(b[4:]),
			head: [formHead]byte(b[8:]),
		}
		b = b[8+formHead:]
	}
	at, i := binary.Varint(b)
	b = b[i:]
	seq, i := binary.Varint(b)
	b = b[i:]
	size, i := binary.Uvarint(b)
	b = b[i:]
	k.at += at
	f.seq += uint64(seq)
	*c = b[size:]
	return formed{form: f, at: k.at, value: b[:size]}
}

// record appends the record as it was written.
func (m formed) record(b []byte) []byte {
	b = append(b, m.form.head[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.at))
	b = binary.LittleEndian.AppendUint64(b, m.form.seq)
	b = append(b, m.value...)
	for len(b) < int(m.form.size) {
		b = append(b, 0)
	}
	return b
}
