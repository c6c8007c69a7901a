package prims

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// Errors of what lives under a name, and of bounded messages.
const (
	TooLong = "TooLong"
	NoEntry = "NoEntry"
)

func init() {
	decl.RegisterError(TooLong, "a message is longer than the object takes, or than the size that was given for it (EMSGSIZE, E2BIG)")
	decl.RegisterError(NoEntry, "there is nothing of that name any more (ENOENT)")
}

// The bounds of a POSIX message queue on Linux.
const (
	mqMostMessages = 65536    // HARD_MSGMAX
	mqMostBytes    = 16 << 20 // HARD_MSGSIZEMAX
	mqPriorities   = 32768    // MQ_PRIO_MAX
	mqMaxMsg       = 10       // what a queue gets where nobody says more
	mqMsgSize      = 8192
)

func init() { Register(&mqueueKind) }

var mqueueKind = Descriptor{
	Kind: decl.Kind{
		Name:    "mqueue",
		Summary: "a queue of messages with priorities that any program opens by its name",
		Doc: `A POSIX message queue: what mq_open, mq_send and mq_receive of the C library work
with. A message is text, bytes as they are, at most msgsize of them, and may be
empty; it has a priority from 0 to 32767. recv takes the oldest of those with the
highest priority. The queue holds at most maxmsg messages: send blocks while it
does, recv while there is none. Which of several blocked processes goes on first
is not defined.

name: is the name that a program of others expects; without it the queue gets one
that no other run has. The engine makes it before any process is forked. If there
is a queue of that name already, the run ends as an error and leaves that one
alone. At the end the name is removed, also when ipcrun is killed.

A message is in the queue or it is not: a process that is killed in the middle of
a send or a recv leaves no half of one.

The kernel bounds what a user may make: /proc/sys/fs/mqueue/msg_max messages of
/proc/sys/fs/mqueue/msgsize_max bytes (10 and 8192 unless somebody has changed
that), queues_max queues, and RLIMIT_MSGQUEUE bytes of one user's queues taken
together.

The numbers of operations, and so the log, agree with the order in which things
happened in so far as a send has a smaller number than the recv that took its
message. The kernel says no more.`,
		Main: &decl.Field{Name: "mqueue", Shape: decl.Int, Default: "10", Min: decl.Num(1), Max: decl.Num(mqMostMessages), Static: true,
			Doc: "maxmsg: how many messages it holds at most", Example: "4"},
		Fields: []decl.Field{
			{Name: "msgsize", Shape: decl.Int, Default: "8192", Min: decl.Num(1), Max: decl.Num(mqMostBytes), Static: true,
				Doc: "how many bytes a message has at most", Example: "128"},
			posixName,
		},
		Check: func(_ any, fields map[string]any) (string, string) { return checkNameField(fields, 0) },
		Named: "name",
		Facts: []decl.Fact{
			{Name: "size", Shape: decl.Int, Doc: "how many messages are in it"},
			{Name: "full", Shape: decl.Bool, Doc: "whether it holds maxmsg messages"},
			{Name: "empty", Shape: decl.Bool, Doc: "whether it holds none"},
			{Name: "maxmsg", Shape: decl.Int, Doc: "how many messages it holds at most"},
			{Name: "msgsize", Shape: decl.Int, Doc: "how many bytes a message has at most"},
			nameFact,
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "send", Summary: "put a message into a POSIX message queue, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `Blocks while the queue is full. With block: false it fails with Full at once
(EAGAIN), with timeout: with Timeout, no earlier than that (ETIMEDOUT). A message
longer than msgsize fails with TooLong (EMSGSIZE), whatever the queue holds, a
priority that there is not with Invalid (EINVAL).`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Text, Required: true, Doc: "the message: text, which are its bytes", Example: "hello"},
					{Name: "priority", Shape: decl.Int, Default: "0", Min: decl.Num(0), Max: decl.Num(mqPriorities - 1), Doc: "its priority: the highest is received first", Example: "5"},
					blockField,
				},
				Errors:  []string{Full, Timeout, TooLong, Closed, Invalid},
				Example: "{send: jobs, value: hello, priority: 5}",
			},
			{
				Name: "recv", Summary: "take the oldest message of the highest priority out of a POSIX message queue", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `Blocks while the queue is empty. With block: false it fails with Empty at once
(EAGAIN), with timeout: with Timeout, no earlier than that (ETIMEDOUT). into:
receives the message as text, whatever its bytes are; with whole: true a mapping
with value and priority. A size smaller than msgsize fails with TooLong (EMSGSIZE),
as a buffer does that could not take every message, and takes none.`,
				Fields: []decl.Field{
					{Name: "whole", Shape: decl.Bool, Default: "false", Doc: "whether the result is a mapping with value and priority", Example: "true"},
					{Name: "size", Shape: decl.Int, Default: "msgsize", Min: decl.Num(1), Max: decl.Num(mqMostBytes), Doc: "how many bytes the receiver has room for", Example: "16"},
					blockField,
				},
				Errors:  []string{Empty, Timeout, TooLong, Closed, Invalid},
				Example: "{recv: jobs, into: job}",
			},
			{
				Name: "close", Summary: "close a POSIX message queue in this process", Place: decl.InProcess,
				Doc: `Never blocks. Later steps of this process that use it fail with Closed; others
do not notice. Closing twice changes nothing.`,
				Example: "close: jobs",
			},
			unlinkVerb("a POSIX message queue", "jobs"),
		},
		Example: "jobs: {mqueue: 4, msgsize: 128, name: /jobs}",
		Source:  "mq_overview(7), mq_open(3), mq_send(3), mq_receive(3)",
	},
	ArenaSize: func(Args) int { return 8 + nameMem },
	Roles:     func(Args) []Role { return []Role{{Name: "queue"}} },
	Create:    createMqueue,
	Attach:    attachMqueue,
	Detach:    func(h any) { h.(*mqueue).shut() },
	Address:   func(h any) string { return h.(*mqueue).name },
	Facts: func(h any, _ View) map[string]any {
		q := h.(*mqueue)
		n := q.size()
		return map[string]any{"size": n, "full": n >= q.maxmsg, "empty": n == 0, "maxmsg": q.maxmsg, "msgsize": q.msgsize, "name": q.name}
	},
	Ops: []Op{
		{Verb: "send", Do: mqueueSend, Order: Release | Fills, Ready: func(h any, _ uint64) bool { q := h.(*mqueue); return q.open || q.size() < q.maxmsg }},
		{Verb: "recv", Do: mqueueRecv, Order: Acquire | Frees, Ready: func(h any, _ uint64) bool { q := h.(*mqueue); return q.open || q.size() > 0 }},
		{Verb: "close", Do: func(h any, c *Call) error {
			q := h.(*mqueue)
			c.Seq, q.closed = q.seq.Add(1), true
			q.shut()
			return nil
		}},
		{Verb: "unlink", Do: func(h any, c *Call) error {
			q := h.(*mqueue)
			c.Seq = q.seq.Add(1)
			return unlinked(q.name, unlinkMqueue(q.name))
		}},
	},
	Room: func(a Args) Room {
		most, _ := mqueueArgs(a)
		return Room{Most: unlessOpen(a, most)}
	},
	Model: func(a Args, _ int) (Model, error) {
		m := mqueueModel{}
		m.maxmsg, m.msgsize = mqueueArgs(a)
		if n := m.maxmsg * (8 + m.msgsize); n > 1<<24 {
			return nil, fmt.Errorf("%d messages of %d bytes are too many to look at every order of them", m.maxmsg, m.msgsize)
		}
		return namedModel{m}, nil
	},
}

// unlinkVerb describes the unlink of a kind.
func unlinkVerb(what, example string) decl.Verb {
	return decl.Verb{
		Name: "unlink", Summary: "remove the name of " + what, Place: decl.InProcess,
		Doc: `Never blocks. From then on nobody finds it by its name; those who have it open go
on as before, and it lives until the last of them has closed it. A name that is
not there fails with NoEntry.`,
		Errors:  []string{NoEntry},
		Example: "unlink: " + example,
	}
}

// mqueueArgs reads a declaration.
func mqueueArgs(a Args) (maxmsg, msgsize int) {
	maxmsg, msgsize = mqMaxMsg, mqMsgSize
	if n, ok := wholeNumber(a.Main); ok {
		maxmsg = n
	}
	if n, ok := wholeNumber(a.Fields["msgsize"]); ok {
		msgsize = n
	}
	return maxmsg, msgsize
}

// mqueue is a process's handle: a descriptor that never blocks in the kernel,
// where no signal would be noticed. A send takes its number before it happens, a
// recv after it has.
type mqueue struct {
	seq             *atomic.Uint64
	name            string
	open            bool // to programs that are no part of the run
	fd              int  // -1: closed
	closed          bool // by this process
	gone            func()
	maxmsg, msgsize int
	buf             []byte
}

var errClosedMqueue = &decl.Failure{Name: Closed, Detail: "this process has closed the queue"}

// messageText is a message as its bytes: text, or what prints as text.
func messageText(v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case int:
		return strconv.Itoa(x), nil
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64), nil
	case bool:
		return strconv.FormatBool(x), nil
	}
	return "", decl.Fail(Invalid, "a message is text, not %s", describe(v))
}

// priorityOf reads the priority of a send.
func priorityOf(v any) (int, error) {
	if v == nil {
		return 0, nil
	}
	n, ok := wholeNumber(v)
	if !ok || n < 0 || n >= mqPriorities {
		return 0, decl.Fail(Invalid, "a priority is a whole number from 0 to %d, not %s", mqPriorities-1, describe(v))
	}
	return n, nil
}

func mqueueSend(h any, c *Call) error {
	q := h.(*mqueue)
	if q.fd < 0 {
		return errClosedMqueue
	}
	text, err := messageText(c.Args.Get("value"))
	if err != nil {
		return err
	}
	prio, err := priorityOf(c.Args.Get("priority"))
	if err != nil {
		return err
	}
	if len(text) > q.msgsize {
		return mqueueTooLong(len(text), q.msgsize)
	}
	for {
		c.Seq = q.seq.Add(1)
		again, err := q.put(text, prio)
		if !again {
			c.Result = text
			return err
		}
		if c.NoWait {
			return mqueueFull(q.maxmsg)
		}
		switch out, err := c.Self.PollFd(c.wait(0), q.fd, pollOut, c.Deadline); {
		case err != nil:
			return err
		case out == arena.Interrupted:
			return ErrInterrupted
		case out == arena.TimedOut:
			return decl.Fail(Timeout, "still full")
		}
	}
}

func mqueueTooLong(n, msgsize int) *decl.Failure {
	return decl.Fail(TooLong, "the message has %d bytes, the queue takes %d", n, msgsize)
}

func mqueueFull(maxmsg int) *decl.Failure {
	return decl.Fail(Full, "it holds %d messages, as many as it may", maxmsg)
}

func mqueueRecv(h any, c *Call) error {
	q := h.(*mqueue)
	if q.fd < 0 {
		return errClosedMqueue
	}
	if err := checkRoom(c.Args.Get("size"), q.msgsize); err != nil {
		return err
	}
	whole, _ := c.Args.Get("whole").(bool)
	for {
		text, prio, again, err := q.take()
		if !again {
			c.Seq, c.Result = q.seq.Add(1), inFull(text, prio, whole)
			return err
		}
		if c.NoWait {
			return decl.Fail(Empty, "there is no message in it")
		}
		switch out, err := c.Self.PollFd(c.wait(0), q.fd, pollIn, c.Deadline); {
		case err != nil:
			return err
		case out == arena.Interrupted:
			return ErrInterrupted
		case out == arena.TimedOut:
			return decl.Fail(Timeout, "still no message in it")
		}
	}
}

// checkRoom checks the size that a receiver gives.
func checkRoom(size any, msgsize int) error {
	if size == nil {
		return nil
	}
	n, ok := wholeNumber(size)
	switch {
	case !ok || n < 1:
		return decl.Fail(Invalid, "size: takes a whole number from 1 on, not %s", describe(size))
	case n < msgsize:
		return decl.Fail(TooLong, "there is room for %d bytes, a message of the queue may have %d", n, msgsize)
	}
	return nil
}

func inFull(text string, prio int, whole bool) any {
	if whole {
		return map[string]any{"value": text, "priority": prio}
	}
	return text
}

// shut closes the descriptor of this process.
func (q *mqueue) shut() {
	if q.fd < 0 {
		return
	}
	fd := q.fd
	q.fd = -1
	if q.gone != nil {
		q.gone()
	}
	sysClose(fd)
}

// mqueueModel: the number of messages, then the messages as they will be
// received, each with its priority, its length and its bytes.
type mqueueModel struct{ maxmsg, msgsize int }

func (m mqueueModel) cell() int   { return 8 + m.msgsize }
func (m mqueueModel) Size() int   { return 4 + m.maxmsg*m.cell() }
func (m mqueueModel) Init([]byte) {}

func (m mqueueModel) Do(st []byte, _ int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	n := int(binary.LittleEndian.Uint32(st))
	cells := st[4:]
	at := func(i int) []byte { return cells[i*m.cell():] }
	failed := func(err error) (any, *decl.Failure, bool) {
		f, _ := err.(*decl.Failure)
		return nil, f, false
	}
	switch verb {
	case "send":
		text, err := messageText(c.Value)
		if err != nil {
			return failed(err)
		}
		prio, err := priorityOf(c.Priority)
		if err != nil {
			return failed(err)
		}
		switch {
		case len(text) > m.msgsize:
			return nil, mqueueTooLong(len(text), m.msgsize), false
		case n < m.maxmsg:
		case c.NoWait:
			return nil, mqueueFull(m.maxmsg), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still full"), false
		default:
			return nil, nil, true
		}
		i := 0
		for i < n && int(binary.LittleEndian.Uint32(at(i))) >= prio {
			i++
		}
		copy(cells[(i+1)*m.cell():], cells[i*m.cell():n*m.cell()])
		clear(cells[i*m.cell() : (i+1)*m.cell()])
		binary.LittleEndian.PutUint32(at(i), uint32(prio))
		binary.LittleEndian.PutUint32(at(i)[4:], uint32(len(text)))
		copy(at(i)[8:], text)
		binary.LittleEndian.PutUint32(st, uint32(n+1))
		return text, nil, false
	case "recv":
		if c.Size != 0 && c.Size < m.msgsize {
			return failed(checkRoom(c.Size, m.msgsize))
		}
		switch {
		case n > 0:
		case c.NoWait:
			return nil, decl.Fail(Empty, "there is no message in it"), false
		case c.Expired:
			return nil, decl.Fail(Timeout, "still no message in it"), false
		default:
			return nil, nil, true
		}
		text := string(at(0)[8 : 8+binary.LittleEndian.Uint32(at(0)[4:])])
		copy(cells, cells[m.cell():n*m.cell()])
		clear(cells[(n-1)*m.cell() : n*m.cell()])
		binary.LittleEndian.PutUint32(st, uint32(n-1))
		return text, nil, false
	case "close":
		return nil, nil, false
	}
	panic("mqueue has no verb " + verb)
}
