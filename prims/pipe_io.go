package prims

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// What the kernel or a wait says, besides success.
var (
	errPipeAgain  = errors.New("nothing there, or no room")
	errPipeBroken = errors.New("nobody can receive")
	errPipeTime   = errors.New("the timeout has passed")
)

const (
	// pipeBuf is PIPE_BUF on Linux: the kernel takes so much at once, or nothing.
	pipeBuf = 4096
	// pipeFits is what surely fits into an empty socketpair.
	pipeFits = 65536
	// pipeKept bounds the buffer that a handle keeps, bytes.
	pipeKept = 64 << 10
	// pipePiece bounds what is read at once.
	pipePiece = 1 << 20

	pollIn  = 1
	pollOut = 4
)

// appendFrame appends the length of a message and leaves room for a short one;
// closeFrame fills it in. It is what Connection.send_bytes of multiprocessing
// does: 4 bytes, and 8 more for what does not fit into 31 bits.
func appendFrame(b []byte) []byte { return append(b, 0, 0, 0, 0) }

func closeFrame(b []byte) []byte {
	n := len(b) - 4
	if n <= math.MaxInt32 {
		binary.BigEndian.PutUint32(b, uint32(n))
		return b
	}
	out := make([]byte, 0, len(b)+8)
	out = binary.BigEndian.AppendUint32(out, math.MaxUint32)
	out = binary.BigEndian.AppendUint64(out, uint64(n))
	return append(out, b[4:]...)
}

// lengthOf reads the first length; long says that a second one follows, bad
// ones are negative.
func lengthOf(b []byte) (n int, long bool) {
	n = int(int32(binary.BigEndian.Uint32(b)))
	return n, n == -1
}

func longLengthOf(b []byte) int { return int(binary.BigEndian.Uint64(b)) }

// wait blocks until the kernel has something for an end. Its errors are
// ErrInterrupted and errPipeTime. until is when it gives up at the latest, with
// nil, 0 for never.
func (e *pipeEnd) wait(c *Call, events int16, what uint64, until int64) error {
	w := c.wait(pipeArg(e, what))
	limit := c.Deadline
	if until != 0 && (limit == 0 || until < limit) {
		limit = until
	}
	out, err := c.Self.PollFd(w, e.fd, events, limit)
	switch {
	case err != nil:
		return err
	case out == arena.Interrupted:
		return ErrInterrupted
	case out == arena.TimedOut && limit == c.Deadline:
		return errPipeTime
	}
	return nil
}

func pipeSend(h any, c *Call) error {
	p := h.(*pipe)
	e, err := p.end(c, false)
	if err != nil {
		return err
	}
	v := c.Args.Get("value")
	if p.raw {
		return p.write(e, c, v)
	}
	frame, err := appendJSON(appendFrame(p.buf[:0]), v, 0)
	if err != nil {
		return decl.Fail(Invalid, "%v", err)
	}
	frame = closeFrame(frame)
	p.buf = nil // a handler may send, too, while this waits
	err = p.send(e, c, frame)
	if cap(frame) <= pipeKept {
		p.buf = frame[:0]
	}
	if err == nil {
		c.Result = v
	}
	return err
}

// send sends a message. c.Resume is 1 more than the bytes of it that are in the
// pipe already, if this goes on after a signal: then the lock is held.
func (p *pipe) send(e *pipeEnd, c *Call, frame []byte) error {
	s := e.out
	atomically := len(frame) <= pipeBuf
	done := 0
	if c.Resume != 0 {
		done, c.Resume = int(c.Resume)-1, 0
	}
	for {
		if done == 0 {
			if err := p.beginSend(e, c); err != nil {
				return err
			}
			if c.NoWait && !atomically && (!p.drained(e) || len(frame) > p.fits()) {
				s.senders.unlock()
				return c.noWait("there is no room for all of it")
			}
			if atomically {
				s.announce(s.sent.Load()+1, len(frame))
			} else {
				s.partial.Store(1)
			}
			c.Seq = p.seq.Add(1)
		}
		number := s.sent.Load() + 1
		// The beginning of a long one goes in one piece, so that a receiver never
		// finds a part of its length.
		piece := frame[done:]
		if done == 0 {
			piece = piece[:min(len(piece), pipeBuf)]
		}
		n, err := p.sysWrite(e, c, piece)
		done += n
		switch {
		case done == len(frame):
			s.count(number)
			s.partial.Store(0)
			s.senders.unlock()
			return nil
		case err == nil:
			continue // the kernel has taken a part of it
		case err != errPipeAgain:
			s.partial.Store(0)
			s.senders.unlock()
			return pipeFailure(err, "nobody can receive it: every copy of the other end is closed")
		}
		if done == 0 {
			s.partial.Store(0)
			s.senders.unlock()
			if c.NoWait {
				return c.noWait("the pipe is full")
			}
		} else if c.NoWait {
			return p.cutOff(e, WouldBlock, done, len(frame))
		}
		switch err := e.wait(c, pollOut, waitKernel, 0); {
		case err == errPipeTime && done == 0:
			return decl.Fail(Timeout, "still full")
		case err == errPipeTime:
			return p.cutOff(e, Timeout, done, len(frame))
		case err == ErrInterrupted:
			if done > 0 {
				c.Resume = uint64(done) + 1
			}
			return err
		case err != nil:
			return err
		}
	}
}

// cutOff gives up a message of which a part is in the pipe.
func (p *pipe) cutOff(e *pipeEnd, failure string, done, all int) error {
	e.out.senders.abandon()
	return decl.Fail(failure, "only %d of its %d bytes are in the pipe; who receives them gets Torn", done, all)
}

// pipeFailure gives an error of the kernel its name.
func pipeFailure(err error, broken string) error {
	if err == errPipeBroken {
		return decl.Fail(BrokenPipe, "%s", broken)
	}
	return err
}

// beginSend waits until no other process is in the middle of a message.
func (p *pipe) beginSend(e *pipeEnd, c *Call) error {
	s := e.out
	me := uint32(c.Self.Index) + 1
	// What an ended sender has left in the pipe has to be received first. Where
	// nothing is left, neither in the pipe nor with a receiver, in that order, it
	// had sent all of its message or nothing.
	left := func(w uint32) bool {
		return s.senders.orphaned(c, w) && s.partial.Load() != 0 && !(p.drained(e) && s.receivers.word.Load() == 0)
	}
	busy := func(w uint32) bool { return w != 0 && (!s.senders.orphaned(c, w) || left(w)) }
	for {
		w := s.senders.word.Load()
		switch {
		case w == me:
			return decl.Fail(Invalid, "the handler sends in the middle of a message that this process was sending when the signal came")
		case !busy(w):
			if !s.senders.word.CompareAndSwap(w, me) {
				continue
			}
			if w != 0 {
				s.blind.Store(1)
				s.partial.Store(0)
			}
			return nil
		case c.NoWait:
			return c.noWait("another process is in the middle of a message")
		}
		what := uint64(waitToSend)
		if left(w) {
			what = waitTorn
		}
		switch err := s.senders.await(c, pipeArg(e, what), func(now uint32) bool { return now == w && busy(w) }); {
		case err == errPipeTime:
			return decl.Fail(Timeout, "another process is still in the middle of a message")
		case err != nil:
			return err
		}
	}
}

func pipeRecv(h any, c *Call) error {
	p := h.(*pipe)
	e, err := p.end(c, true)
	if err != nil {
		return err
	}
	if p.raw {
		return p.read(e, c)
	}
	for {
		body, err := p.recv(e, c)
		switch {
		case err == errPipeAgain:
			continue
		case err != nil:
			return err
		}
		v, err := parseJSON(body)
		p.keep(body)
		if err != nil {
			// The message was taken out of the pipe all the same.
			c.Happened = true
			return notJSON(body, err)
		}
		c.Result = v
		return nil
	}
}

// keep uses a buffer again for what is sent.
func (p *pipe) keep(b []byte) {
	if p.buf == nil && cap(b) <= pipeKept {
		p.buf = b[:0]
	}
}

func notJSON(body []byte, err error) error {
	if len(body) > 1 && body[0] == 0x80 && body[1] <= 5 {
		return decl.Fail(Invalid, "the message is a pickled object, as connection.send writes it in Python: use connection.send_bytes(json.dumps(value).encode())")
	}
	const most = 40
	if len(body) > most {
		return decl.Fail(Invalid, "the message is no JSON: %v: it begins with %q", err, body[:most])
	}
	return decl.Fail(Invalid, "the message is no JSON: %v: it is %q", err, body)
}

// recv takes the next message out of the pipe. errPipeAgain means that it was
// not for this process: the caller tries again.
func (p *pipe) recv(e *pipeEnd, c *Call) ([]byte, error) {
	s := e.in
	if !e.rx.active && len(e.surplus) == 0 && !c.NoWait && s.quiet() && s.receivers.word.Load() == 0 {
		// Nothing was sent, as far as one can see without asking the kernel.
		if err := p.awaitMessage(e, c); err != nil {
			return nil, err
		}
	}
	if err := p.beginRecv(e, c); err != nil {
		return nil, err
	}
	for again := false; ; {
		n, err := p.readOn(e)
		switch {
		case err == errPipeAgain && s.torn(c):
			// What its sender has sent is followed by nothing; look once more, it
			// may have come since.
			if !again {
				again = true
				continue
			}
			s.phase.Store(phaseNone) // before anything follows it
			s.mend(c)
			lost := e.rx
			p.endRecv(e, c, false)
			if lost.active && !lost.discard {
				return nil, decl.Fail(Torn, "the sender was ended, or gave up, after %d bytes of the message", len(lost.body))
			}
			return nil, errPipeAgain
		case err == errPipeAgain && !e.rx.active:
			p.endRecv(e, c, false)
			if c.NoWait {
				return nil, c.noWait("there is no message")
			}
			if err := p.awaitMessage(e, c); err != nil {
				return nil, err
			}
			return nil, errPipeAgain
		case err == errPipeAgain:
			// It stays ours, and the next recv of this process goes on with it.
			if c.NoWait {
				return nil, c.noWait("only the beginning of a message is there")
			}
			switch err := e.wait(c, pollIn, waitMessage, arena.Now()+recheck); {
			case err == errPipeTime:
				return nil, decl.Fail(Timeout, "only the beginning of a message is there")
			case err != nil:
				return nil, err
			}
		case err != nil:
			p.endRecv(e, c, false)
			return nil, err
		case n == 0:
			lost := e.rx
			c.Seq = p.seq.Add(1)
			p.endRecv(e, c, false)
			if lost.active && !lost.discard {
				return nil, decl.Fail(Torn, "the sender was ended after %d bytes of the message", len(lost.body))
			}
			c.Happened, c.Result = true, map[string]any{ResultEnded: true}
			return nil, decl.Fail(EOF, "every copy of the other end is closed")
		case e.rx.stage == phaseBody && e.rx.rest == 0:
			body, discard := e.rx.body, e.rx.discard
			c.Seq = p.seq.Add(1)
			p.endRecv(e, c, true)
			if discard {
				return nil, errPipeAgain
			}
			return body, nil
		}
	}
}

func (p *pipe) awaitMessage(e *pipeEnd, c *Call) error {
	err := e.wait(c, pollIn, waitKernel, 0)
	if err == errPipeTime {
		return decl.Fail(Timeout, "still no message")
	}
	return err
}

// beginRecv takes the lock of the receivers, and with it what a process has
// left behind that has ended in the middle of a message.
func (p *pipe) beginRecv(e *pipeEnd, c *Call) error {
	s := e.in
	me := uint32(c.Self.Index) + 1
	busy := func(w uint32) bool { return w != 0 && !s.receivers.orphaned(c, w) }
	for {
		w := s.receivers.word.Load()
		switch {
		case w == me: // in the middle of a message, or with more than that
			if !e.rx.active {
				e.rx = reception{stage: phaseHeader}
				s.begin()
			}
			return nil
		case !busy(w):
			if !s.receivers.word.CompareAndSwap(w, me) {
				continue
			}
			e.rx = reception{stage: phaseHeader}
			if rest, long, begun := s.left(); w != 0 && begun {
				e.rx = reception{active: true, discard: true, stage: phaseBody, rest: rest}
				switch {
				case long:
					e.rx.stage = phaseLong
					s.beginLong()
				case rest < 0:
					e.rx = reception{stage: phaseHeader}
				default:
					s.beginBody(rest)
				}
			}
			if !e.rx.active {
				s.begin()
			}
			return nil
		case c.NoWait:
			return c.noWait("another process is in the middle of a message")
		default:
			switch err := s.receivers.await(c, pipeArg(e, waitToRecv), busy); {
			case err == errPipeTime:
				return decl.Fail(Timeout, "another process is still in the middle of a message")
			case err != nil:
				return err
			}
		}
	}
}

// endRecv gives the lock of the receivers back. complete says that a message was
// taken out of the pipe.
func (p *pipe) endRecv(e *pipeEnd, c *Call, complete bool) {
	if complete {
		e.in.finish()
		if e.in.partial.Load() != 0 && e.in.torn(c) {
			// Its sender was ended when all of it was in the pipe already.
			if n, err := p.sysAvailable(e); err == nil && n == 0 {
				e.in.mend(c)
			}
		}
	} else {
		e.in.phase.Store(phaseNone)
	}
	e.rx = reception{}
	if len(e.surplus) == 0 {
		e.in.receivers.unlock()
	}
}

// readOn reads on in a message, without blocking. It returns how many bytes
// came: 0 at the end of file. The error is errPipeAgain when nothing is there.
func (p *pipe) readOn(e *pipeEnd) (int, error) {
	s, rx := e.in, &e.rx
	switch rx.stage {
	case phaseHeader:
		if rx.got == 0 && len(e.surplus) == 0 {
			if size := s.next(); size > 4 {
				return p.readWhole(e, size)
			}
		}
		n, err := p.get(e, s.headerBytes()[rx.got:])
		if n == 0 || err != nil {
			return 0, err
		}
		rx.active, rx.got = true, rx.got+n
		if rx.got < 4 {
			return n, nil
		}
		size, long := lengthOf(s.headerBytes())
		if long {
			rx.stage, rx.got = phaseLong, 0
			s.beginLong()
			return n, nil
		}
		return n, rx.begin(s, size)
	case phaseLong:
		n, err := p.get(e, s.longBytes()[rx.got:])
		if n == 0 || err != nil {
			return 0, err
		}
		if rx.got += n; rx.got < 8 {
			return n, nil
		}
		return n, rx.begin(s, longLengthOf(s.longBytes()))
	}
	// A piece is never longer than what is there, so that all of it is read. A
	// short message is there as a whole.
	piece := rx.rest
	if piece == 0 {
		return 1, nil // an empty message: its length was all
	}
	if len(e.surplus) > 0 {
		n := min(piece, len(e.surplus))
		rx.body = append(rx.body, e.surplus[:n]...)
		e.surplus = e.surplus[n:]
		rx.rest -= n
		s.read(rx.rest)
		return n, nil
	}
	if !rx.short {
		there, err := p.sysAvailable(e)
		if err != nil {
			return 0, err
		}
		// Where nothing is there, the read says whether that is the end of file.
		piece = max(min(piece, there, pipePiece), 1)
	}
	rx.grow(piece)
	end := len(rx.body)
	touch(rx.body[end : end+piece])
	s.piece(rx.rest, piece)
	n, err := p.sysReadPiece(e, rx.body[end:end+piece-1], s.witnessByte())
	if n == 0 || err != nil {
		return 0, err
	}
	if n == piece {
		rx.body = rx.body[:end+piece]
		rx.body[end+piece-1] = *s.witnessByte()
	} else {
		rx.body = rx.body[:end+n]
	}
	rx.rest -= n
	s.read(rx.rest)
	if rx.discard {
		rx.body = rx.body[:0]
	}
	return n, nil
}

// get reads from what is left over, or from the kernel.
func (p *pipe) get(e *pipeEnd, b []byte) (int, error) {
	if len(e.surplus) > 0 {
		n := copy(b, e.surplus)
		e.surplus = e.surplus[n:]
		return n, nil
	}
	return p.sysRead(e, b)
}

// readWhole reads a message that is in the pipe in one piece, size bytes with its
// length.
func (p *pipe) readWhole(e *pipeEnd, size int) (int, error) {
	s, rx := e.in, &e.rx
	body := p.buf
	p.buf = nil
	if cap(body) < size {
		body = make([]byte, 0, max(size, 512))
	}
	body = body[:size-4]
	touch(body)
	s.beginWhole(size)
	n, err := p.sysReadWhole(e, s.headerBytes(), body)
	if n == 0 || err != nil {
		s.phase.Store(phaseHeader)
		return 0, err
	}
	rx.active = true
	if n < 4 {
		s.phase.Store(phaseHeader)
		rx.got = n
		return n, nil
	}
	body = body[:n-4]
	length, long := lengthOf(s.headerBytes())
	if !long && length == len(body) {
		rx.stage, rx.body = phaseBody, body
		return n, nil
	}
	// It was another message than one should think.
	s.blind.Store(1)
	if long {
		rx.stage = phaseLong
		s.beginLong()
	} else if err := rx.begin(s, length); err != nil {
		return 0, err
	}
	e.surplus = body
	return n, nil
}

// begin begins with the n bytes of a message.
func (rx *reception) begin(s *pipeStream, n int) error {
	if n < 0 {
		return decl.Fail(Invalid, "what is in the pipe is no message: it begins with %q, which is no length", s.headerBytes())
	}
	rx.stage, rx.rest, rx.short = phaseBody, n, n <= pipeBuf-4
	s.beginBody(n)
	return nil
}

// grow makes room for n more bytes. A long message gets its memory as it comes:
// its length may be a lie.
func (rx *reception) grow(n int) {
	have := len(rx.body)
	if cap(rx.body)-have >= n {
		return
	}
	room := min(have+rx.rest, max(have+n, 2*have))
	rx.body = append(make([]byte, 0, room), rx.body...)
}

// touch makes sure that memory is there. A process that is killed while the
// kernel copies to pages that are not there yet has received a part of the
// piece, and nobody could tell how much.
func touch(b []byte) {
	for i := 0; i < len(b); i += pageSize {
		b[i] = 0
	}
	if len(b) > 0 {
		b[len(b)-1] = 0
	}
}

// read takes what is there out of a stream of bytes.
func (p *pipe) read(e *pipeEnd, c *Call) error {
	size := pipeFits
	if c.Args.Has("size") {
		n, ok := wholeNumber(c.Args.Get("size"))
		if !ok || n < 1 || n > 1<<30 {
			return decl.Fail(Invalid, "size: takes a whole number from 1 to %d, not %s", 1<<30, describe(c.Args.Get("size")))
		}
		size = n
	}
	var b []byte
	for {
		there, err := p.sysAvailable(e)
		if err != nil {
			return err
		}
		if n := min(size, max(there, 1)); len(b) < n {
			b = make([]byte, n)
		}
		n, err := p.sysRead(e, b)
		switch {
		case err == errPipeAgain && c.NoWait:
			return c.noWait("nothing is there")
		case err == errPipeAgain:
			switch err := e.wait(c, pollIn, waitKernel, 0); {
			case err == errPipeTime:
				return decl.Fail(Timeout, "still nothing there")
			case err != nil:
				return err
			}
		case err != nil:
			return err
		case n == 0:
			c.Seq = p.seq.Add(1)
			c.Happened, c.Result = true, map[string]any{ResultEnded: true}
			return decl.Fail(EOF, "every copy of the other end is closed")
		default:
			e.in.received.Add(uint64(n))
			c.Seq, c.Result = p.seq.Add(1), string(b[:n])
			return nil
		}
	}
}

// write writes to a stream of bytes. c.Resume is how many of them were written
// before a signal came.
func (p *pipe) write(e *pipeEnd, c *Call, v any) error {
	text, ok := v.(string)
	if !ok {
		return decl.Fail(Invalid, "a pipe with bytes: true takes text, not %s", describe(v))
	}
	b, done := []byte(text), int(c.Resume)
	c.Resume = 0
	for done < len(b) {
		c.Seq = p.seq.Add(1)
		n, err := p.sysWrite(e, c, b[done:])
		done += n
		e.out.sent.Add(uint64(n))
		switch {
		case err == nil:
			continue
		case err != errPipeAgain:
			return pipeFailure(err, p.some(c, done, b, "nobody can receive it: every copy of the other end is closed"))
		case c.NoWait:
			return decl.Fail(WouldBlock, "%s", p.some(c, done, b, "the pipe is full"))
		}
		switch err := e.wait(c, pollOut, waitKernel, 0); {
		case err == errPipeTime:
			return decl.Fail(Timeout, "%s", p.some(c, done, b, "still full"))
		case err == ErrInterrupted:
			c.Resume = uint64(done)
			return err
		case err != nil:
			return err
		}
	}
	c.Result = v
	return nil
}

// some adds to a failure what was written all the same, which is recorded.
func (p *pipe) some(c *Call, done int, b []byte, why string) string {
	if done == 0 {
		return why
	}
	c.Happened, c.Result = true, string(b[:done])
	return why + "; " + strconv.Itoa(done) + " of " + strconv.Itoa(len(b)) + " bytes were written"
}

func pipePoll(h any, c *Call) error {
	p := h.(*pipe)
	e, err := p.end(c, true)
	if err != nil {
		return err
	}
	ready, err := p.sysReady(e)
	if err != nil {
		return err
	}
	if !ready {
		if c.Deadline == 0 {
			return c.noWait("there is nothing to receive")
		}
		switch err := e.wait(c, pollIn, waitKernel, 0); {
		case err == errPipeTime:
			return decl.Fail(Timeout, "still nothing to receive")
		case err != nil:
			return err
		}
	}
	c.Seq, c.Result = p.seq.Add(1), true
	return nil
}

func pipeClose(h any, c *Call) error {
	p := h.(*pipe)
	for i := range p.ends {
		e := &p.ends[i]
		if e.part != c.Part || e.fd < 0 {
			continue
		}
		// The number is taken before others can see it.
		c.Seq = p.seq.Add(1)
		if e.rx.active {
			e.rx = reception{}
			e.in.receivers.abandon()
			e.in.receivers.wake(math.MaxInt32)
		}
		p.shut(e)
		e.closed = true
		return nil
	}
	c.Seq = p.seq.Add(1)
	return nil
}

// shut closes the descriptor of an end.
func (p *pipe) shut(e *pipeEnd) {
	if e.fd < 0 {
		return
	}
	fd := e.fd
	e.fd = -1
	if e.gone != nil {
		e.gone()
	}
	sysClose(fd)
}

func (p *pipe) detach() {
	for i := range p.ends {
		p.shut(&p.ends[i])
	}
}

// fits is how long a message an empty pipe surely takes at once.
func (p *pipe) fits() int {
	if p.oneWay {
		return int(p.capacity.Load())
	}
	return pipeFits
}
