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
	last   int // process of the last short record
}

const chunkSize = 4 << 20

// What an entry of the log begins with: for a short record shortBit, and how many
// words of four bytes it has; for others the number of a form, isNew or not.
const (
	otherSlot  = 0x40 // the process follows: it is not that of the last short record
	shortWords = 0x3f
	shortMax   = 4 * shortWords
)

// sizeOf is how large chunk i is. The first ones are small: most runs are. The others
// are as large as huge pages need.
func sizeOf(i int) int {
	if i < 4 {
		return 4096 << (2 * i)
	}
	return chunkSize
}

// room is where an entry of at most need bytes is appended.
func (l *Log) room(need int) *[]byte {
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < need {
		size := max(need, sizeOf(len(l.chunks)))
		chunk := make([]byte, 0, size)
		if l.Fresh != nil && size >= 1<<20 {
			l.Fresh(chunk[:size])
		}
		l.chunks = append(l.chunks, chunk)
		last++
	}
	return &l.chunks[last]
}

// Append keeps a copy of a record of process slot as its Writer wrote it. It reports
// whether it can be one.
func (l *Log) Append(slot int, rec []byte) bool {
	switch {
	case isWhole(rec):
		l.keep(int32(slot)<<1, rec)
		return true
	case !isShort(rec) || len(rec)%4 != 0 || len(rec) > shortMax:
		return false
	}
	c := l.room(1 + 4 + len(rec))
	head := byte(shortBit | len(rec)/4)
	if slot != l.last {
		*c = append(*c, head|otherSlot)
		*c = binary.LittleEndian.AppendUint32(*c, uint32(slot))
		l.last = slot
	} else {
		*c = append(*c, head)
	}
	if len(rec) == shortHead { // most are
		*c = binary.LittleEndian.AppendUint32(*c, binary.LittleEndian.Uint32(rec))
	} else {
		*c = append(*c, rec...)
	}
	l.n++
	return true
}

// keep keeps a copy of a whole record. who is the process it is of, or about, twice,
// and one more if it was not written by its Writer.
func (l *Log) keep(who int32, rec []byte) {
	c := l.room(formedMax + len(rec))
	*c = l.known.write(*c, who, rec)
	l.n++
}

// Add keeps a record that the engine makes, slot -1, or one about a process.
func (l *Log) Add(slot int, r *Rec) { Write(&adder{log: l, slot: slot}, r) }

// adder is a Ring whose records a log keeps.
type adder struct {
	log  *Log
	slot int
	b    []byte
}

func (a *adder) Reserve(n int) []byte { a.b = make([]byte, n); return a.b }
func (a *adder) Publish(int, bool)    { a.log.keep(int32(a.slot)<<1|added, a.b[4:]) }

// Len is the number of records.
func (l *Log) Len() int { return l.n }

// Each calls f with every record that keep accepts, in order of arrival. n is
// the record's number in that order.
func (l *Log) Each(keep func(n int, k Kind) bool, f func(slot int, r Rec)) {
	i, last := 0, 0
	var d Reader
	var known forms
	var room []byte
	for _, c := range l.chunks {
		for len(c) > 0 {
			var rec []byte
			who := int32(0)
			if head := c[0]; head&shortBit != 0 {
				if c = c[1:]; head&otherSlot != 0 {
					last, c = int(binary.LittleEndian.Uint32(c)), c[4:]
				}
				who = int32(last) << 1
				rec, c = c[:4*int(head&shortWords)], c[4*int(head&shortWords):]
			} else {
				m := known.read(&c)
				who = m.form.who
				room = m.record(room[:0])
				rec = room
			}
			slot := int(who >> 1)
			i++
			if kind := PeekKind(rec); kind != Piece && keep != nil && !keep(i-1, kind) {
				if who&added == 0 {
					d.skip(slot, rec)
				}
				continue
			}
			var r Rec
			var more bool
			var err error
			if who&added == 0 {
				r, more, err = d.Read(slot, rec)
			} else {
				r, more, err = d.put(int(who), rec)
			}
			if err == nil && !more {
				f(slot, r)
			}
		}
	}
}

// form is what records of one step of a process have in common.
type form struct {
	who  int32          // whose it is, see Log.keep
	size uint32         // of the record, bytes
	head [formHead]byte // kind, flags, verb, step, object
	seq  uint64         // of the last such record
}

const (
	added     = 1  // in who: the engine made the record
	formHead  = 12 // where the time begins in a record
	formsBits = 6  // a number of a form and isNew fit in a byte, below shortBit
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
func (k *forms) place(who int32, rec []byte) int {
	h := binary.LittleEndian.Uint64(rec) + uint64(uint32(who))<<17 + uint64(binary.LittleEndian.Uint32(rec[8:]))<<9
	return int(h * 0x9E3779B97F4A7C15 >> (64 - formsBits)) // Knuth, The Art of Computer Programming 3, 6.4: multiplicative hashing
}

// write appends a record.
func (k *forms) write(c []byte, who int32, rec []byte) []byte {
	n := k.place(who, rec)
	f := &k.known[n]
	if f.who != who || f.size != uint32(len(rec)) || f.head != [formHead]byte(rec) {
		*f = form{who: who, size: uint32(len(rec)), head: [formHead]byte(rec)}
		c = append(c, byte(n)|isNew)
		c = binary.LittleEndian.AppendUint32(c, uint32(who))
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
			who: int32(binary.LittleEndian.Uint32(b)), size: binary.LittleEndian.Uint32(b[4:]),
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
