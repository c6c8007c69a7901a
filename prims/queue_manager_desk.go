package prims

import (
	"encoding/binary"
	"slices"
)

// desk is what the manager of a queue knows: the items, in memory of its own, and
// who waits for what. It carries out one request after the other, so what it
// does happens in one order. It knows nothing of sockets.
type desk struct {
	board   queueBoard
	limit   int
	items   [][]byte // from first on
	first   int
	bytes   int
	gets    []*waiting // in the order in which they came
	puts    []*waiting
	touched []*visitor // who has been given an answer since this was emptied
}

// waiting is a request that cannot be carried out yet.
type waiting struct {
	by   *visitor
	id   uint32
	item []byte
}

// visitor is a process that has come to the door.
type visitor struct {
	slot int
	fd   int
	gone bool
	in   []byte // received, and not looked at yet
	// missing is how many bytes of its next request have not come.
	missing int
	out     []byte // of it, sent bytes have been sent
	sent    int
	// given are the items that it may not have in its hands yet.
	given    []handed
	marked   bool // it is among the touched
	watching bool // the kernel is to tell when there is room for more of out
}

// handed is an item on its way to a process.
type handed struct {
	number uint64
	item   []byte
}

func newDesk(b queueBoard, maxsize int) *desk { return &desk{board: b, limit: queueLimit(maxsize)} }

func (d *desk) size() int { return len(d.items) - d.first }

// happened numbers an operation and shows how the queue stands after it.
func (d *desk) happened() uint64 {
	seq := d.board.now().seq() + 1
	d.board.bytes.Store(uint64(d.bytes))
	d.board.state.Store(seq<<blockBits | uint64(d.size()))
	return seq
}

func (d *desk) fits(item []byte) bool {
	return d.size() < d.limit && d.bytes+len(item) <= queueData
}

func (d *desk) append(item []byte) uint64 {
	if d.first > 64 && d.first > len(d.items)/2 {
		d.items = slices.Delete(d.items, 0, d.first)
		d.first = 0
	}
	d.items = append(d.items, item)
	d.bytes += len(item)
	return d.happened()
}

func (d *desk) take() (item []byte, number uint64) {
	item = d.items[d.first]
	d.items[d.first] = nil
	d.first++
	d.bytes -= len(item)
	return item, d.happened()
}

// putBack makes an item the first one again.
func (d *desk) putBack(item []byte) {
	if d.first > 0 {
		d.first--
		d.items[d.first] = item
	} else {
		d.items = slices.Insert(d.items, 0, item)
	}
	d.bytes += len(item)
	d.happened()
}

func (d *desk) answer(v *visitor, id uint32, how byte, number uint64, item []byte) {
	v.out = appendAnswer(v.out, id, how, number, item)
	if !v.marked {
		v.marked = true
		d.touched = append(d.touched, v)
	}
}

// read carries out the requests that have come in whole. missing is what there
// must be more of the next one.
func (d *desk) read(v *visitor) (missing int, err error) {
	for {
		m, rest, missing, err := cutMessage(v.in, requestHead)
		if err != nil || missing > 0 {
			return missing, err
		}
		if err := d.carryOut(v, binary.LittleEndian.Uint32(m), m[4], m[5:]); err != nil {
			return 0, err
		}
		v.in = rest
	}
}

// carryOut does what a request asks. item lies in the visitor's buffer.
func (d *desk) carryOut(v *visitor, id uint32, what byte, item []byte) error {
	if what != askReturn { // it may have later items in its hands
		d.receipts(v)
	}
	switch what {
	case askPut, askPutNow:
		switch {
		case d.fits(item):
			d.answer(v, id, saidDone, d.append(slices.Clone(item)), nil)
			d.serve()
		case what == askPut && !v.gone:
			d.puts = append(d.puts, &waiting{v, id, slices.Clone(item)})
			d.board.places[v.slot].waits.Add(1)
		case d.size() < d.limit:
			d.answer(v, id, saidShort, 0, nil)
		default:
			d.answer(v, id, saidRefused, 0, nil)
		}
	case askGet, askGetNow:
		switch {
		case v.gone: // it would only come back
		case d.size() > 0:
			d.give(v, id)
			d.serve()
		case what == askGet:
			d.gets = append(d.gets, &waiting{by: v, id: id})
			d.board.places[v.slot].waits.Add(1)
		default:
			d.answer(v, id, saidRefused, 0, nil)
		}
	case askSize:
		d.answer(v, id, saidDone, uint64(d.size()), nil)
	case askWithdraw:
		if d.forget(func(w *waiting) bool { return w.by == v && w.id == id }) {
			d.answer(v, id, saidWithdrawn, 0, nil)
		}
	case askReturn:
		if len(item) != 8 {
			return errWire
		}
		number := binary.LittleEndian.Uint64(item)
		i := slices.IndexFunc(v.given, func(h handed) bool { return h.number == number })
		if i < 0 {
			return errWire
		}
		d.putBack(v.given[i].item)
		v.given = slices.Delete(v.given, i, i+1)
		d.serve()
	default:
		return errWire
	}
	return nil
}

// give hands the first item to a visitor.
func (d *desk) give(v *visitor, id uint32) {
	item, number := d.take()
	v.given = append(v.given, handed{number, item})
	d.answer(v, id, saidDone, number, item)
}

// receipts forgets the items that a visitor has in its hands.
func (d *desk) receipts(v *visitor) {
	if len(v.given) == 0 {
		return
	}
	have := d.board.places[v.slot].receipt.Load()
	v.given = slices.DeleteFunc(v.given, func(h handed) bool { return h.number <= have })
}

// serve carries out what waits, as far as that can be done now.
func (d *desk) serve() {
	for {
		switch {
		case len(d.gets) > 0 && d.size() > 0:
			w := d.gets[0]
			d.gets = slices.Delete(d.gets, 0, 1)
			d.board.places[w.by.slot].waits.Add(^uint64(0))
			d.give(w.by, w.id)
		default:
			i := slices.IndexFunc(d.puts, func(w *waiting) bool { return d.fits(w.item) })
			if i < 0 {
				return
			}
			w := d.puts[i]
			d.puts = slices.Delete(d.puts, i, i+1)
			d.board.places[w.by.slot].waits.Add(^uint64(0))
			d.answer(w.by, w.id, saidDone, d.append(w.item), nil)
		}
	}
}

// forget drops requests that wait, and reports whether there was any.
func (d *desk) forget(which func(*waiting) bool) (any bool) {
	drop := func(w *waiting) bool {
		if !which(w) {
			return false
		}
		any = true
		d.board.places[w.by.slot].waits.Add(^uint64(0))
		return true
	}
	d.gets = slices.DeleteFunc(d.gets, drop)
	d.puts = slices.DeleteFunc(d.puts, drop)
	return any
}

// left: a visitor has ended, or given up its proxy. What it waited for it waits
// for no more, and the items that it has not received are the first again, the
// earliest before all.
func (d *desk) left(v *visitor) {
	v.gone = true
	d.forget(func(w *waiting) bool { return w.by == v })
	d.receipts(v)
	for _, h := range slices.Backward(v.given) {
		d.putBack(h.item)
	}
	v.given = nil
	d.serve()
}
