package prims

import (
	"encoding/binary"
	"fmt"

	"ipcrun/spec/decl"
)

// pipeModel is a pipe as the kernel keeps it. A one-way pipe is a row of pages:
// a write goes behind the last one if all of it fits there, else into a new
// page, and a page is free again when all of it was read. A direction of a
// socketpair is a row of buffers, one for each write, and takes another as long
// as their sizes, with what the kernel needs to manage them, are below a limit;
// who waits goes on when a quarter of it is in use.
//
// It takes writes of at most 4096 bytes (PIPE_BUF), which the kernel takes at
// once or not at all, a short length and the message together.
//
// The state: for each process 3 bytes (whether it has the first end and the
// second, whether it waits to send), then the streams.
type pipeModel struct {
	n       int
	oneWay  bool
	raw     bool
	parts   [2]string
	pages   int
	content *itemNumbers // of the buffers of a socketpair
}

const (
	modelPage  = 4096
	modelLimit = 212992 // of a socketpair: the kernel's default for SO_SNDBUF
	// modelWrites is how many of the smallest buffers there can be.
	modelWrites = 278
)

func newPipeModel(a Args, n int) (Model, error) {
	m := pipeModel{n: n, oneWay: isOneWay(a), raw: isStream(a), parts: pipeParts(a), pages: 16, content: &itemNumbers{numbers: map[string]uint32{}}}
	if c, ok := wholeNumber(a.Fields["capacity"]); ok {
		if c < modelPage || c > 1<<20 {
			return nil, fmt.Errorf("a pipe cannot hold %d bytes", c)
		}
		for m.pages = 1; m.pages*modelPage < c; {
			m.pages *= 2
		}
	}
	return m, nil
}

func (m pipeModel) Size() int {
	if m.oneWay {
		return 3*m.n + m.streamSize()
	}
	return 3*m.n + 2*m.streamSize()
}

func (m pipeModel) streamSize() int {
	if m.oneWay {
		return 6 + 4*m.pages + m.pages*modelPage
	}
	return 2 + 8*modelWrites
}

// Init gives both ends to every process; see Inherits.
func (m pipeModel) Init(st []byte) {
	for p := range m.n {
		st[3*p], st[3*p+1] = 1, 1
	}
}

// Inherits says which ends a process has at first.
func (m pipeModel) Inherits(st []byte, p int, parts []string) {
	for i, part := range m.parts {
		st[3*p+i] = 0
		for _, have := range parts {
			if have == part {
				st[3*p+i] = 1
			}
		}
	}
}

// Died implements Mortal: a process that ends has no ends any more.
func (m pipeModel) Died(st []byte, p int) { clear(st[3*p : 3*p+3]) }

func (m pipeModel) held(st []byte, end int) bool {
	for p := range m.n {
		if st[3*p+end] != 0 {
			return true
		}
	}
	return false
}

// stream is the direction that ends at an end, nil if none does.
func (m pipeModel) stream(st []byte, end int) modelStream {
	size := m.streamSize()
	st = st[3*m.n:]
	switch {
	case m.oneWay && end == 1:
		return nil
	case m.oneWay:
		return modelPages{st[:size], m.pages}
	}
	return modelBuffers{st[end*size : (end+1)*size], m.content}
}

func (m pipeModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	end := 0
	if c.Part == m.parts[1] {
		end = 1
	}
	mine, waits := &st[3*p+end], &st[3*p+2]
	if verb == "close" {
		*mine = 0
		return nil, nil, false
	}
	in, out := m.stream(st, end), m.stream(st, 1-end)
	switch {
	case *mine == 0:
		return nil, (&pipeEnd{part: c.Part, closed: true}).closedFailure(), false
	case verb == "send" && out == nil, verb != "send" && in == nil:
		return nil, badDirection(c.Part, verb != "send"), false
	}
	switch verb {
	case "send":
		b, fail := m.written(c.Value)
		switch {
		case fail != nil:
			return nil, fail, false
		case len(b) == 0:
			return c.Value, nil, false
		case !m.held(st, 1-end):
			*waits = 0
			return nil, decl.Fail(BrokenPipe, "nobody can receive it: every copy of the other end is closed"), false
		case out.fits(len(b), *waits != 0):
			*waits = 0
			out.put(b)
			return c.Value, nil, false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "the pipe is full"), false
		case c.Expired:
			*waits = 0
			return nil, decl.Fail(Timeout, "still full"), false
		}
		*waits = 1
		return nil, nil, true
	case "recv":
		switch {
		case in.size() > 0:
			return m.take(in, c)
		case !m.held(st, 1-end):
			return nil, decl.Fail(EOF, "every copy of the other end is closed"), false
		case c.NoWait:
			return nil, decl.Fail(WouldBlock, "there is no message"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still no message"), false
		}
		return nil, nil, true
	case "poll":
		switch {
		case in.size() > 0 || !m.held(st, 1-end):
			return true, nil, false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still nothing to receive"), false
		}
		return nil, decl.Fail(WouldBlock, "there is nothing to receive"), false
	}
	panic("pipe has no verb " + verb)
}

// written is what a send writes.
func (m pipeModel) written(v any) ([]byte, *decl.Failure) {
	var b []byte
	if m.raw {
		text, ok := v.(string)
		if !ok {
			return nil, decl.Fail(Invalid, "a pipe with bytes: true takes text, not %s", describe(v))
		}
		b = []byte(text)
	} else {
		frame, err := appendJSON(appendFrame(nil), v, 0)
		if err != nil {
			return nil, decl.Fail(Invalid, "%v", err)
		}
		b = closeFrame(frame)
	}
	if len(b) > pipeBuf {
		return nil, decl.Fail(Invalid, "the model of a pipe takes at most %d bytes at once", pipeBuf)
	}
	return b, nil
}

func (m pipeModel) take(in modelStream, c ModelCall) (any, *decl.Failure, bool) {
	if m.raw {
		size := c.Size
		if size == 0 {
			size = pipeFits
		}
		return string(in.take(size)), nil, false
	}
	n, _ := lengthOf(in.take(4))
	body := in.take(n)
	v, err := parseJSON(body)
	if err != nil {
		return nil, decl.Fail(Invalid, "%v", err), false
	}
	return v, nil, false
}

// modelStream is one direction.
type modelStream interface {
	size() int
	// fits reports whether n bytes can be written now; waited says that whoever
	// wants to has been waiting for room.
	fits(n int, waited bool) bool
	put(b []byte)
	// take takes up to n bytes.
	take(n int) []byte
}

// modelPages is a one-way pipe: bytes in it, 4 bytes; pages in use, 2 bytes; for
// each where its last byte ends and how many are left in it, 2 bytes each; the
// bytes.
type modelPages struct {
	b     []byte
	pages int
}

func (s modelPages) size() int { return int(binary.LittleEndian.Uint32(s.b)) }
func (s modelPages) used() int { return int(binary.LittleEndian.Uint16(s.b[4:])) }

func (s modelPages) page(i int) []byte { return s.b[6+4*i : 10+4*i] }
func (s modelPages) bytes() []byte     { return s.b[6+4*s.pages:] }

// joins reports whether n bytes go behind what is in the last page.
func (s modelPages) joins(n int) bool {
	u := s.used()
	return u > 0 && n < modelPage && int(binary.LittleEndian.Uint16(s.page(u-1)))+n <= modelPage
}

func (s modelPages) fits(n int, _ bool) bool { return s.joins(n) || s.used() < s.pages }

func (s modelPages) put(b []byte) {
	size, u := s.size(), s.used()
	copy(s.bytes()[size:], b)
	binary.LittleEndian.PutUint32(s.b, uint32(size+len(b)))
	end, left := len(b), len(b)
	if s.joins(len(b)) {
		u--
		end += int(binary.LittleEndian.Uint16(s.page(u)))
		left += int(binary.LittleEndian.Uint16(s.page(u)[2:]))
	}
	binary.LittleEndian.PutUint16(s.page(u), uint16(end))
	binary.LittleEndian.PutUint16(s.page(u)[2:], uint16(left))
	binary.LittleEndian.PutUint16(s.b[4:], uint16(u+1))
}

func (s modelPages) take(n int) []byte {
	size := s.size()
	n = min(n, size)
	all := s.bytes()
	out := append([]byte{}, all[:n]...)
	copy(all, all[n:size])
	clear(all[size-n : size])
	binary.LittleEndian.PutUint32(s.b, uint32(size-n))
	u, gone := s.used(), 0
	for n > 0 {
		p := s.page(gone)
		left := int(binary.LittleEndian.Uint16(p[2:]))
		if left > n {
			binary.LittleEndian.PutUint16(p[2:], uint16(left-n))
			break
		}
		n -= left
		gone++
	}
	list := s.b[6 : 6+4*u]
	copy(list, list[4*gone:])
	clear(list[4*(u-gone):])
	binary.LittleEndian.PutUint16(s.b[4:], uint16(u-gone))
	return out
}

// modelBuffers is a direction of a socketpair: buffers in it, 2 bytes; for each
// the number of its contents, 4 bytes, and from where on it was not read, and
// its length, 2 bytes each.
type modelBuffers struct {
	b       []byte
	content *itemNumbers
}

func (s modelBuffers) count() int          { return int(binary.LittleEndian.Uint16(s.b)) }
func (s modelBuffers) buffer(i int) []byte { return s.b[2+8*i : 10+8*i] }

func (s modelBuffers) shape(i int) (from, length int) {
	b := s.buffer(i)
	return int(binary.LittleEndian.Uint16(b[4:])), int(binary.LittleEndian.Uint16(b[6:]))
}

func (s modelBuffers) size() (n int) {
	for i := range s.count() {
		from, length := s.shape(i)
		n += length - from
	}
	return n
}

// bufferCost is the memory that the kernel counts for n bytes in one write.
func bufferCost(n int) int {
	switch {
	case n <= 192:
		return 768
	case n <= 704:
		return 1280
	case n <= 1728:
		return 2304
	case n <= 3776:
		return 4352
	}
	return 4864
}

func (s modelBuffers) fits(_ int, waited bool) bool {
	cost := 0
	for i := range s.count() {
		_, length := s.shape(i)
		cost += bufferCost(length)
	}
	if waited {
		return 4*(cost+1) <= modelLimit
	}
	return cost < modelLimit
}

func (s modelBuffers) put(b []byte) {
	i := s.count()
	binary.LittleEndian.PutUint32(s.buffer(i), s.content.number(b))
	binary.LittleEndian.PutUint16(s.buffer(i)[4:], 0)
	binary.LittleEndian.PutUint16(s.buffer(i)[6:], uint16(len(b)))
	binary.LittleEndian.PutUint16(s.b, uint16(i+1))
}

func (s modelBuffers) take(n int) []byte {
	out := []byte{}
	count, gone := s.count(), 0
	for gone < count && len(out) < n {
		from, length := s.shape(gone)
		b := s.content.bytes(binary.LittleEndian.Uint32(s.buffer(gone)))
		more := min(n-len(out), length-from)
		out = append(out, b[from:from+more]...)
		if from+more < length {
			binary.LittleEndian.PutUint16(s.buffer(gone)[4:], uint16(from+more))
			break
		}
		gone++
	}
	list := s.b[2 : 2+8*count]
	copy(list, list[8*gone:])
	clear(list[8*(count-gone):])
	binary.LittleEndian.PutUint16(s.b, uint16(count-gone))
	return out
}

// bytes is the item with a number, as it was given.
func (i *itemNumbers) bytes(n uint32) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.list[n]
}
