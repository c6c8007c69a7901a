package prims

import (
	"encoding/binary"
	"errors"
	"slices"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// proxy is a process's handle of a queue that a manager keeps: each operation is
// a request over a socket of its own and the answer to it.
//
// A process that is interrupted by a signal while it waits withdraws its
// request and goes away; the answer is read by whoever uses the proxy next, a
// step of the handler or the step itself when it is done again. An item that
// was sent to a get that has been withdrawn is for the next get of the process,
// if that is what reads it, and else goes back to the manager.
type proxy struct {
	name    string
	number  uint32
	maxsize int
	slot    int // of the manager
	board   queueBoard

	door   int // descriptors, -1: not there
	conn   int
	desk   int // of the manager
	region []byte
	closed bool // by this process

	lastID uint32
	open   map[uint32]*request // requests without an answer, or whose answer was not looked at
	out    []byte              // of it, sent bytes are not to be sent any more
	sent   int
	in     []byte // received, and not looked at yet
	room   []byte // the memory of in
	// missing is how many bytes of the next answer have not come.
	missing int
	buf     []byte // an encoded item, kept between operations while it is small
}

// request is one that this process has made.
type request struct {
	id        uint32
	get       bool
	withdrawn bool
	done      bool
	ans       answer
	// held is the answer to an earlier get, which this one takes for its own once
	// the manager has answered it.
	held *answer
}

var errManagerGone = errors.New("the manager has hung up")

// ask makes a request, or goes on with the one that c had made before a signal
// came, and waits for the answer.
func (p *proxy) ask(c *Call, what byte, item []byte) (answer, error) {
	if p.closed {
		return answer{}, errClosedQueue
	}
	a, err := p.askOn(c, what, item)
	if err == errManagerGone {
		p.hangUp()
		return a, decl.Fail(ManagerDied, "%s %s", p.manager(), p.howManagerEnded(c))
	}
	return a, err
}

func (p *proxy) askOn(c *Call, what byte, item []byte) (answer, error) {
	id := uint32(c.Resume)
	q := p.open[id]
	for {
		if q == nil {
			switch err := p.connect(c); {
			case err == errPipeTime:
				return answer{how: saidWithdrawn}, nil
			case err != nil:
				return answer{}, err
			}
			p.lastID++
			id = p.lastID
			q = &request{id: id, get: what == askGet || what == askGetNow}
			p.open[id] = q
			p.out = appendRequest(p.out, id, what, item)
		}
		limit := c.Deadline
		if q.withdrawn {
			limit = 0
		}
		err := p.await(c, q, limit)
		switch {
		case err == ErrInterrupted:
			p.withdraw(q)
			c.Resume = uint64(id)
			return answer{}, err
		case err == errPipeTime:
			p.withdraw(q)
			continue
		case err != nil:
			delete(p.open, id)
			return answer{}, err
		}
		delete(p.open, id)
		c.Resume = 0
		if q.ans.how != saidWithdrawn || c.Deadline != 0 && arena.Now() >= c.Deadline {
			return q.ans, nil
		}
		q = nil // a handler came in between: ask anew
	}
}

// withdraw takes a request back, if that can still be done. The answer says
// whether it could.
func (p *proxy) withdraw(q *request) {
	if !q.withdrawn {
		q.withdrawn = true
		p.out = appendRequest(p.out, q.id, askWithdraw, nil)
		_ = p.flush() // a manager that is gone is noticed by who waits for the answer
	}
}

// await waits until a request has its answer. Its errors are ErrInterrupted,
// errPipeTime and errManagerGone.
func (p *proxy) await(c *Call, q *request, limit int64) error {
	for {
		if err := p.flush(); err != nil && err != errManagerGone {
			return err
		}
		n, err := p.receive()
		if n > 0 {
			if err := p.sort(q); err != nil {
				return err
			}
		}
		switch {
		case q.done:
			return nil
		case err == errManagerGone:
			return err
		case err != nil && err != errPipeAgain:
			return err
		case n > 0:
			continue
		}
		events := int16(pollIn)
		if p.sent < len(p.out) {
			events |= pollOut
		}
		w := c.wait(0)
		w.Deadline = limit // a request that is withdrawn waits for the manager alone
		switch out, err := c.Self.PollFd(w, p.conn, events, limit); {
		case err != nil:
			return err
		case out == arena.Interrupted:
			return ErrInterrupted
		case out == arena.TimedOut && limit != 0:
			return errPipeTime
		}
	}
}

// sort gives the answers that have come to the requests that they are for. q is
// the one that somebody waits for now.
func (p *proxy) sort(q *request) error {
	for {
		m, rest, missing, err := cutMessage(p.in, answerHead)
		if err != nil {
			return err
		}
		p.in, p.missing = rest, missing
		if missing > 0 {
			return nil
		}
		id, a := readAnswer(m)
		r := p.open[id]
		switch item := len(a.item) > 0; {
		case r == nil && !item:
		case r == nil:
			p.giveBack(a)
		case r.held != nil:
			// It has the item of an earlier get already.
			if item {
				p.giveBack(a)
			}
			r.done, r.ans = true, *r.held
		case item && r != q && q.get && q.held == nil:
			// It is for a get whose step handles a signal, and the step that waits
			// now wants an item, too: it takes the earlier one.
			a.item = slices.Clone(a.item)
			q.held = &a
			r.done, r.ans = true, answer{how: saidWithdrawn}
			p.withdraw(q)
		case item && r != q:
			p.giveBack(a)
			r.done, r.ans = true, answer{how: saidWithdrawn}
		default:
			r.done, r.ans = true, a
		}
	}
}

// giveBack returns an item that nobody here waits for. That is sent before the
// receipt for any later one is written.
func (p *proxy) giveBack(a answer) {
	p.lastID++
	p.out = appendRequest(p.out, p.lastID, askReturn, binary.LittleEndian.AppendUint64(nil, a.number))
	_ = p.flush()
}

func (p *proxy) put(c *Call) error {
	if p.closed {
		return errClosedQueue
	}
	v := c.Args.Get("value")
	item, err := AppendValue(p.buf[:0], v)
	if err != nil {
		return decl.Fail(Invalid, "%v", err)
	}
	if p.buf = item; cap(item) > kept {
		p.buf = nil
	}
	if len(item) > managedMost {
		return decl.Fail(Invalid, "the item takes %d bytes, a queue takes items of at most %d", len(item), managedMost)
	}
	what := byte(askPut)
	if c.NoWait {
		what = askPutNow
	}
	a, err := p.ask(c, what, item)
	switch {
	case err != nil:
		return err
	case a.how == saidDone:
		c.Seq, c.Result = a.number, v
		return nil
	case a.how == saidWithdrawn:
		return decl.Fail(Full, "there was no room for it in time")
	case a.how == saidShort:
		return decl.Fail(Full, "there was no memory left for the item: the queue holds %d", p.board.now().size())
	}
	return decl.Fail(Full, "it holds %d, as many as it may", queueLimit(p.maxsize))
}

func (p *proxy) get(c *Call) error {
	what := byte(askGet)
	if c.NoWait {
		what = askGetNow
	}
	a, err := p.ask(c, what, nil)
	switch {
	case err != nil:
		return err
	case a.how == saidWithdrawn:
		return decl.Fail(Empty, "still no item in it")
	case a.how != saidDone:
		return decl.Fail(Empty, "there is no item in it")
	}
	p.board.places[c.Self.Index].receipt.Store(a.number)
	c.Seq = a.number
	c.Result, _, err = ReadValue(a.item)
	return err
}

// tell asks how many items there are, and makes the result of that.
func (p *proxy) tell(c *Call, result func(size int) any) error {
	if p.closed { // it has no way to ask any more
		now := p.board.now()
		c.Seq, c.Result = now.seq(), result(now.size())
		return nil
	}
	a, err := p.ask(c, askSize, nil)
	if err == nil {
		c.Seq, c.Result = p.board.now().seq(), result(int(a.number))
	}
	return err
}

func (p *proxy) qsize(c *Call) error { return p.tell(c, func(n int) any { return n }) }

func (p *proxy) full(c *Call) error {
	return p.tell(c, func(n int) any { return p.maxsize > 0 && n >= p.maxsize })
}

func (p *proxy) empty(c *Call) error { return p.tell(c, func(n int) any { return n == 0 }) }

// close gives the proxy up; the manager keeps the queue for the others.
func (p *proxy) close(c *Call) error {
	p.closed = true
	p.hangUp()
	c.Seq = p.board.now().seq()
	return nil
}
