package race

import "ipcrun/engine/event"

// queue holds the records of a process that were not replayed yet, in pieces: a long
// log is not copied each time that it has outgrown its place.
type queue struct {
	pieces [][]event.Rec
	at     int // the first one, in the first piece
}

const (
	firstPiece = 16
	mostPiece  = 512
)

func (q *queue) add(r *event.Rec) {
	n := len(q.pieces)
	if n == 0 || len(q.pieces[n-1]) == cap(q.pieces[n-1]) {
		size := firstPiece
		if n > 0 {
			size = min(2*len(q.pieces[n-1]), mostPiece)
		}
		q.pieces = append(q.pieces, make([]event.Rec, 0, size))
		n++
	}
	q.pieces[n-1] = append(q.pieces[n-1], *r)
}

func (q *queue) empty() bool { return len(q.pieces) == 0 }

func (q *queue) first() *event.Rec { return &q.pieces[0][q.at] }

// drop takes the first record out. What first yielded stays as it is.
func (q *queue) drop() {
	if q.at++; q.at == len(q.pieces[0]) {
		q.pieces, q.at = q.pieces[1:], 0
	}
}
