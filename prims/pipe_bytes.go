package prims

import (
	"strconv"

	"ipcrun/spec/decl"
)

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
		// What comes between the question and the read may be a whole short write,
		// which is not to be torn.
		if n := min(size, max(there, pipeBuf)); len(b) < n {
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
		if done == 0 {
			c.Seq = p.seq.Add(1) // who receives the beginning has a later one
		}
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
