package prims

import (
	"slices"

	"ipcrun/spec/decl"
)

// socketModel is a listening socket and its connections, for n processes.
type socketModel struct {
	n, backlog int
	raw        bool
}

// socketState: who listens, and the connections in the order in which they came,
// those that wait for an accept included.
type socketState struct {
	Shut  []bool // by process: it does not listen any more
	Conns []modelConn
	Made  int // connections so far: the order in which a process has got them
}

// modelConn is a connection: two sides, the client's first.
type modelConn struct {
	Sides [2]modelSide
}

type modelSide struct {
	Proc   int // -1: waits for an accept
	Number int
	Got    int // when the process got it
	Closed bool
	In     [][]byte // what can be received here
}

// modelSocketBytes is what the state has room for.
const modelSocketBytes = 1 << 16

func (m socketModel) Size() int { return boxHead + modelSocketBytes }

func (m socketModel) Init(st []byte) { box(st, socketState{Shut: make([]bool, m.n)}) }

// Died closes what a process has.
func (m socketModel) Died(st []byte, p int) {
	var s socketState
	unbox(st, &s)
	s.closeAll(p, 0)
	s.closeAll(p, 1)
	box(st, s)
}

func (m socketModel) Do(st []byte, p int, verb string, c ModelCall) (result any, fail *decl.Failure, blocked bool) {
	var s socketState
	unbox(st, &s)
	defer func() {
		s.prune()
		box(st, s)
	}()
	side := 0
	if c.Part == serverPart {
		side = 1
	}
	switch verb {
	case "connect", "accept":
		if side != map[string]int{"connect": 0, "accept": 1}[verb] {
			return nil, decl.Fail(BadDirection, "the other end can %s", verb), false
		}
		if verb == "connect" {
			return m.connect(&s, p, c)
		}
		return m.accept(&s, p, c)
	case "close":
		if c.All {
			s.closeAll(p, side)
		} else if k := s.find(p, side, c.Connection); k != nil {
			k.Sides[side].Closed = true
		}
		return nil, nil, false
	case "send", "recv":
		k := s.find(p, side, c.Connection)
		if k == nil {
			return nil, decl.Fail(Closed, "this process has no such connection"), false
		}
		if verb == "send" {
			return m.send(k, side, c)
		}
		return m.recv(k, side, c)
	}
	panic("unix_socket has no verb " + verb)
}

// waitOr is how an operation ends that cannot happen now.
func waitOr(c ModelCall) (any, *decl.Failure, bool) {
	switch {
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "not now"), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "still not"), false
	}
	return nil, nil, true
}

func (m socketModel) connect(s *socketState, p int, c ModelCall) (any, *decl.Failure, bool) {
	listening, waiting := false, 0
	for _, shut := range s.Shut {
		listening = listening || !shut
	}
	for i := range s.Conns {
		if s.Conns[i].Sides[1].Proc < 0 {
			waiting++
		}
	}
	if !listening {
		return nil, decl.Fail(Refused, "nobody listens"), false
	}
	if waiting > m.backlog {
		return waitOr(c)
	}
	s.Conns = append(s.Conns, modelConn{[2]modelSide{{Proc: -1}, {Proc: -1}}})
	return s.give(&s.Conns[len(s.Conns)-1].Sides[0], p), nil, false
}

func (m socketModel) accept(s *socketState, p int, c ModelCall) (any, *decl.Failure, bool) {
	if s.Shut[p] {
		return nil, decl.Fail(Closed, "this process does not listen"), false
	}
	for i := range s.Conns {
		if x := &s.Conns[i].Sides[1]; x.Proc < 0 {
			return s.give(x, p), nil, false
		}
	}
	return waitOr(c)
}

// give gives a side of a connection to a process, and the smallest number that
// is free.
func (s *socketState) give(x *modelSide, p int) int {
	taken := map[int]bool{}
	for i := range s.Conns {
		for _, o := range s.Conns[i].Sides {
			if o.Proc == p && !o.Closed {
				taken[o.Number] = true
			}
		}
	}
	n := 1
	for taken[n] {
		n++
	}
	s.Made++
	x.Proc, x.Number, x.Got = p, n, s.Made
	return n
}

// prune forgets connections that nobody has any more.
func (s *socketState) prune() {
	s.Conns = slices.DeleteFunc(s.Conns, func(k modelConn) bool { return k.Sides[0].Closed && k.Sides[1].Closed })
}

// find is the connection that a step means.
func (s *socketState) find(p, side, number int) (found *modelConn) {
	for i := range s.Conns {
		x := &s.Conns[i].Sides[side]
		if x.Proc == p && !x.Closed && (number == 0 || x.Number == number) && (found == nil || x.Got > found.Sides[side].Got) {
			found = &s.Conns[i]
		}
	}
	return found
}

func (s *socketState) closeAll(p, side int) {
	for i := range s.Conns {
		if x := &s.Conns[i].Sides[side]; x.Proc == p {
			x.Closed = true
		}
	}
	if side != 1 {
		return
	}
	s.Shut[p] = true
	for _, shut := range s.Shut {
		if !shut {
			return
		}
	}
	// Nobody is left who could accept what waits.
	for i := range s.Conns {
		if x := &s.Conns[i].Sides[1]; x.Proc < 0 {
			x.Proc, x.Closed = len(s.Shut), true
		}
	}
}

func (m socketModel) send(k *modelConn, side int, c ModelCall) (any, *decl.Failure, bool) {
	there := &k.Sides[1-side]
	var b []byte
	var err error
	if m.raw {
		var text string
		text, err = messageText(c.Value)
		b = []byte(text)
	} else {
		b, err = AppendValue(nil, c.Value)
	}
	switch f, _ := err.(*decl.Failure); {
	case err != nil && f == nil:
		return nil, decl.Fail(Invalid, "%v", err), false
	case err != nil:
		return nil, f, false
	case there.Closed:
		return nil, decl.Fail(BrokenPipe, "the other side is closed"), false
	}
	n := 0
	for _, in := range there.In {
		n += len(in)
	}
	if n+len(b) > modelSocketBytes/16 {
		return waitOr(c)
	}
	if m.raw && len(there.In) > 0 {
		there.In[0] = append(there.In[0], b...)
	} else if len(b) > 0 {
		there.In = append(there.In, b)
	}
	return c.Value, nil, false
}

func (m socketModel) recv(k *modelConn, side int, c ModelCall) (any, *decl.Failure, bool) {
	here := &k.Sides[side]
	switch {
	case len(here.In) == 0 && k.Sides[1-side].Closed:
		return nil, decl.Fail(EOF, "the other side is closed"), false
	case len(here.In) == 0:
		return waitOr(c)
	}
	b := here.In[0]
	if m.raw {
		n := len(b)
		if c.Size != 0 {
			n = min(n, c.Size)
		}
		if here.In[0] = b[n:]; n == len(b) {
			here.In = here.In[1:]
		}
		return string(b[:n]), nil, false
	}
	here.In = here.In[1:]
	v, _, err := ReadValue(b)
	if err != nil {
		panic("a model's state is damaged: " + err.Error())
	}
	return v, nil, false
}
