package prims

import (
	"encoding/binary"
	"fmt"
	"math"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

func init() { Register(&sysvQueueKind) }

var sysvQueueKind = Descriptor{
	Kind: decl.Kind{
		Name:    "sysv_queue",
		Summary: "a System V message queue: messages with types, taken out by type",
		Doc: `A message has a type, which is a positive number, and bytes. send (msgsnd) puts
one at the end; recv (msgrcv) takes the first one, or the first of a type, or the
first of the lowest type up to one, or the first of any other type. Each message
goes to exactly one recv, whole. Which of several processes that wait for the same
type goes on first is not defined.

The kernel holds what was not received, up to capacity bytes (msg_qbytes), types
not counted; send blocks while there is no room. A message is as long as
kernel.msgmax allows, 8192 bytes mostly, and may be empty.

What the bytes are the value of the kind says. Without one they are text as it is
written. With a C type (i, d…) a message is one variable of it or a row of them,
as C lays them out: a number, or a list. With c it is a C string: send adds the
zero byte that ends it, recv reads up to the first one.

The queue lives in the system, under a key, and any program finds it there with
msgget(key, 0). It is made at the start, for this user alone, and removed at the
end of the run, whatever happens. A process that is killed has sent all of a
message or nothing, and has taken all of one or nothing.`,
		Main: &decl.Field{Name: "sysv_queue", Shape: decl.CType, Default: "text", Static: true,
			Doc: "the C type of which its messages consist", Example: "i"},
		Fields: []decl.Field{
			keyField,
			{Name: "capacity", Shape: decl.Int, Default: "kernel.msgmnb, 16384 mostly", Min: decl.Num(1), Max: decl.Num(math.MaxInt32), Static: true,
				Doc: "how many bytes it holds (msg_qbytes); more than kernel.msgmnb is for privileged users", Example: "100"},
		},
		Named: "key",
		Facts: []decl.Fact{
			{Name: "size", Shape: decl.Int, Doc: "how many messages are in it (msg_qnum)"},
			{Name: "bytes", Shape: decl.Int, Doc: "how many bytes are in them (msg_cbytes)"},
			{Name: "capacity", Shape: decl.Int, Doc: "how many bytes it holds (msg_qbytes)"},
			{Name: "sender", Shape: decl.Int, Doc: "the pid of the last that sent (msg_lspid), 0 before the first"},
			{Name: "receiver", Shape: decl.Int, Doc: "the pid of the last that received (msg_lrpid), 0 before the first"},
			waitersFact,
			idFact, keyFact, removedFact,
		},
		Verbs: []decl.Verb{
			{
				Name: "send", Summary: "send a message of a type to a System V queue, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `msgsnd(2). Blocks while there is no room for the message; one that is longer than
the capacity waits for ever. With block: false (IPC_NOWAIT) it fails with
WouldBlock at once, with timeout: with Timeout, no earlier than that. A type that
is not positive fails with Invalid, a message longer than kernel.msgmax with
TooLong.`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Any, Required: true, Doc: "the message: text, or a number or a list of them where the queue has a C type", Example: "hello"},
					{Name: "type", Shape: decl.Int, Default: "1", Doc: "its type (mtype), 1 or more", Example: "2"},
					blockField,
				},
				Errors:  []string{WouldBlock, Timeout, TooLong, Removed, Invalid},
				Example: "{send: box, type: 2, value: hello}",
			},
			{
				Name: "recv", Summary: "take a message out of a System V queue by its type, waiting while there is none", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `msgrcv(2). type: 0, or none, takes the first message; a positive one the first of
that type; with except: true (MSG_EXCEPT) the first of any other type; a negative
one the first of the lowest type that is not above its amount: -3 takes one of
type 1 before one of 2 and of 3. into: receives the message, with whole: true a
mapping with its type and its value.

Blocks while there is no such message. With block: false (IPC_NOWAIT) it fails
with WouldBlock at once, with timeout: with Timeout, no earlier than that. A
message longer than size: fails with TooLong and stays in the queue; with truncate:
true (MSG_NOERROR) it is cut off and the rest is gone. Invalid: the message is gone
and its length is none of the C type.`,
				Fields: []decl.Field{
					{Name: "type", Shape: decl.Int, Default: "0, for any", Doc: "which type (msgtyp)", Example: "-3"},
					{Name: "except", Shape: decl.Bool, Default: "false", Doc: "true: any but that type", Example: "true"},
					{Name: "whole", Shape: decl.Bool, Default: "false", Doc: "whether the result is a mapping with type and value", Example: "true"},
					{Name: "size", Shape: decl.Int, Default: "as long as it is", Min: decl.Num(0), Max: decl.Num(sysvMaxSize), Doc: "the most bytes it takes (msgsz)", Example: "100"},
					{Name: "truncate", Shape: decl.Bool, Default: "false", Doc: "true: a longer message is cut off to size", Example: "true"},
					blockField,
				},
				Errors:  []string{WouldBlock, Timeout, TooLong, Removed, Invalid},
				Example: "{recv: box, type: 2, into: message}",
			},
			removeVerb("System V queue", "who waits for it fails with Removed, what is in it is gone.", "box"),
		},
		Check: func(main any, fields map[string]any) (key, problem string) {
			return checkSysvKey(fields)
		},
		Example: "box: sysv_queue",
		Source:  "msgget(2), msgop(2), msgctl(2)",
	},
	ArenaSize: func(Args) int { return sysvMem },
	Create: func(c *Creation) error {
		id, err := createSysv(c, sysv.Queue, 0)
		if err != nil {
			return err
		}
		want, given := wholeNumber(c.Args.Fields["capacity"])
		if !given {
			return nil
		}
		if err := sysv.Resize(id, want); err != nil {
			return fmt.Errorf("%s: the kernel refuses a capacity of %d bytes, which is for privileged users above kernel.msgmnb: %w", c.Name, want, err)
		}
		return nil
	},
	Attach: func(a *Attachment) (any, error) {
		return &sysvQueue{sysvObject: newSysvObject(a, sysv.Queue), form: newSysvForm(a.Args)}, nil
	},
	Facts: func(h any, _ View) map[string]any {
		q := h.(*sysvQueue)
		st, err := sysv.StatQueue(q.id)
		f := q.facts(err)
		f["size"], f["bytes"], f["capacity"], f["sender"], f["receiver"] = st.Messages, st.Bytes, st.Capacity, st.Sender, st.Receiver
		return f
	},
	Ops: []Op{
		{Verb: "send", Do: sysvSend, Ready: neverReady, Order: Release | Fills, Ahead: func(Args, any) bool { return true }},
		{Verb: "recv", Do: sysvRecv, Ready: neverReady, Order: Acquire | Frees},
		{Verb: "remove", Do: func(h any, c *Call) error { return h.(*sysvQueue).remove(c) }, Order: Release},
	},
	Room: func(a Args) Room {
		most, given := wholeNumber(a.Fields["capacity"])
		if !given {
			most = sysv.MaxBytes()
		}
		if a.Fields["key"] != nil {
			most = 0 // other programs find it
		}
		return Room{Most: most, Takes: func(_ string, v any) int { return sysvBytes(v) }}
	},
	Explain: func(h any, verb string, arg uint64) Blocked { return h.(*sysvQueue).explain(verb, arg) },
	Address: func(h any) string { return h.(*sysvQueue).address() },
	ID:      func(h any) int { return h.(*sysvQueue).id },
	Model:   newSysvQueueModel,
}

const (
	// sysvMaxSize bounds the size: of a recv, sysvFirst is what one without size:
	// has room for at first, bytes.
	sysvMaxSize = 1 << 26
	sysvFirst   = 8192
	// mtype is in front of every message: a long.
	mtypeSize = 8
)

type sysvQueue struct {
	sysvObject
	form sysvForm
	buf  []byte // nil while a step uses it
}

// buffer is memory for a message of n bytes; keep gives it back.
func (q *sysvQueue) buffer(n int) []byte {
	b := q.buf
	q.buf = nil // a handler may use the queue, too
	if cap(b) < mtypeSize+n {
		b = make([]byte, mtypeSize+max(n, 256))
	}
	return b[:mtypeSize+n]
}

func (q *sysvQueue) keep(b []byte) {
	if cap(b) <= 64<<10 {
		q.buf = b
	}
}

func sysvSend(h any, c *Call) error {
	q := h.(*sysvQueue)
	m, err := q.form.encode(c.Args.Get("value"))
	if err != nil {
		return err
	}
	typ, err := sendType(c.Args)
	if err != nil {
		return err
	}
	buf := q.buffer(len(m))
	defer q.keep(buf)
	binary.NativeEndian.PutUint64(buf, uint64(typ))
	copy(buf[mtypeSize:], m)
	c.Seq = q.seq.Add(1)
	err = msgsnd(c, q.id, buf, false)
	if err == errSysvAgain && !c.NoWait {
		c.Self.Enter(c.wait(uint64(len(m))))
		defer c.Self.Leave()
		// Its number is taken before anybody can see the message.
		c.Seq = q.seq.Add(1)
		err = msgsnd(c, q.id, buf, true)
	}
	switch {
	case err == nil:
		c.Result = c.Args.Get("value")
		return nil
	case err == sysv.ErrRemoved && q.tooLong(len(m)):
		return decl.Fail(TooLong, "the message has %d bytes, more than kernel.msgmax allows", len(m))
	}
	return q.failure(c, err, "there is no room for it", "still no room for it")
}

// tooLong tells EINVAL because of the length from EINVAL because the queue is
// gone.
func (q *sysvQueue) tooLong(n int) bool {
	_, err := sysv.StatQueue(q.id)
	return err == nil && n > 0
}

func sendType(args *Values) (int, error) {
	typ, err := intArg(args, "type", 1, -math.MaxInt64, math.MaxInt64)
	if err == nil && typ < 1 {
		err = decl.Fail(Invalid, "the type of a message is a positive number, not %d", typ)
	}
	return typ, err
}

// recvArgs are the parameters of a recv; size is -1 without one.
func recvArgs(args *Values) (typ, flags, size int, err error) {
	if typ, err = intArg(args, "type", 0, -math.MaxInt64, math.MaxInt64); err != nil {
		return
	}
	if boolArg(args, "except") {
		if typ < 1 {
			return 0, 0, 0, decl.Fail(Invalid, "except: needs the type that is not wanted, a positive number, not %d", typ)
		}
		flags |= sysv.Except
	}
	if boolArg(args, "truncate") {
		if args.Get("size") == nil {
			return 0, 0, 0, decl.Fail(Invalid, "truncate: cuts off what is longer than size:, and there is none")
		}
		flags |= sysv.NoError
	}
	size, err = intArg(args, "size", -1, 0, sysvMaxSize)
	return
}

func sysvRecv(h any, c *Call) error {
	q := h.(*sysvQueue)
	typ, flags, size, err := recvArgs(c.Args)
	if err != nil {
		return err
	}
	room := size
	if size < 0 {
		room = sysvFirst
	}
	buf := q.buffer(room)
	defer func() { q.keep(buf) }()
	entered := false
	for wait := false; ; {
		n, err := msgrcv(c, q.id, buf, typ, flags, wait)
		switch {
		case err == nil:
			c.Seq = q.seq.Add(1)
			v, err := q.form.decode(buf[mtypeSize : mtypeSize+n])
			if err != nil {
				c.Happened = true
				return err
			}
			c.Result = messageResult(c.Args, int(binary.NativeEndian.Uint64(buf)), v)
			return nil
		case err == errSysvTooBig && size < 0:
			// A message that is longer than messages mostly may be stays in the queue.
			buf = make([]byte, 2*len(buf))
			wait = false
		case err == errSysvTooBig:
			return decl.Fail(TooLong, "the message has more than %d bytes; it stays in the queue", size)
		case err == errSysvAgain && !wait && !c.NoWait:
			wait = true
			if !entered {
				entered = true
				c.Self.Enter(c.wait(uint64(typ)))
				defer c.Self.Leave()
			}
		default:
			return q.failure(c, err, "there is no message"+ofType(typ, flags), "still no message"+ofType(typ, flags))
		}
	}
}

// messageResult is the result of a recv.
func messageResult(args *Values, typ int, v any) any {
	if boolArg(args, "whole") {
		return map[string]any{"type": typ, "value": v}
	}
	return v
}

// ofType says which messages a recv asks for.
func ofType(typ, flags int) string {
	switch {
	case typ == 0:
		return ""
	case flags&sysv.Except != 0:
		return fmt.Sprintf(" of another type than %d", typ)
	case typ < 0:
		return fmt.Sprintf(" of a type up to %d", -typ)
	}
	return fmt.Sprintf(" of type %d", typ)
}

func (q *sysvQueue) explain(verb string, arg uint64) Blocked {
	st, err := sysv.StatQueue(q.id)
	switch {
	case verb == "recv" && int(arg) == 0:
		return Blocked{Doing: "waits to recv from " + q.name + ", which is empty"}
	case verb == "recv":
		return Blocked{Doing: fmt.Sprintf("waits to recv from %s, where none of the %d messages is of the type that it asked for (type: %d)", q.name, st.Messages, int(arg))}
	case err == nil && int(arg) > st.Capacity:
		return Blocked{Doing: fmt.Sprintf("waits to send %d bytes to %s, which holds %d at most and can never take them", arg, q.name, st.Capacity)}
	}
	return Blocked{Doing: fmt.Sprintf("waits to send %d bytes to %s, where %d of %d are in use", arg, q.name, st.Bytes, st.Capacity)}
}

// sysvForm is what messages consist of.
type sysvForm struct {
	text  bool
	shape arrayShape
}

func newSysvForm(a Args) sysvForm {
	name, _ := a.Main.(string)
	t, ok := ParseCType(name)
	return sysvForm{text: !ok, shape: arrayShape{t: t}}
}

func (f sysvForm) encode(v any) ([]byte, error) {
	text, isText := v.(string)
	if f.text || f.shape.t.kind == 'c' {
		if !isText {
			return nil, decl.Fail(Invalid, "a message of this queue is text, not %s", describe(v))
		}
		b := []byte(text)
		if !f.text {
			b = append(b, 0)
		}
		return b, nil
	}
	list, many := v.([]any)
	if !many {
		list = []any{v}
	}
	bits, err := f.shape.list(list)
	if err != nil {
		return nil, err
	}
	b := make([]byte, len(bits)*f.shape.t.Size)
	for i, x := range bits {
		f.shape.t.put(b[i*f.shape.t.Size:], x)
	}
	return b, nil
}

// sysvBytes bounds the bytes of a message by the value that was sent. An empty one takes
// one of the places, of which there are as many as bytes.
func sysvBytes(v any) int {
	const widest = 16 // of the C types
	switch x := v.(type) {
	case string:
		return len(x) + 1
	case []any:
		return widest*len(x) + 1
	case map[string]any: // it was too long for the record
		return math.MaxInt32
	}
	return widest
}

func (f sysvForm) decode(b []byte) (any, error) {
	switch size := f.shape.t.Size; {
	case f.text:
		return string(b), nil
	case f.shape.t.kind == 'c':
		return untilZero(b), nil
	case len(b)%size != 0:
		return nil, decl.Fail(Invalid, "the message has %d bytes, which are no row of %s of %d bytes each", len(b), f.shape.t.C, size)
	case len(b) == size:
		return f.shape.t.decode(f.shape.t.get(b)), nil
	default:
		list := make([]any, len(b)/size)
		for i := range list {
			list[i] = f.shape.t.decode(f.shape.t.get(b[i*size:]))
		}
		return list, nil
	}
}
