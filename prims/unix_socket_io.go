package prims

import (
	"fmt"
	"time"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func socketAccept(h any, c *Call) error {
	s := h.(*unixSocket)
	if err := wrongEnd(c, "accept", serverPart); err != nil {
		return err
	}
	for {
		if s.listener < 0 {
			return decl.Fail(Closed, "this process does not listen at %s", s.name)
		}
		fd, again, err := s.sysAccept()
		if err != nil {
			return err
		}
		if !again {
			s.accepted.Add(1)
			s.turns.Add(1)
			arena.Wake(futexWord(s.turns), 1)
			c.Seq, c.Result = s.seq.Add(1), s.add(serverPart, fd)
			return nil
		}
		if c.NoWait {
			return c.noWait("nobody has connected")
		}
		if err := s.await(c, s.listener, pollIn, "nobody has connected"); err != nil {
			return err
		}
	}
}

// await waits for a descriptor.
func (s *unixSocket) await(c *Call, fd int, events int16, still string) error {
	switch out, err := c.Self.PollFd(c.wait(0), fd, events, c.Deadline); {
	case err != nil:
		return err
	case out == arena.Interrupted:
		return ErrInterrupted
	case out == arena.TimedOut:
		return decl.Fail(Timeout, "%s", still)
	}
	return nil
}

// socketConnect connects. While too many connections wait for an accept, the
// kernel would have it wait without telling what for, so it looks again when a
// process of the run has accepted one, and now and then.
func socketConnect(h any, c *Call) error {
	s := h.(*unixSocket)
	if err := wrongEnd(c, "connect", clientPart); err != nil {
		return err
	}
	for pause := int64(time.Millisecond); ; pause = min(2*pause, socketLooks) {
		seen := s.turns.Load()
		c.Seq = s.seq.Add(1)
		fd, again, err := s.sysConnect()
		switch {
		case err != nil:
			return err
		case !again:
			s.connected.Add(1)
			c.Result = s.add(clientPart, fd)
			return nil
		case c.NoWait:
			return c.noWait("as many connections wait for an accept as may")
		case c.Deadline != 0 && arena.Now() >= c.Deadline:
			return decl.Fail(Timeout, "still as many connections wait for an accept as may")
		}
		until := arena.Now() + pause
		if c.Deadline != 0 {
			until = min(until, c.Deadline)
		}
		c.Self.Enter(c.wait(uint64(seen)))
		out := c.Self.Park(futexWord(s.turns), seen, until)
		c.Self.Leave()
		if out == arena.Interrupted {
			return ErrInterrupted
		}
	}
}

// encode turns what is to be sent into bytes.
func (s *unixSocket) encode(v any) ([]byte, error) {
	if s.raw {
		text, err := messageText(v)
		return []byte(text), err
	}
	frame, err := appendJSON(appendFrame(nil), v, 0)
	if err != nil {
		return nil, decl.Fail(Invalid, "%v", err)
	}
	if len(frame) > socketMost {
		return nil, decl.Fail(Invalid, "the message takes %d bytes, at most %d can be sent", len(frame), socketMost)
	}
	return closeFrame(frame), nil
}

// socketSend sends. What was interrupted in the middle goes on where it was.
func socketSend(h any, c *Call) error {
	s := h.(*unixSocket)
	k, done, err := s.conn(c)
	if err != nil {
		return err
	}
	v := c.Args.Get("value")
	var b []byte
	switch {
	case done > 0:
		b, k.tx = k.tx, nil
	case k.tx != nil:
		return decl.Fail(Invalid, "this process is in the middle of sending something else over connection %d", k.number)
	case k.cut:
		return decl.Fail(BrokenPipe, "a message was cut off: nothing can be sent over connection %d any more", k.number)
	default:
		if b, err = s.encode(v); err != nil {
			return err
		}
	}
	gaveUp := func(name, why string) error {
		switch {
		case done > 0 && s.raw:
			s.sent.Add(uint64(done))
			c.Happened, c.Result = true, string(b[:done])
			why += fmt.Sprintf("; %d of %d bytes were written", done, len(b))
		case done > 0:
			k.cut = true
			sysShutdown(k.fd)
			why += fmt.Sprintf("; the message was cut off after %d of %d bytes", done, len(b))
		}
		return decl.Fail(name, "%s", why)
	}
	for done < len(b) {
		if done == 0 {
			c.Seq = s.seq.Add(1) // who receives the beginning has a later one
		}
		n, again, err := s.sysSend(k.fd, c, b[done:])
		done += n
		switch {
		case err == errPipeBroken:
			return gaveUp(BrokenPipe, "the other side is closed")
		case err != nil:
			return err
		case !again:
			continue
		case c.NoWait:
			return gaveUp(WouldBlock, "there is no room")
		}
		switch out, err := c.Self.PollFd(c.wait(0), k.fd, pollOut, c.Deadline); {
		case err != nil:
			return err
		case out == arena.Interrupted:
			if done > 0 {
				k.tx = b
			}
			return k.interrupted(c, done)
		case out == arena.TimedOut:
			return gaveUp(Timeout, "still no room")
		}
	}
	if s.raw {
		s.sent.Add(uint64(len(b)))
		v = string(b)
	} else {
		s.sent.Add(1)
	}
	c.Result = v
	return nil
}

func socketRecv(h any, c *Call) error {
	s := h.(*unixSocket)
	k, _, err := s.conn(c)
	if err != nil {
		return err
	}
	size := pipeFits
	if v := c.Args.Get("size"); v != nil {
		n, ok := wholeNumber(v)
		if !ok || n < 1 || n > 1<<30 {
			return decl.Fail(Invalid, "size: takes a whole number from 1 to %d, not %s", 1<<30, describe(v))
		}
		size = n
	}
	for {
		if !s.raw {
			body, whole, err := k.message()
			if err != nil || whole {
				if whole {
					s.received.Add(1)
					c.Seq, c.Happened = s.seq.Add(1), true
					if c.Result, err = parseJSON(body); err != nil {
						err = notJSON(body, err)
					}
				}
				return err
			}
		}
		if s.buf == nil {
			s.buf = make([]byte, pipeFits)
		}
		b := s.buf
		if s.raw {
			b = b[:min(size, len(b))]
		}
		n, again, err := s.sysRecv(k.fd, b)
		switch {
		case err != nil:
			return err
		case again && c.NoWait:
			return c.noWait("nothing is there")
		case again:
			switch err := s.await(c, k.fd, pollIn, "still nothing there"); {
			case err == ErrInterrupted:
				return k.interrupted(c, 0)
			case err != nil:
				return err
			}
		case n == 0 && len(k.rx) > 0:
			k.rx = nil
			return decl.Fail(Torn, "the other side was closed in the middle of a message")
		case n == 0:
			c.Seq = s.seq.Add(1)
			c.Happened, c.Result = true, map[string]any{ResultEnded: true}
			return decl.Fail(EOF, "the other side is closed")
		case s.raw:
			s.received.Add(uint64(n))
			c.Seq, c.Result = s.seq.Add(1), string(b[:n])
			return nil
		default:
			k.rx = append(k.rx, b[:n]...)
		}
	}
}

// message takes a whole message out of what was received, if there is one.
func (k *socketConn) message() (body []byte, whole bool, err error) {
	if len(k.rx) < 4 {
		return nil, false, nil
	}
	n, long := lengthOf(k.rx)
	from := 4
	if long {
		if from = 12; len(k.rx) < from {
			return nil, false, nil
		}
		n = longLengthOf(k.rx[4:])
	}
	if n < 0 || n > socketMost {
		return nil, false, decl.Fail(Invalid, "what came is no message: its length would be %d; for a stream of bytes declare bytes: true", n)
	}
	if len(k.rx) < from+n {
		return nil, false, nil
	}
	body = k.rx[from : from+n]
	k.rx = append([]byte(nil), k.rx[from+n:]...)
	return body, true, nil
}
