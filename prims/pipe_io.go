package prims

import (
	"encoding/binary"
	"errors"
	"math"

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
