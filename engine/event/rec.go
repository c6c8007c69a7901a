package event

import (
	"encoding/binary"
	"errors"
)

// Kind says what a record is about.
type Kind uint8

// The kinds. Those marked (engine) are written by the engine, the others by
// the process they are about.
const (
	KindNone  Kind = iota
	Start          // (engine or parent) process forked: value pid
	Ready          // dispositions installed: value pid
	Op             // operation on a primitive done: verb, obj, seq, value = result or operand
	Fail           // a step ended with an error: value {name, detail}; Flag expected
	Print          // a line printed: value text; obj the number of the process that wrote it, where an observer saw it
	Sent           // a signal was sent: obj = target slot, value {signal, queued value, error}
	Got            // a handled signal arrived: value {signal, pid, code, value}
	Returned       // the handler has run to its end: value signal
	Forked         // fork: obj = child's slot, value pid
	Reaped         // wait took the status of a child: obj = child's slot, value status, nil if SIGCHLD is ignored
	Exiting        // exit (the step), or the end of the steps (no step): value code
	Assigned       // a variable got a value by an order of the script: value {name: value}
	OrderDone      // an order of the script was carried out: value {order, result, error, detail}
	Checked        // an assertion held or not: value check
	Slept          // sleep is over
	Paused         // pause returned
	Alarmed        // alarm set: value {seconds, left}
	Masked         // signals blocked or unblocked: value {how, signals}
	Disposed       // a disposition changed: value {signal, disposition}
	Ended          // (engine) process ended: value status
	Pressed        // (engine) keys pressed: obj = slot of the terminal's owner, value key
	Expected       // (engine) an expect was met: value text
	StepBegin      // (engine) a step of the script begins
	StepEnd        // (engine) it ended: value duration
	Deadlock       // (engine) nobody can move: value explanation
	Expired        // (engine) a deadline passed: value {limit, whose}
	Stopped        // (engine) the run was interrupted: value signal
	Broken         // (engine) the runner could not do its job: value text
	Clean          // (engine) tear-down is complete: value what was left, if anything
	Output         // (engine) bytes a process wrote that are not prints: value text
	Skipped        // (engine) the scenario cannot run here: value reason
	Missed         // (engine) a check that never ran
	Raced          // (engine) two accesses that nothing orders: obj, value {first, second, severity}
	Finished       // (engine) the run is over
	Typed          // (engine) text typed to a process: obj = its slot, value text; nil: its input was closed
	Overrun        // (engine) a process was ended because of a limit: obj = its slot, value {what, limit}
	Barred         // (engine) a check was not done, since one that it needs has not passed: value its name
	Called         // (engine) a process of a program has made a system call: obj = slot of the program, value {by, call, name, ns}
	Held           // a process has the kernel hold something of it: value {nice, umask, cpu: seconds}, as far as it was asked for
	Lost           // (engine) a process of a program ends with a text in a buffer of stdio: obj = slot of the program, value {by, fd, text, status}
	Piece          // a piece of the value of a record that follows: value bytes
	numKinds
)

var kindNames = [...]string{"", "start", "ready", "op", "error", "print", "sent", "signal", "returned", "fork",
	"reaped", "exit", "assigned", "done", "check", "slept", "paused", "alarm", "mask", "disposition", "ended",
	"press", "expect", "step", "step-end", "deadlock", "expired", "interrupted", "broken", "clean", "output",
	"skip", "missed", "race", "finished", "type", "limit", "blocked", "call", "held", "lost", "piece"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "?"
}

// KindOf is the inverse of String, KindNone for an unknown name.
func KindOf(s string) Kind {
	for i, n := range kindNames {
		if n == s {
			return Kind(i)
		}
	}
	return KindNone
}

// Noted reports whether the engine keeps state from such a record.
func (k Kind) Noted() bool {
	switch k {
	case Op, Slept, Returned, Paused, Alarmed, Masked, Held, Piece:
		return false
	}
	return true
}

// Notable reports whether the engine is to be woken for such a record. Signals
// it only notes: waking it for each would cost more than the signal.
func (k Kind) Notable() bool { return k.Noted() && k != Sent && k != Got }

// Flags of records.
const (
	FlagExpected = 1 << iota // on a Fail: the step expected this error
	FlagMore                 // on a Print: the line goes on in the next record
	FlagTravels              // on a Fail: the error goes to another process, value {name, detail, job}
	FlagErr                  // on a Print: to the standard error
	FlagAnswered             // on a Fail: the error is the answer to a program that has asked for the step
	flagRange                // First and Last are there
	flagPieces               // the value begins in the Pieces before it
)

// NoObj in Obj: the record is about no other thing.
const NoObj = 0xffffffff

// Rec is one record.
type Rec struct {
	Kind  Kind
	Flags uint8
	Verb  uint16 // number of the verb
	Step  uint32 // number of the step, 0: none
	Obj   uint32 // number of the primitive or slot of the process it is about
	At    int64  // monotonic nanoseconds
	Seq   uint64 // number of the operation on its object, 0: none
	// First and Last are the elements of an array that it touched, Last
	// exclusive; both 0 where that means nothing.
	First, Last uint32
	Value       any
}

// recHead is the size of the fixed part, the ring's size field included.
const recHead = 32

// Ring is where records go; arena.Ring is one.
type Ring interface {
	Reserve(n int) []byte
	Publish(n int, notable bool)
}

// MaxText is the longest text that a record surely takes whole, bytes.
const MaxText = 16 << 10

// maxValue is the room for the value of one record.
const maxValue = 24 << 10

// shows reports whether the value of such a record is only to be looked at: one that
// is longer than fits is cut. The keys of the others mean something to those who read
// the log, and a check without its outcome would be one that has failed.
func (k Kind) shows() bool {
	switch k {
	case Op, Print, Assigned, Output, Typed:
		return true
	}
	return false
}

// Write publishes a record. A value longer than fits goes ahead in Pieces, or where
// the kind only shows it is replaced by its beginning and its size; who has a long
// text splits it first (MaxText).
func Write(r Ring, rec *Rec) {
	size := valueSize(rec.Value)
	if size > maxValue {
		writeLong(r, rec)
		return
	}
	b, at := begin(r, rec, size, rec.Flags)
	// It fits: the bytes go where they belong, and no others are needed.
	end := len(appendValue(b[:at], rec.Value))
	publish(r, rec, b, end)
}

// writeLong is Write for a value that is longer than fits.
func writeLong(r Ring, rec *Rec) {
	val, flags := appendValue(nil, rec.Value), rec.Flags
	if rec.Kind.shows() {
		val = cut(val, rec.Value)
	} else {
		for len(val) > maxValue {
			Write(r, &Rec{Kind: Piece, Obj: NoObj, At: rec.At, Value: val[:maxValue-8]})
			val = val[maxValue-8:]
		}
		flags |= flagPieces
	}
	b, at := begin(r, rec, len(val), flags)
	publish(r, rec, b, at+copy(b[at:], val))
}

// begin reserves room for a record and its value of size bytes, which starts
// at at.
func begin(r Ring, rec *Rec, size int, flags uint8) (b []byte, at int) {
	at = recHead
	if rec.Last != 0 {
		at, flags = recHead+8, flags|flagRange
	}
	b = r.Reserve((at + size + 7) &^ 7)
	b[4], b[5] = byte(rec.Kind), flags
	binary.LittleEndian.PutUint16(b[6:], rec.Verb)
	binary.LittleEndian.PutUint32(b[8:], rec.Step)
	binary.LittleEndian.PutUint32(b[12:], rec.Obj)
	binary.LittleEndian.PutUint64(b[16:], uint64(rec.At))
	binary.LittleEndian.PutUint64(b[24:], rec.Seq)
	if rec.Last != 0 {
		binary.LittleEndian.PutUint32(b[recHead:], rec.First)
		binary.LittleEndian.PutUint32(b[recHead+4:], rec.Last)
	}
	return b, at
}

// publish fills the end up and makes the record visible.
func publish(r Ring, rec *Rec, b []byte, end int) {
	clear(b[end:])
	r.Publish(len(b), rec.Kind.Notable())
}

var errShort = errors.New("event: record too short")

// Reader puts together what came in pieces or in short. The zero value is ready.
type Reader struct {
	pieces    map[int][]byte // by who has written them
	processes []*repeats     // what their Writers know
}

// Read decodes the next record of a process as its Writer wrote it. more means that it
// was a Piece: what it belongs to follows.
func (d *Reader) Read(slot int, b []byte) (rec Rec, more bool, err error) {
	switch {
	case !isWhole(b) && !isShort(b):
		return Rec{}, false, errShort
	case isShort(b):
		k := d.known(slot)
		f, value := k.next(b)
		if f == nil {
			return Rec{}, false, errShort
		}
		return k.rec(f, value), false, nil
	}
	d.known(slot).take(b)
	return d.put(slot<<1, b)
}

// skip is Read of a record that nobody wants to see.
func (d *Reader) skip(slot int, b []byte) {
	if isShort(b) {
		d.known(slot).next(b)
	} else {
		d.known(slot).take(b)
	}
}

// put is Read for a record that Write has written; its Pieces are those of the same who.
func (d *Reader) put(who int, b []byte) (rec Rec, more bool, err error) {
	if PeekKind(b) == Piece {
		p, err := Read(b)
		if err != nil {
			return p, false, err
		}
		if d.pieces == nil {
			d.pieces = map[int][]byte{}
		}
		v, _ := p.Value.([]byte)
		d.pieces[who] = append(d.pieces[who], v...)
		return p, true, nil
	}
	if b[1]&flagPieces == 0 {
		rec, err = Read(b)
		return rec, false, err
	}
	head := recHead - 4
	if b[1]&flagRange != 0 {
		head = min(head+8, len(b))
	}
	whole := append(append([]byte(nil), b[:head]...), d.pieces[who]...)
	delete(d.pieces, who)
	whole = append(whole, b[head:]...)
	whole[1] &^= flagPieces
	rec, err = Read(whole)
	return rec, false, err
}

// Read decodes a record, without the ring's size field.
func Read(b []byte) (Rec, error) {
	if len(b) < recHead-4 {
		return Rec{}, errShort
	}
	rec := Rec{
		Kind: Kind(b[0]), Flags: b[1],
		Verb: binary.LittleEndian.Uint16(b[2:]),
		Step: binary.LittleEndian.Uint32(b[4:]),
		Obj:  binary.LittleEndian.Uint32(b[8:]),
		At:   int64(binary.LittleEndian.Uint64(b[12:])),
		Seq:  binary.LittleEndian.Uint64(b[20:]),
	}
	b = b[recHead-4:]
	if rec.Flags&flagRange != 0 {
		if len(b) < 8 {
			return Rec{}, errShort
		}
		rec.Flags &^= flagRange
		rec.First, rec.Last = binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		b = b[8:]
	}
	v, _, err := readValue(b)
	rec.Value = v
	return rec, err
}

// PeekAt is the time of the next record of a process as its Writer wrote it, whose last
// one was of the time last, without decoding more of it.
func PeekAt(b []byte, last int64) int64 {
	if isShort(b) {
		return last + int64(binary.LittleEndian.Uint32(b)>>8)
	}
	return int64(binary.LittleEndian.Uint64(b[12:]))
}

// PeekKind is the kind of an encoded record, without decoding it.
func PeekKind(b []byte) Kind {
	if b[0]&shortBit != 0 {
		return Op
	}
	return Kind(b[0])
}
