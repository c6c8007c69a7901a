package event

import "encoding/binary"

// Log keeps the records of a run in the order in which they were drained,
// encoded as they came: a run of many operations costs their bytes and no
// more.
type Log struct {
	// Fresh, if set, is shown memory that the log is about to fill, at least a
	// megabyte of it.
	Fresh  func([]byte)
	chunks [][]byte
	n      int
}

const chunkSize = 4 << 20

// Append keeps a copy of an encoded record of process slot; -1 is the engine.
func (l *Log) Append(slot int, rec []byte) {
	need := 8 + len(rec)
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
	c := binary.LittleEndian.AppendUint32(l.chunks[last], uint32(len(rec)))
	c = binary.LittleEndian.AppendUint32(c, uint32(slot))
	l.chunks[last] = append(c, rec...)
	l.n++
}

// Add keeps a record that was not encoded yet.
func (l *Log) Add(slot int, r *Rec) {
	var c capture
	Write(&c, r)
	l.Append(slot, c.b[4:])
}

// capture is a Ring that keeps its one record.
type capture struct{ b []byte }

func (c *capture) Reserve(n int) []byte { c.b = make([]byte, n); return c.b }
func (c *capture) Publish(int, bool)    {}

// Len is the number of records.
func (l *Log) Len() int { return l.n }

// Each calls f with every record that keep accepts, in order of arrival. n is
// the record's number in that order.
func (l *Log) Each(keep func(n int, k Kind) bool, f func(slot int, r Rec)) {
	i := 0
	var d Reader
	for _, c := range l.chunks {
		for len(c) > 0 {
			n := int(binary.LittleEndian.Uint32(c))
			slot := int(int32(binary.LittleEndian.Uint32(c[4:])))
			rec := c[8 : 8+n]
			c = c[8+n:]
			i++
			kind := PeekKind(rec)
			if kind != Piece && keep != nil && !keep(i-1, kind) {
				continue
			}
			if r, more, err := d.Read(slot, rec); err == nil && !more {
				f(slot, r)
			}
		}
	}
}
