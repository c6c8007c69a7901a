package prims

import (
	"ipcrun/spec/decl"
)

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
		}
		// Nobody has all of it before its end is written.
		c.Seq = p.seq.Add(1)
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
