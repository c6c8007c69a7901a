package prims

import (
	"ipcrun/spec/decl"
)

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
