package supervisor

import (
	"encoding/binary"
	"errors"
)

// Kind says what a Report tells.
type Kind uint8

// The kinds of reports.
const (
	Started Kind = iota + 1 // the program runs: Pid
	Failed                  // it could not be started: Text says why
	// Ended: a process of the tree has ended that the supervisor was the parent of:
	// Pid, Status. Of the program itself: Data has those who outlive it and, with a
	// minus sign, those that it has not waited for; see Pids.
	Ended
	Alone    // nobody is left below the supervisor, and nobody can come
	Noticed  // what an observer saw: Data, see observe.Event
	Exceeded // it goes beyond a limit, and is ended: Text says which
	Used     // what the program has used, which is about to be Ended: Data, see Usage
	Left     // what its namespaces hold once it is Alone: Data, JSON of []sandbox.Object
)

// spoken: it has a Text and no Data.
func (k Kind) spoken() bool { return k == Failed || k == Exceeded }

// Report is one message of a supervisor to the engine.
type Report struct {
	Kind   Kind
	At     int64 // monotonic nanoseconds
	Pid    int   // in the engine's PID namespace
	Status uint32
	Text   string
	Data   []byte
}

// Pids are the process ids in Data.
func (r *Report) Pids() []int {
	var out []int
	for b := r.Data; len(b) >= 4; b = b[4:] {
		out = append(out, int(int32(binary.LittleEndian.Uint32(b))))
	}
	return out
}

func appendPids(b []byte, pids []int) []byte {
	for _, p := range pids {
		b = binary.LittleEndian.AppendUint32(b, uint32(p))
	}
	return b
}

// Usage reads the Data of a Used: the processor time of the program and of those of
// its children that it has waited for, in nanoseconds, and the most memory that any
// of them has had in use, in bytes. What its start takes is in both.
func (r *Report) Usage() (cpu, peak int64) {
	if len(r.Data) < 16 {
		return 0, 0
	}
	return int64(binary.LittleEndian.Uint64(r.Data)), int64(binary.LittleEndian.Uint64(r.Data[8:]))
}

func appendUsage(b []byte, cpu, peak int64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, uint64(cpu)), uint64(peak))
}

// A report travels as its length (4 bytes, the rest of it), kind, time (8), pid
// (4), status (4) and what is left as Text or Data; numbers are little-endian.
const reportHead = 1 + 8 + 4 + 4

// Append adds the travelling form of r to b.
func (r *Report) Append(b []byte) []byte {
	rest := r.Data
	if r.Kind.spoken() {
		rest = []byte(r.Text)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(reportHead+len(rest)))
	b = append(b, byte(r.Kind))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.At))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.Pid))
	b = binary.LittleEndian.AppendUint32(b, r.Status)
	return append(b, rest...)
}

var errReport = errors.New("supervisor: malformed report")

// maxReport bounds a report; a longer one is a mistake of ours.
const maxReport = 1 << 20

// Next takes the first report from b and returns what follows it. ok is false
// while b does not hold a whole one. Data refers to b.
func Next(b []byte) (r Report, rest []byte, ok bool, err error) {
	if len(b) < 4 {
		return r, b, false, nil
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < reportHead || n > maxReport {
		return r, b, false, errReport
	}
	if len(b) < 4+n {
		return r, b, false, nil
	}
	p := b[4 : 4+n]
	r = Report{
		Kind: Kind(p[0]), At: int64(binary.LittleEndian.Uint64(p[1:])),
		Pid: int(int32(binary.LittleEndian.Uint32(p[9:]))), Status: binary.LittleEndian.Uint32(p[13:]),
	}
	if r.Kind.spoken() {
		r.Text = string(p[reportHead:])
	} else {
		r.Data = p[reportHead:]
	}
	return r, b[4+n:], true, nil
}
