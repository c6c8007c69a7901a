package prims

import (
	"os"
	"sync/atomic"
	"time"

	"ipcrun/spec/decl"
)

// Refused is the failure of a connect where nobody listens.
const Refused = "Refused"

func init() { decl.RegisterError(Refused, "nobody listens at the socket any more (ECONNREFUSED)") }

// The two ends of a socket, as steps name them.
const (
	serverPart = "server"
	clientPart = "client"
)

func init() { Register(&unixSocketKind) }

func connectionField() decl.Field {
	return decl.Field{Name: "connection", Shape: decl.Int, Default: "the latest that is open", Min: decl.Num(1),
		Doc: "which connection, by the number that connect or accept gave", Example: "2"}
}

var unixSocketKind = Descriptor{
	Kind: decl.Kind{
		Name:    "unix_socket",
		Summary: "a place where any program connects by its path",
		Doc: `A UNIX stream socket that listens at a path. Processes that use the end server
have it from the start, bound and listening; those that use the end client connect
to it. accept takes the next connection, and what goes in at one side of it comes
out at the other. The other side may be any program that knows the path.

A process has as many connections as it likes. Each has a number, the smallest that
is free, which connect and accept yield; connection: says which one a step means,
and without it the latest that is open at that end. A connection belongs to its
process alone: no child inherits it.

Messages: one recv takes exactly one send. A message is any data, on its way 4
bytes of length, big-endian, before JSON: a Python program at the other side uses
multiprocessing.connection.Client(path, "AF_UNIX") with send_bytes and recv_bytes.
With bytes: true there are no messages: send writes text as it is, recv takes what
is there.

A connection is over for the other side when it is closed, or its process ends:
recv fails with EOF once everything was received, send with BrokenPipe. When the
last process that listens has closed the server's end or has ended, connect fails
with Refused.

The engine makes the socket before any process is forked: at the path that name:
says, or in the run's own directory. If there is a file already, the run ends as an
error and leaves that one alone. At the end the path is removed, also when ipcrun
is killed.`,
		Fields: []decl.Field{
			{Name: "bytes", Shape: decl.Bool, Default: "false", Static: true, Doc: "true: a stream of bytes instead of messages", Example: "true"},
			{Name: "backlog", Shape: decl.Int, Default: "16", Min: decl.Num(0), Max: decl.Num(4096), Static: true,
				Doc: "how many connections may wait for an accept, beside one more", Example: "1"},
			pathName,
		},
		Check: func(_ any, fields map[string]any) (string, string) { return checkPathField(fields, socketPathMost) },
		Named: "name",
		Facts: []decl.Fact{
			{Name: "connected", Shape: decl.Int, Doc: "how many connects of steps have succeeded"},
			{Name: "accepted", Shape: decl.Int, Doc: "how many connections steps have accepted"},
			{Name: "sent", Shape: decl.Int, Doc: "how many messages (or bytes) steps have sent"},
			{Name: "received", Shape: decl.Int, Doc: "how many messages (or bytes) steps have received"},
			nameFact,
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "connect", Summary: "connect to a UNIX socket", Waits: true, Result: decl.Int, Place: decl.InProcess,
				Doc: `Does not wait for the accept: the kernel keeps the connection until then. It blocks
only while more connections wait than the backlog allows; with block: false it
fails with WouldBlock then, with timeout: with Timeout, no earlier than that.
Refused: nobody listens any more. NoEntry: the path is gone. into: receives the
number of the connection.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{Refused, NoEntry, WouldBlock, Timeout, BadDirection},
				Example: "{connect: door.client, into: c}",
			},
			{
				Name: "accept", Summary: "take the next connection to a UNIX socket, waiting while there is none", Waits: true, Result: decl.Int, Place: decl.InProcess,
				Doc: `Blocks while nobody has connected. With block: false it fails with WouldBlock at
once, with timeout: with Timeout, no earlier than that. Each connection goes to
exactly one accept, in the order in which they came. into: receives its number.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout, Closed, BadDirection},
				Example: "{accept: door.server, into: c}",
			},
			{
				Name: "send", Summary: "send a message over a connection, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `Blocks until the kernel has all of it. With block: false it fails with WouldBlock
at once if that cannot be, with timeout: with Timeout, no earlier than that. A
message that was cut off so ends the sending side of the connection: the recv that
finds it fails with Torn. With bytes: true a failure says how many bytes were
written. A handler that sends over a connection on which its process is in the
middle of a send fails with Invalid.`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Any, Required: true, Doc: "the message: any data; text with bytes: true", Example: "[1, two]"},
					connectionField(), blockField,
				},
				Errors:  []string{BrokenPipe, Closed, WouldBlock, Timeout, Invalid},
				Example: "{send: door.client, value: hello}",
			},
			{
				Name: "recv", Summary: "receive a message over a connection, waiting while there is none", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `Blocks until there is a message; into: receives it. With block: false it fails
with WouldBlock at once, with timeout: with Timeout, no earlier than that. EOF:
nothing is left, and the other side is closed. Torn: the other side was closed in
the middle of a message. Invalid: what came is no message of a scenario.

With bytes: true it takes what is there, at least one byte and at most size: the
result is text with these bytes, whatever they are.`,
				Fields: []decl.Field{
					{Name: "size", Shape: decl.Int, Default: "65536", Min: decl.Num(1), Max: decl.Num(1 << 30), Doc: "with bytes: true, the most bytes it takes", Example: "100"},
					connectionField(), blockField,
				},
				Errors:  []string{EOF, Torn, Closed, WouldBlock, Timeout, Invalid},
				Example: "{recv: door.server, into: said}",
			},
			{
				Name: "close", Summary: "close a connection, or all that a process has of a socket's end", Place: decl.InProcess,
				Doc: `Never blocks. Closing a connection that is not there changes nothing. With all:
true it closes every connection at that end, and at the server's the listening
socket of this process as well.`,
				Fields: []decl.Field{
					connectionField(),
					{Name: "all", Shape: decl.Bool, Default: "false", Doc: "whether everything at this end is closed", Example: "true"},
				},
				Example: "close: door.client",
			},
			unlinkVerb("a UNIX socket", "door.server"),
		},
		Example: "door: {unix_socket, name: /tmp/door}",
		Source:  "unix(7), connect(2), accept(2), listen(2)",
		Parts:   func(any, map[string]any) []string { return []string{serverPart, clientPart} },
	},
	ArenaSize: func(Args) int { return socketHead + nameMem },
	Roles:     func(Args) []Role { return []Role{{Name: "listener", Part: serverPart}} },
	Create:    createSocket,
	Attach:    attachSocket,
	Detach: func(h any) {
		s := h.(*unixSocket)
		s.closeAll(serverPart)
		s.closeAll(clientPart)
	},
	Address: func(h any) string { return h.(*unixSocket).path },
	Facts: func(h any, _ View) map[string]any {
		s := h.(*unixSocket)
		return map[string]any{"connected": int(s.connected.Load()), "accepted": int(s.accepted.Load()), "sent": int(s.sent.Load()), "received": int(s.received.Load()), "name": s.path}
	},
	Ops: []Op{
		{Verb: "connect", Do: socketConnect, Order: Release | Fills, Ready: func(h any, seen uint64) bool {
			s := h.(*unixSocket)
			return s.open || uint64(s.turns.Load()) != seen
		}},
		{Verb: "accept", Do: socketAccept, Order: Acquire | Frees, Ready: socketReady},
		{Verb: "send", Do: socketSend, Order: Release | Fills, Ready: socketReady, Ahead: socketAhead},
		{Verb: "recv", Do: socketRecv, Order: Acquire | Frees, Ready: socketReady},
		{Verb: "close", Do: socketClose, Order: Release},
		{Verb: "unlink", Do: func(h any, c *Call) error {
			s := h.(*unixSocket)
			c.Seq = s.seq.Add(1)
			return unlinked(s.path, os.Remove(s.path))
		}},
	},
	Room: func(a Args) Room {
		backlog, raw := socketArgs(a)
		connection := socketBuffer() / (backlog + 1)
		return Room{Most: unlessOpen(a, connection*(backlog+1)), Partly: true, Takes: func(verb string, v any) int {
			if verb == "connect" {
				return connection
			}
			return socketBytes(v, raw)
		}}
	},
	Explain: func(h any, verb string, _ uint64) Blocked {
		name := h.(*unixSocket).name
		return Blocked{Doing: map[string]string{
			"connect": "waits to connect to " + name + ", where as many wait for an accept as may",
			"accept":  "waits in accept for somebody to connect to " + name,
			"send":    "waits to send over a connection of " + name + ", which is full",
			"recv":    "waits to recv over a connection of " + name,
		}[verb]}
	},
	Model: func(a Args, n int) (Model, error) {
		backlog, raw := socketArgs(a)
		return namedModel{socketModel{n: n, backlog: backlog, raw: raw}}, nil
	},
}

const (
	// socketPathMost is the room in struct sockaddr_un without the zero byte.
	socketPathMost = 107
	// socketHead is the memory before the name.
	socketHead = 48
	// socketLooks bounds how long a connect sleeps without a look: that a foreign
	// program has accepted a connection nobody tells.
	socketLooks = int64(20 * time.Millisecond)
	// socketMost bounds a message, bytes.
	socketMost = 1 << 30
)

// socketArgs reads a declaration.
func socketArgs(a Args) (backlog int, raw bool) {
	backlog = 16
	if n, ok := wholeNumber(a.Fields["backlog"]); ok {
		backlog = n
	}
	return backlog, isStream(a)
}

// socketReady: what the kernel has for a process wakes it, so that it is not
// asleep any more.
func socketReady(h any, _ uint64) bool { return h.(*unixSocket).open }

// unixSocket is a process's handle. A connect and a send take their number
// before they happen, an accept and a recv after they have.
type unixSocket struct {
	seq       *atomic.Uint64
	connected *atomic.Uint64
	accepted  *atomic.Uint64
	sent      *atomic.Uint64
	received  *atomic.Uint64
	turns     *atomic.Uint32 // grows with every accept of a step
	name      string
	path      string
	open      bool // to programs that are no part of the run
	raw       bool
	listener  int // -1: none
	shut      bool
	gone      func()
	conns     []*socketConn // in the order in which they were made
	buf       []byte
}

// socketConn is a connection of this process.
type socketConn struct {
	number int
	part   string
	fd     int
	rx     []byte // received, and not a whole message yet
	tx     []byte // of a send that was interrupted, nil: none
	cut    bool   // a message was cut off: nothing can be sent any more
}

func newUnixSocket(a *Attachment) *unixSocket {
	s := &unixSocket{
		seq: word64(a.Mem, 0), connected: word64(a.Mem, 8), accepted: word64(a.Mem, 16), sent: word64(a.Mem, 24), received: word64(a.Mem, 32),
		turns: word32(a.Mem, 40), name: a.Name, path: getName(a.Mem[socketHead:]), open: openToOthers(a.Args), listener: -1,
	}
	_, s.raw = socketArgs(a.Args)
	return s
}

// add makes a connection of a descriptor and returns its number, the smallest
// that is free.
func (s *unixSocket) add(part string, fd int) int {
	n := 1
	for i := 0; i < len(s.conns); i++ {
		if s.conns[i].number == n {
			n, i = n+1, -1
		}
	}
	s.conns = append(s.conns, &socketConn{number: n, part: part, fd: fd})
	return n
}

// resumeConn is where a call that was interrupted notes which connection it is
// about: the latest may be another one when it goes on.
const resumeConn = 32

// interrupted notes that a call goes on later, with so much done.
func (k *socketConn) interrupted(c *Call, done int) error {
	c.Resume = uint64(k.fd+1)<<resumeConn | uint64(done)
	return ErrInterrupted
}

// conn finds the connection that a step means, and what of it is done already.
func (s *unixSocket) conn(c *Call) (k *socketConn, done int, err error) {
	if r := c.Resume; r != 0 {
		c.Resume = 0
		for _, k := range s.conns {
			if uint64(k.fd+1) == r>>resumeConn {
				return k, int(r & (1<<resumeConn - 1)), nil
			}
		}
		return nil, 0, decl.Fail(Closed, "a handler has closed the connection")
	}
	k, err = s.wanted(c)
	return k, 0, err
}

func (s *unixSocket) wanted(c *Call) (*socketConn, error) {
	want := 0
	if v := c.Args.Get("connection"); v != nil {
		n, ok := wholeNumber(v)
		if !ok || n < 1 {
			return nil, decl.Fail(Invalid, "connection: takes a number from 1 on, not %s", describe(v))
		}
		want = n
	}
	for i := len(s.conns) - 1; i >= 0; i-- {
		if k := s.conns[i]; k.part == c.Part && (want == 0 || k.number == want) {
			return k, nil
		}
	}
	if want != 0 {
		return nil, decl.Fail(Closed, "this process has no connection %d at %s.%s", want, s.name, c.Part)
	}
	return nil, decl.Fail(Closed, "this process has no connection at %s.%s", s.name, c.Part)
}

// forget takes a connection away and closes it.
func (s *unixSocket) forget(k *socketConn) {
	for i, o := range s.conns {
		if o == k {
			s.conns = append(s.conns[:i:i], s.conns[i+1:]...)
		}
	}
	sysClose(k.fd)
}

func (s *unixSocket) closeAll(part string) {
	for i := len(s.conns) - 1; i >= 0; i-- {
		if s.conns[i].part == part {
			s.forget(s.conns[i])
		}
	}
	if part == serverPart && s.listener >= 0 {
		fd := s.listener
		s.listener, s.shut = -1, true
		if s.gone != nil {
			s.gone()
		}
		sysClose(fd)
	}
}

func socketClose(h any, c *Call) error {
	s := h.(*unixSocket)
	c.Seq = s.seq.Add(1) // before others can see it
	if all, _ := c.Args.Get("all").(bool); all {
		s.closeAll(c.Part)
		return nil
	}
	if k, err := s.wanted(c); err == nil {
		s.forget(k)
	}
	return nil
}

// wrongEnd is the failure of a verb at the end that cannot do it.
func wrongEnd(c *Call, verb, part string) error {
	if c.Part == part {
		return nil
	}
	return decl.Fail(BadDirection, "the end that can %s is %s", verb, part)
}
