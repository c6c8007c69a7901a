package prims

import (
	"fmt"

	"ipcrun/spec/decl"
)

// Errors of pipes, beside Closed.
const (
	EOF          = "EOF"
	BrokenPipe   = "BrokenPipe"
	BadDirection = "BadDirection"
	Torn         = "Torn"
)

func init() {
	decl.RegisterError(EOF, "every copy of the other end is closed, and all that was sent has been received (EOFError in Python, a read of 0 bytes in C)")
	decl.RegisterError(BrokenPipe, "every copy of the end that could receive is closed (EPIPE)")
	decl.RegisterError(BadDirection, "this end of a one-way pipe only sends, or only receives (EBADF)")
	decl.RegisterError(Torn, "a message was cut off: its sender was ended, or gave up, in the middle of sending it")
}

// ResultEnded is the key of a Call's Result that says that the operation comes
// after the end of all processes that have done nothing since, as the end of
// file does that their ends have brought about.
const ResultEnded = "after the end of others"

func init() { Register(&pipeKind) }

var pipeKind = Descriptor{
	Kind: decl.Kind{
		Name:    "pipe",
		Summary: "a pipe: messages, or bytes, from one end to the other",
		Doc: `A pipe has two ends, which steps name behind a dot. A two-way pipe (pipe, or
{pipe: two-way}) has the ends a and b; each sends and receives, and what goes in
at one comes out at the other. A one-way pipe ({pipe: one-way}) has r, which
receives, and w, which sends. ends: gives them other names. Behind them is what
multiprocessing.Pipe uses: a socketpair, or pipe(2).

Messages: one recv takes exactly one send. A message is any data. In the pipe it
is 4 bytes of length, big-endian, before JSON, so that a Python program at the
other end reads it with json.loads(connection.recv_bytes()) and writes one with
connection.send_bytes(json.dumps(value).encode()). Messages arrive in the order
in which they were sent at an end. Any number of processes may use an end: each
message goes to exactly one of them, whole.

Bytes: with bytes: true there are no messages. send writes text as it is, recv
takes what is there, up to size: bytes. Writes of at most 4096 bytes (PIPE_BUF)
are never mixed with those of others, longer ones may be.

An end is a descriptor. A process inherits those that its script names, and with
inherit: all every one, as after a fork. It has its end until it closes it or
ends, whichever comes first. recv fails with EOF once everything was received
and every copy of the other end is closed: one copy that somebody has forgotten
to close, and be it the receiver's own, keeps EOF away. send fails with
BrokenPipe once nobody is left who could receive; SIGPIPE is not sent then,
unless the script says under signals: what it does.

The kernel holds what was not received, up to a limit: capacity bytes in a
one-way pipe, about 200 kB in a two-way one. send blocks while there is no room.

A process that is killed in the middle of a recv takes that message with it. One
that is killed in the middle of a send has sent all of a message of up to 4 kB or
nothing; of a longer one the next recv finds the beginning and fails with Torn.
In both cases the messages before and after it are whole.`,
		Main: &decl.Field{Name: "pipe", Shape: decl.String, Default: twoWay, Enum: []string{twoWay, oneWay}, Static: true,
			Doc: "two-way, or one-way, from w to r", Example: oneWay},
		Fields: []decl.Field{
			{Name: "ends", Shape: decl.List, Default: "[a, b], or [r, w] of a one-way pipe", Static: true,
				Doc: "names of the two ends; of a one-way pipe the end that receives comes first", Example: "[parent, child]"},
			{Name: "bytes", Shape: decl.Bool, Default: "false", Static: true, Doc: "true: a stream of bytes instead of messages", Example: "true"},
			{Name: "capacity", Shape: decl.Int, Default: "65536", Min: decl.Num(4096), Max: decl.Num(1 << 20), Static: true,
				Doc: "bytes that a one-way pipe holds; the kernel rounds it up to a power of two", Example: "4096"},
		},
		Facts: []decl.Fact{
			{Name: "size", Shape: decl.Int, Doc: "how many messages (or bytes) steps have sent that no step has received, in both directions"},
			{Name: "unread", Shape: decl.Map, Doc: "the same by the end at which they can be received: phone.unread.b"},
			{Name: "sent", Shape: decl.Int, Doc: "how many messages (or bytes) steps have sent"},
			{Name: "received", Shape: decl.Int, Doc: "how many messages (or bytes) steps have received, lost ones included"},
			{Name: "capacity", Shape: decl.Int, Doc: "how many bytes a one-way pipe holds if they are written one by one; 0 of a two-way pipe, where the kernel counts memory instead"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "send", Summary: "send a message through a pipe, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `Blocks until all of it is in the pipe. With block: false it fails with WouldBlock
at once if that cannot be, with timeout: with Timeout, no earlier than that. A
message longer than 4 kB goes with block: false only into an empty pipe that
takes all of it; one whose timeout passes while a part of it is in the pipe is
cut off, and the recv that finds it fails with Torn.

With bytes: true the value is text, and what does not fit is not taken back: a
failure says how many bytes were written.`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Any, Required: true, Doc: "the message: any data; text with bytes: true", Example: "[1, two]"},
					blockField,
				},
				Errors:  []string{BrokenPipe, Closed, WouldBlock, Timeout, BadDirection, Invalid},
				Example: "{send: phone.a, value: hello}",
			},
			{
				Name: "recv", Summary: "receive a message from a pipe, waiting while there is none", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `Blocks until there is a message; into: receives it. With block: false it fails
with WouldBlock at once, with timeout: with Timeout, no earlier than that. EOF:
nothing is left, and nobody can send any more. Torn: the message was cut off; it
is gone, and the next recv takes the next one. Invalid: what came is no message
of a scenario, as a pickled object that Python's connection.send wrote.

With bytes: true it takes what is there, at least one byte and at most size: the
result is text with these bytes, whatever they are.`,
				Fields: []decl.Field{
					{Name: "size", Shape: decl.Int, Default: "65536", Min: decl.Num(1), Max: decl.Num(1 << 30), Doc: "with bytes: true, the most bytes it takes", Example: "100"},
					blockField,
				},
				Errors:  []string{EOF, Torn, Closed, WouldBlock, Timeout, BadDirection, Invalid},
				Example: "{recv: phone.b, into: said}",
			},
			{
				Name: "poll", Summary: "ask whether there is something to receive", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Without timeout: it never blocks, with one it waits until there is something, or
until the timeout has passed. into: receives true or false. Without into: it
fails with WouldBlock or Timeout where there is nothing. It takes nothing out:
the answer stays true until somebody receives. The end of file is something, too:
recv would not block.`,
				Errors:  []string{WouldBlock, Timeout, Closed, BadDirection},
				Example: "{poll: phone.b, timeout: 100ms, into: ready}",
			},
			{
				Name: "close", Summary: "close an end of a pipe in this process", Place: decl.InProcess,
				Doc: `Never blocks. Later steps of this process that use the end fail with Closed;
other processes keep their copies. Closing twice changes nothing.`,
				Example: "close: orders.w",
			},
		},
		Example: "orders: {pipe: one-way}",
		Source:  "multiprocessing.Pipe, pipe(7), unix(7)",
		Parts:   func(main any, fields map[string]any) []string { p := pipeParts(Args{main, fields}); return p[:] },
		OneWay:  func(main any, _ map[string]any) bool { return main == oneWay },
		Check:   checkPipe,
	},
	ArenaSize: func(Args) int { return pipeMem },
	Roles: func(a Args) []Role {
		p := pipeParts(a)
		return []Role{{Name: p[0], Part: p[0], Handed: true}, {Name: p[1], Part: p[1], Handed: true}}
	},
	Create: createPipe,
	Attach: func(a *Attachment) (any, error) {
		p := newPipe(a)
		return p, p.attach(a)
	},
	Detach: func(h any) { h.(*pipe).detach() },
	Facts:  func(h any, _ View) map[string]any { return h.(*pipe).facts() },
	Ops: []Op{
		{Verb: "send", Do: pipeSend, Ready: pipeReady, Order: Release | Fills, Ahead: pipeAhead},
		{Verb: "recv", Do: pipeRecv, Ready: pipeReady, Order: Acquire | Frees},
		{Verb: "poll", Do: pipePoll, Ready: pipeReady, Order: Acquire},
		{Verb: "close", Do: pipeClose, Order: Release},
	},
	Room:    pipeRoom,
	Died:    func(h any, slot int) { h.(*pipe).died(slot) },
	Explain: func(h any, verb string, arg uint64) Blocked { return h.(*pipe).explain(verb, arg) },
	Model:   newPipeModel,
}

const (
	twoWay = "two-way"
	oneWay = "one-way"
)

func isOneWay(a Args) bool { return a.Main == oneWay }

func isStream(a Args) bool {
	b, _ := a.Fields["bytes"].(bool)
	return b
}

// pipeParts names the ends: the first of a one-way pipe receives.
func pipeParts(a Args) [2]string {
	if list, ok := a.Fields["ends"].([]any); ok && len(list) == 2 {
		x, ok1 := list[0].(string)
		y, ok2 := list[1].(string)
		if ok1 && ok2 {
			return [2]string{x, y}
		}
	}
	if isOneWay(a) {
		return [2]string{"r", "w"}
	}
	return [2]string{"a", "b"}
}

// checkPipe says what is wrong with a declaration, and with which of its keys.
func checkPipe(main any, fields map[string]any) (key, problem string) {
	if _, given := fields["capacity"]; given && main != oneWay {
		return "capacity", "only a one-way pipe has a capacity that can be set"
	}
	given, ok := fields["ends"]
	if !ok {
		return "", ""
	}
	list, _ := given.([]any)
	if len(list) != 2 {
		return "ends", fmt.Sprintf("a pipe has two ends, these are %d", len(list))
	}
	for _, e := range list {
		name, ok := e.(string)
		if !ok || !isPartName(name) {
			return "ends", fmt.Sprintf("%s cannot be the name of an end: it consists of letters, digits and _, and begins with a letter", describe(e))
		}
	}
	if list[0] == list[1] {
		return "ends", "both ends have the same name"
	}
	return "", ""
}

func isPartName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
