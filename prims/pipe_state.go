package prims

import (
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"unsafe"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// pipe is a process's handle. The messages are in the kernel; what the
// processes share in the arena is who is in the middle of sending or receiving
// one, how far a receiver has come, and how many there were.
type pipe struct {
	name     string
	seq      *atomic.Uint64
	inode    [2]*atomic.Uint64 // of the ends
	capacity *atomic.Uint64    // of a one-way pipe, bytes
	oneWay   bool
	raw      bool // bytes: true
	ends     [2]pipeEnd
	streams  [2]*pipeStream // a one-way pipe has one
	buf      []byte         // a message, kept between operations while it is small
	sys      pipeSys
}

// pipeEnd is one end of a pipe in one process.
type pipeEnd struct {
	part   string // a, w
	number int
	fd     int  // -1: closed, or not inherited
	closed bool // by this process
	gone   func()
	in     *pipeStream // what can be received here, nil: nothing
	out    *pipeStream // what is sent here goes there, nil: nowhere
	rx     reception
	// surplus was read behind a message: somebody who is no process of the run
	// sends at the same end as those that are. The lock stays here meanwhile.
	surplus []byte
}

// reception is a message of which a process has a part. It holds the lock of
// the receivers until it has the rest, even while it does other things: nobody
// else could make sense of that rest.
type reception struct {
	active  bool
	discard bool // the message belonged to a process that has ended
	stage   int  // what is being read, a phase
	got     int  // bytes of a length
	rest    int  // bytes of the message to come
	short   bool // the kernel has taken all of it at once
	body    []byte
}

const (
	pipeHeadMem   = 64
	pipeStreamMem = 128
	pipeMem       = pipeHeadMem + 2*pipeStreamMem
)

func newPipe(a *Attachment) *pipe {
	p := &pipe{
		name: a.Name, seq: word64(a.Mem, 0), capacity: word64(a.Mem, 24),
		inode:  [2]*atomic.Uint64{word64(a.Mem, 8), word64(a.Mem, 16)},
		oneWay: isOneWay(a.Args), raw: isStream(a.Args),
	}
	for i, part := range pipeParts(a.Args) {
		p.ends[i] = pipeEnd{part: part, number: i, fd: -1}
	}
	p.streams[0] = newPipeStream(a.Mem[pipeHeadMem:])
	if p.oneWay {
		p.ends[0].in, p.ends[1].out = p.streams[0], p.streams[0]
		return p
	}
	p.streams[1] = newPipeStream(a.Mem[pipeHeadMem+pipeStreamMem:])
	p.ends[0].out, p.ends[1].in = p.streams[0], p.streams[0]
	p.ends[1].out, p.ends[0].in = p.streams[1], p.streams[1]
	return p
}

// pipeStream is one direction of a pipe.
type pipeStream struct {
	senders   pipeLock
	receivers pipeLock
	// partial is 1 while a sender is in the middle of a message that the kernel
	// does not take at once. If that sender ends, what it has sent is followed by
	// nothing, so nobody may send before a receiver has taken it away.
	partial *atomic.Uint32

	// How far the receiver has come that holds the lock, in such a way that the
	// next one knows it exactly if that one is killed, be it right after a system
	// call: the kernel writes what tells about it right into these words.
	phase   *atomic.Uint32
	header  *atomic.Uint32 // the length is read into it
	long    *atomic.Uint64 // the second length of a long message
	witness *atomic.Uint32 // the last byte of each piece is read into it
	rest    *atomic.Uint64 // bytes of the message to come, before this piece
	target  *atomic.Uint64 // and after it
	base    *atomic.Uint64 // received, before this message

	sent     *atomic.Uint64
	received *atomic.Uint64
	// last tells of the message that was sent last: its number, 32 bits, and its
	// length, so that a receiver whose turn it is reads it at once. blind: a sender
	// was ended, and the numbers may not be right.
	last  *atomic.Uint64
	blind *atomic.Uint32
}

// Phases of a receiver.
const (
	phaseNone   = iota
	phaseHeader // 4 bytes of length are being read
	phaseLong   // 8 more bytes of it
	phaseBody
	phaseWhole // a message of target bytes, its length included
)

// What lies in the words before the kernel has written into them: no length
// begins so, and no byte of JSON is 0xff.
const (
	noHeader  = 0xfefefefe
	noWitness = 0xff
)

func newPipeStream(mem []byte) *pipeStream {
	return &pipeStream{
		senders:   pipeLock{word32(mem, 0), word32(mem, 4)},
		receivers: pipeLock{word32(mem, 8), word32(mem, 12)},
		partial:   word32(mem, 16), phase: word32(mem, 20), header: word32(mem, 24), witness: word32(mem, 28),
		long: word64(mem, 32), rest: word64(mem, 40), target: word64(mem, 48), base: word64(mem, 56),
		sent: word64(mem, 64), received: word64(mem, 72), last: word64(mem, 80), blind: word32(mem, 88),
	}
}

func (s *pipeStream) unread() int { return max(int(s.sent.Load()-s.received.Load()), 0) }

// quiet: as far as the counts tell there is nothing to receive.
func (s *pipeStream) quiet() bool { return int64(s.sent.Load()-s.received.Load()) <= 0 }

// torn: the sender of the message that comes last is not there any more, and
// nothing follows.
func (s *pipeStream) torn(c *Call) bool {
	w := s.senders.word.Load()
	return s.partial.Load() != 0 && s.senders.orphaned(c, w)
}

// mend lets senders go on once a torn message was taken away. It takes the lock
// over, as a sender might, unless one has done so already.
func (s *pipeStream) mend(c *Call) {
	w := s.senders.word.Load()
	if !s.senders.orphaned(c, w) || !s.senders.word.CompareAndSwap(w, uint32(c.Self.Index)+1) {
		return
	}
	s.blind.Store(1)
	s.partial.Store(0)
	s.senders.word.Store(0)
	s.senders.wake(math.MaxInt32)
}

// begin notes that the holder of the receivers' lock begins with a message.
func (s *pipeStream) begin() {
	s.header.Store(noHeader)
	s.base.Store(s.received.Load())
	s.phase.Store(phaseHeader)
}

func (s *pipeStream) beginLong() {
	s.long.Store(math.MaxUint64)
	s.phase.Store(phaseLong)
}

// announce tells of the message that the holder of the senders' lock is about to
// send: its number and its bytes.
func (s *pipeStream) announce(number uint64, n int) { s.last.Store(number<<32 | uint64(n)) }

// count notes that a message with that number was sent. Both its sender and its
// receiver do: a sender may be killed right after it has sent.
func (s *pipeStream) count(number uint64) {
	for {
		n := s.sent.Load()
		if int64(n-number) >= 0 || s.sent.CompareAndSwap(n, number) {
			return
		}
	}
}

// next is the length of the message that comes next, 0 if nobody has said. It
// may be wrong.
func (s *pipeStream) next() int {
	last := s.last.Load()
	if uint32(last>>32) != uint32(s.base.Load()+1) || s.blind.Load() != 0 {
		return 0
	}
	return int(uint32(last))
}

// beginWhole notes that a message of n bytes is about to be read at once.
func (s *pipeStream) beginWhole(n int) {
	s.target.Store(uint64(n))
	s.phase.Store(phaseWhole)
}

// beginBody notes that n bytes follow.
func (s *pipeStream) beginBody(n int) {
	s.witness.Store(noWitness)
	s.rest.Store(uint64(n))
	s.target.Store(uint64(n))
	s.phase.Store(phaseBody)
}

// piece notes that n of the rest bytes that follow are about to be read, the
// last of them into the witness; read, that they were.
func (s *pipeStream) piece(rest, n int) {
	s.witness.Store(noWitness)
	s.target.Store(uint64(rest - n))
}

func (s *pipeStream) read(rest int) { s.rest.Store(uint64(rest)) }

// finish notes that a message was received, or lost.
func (s *pipeStream) finish() {
	n := s.base.Load() + 1
	s.received.Store(n)
	s.count(n)
	s.phase.Store(phaseNone)
}

// left is how many bytes of a message a receiver has left behind that has
// ended. ok is false if it had not begun with one. long means that the 8 bytes
// of a long length come first.
func (s *pipeStream) left() (rest int, long, ok bool) {
	switch s.phase.Load() {
	case phaseHeader:
		if s.header.Load() == noHeader {
			return 0, false, false
		}
		n, long := lengthOf(s.headerBytes())
		return n, long, true
	case phaseLong:
		if s.long.Load() == math.MaxUint64 {
			return 0, true, true
		}
		return longLengthOf(s.longBytes()), false, true
	case phaseWhole:
		if s.header.Load() == noHeader {
			return 0, false, false
		}
		n, _ := lengthOf(s.headerBytes())
		return max(n+4-int(s.target.Load()), 0), false, true
	case phaseBody:
		if byte(s.witness.Load()) != noWitness {
			return int(s.target.Load()), false, true
		}
		return int(s.rest.Load()), false, true
	}
	return 0, false, false
}

func (s *pipeStream) headerBytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(s.header)), 4) }
func (s *pipeStream) longBytes() []byte   { return unsafe.Slice((*byte)(unsafe.Pointer(s.long)), 8) }
func (s *pipeStream) witnessByte() *byte  { return (*byte)(unsafe.Pointer(s.witness)) }

// pipeLock keeps the messages of several processes apart. word is the slot + 1
// of the process that is in the middle of one, with diedBit once that process
// has ended or given up; 0: nobody. It is held only while something of a message
// is in the pipe, never by a process that just waits.
type pipeLock struct{ word, waiters *atomic.Uint32 }

// orphaned: whoever held it, as w says, will not go on.
func (l pipeLock) orphaned(c *Call, w uint32) bool {
	return w&diedBit != 0 || w != 0 && w != uint32(c.Self.Index)+1 && hasEnded(c, w)
}

// abandon leaves a lock of this process to whoever finds it.
func (l pipeLock) abandon() { l.word.Store(l.word.Load() | diedBit) }

func (l pipeLock) unlock() {
	l.word.Store(0)
	l.wake(1)
}

func (l pipeLock) wake(n int) {
	if l.waiters.Load() != 0 {
		arena.Wake(futexWord(l.word), n)
	}
}

// await blocks while the lock is as busy says of its word; it may return early.
// Its errors are ErrInterrupted and errPipeTime.
func (l pipeLock) await(c *Call, arg uint64, busy func(w uint32) bool) error {
	c.Self.Enter(c.wait(arg))
	l.waiters.Add(1)
	defer func() {
		l.waiters.Add(math.MaxUint32)
		c.Self.Leave()
	}()
	for {
		w := l.word.Load()
		if !busy(w) {
			return nil
		}
		switch c.park(l.word, w, c.Deadline) {
		case arena.TimedOut:
			if !busy(l.word.Load()) {
				return nil
			}
			return errPipeTime
		case arena.Interrupted:
			// A wake meant for us may have been consumed on the way: pass it on.
			if l.word.Load() == 0 && l.waiters.Load() > 1 {
				arena.Wake(futexWord(l.word), 1)
			}
			return ErrInterrupted
		}
	}
}

// What a blocked process waits for, in the operand that its slot shows: the
// number of the end, and below it one of these.
const (
	waitKernel  = iota // for the kernel, which wakes it by itself
	waitToRecv         // for another process to have received its message
	waitToSend         // for another process to have sent its message
	waitTorn           // for somebody to receive what an ended sender has left
	waitMessage        // for the rest of a message whose beginning it has

	waitBits = 3
	waitMask = 1<<waitBits - 1
)

func pipeArg(e *pipeEnd, what uint64) uint64 { return uint64(e.number)<<waitBits | what }

// endOf is the end that an operand speaks of.
func (p *pipe) endOf(arg uint64) *pipeEnd { return &p.ends[arg>>waitBits&1] }

// pipeReady: what the kernel has for a process wakes it, so that it is not
// asleep any more; the rest is seen in the arena.
func pipeReady(h any, arg uint64) bool {
	e := h.(*pipe).endOf(arg)
	switch arg & waitMask {
	case waitToRecv:
		return e.in.receivers.free()
	case waitToSend:
		return e.out.senders.free()
	case waitTorn:
		w := e.out.senders.word.Load()
		return w&diedBit == 0 || e.out.partial.Load() == 0
	case waitMessage:
		return e.in.partial.Load() != 0 && e.in.senders.word.Load()&diedBit != 0
	}
	return false
}

func (l pipeLock) free() bool {
	w := l.word.Load()
	return w == 0 || w&diedBit != 0
}

// died is told when a process has ended: what it was in the middle of is over.
func (p *pipe) died(slot int) {
	for _, s := range p.streams {
		if s == nil {
			continue
		}
		for _, l := range []pipeLock{s.senders, s.receivers} {
			setDied(l.word, ^uint32(diedBit), slot)
			if l.free() {
				l.wake(math.MaxInt32)
			}
		}
	}
}

func (p *pipe) facts() map[string]any {
	size, sent, received := 0, 0, 0
	unread := map[string]any{}
	for i := range p.ends {
		if s := p.ends[i].in; s != nil {
			n := s.unread()
			unread[p.ends[i].part] = n
			size += n
			sent += int(s.sent.Load())
			received += int(s.received.Load())
		}
	}
	return map[string]any{"size": size, "unread": unread, "sent": sent, "received": received, "capacity": int(p.capacity.Load())}
}

// end finds the end that a step names, and whether it can do that.
func (p *pipe) end(c *Call, receives bool) (*pipeEnd, error) {
	for i := range p.ends {
		e := &p.ends[i]
		switch {
		case e.part != c.Part:
		case e.fd < 0:
			return nil, e.closedFailure()
		case receives && e.in == nil, !receives && e.out == nil:
			return nil, badDirection(e.part, receives)
		default:
			return e, nil
		}
	}
	return nil, decl.Fail(Invalid, "%s has no end %q", p.name, c.Part)
}

func (e *pipeEnd) closedFailure() *decl.Failure {
	if e.closed {
		return decl.Fail(Closed, "this process has closed %s", e.part)
	}
	return decl.Fail(Closed, "this process has no %s: it was closed before this process was forked", e.part)
}

func badDirection(part string, receives bool) *decl.Failure {
	if receives {
		return decl.Fail(BadDirection, "%s is the end that sends", part)
	}
	return decl.Fail(BadDirection, "%s is the end that receives", part)
}

// explain says what a blocked step waits for, and whose open ends keep it from
// ending otherwise.
func (p *pipe) explain(verb string, arg uint64) Blocked {
	e := p.endOf(arg)
	other := &p.ends[1-e.number]
	name := p.name + "." + e.part
	b := Blocked{Open: []OpenEnd{{Name: p.name + "." + other.part, Link: p.link(other.number), Access: p.access(other.number)}}}
	switch arg & waitMask {
	case waitToRecv:
		return Blocked{Doing: "waits to recv from " + name + ", where another process is in the middle of a message", By: e.in.receivers.holder()}
	case waitToSend:
		return Blocked{Doing: "waits to send to " + name + ", where another process is in the middle of a message", By: e.out.senders.holder()}
	case waitTorn:
		b.Doing, b.Without = "waits to send to "+name+" until somebody has received what a process left there that ended in the middle of a message", "BrokenPipe cannot come"
	case waitMessage:
		b.Doing, b.Without = "waits for the rest of a message from "+name, "EOF cannot come"
	default:
		b.Doing, b.Without = "waits to recv from "+name, "EOF cannot come"
		if verb == "send" {
			b.Doing, b.Without = "waits to send to "+name+", which is full", "BrokenPipe cannot come"
		}
	}
	return b
}

// holder is the slot of the process that has a lock, if it is still there.
func (l pipeLock) holder() []int {
	if w := l.word.Load(); w != 0 && w&diedBit == 0 {
		return []int{int(w) - 1}
	}
	return nil
}

// link is how the process file system shows an end, access how a descriptor of
// it is open: a socketpair has an object for each end, a pipe one for both.
func (p *pipe) link(end int) string {
	kind := "socket"
	if p.oneWay {
		kind = "pipe"
	}
	return kind + ":[" + strconv.FormatUint(p.inode[end].Load(), 10) + "]"
}

func (p *pipe) access(end int) int {
	switch {
	case !p.oneWay:
		return AnyAccess
	case end == 0:
		return os.O_RDONLY
	}
	return os.O_WRONLY
}
