package prims

import (
	"encoding/binary"
	"encoding/json"

	"ipcrun/spec/decl"
)

// fifoModel is a FIFO as the kernel keeps it, for n processes and as many bytes
// as it has in one run of writes.
type fifoModel struct{ n int }

// fifoState is its state: of each process and end what it has of it.
type fifoState struct {
	R, W []int
	Data []byte
}

const (
	fifoShut    = iota
	fifoWaiting // in open
	fifoLetIn   // in open, and somebody has opened the other end meanwhile
	fifoOpened

	fifoHolds = 65536
)

func (m fifoModel) Size() int { return boxHead + 64 + 8*m.n + fifoHolds*4/3 }

func (m fifoModel) Init(st []byte) { box(st, fifoState{R: make([]int, m.n), W: make([]int, m.n)}) }

// Died takes away what a process had open.
func (m fifoModel) Died(st []byte, p int) {
	var s fifoState
	unbox(st, &s)
	s.R[p], s.W[p] = fifoShut, fifoShut
	s.empty()
	box(st, s)
}

func (m fifoModel) Do(st []byte, p int, verb string, c ModelCall) (result any, fail *decl.Failure, blocked bool) {
	var s fifoState
	unbox(st, &s)
	end := &s.R[p]
	if c.Part == "w" {
		end = &s.W[p]
	}
	switch verb {
	case "open":
		fail, blocked = s.open(end, c)
	case "send":
		result, fail, blocked = s.send(end, c)
	case "recv":
		result, fail, blocked = s.recv(end, c)
	case "close":
		*end = fifoShut
		s.empty()
	default:
		panic("fifo has no verb " + verb)
	}
	box(st, s)
	return result, fail, blocked
}

// some: anybody has an end, as far as at least.
func some(ends []int, least int) bool {
	for _, e := range ends {
		if e >= least {
			return true
		}
	}
	return false
}

// empty: what nobody has open holds nothing.
func (s *fifoState) empty() {
	if !some(s.R, fifoWaiting) && !some(s.W, fifoOpened) {
		s.Data = nil
	}
}

func (s *fifoState) open(end *int, c ModelCall) (*decl.Failure, bool) {
	if *end == fifoOpened {
		return decl.Fail(Invalid, "it is open already"), false
	}
	reads := c.Part != "w"
	if *end == fifoShut {
		*end = fifoWaiting
	}
	if reads && c.NoWait || reads && (*end == fifoLetIn || some(s.W, fifoWaiting) || len(s.Data) > 0) || !reads && some(s.R, fifoWaiting) {
		*end = fifoOpened
		if !reads {
			for i, r := range s.R {
				if r == fifoWaiting {
					s.R[i] = fifoLetIn
				}
			}
		}
		return nil, false
	}
	switch {
	case c.NoWait:
		*end = fifoShut
		return decl.Fail(NoReader, "nobody has r open"), false
	case c.Expired:
		*end = fifoShut
		s.empty()
		return decl.Fail(Timeout, "nobody has opened the other end"), false
	}
	return nil, true
}

func (s *fifoState) usable(end *int, c ModelCall, part string) *decl.Failure {
	switch {
	case c.Part != part:
		return badDirection(c.Part, part == "r")
	case *end != fifoOpened:
		return decl.Fail(Closed, "this process does not have it open")
	}
	return nil
}

func (s *fifoState) send(end *int, c ModelCall) (any, *decl.Failure, bool) {
	if f := s.usable(end, c, "w"); f != nil {
		return nil, f, false
	}
	text, err := messageText(c.Value)
	if err != nil {
		f, _ := err.(*decl.Failure)
		return nil, f, false
	}
	switch {
	case text == "":
		return text, nil, false
	case !some(s.R, fifoWaiting):
		return nil, decl.Fail(BrokenPipe, "nobody has r open"), false
	case len(s.Data)+len(text) <= fifoHolds:
		s.Data = append(s.Data, text...)
		return text, nil, false
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "it is full"), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "still full"), false
	}
	return nil, nil, true
}

func (s *fifoState) recv(end *int, c ModelCall) (any, *decl.Failure, bool) {
	if f := s.usable(end, c, "r"); f != nil {
		return nil, f, false
	}
	n := len(s.Data)
	if c.Size != 0 {
		n = min(n, c.Size)
	}
	switch {
	case n > 0:
		text := string(s.Data[:n])
		s.Data = s.Data[n:]
		return text, nil, false
	case !some(s.W, fifoOpened):
		return nil, decl.Fail(EOF, "nobody has w open"), false
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "nothing is there"), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "still nothing there"), false
	}
	return nil, nil, true
}

// A model whose state is a structure keeps it boxed: the length and the text of
// it in JSON, zeros behind. Equal states have equal bytes.

const boxHead = 4

func box(st []byte, state any) {
	text, err := json.Marshal(state)
	if err != nil || len(text) > len(st)-boxHead {
		panic("a model's state does not fit into its bytes")
	}
	binary.LittleEndian.PutUint32(st, uint32(len(text)))
	clear(st[boxHead+copy(st[boxHead:], text):])
}

func unbox(st []byte, state any) {
	if err := json.Unmarshal(st[boxHead:boxHead+binary.LittleEndian.Uint32(st)], state); err != nil {
		panic("a model's state is damaged: " + err.Error())
	}
}
