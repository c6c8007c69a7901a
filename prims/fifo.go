package prims

import (
	"os"
	"sync/atomic"
	"time"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// NoReader is the failure of an open to write that may not wait.
const NoReader = "NoReader"

func init() {
	decl.RegisterError(NoReader, "nobody has the FIFO open for reading, and the open was told not to wait (ENXIO)")
}

// fifoOpens is the part of an open that others can see before it is over.
const fifoOpens = "opens"

func init() { Register(&fifoKind) }

var fifoKind = Descriptor{
	Kind: decl.Kind{
		Name:    "fifo",
		Summary: "a pipe that any program opens by its path",
		Doc: `A FIFO, or named pipe: what mkfifo makes. It has two ends, r to receive and w to
send, and a process has neither before it has opened it. open waits until somebody
has opened the other end, be it a process of the run or any other program.

From then on it is a stream of bytes like a one-way pipe with bytes: true: send
writes text, recv takes what is there, up to size: bytes. Writes of at most 4096
bytes (PIPE_BUF) are never mixed with those of others, longer ones may be. recv
fails with EOF while nothing is there and nobody has w open, and gets more once
somebody opens it again. send fails with BrokenPipe while nobody has r open;
SIGPIPE is not sent then, unless the script says under signals: what it does. When
the last process closes it, what is in it is gone.

A process has an end until it closes it or ends. Its children open it for
themselves.

The engine makes the FIFO before any process is forked: at the path that name:
says, or in the run's own directory. If there is a file already, the run ends as an
error and leaves that one alone. At the end the FIFO is removed, also when ipcrun
is killed.`,
		Fields: []decl.Field{pathName},
		Check:  func(_ any, fields map[string]any) (string, string) { return checkPathField(fields, pathMost) },
		Named:  "name",
		Facts: []decl.Fact{
			{Name: "sent", Shape: decl.Int, Doc: "how many bytes steps have sent"},
			{Name: "received", Shape: decl.Int, Doc: "how many bytes steps have received"},
			nameFact,
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "open", Summary: "open an end of a FIFO, waiting until somebody opens the other one", Waits: true, Place: decl.InProcess,
				Doc: `Blocks until somebody has opened the other end. With timeout: it fails with
Timeout, no earlier than that. With block: false (O_NONBLOCK) r is open at once,
and w fails with NoReader (ENXIO) where nobody has r open. An end that this process
has open already fails with Invalid, a FIFO whose name is gone with NoEntry.

Where data is there that another reader has left, an open to read does not wait
even if its writer has gone, which open(2) would.

A program that is no part of the run may be waiting in its own open(2), which
nothing tells: an open to write looks for it every 20 ms at the latest.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{Timeout, NoReader, NoEntry, Invalid},
				Example: "open: line.w",
			},
			{
				Name: "send", Summary: "write text to a FIFO, waiting while it is full", Waits: true, Place: decl.InProcess,
				Doc: `Blocks until all of it is in the FIFO. With block: false it fails with WouldBlock
at once if that cannot be, with timeout: with Timeout, no earlier than that. What
does not fit is not taken back: a failure says how many bytes were written.`,
				Fields: []decl.Field{
					{Name: "value", Shape: decl.Text, Required: true, Doc: "text, which are its bytes", Example: `"hello\n"`},
					blockField,
				},
				Errors:  []string{BrokenPipe, Closed, WouldBlock, Timeout, BadDirection, Invalid},
				Example: `{send: line.w, value: "hello\n"}`,
			},
			{
				Name: "recv", Summary: "read text from a FIFO, waiting while there is none", Waits: true, Result: decl.Any, Place: decl.InProcess,
				Doc: `Blocks until something is there: at least one byte and at most size, which into:
receives as text, whatever they are. With block: false it fails with WouldBlock at
once, with timeout: with Timeout, no earlier than that. EOF: nothing is there, and
nobody has the other end open.`,
				Fields: []decl.Field{
					{Name: "size", Shape: decl.Int, Default: "65536", Min: decl.Num(1), Max: decl.Num(1 << 30), Doc: "the most bytes it takes", Example: "100"},
					blockField,
				},
				Errors:  []string{EOF, Closed, WouldBlock, Timeout, BadDirection, Invalid},
				Example: "{recv: line.r, into: said}",
			},
			{
				Name: "close", Summary: "close an end of a FIFO in this process", Place: decl.InProcess,
				Doc:     "Never blocks. Closing what is not open changes nothing. It may be opened again.",
				Example: "close: line.w",
			},
			unlinkVerb("a FIFO", "line.w"),
		},
		Example: "line: {fifo, name: /tmp/line}",
		Source:  "fifo(7), mkfifo(3), open(2), pipe(7)",
		Parts:   func(any, map[string]any) []string { return []string{"r", "w"} },
		OneWay:  func(any, map[string]any) bool { return true },
	},
	ArenaSize: func(Args) int { return pipeMem + fifoHead + nameMem },
	Inner:     []decl.Verb{{Name: fifoOpens, Summary: "begin to open an end of a FIFO: others can see it"}},
	Create:    createFifo,
	Attach: func(a *Attachment) (any, error) {
		// The stream is that of a pipe. It has no descriptors yet.
		p := newPipe(&Attachment{Name: a.Name, Args: Args{Main: oneWay, Fields: map[string]any{"bytes": true}}, Mem: a.Mem[:pipeMem]})
		mem := a.Mem[pipeMem:]
		return &fifo{pipe: p, opens: word32(mem, 0), path: getName(mem[fifoHead:]), open: openToOthers(a.Args), pending: [2]int{-1, -1}}, nil
	},
	Detach: func(h any) {
		f := h.(*fifo)
		f.detach()
		for i := range f.ends {
			f.dropPending(&f.ends[i])
		}
	},
	Address: func(h any) string { return h.(*fifo).path },
	Facts: func(h any, _ View) map[string]any {
		f := h.(*fifo)
		return map[string]any{"sent": int(f.streams[0].sent.Load()), "received": int(f.streams[0].received.Load()), "name": f.path}
	},
	Ops: []Op{
		{Verb: "open", Do: fifoOpen, Order: Acquire, Ready: func(h any, seen uint64) bool {
			f := h.(*fifo)
			return f.open || uint64(f.opens.Load()) != seen
		}},
		{Verb: fifoOpens, Do: func(any, *Call) error { return nil }, Order: Release},
		{Verb: "send", Do: fifoSend, Order: Release | Fills, Ready: fifoReady, Ahead: func(_ Args, v any) bool { return writtenBytes(v) > pipeBuf }},
		{Verb: "recv", Do: fifoRecv, Order: Acquire | Frees, Ready: fifoReady},
		{Verb: "close", Do: func(h any, c *Call) error { return pipeClose(h.(*fifo).pipe, c) }, Order: Release},
		{Verb: "unlink", Do: func(h any, c *Call) error {
			f := h.(*fifo)
			c.Seq = f.seq.Add(1)
			return unlinked(f.path, os.Remove(f.path))
		}},
	},
	Room: func(a Args) Room {
		return Room{Most: unlessOpen(a, pipeBuf), Takes: func(_ string, v any) int { return writtenBytes(v) }, Partly: true}
	},
	Explain: func(h any, verb string, arg uint64) Blocked { return h.(*fifo).explain(verb, arg) },
	Model:   func(_ Args, n int) (Model, error) { return namedModel{fifoModel{n}}, nil },
}

// fifo is a process's handle: a pipe whose ends it opens and closes by itself.
// opens grows whenever a process of the run has opened an end, so that who waits
// for the other one looks again.
type fifo struct {
	*pipe
	path  string
	open  bool // to programs that are no part of the run
	opens *atomic.Uint32
	// pending are descriptors of ends that an interrupted open has already got,
	// -1 for none.
	pending [2]int
}

// fifoHead is the memory before the name.
const fifoHead = 8

// fifoLooks bounds how long an open sleeps without a look at the kernel: it says
// to nobody that some program waits in open(2).
const fifoLooks = int64(20 * time.Millisecond)

func fifoReady(h any, arg uint64) bool { f := h.(*fifo); return f.open || pipeReady(f.pipe, arg) }

// endOpen finds the end that a step names, which has to be open.
func (f *fifo) endOpen(c *Call, receives bool) (*pipeEnd, error) {
	e := f.named(c.Part)
	switch {
	case e == nil:
		return nil, decl.Fail(Invalid, "%s has no end %q", f.name, c.Part)
	case receives != (e.in != nil):
		return nil, badDirection(e.part, receives)
	case e.fd < 0 && e.closed:
		return nil, decl.Fail(Closed, "this process has closed %s", e.part)
	case e.fd < 0:
		return nil, decl.Fail(Closed, "this process has not opened %s", e.part)
	}
	return e, nil
}

func (f *fifo) named(part string) *pipeEnd {
	for i := range f.ends {
		if f.ends[i].part == part {
			return &f.ends[i]
		}
	}
	return nil
}

// fifoOpen opens an end. c.Resume is not 0 once it has told that it does: who
// opens the other end sees what was done before.
func fifoOpen(h any, c *Call) error {
	f := h.(*fifo)
	e := f.named(c.Part)
	if e == nil {
		return decl.Fail(Invalid, "%s has no end %q", f.name, c.Part)
	}
	if e.fd >= 0 {
		return decl.Fail(Invalid, "this process has %s open already", e.part)
	}
	if c.Resume == 0 {
		c.Resume = 1
		if seq := f.seq.Add(1); c.Log != nil {
			c.Log(fifoOpens, seq, nil)
		}
	}
	err := f.openWaiting(e, c)
	if err != ErrInterrupted {
		c.Resume = 0
		f.dropPending(e)
	}
	return err
}

// openWaiting opens an end once somebody has opened the other one. The end that
// receives is open in the kernel's eyes from the beginning, so that others can
// open the one that sends.
func (f *fifo) openWaiting(e *pipeEnd, c *Call) error {
	reads := e.in != nil
	if reads {
		if _, err := f.openNow(e); err != nil {
			return err
		}
	}
	for pause := int64(time.Millisecond); ; pause = min(2*pause, fifoLooks) {
		seen := f.opens.Load()
		got, err := f.openNow(e)
		switch {
		case err != nil:
			return err
		case got && (!reads || c.NoWait || hasWriter(f.pending[e.number])):
			e.fd, e.closed, f.pending[e.number] = f.pending[e.number], false, -1
			c.Seq = f.seq.Add(1)
			return nil
		case c.NoWait:
			return decl.Fail(NoReader, "nobody has %s.r open", f.name)
		case c.Deadline != 0 && arena.Now() >= c.Deadline:
			return decl.Fail(Timeout, "nobody has opened the other end")
		}
		until := arena.Now() + pause
		if c.Deadline != 0 {
			until = min(until, c.Deadline)
		}
		c.Self.Enter(c.wait(uint64(seen)))
		out := c.Self.Park(futexWord(f.opens), seen, until)
		c.Self.Leave()
		if out == arena.Interrupted {
			return ErrInterrupted
		}
	}
}

func fifoSend(h any, c *Call) error {
	f := h.(*fifo)
	e, err := f.endOpen(c, false)
	if err != nil {
		return err
	}
	text, err := messageText(c.Args.Get("value"))
	if err != nil {
		return err
	}
	return f.write(e, c, text)
}

func fifoRecv(h any, c *Call) error {
	f := h.(*fifo)
	e, err := f.endOpen(c, true)
	if err != nil {
		return err
	}
	return f.read(e, c)
}

// explain says what a blocked step waits for, and whose open ends keep it from
// ending otherwise.
func (f *fifo) explain(verb string, arg uint64) Blocked {
	if verb == "open" {
		return Blocked{Doing: "waits in open for somebody to open the other end of " + f.name}
	}
	b := f.pipe.explain(verb, arg)
	for i := range b.Open {
		b.Open[i].Link = f.path
	}
	return b
}
