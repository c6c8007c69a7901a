package prims

import (
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

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
			switch err := e.wait(c, pollIn, waitMessage, arena.Now()+recheckEvery(c.Self.Arena.Live())); {
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
