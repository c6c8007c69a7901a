//go:build linux

package prims

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// worker is the process of a worker, which does what it is told with one instance.
type worker struct {
	self *arena.Self
	mem  []byte // of the instance and, behind it, the scratch of loops
	h    any
	d    *Descriptor
	// until is the condition of a wait in a loop.
	until func() (bool, error)
}

const scratch = 64 // offset of the scratch of loops behind the instance

// The worker's end of its socket, through which it gets setups.
const workerSocket = 3

// leave is what a worker is told that shall give its instance up.
const leave = "leave"

func work() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for before := openDescriptors(); serve(in, out); {
		for fd := range opened(before) {
			must(unix.Close(fd))
		}
		must(out.Encode(reply{Text: leave}))
	}
}

// enlisted waits for a setup and what comes with it; without descriptors there
// are no more.
func enlisted() (s setup, fds []int) {
	text, rights := make([]byte, 256<<10), make([]byte, unix.CmsgSpace(4*250))
	n, nr, flags, _, err := unix.Recvmsg(workerSocket, text, rights, unix.MSG_CMSG_CLOEXEC)
	must(err)
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		must(errors.New("the setup is too long"))
	}
	if n == 0 {
		return s, nil
	}
	list, err := unix.ParseSocketControlMessage(rights[:nr])
	must(err)
	fds, err = unix.ParseUnixRights(&list[0])
	must(err)
	must(decode(bytes.NewReader(text[:n])).Decode(&s))
	s.Args.Main = canonical(s.Args.Main)
	for k, v := range s.Args.Fields {
		s.Args.Fields[k] = canonical(v)
	}
	return s, fds
}

// serve is a worker's life with one instance. It reports whether another may
// follow.
func serve(in *bufio.Scanner, out *json.Encoder) bool {
	s, fds := enlisted()
	if fds == nil {
		return false
	}
	a, err := arena.Attach(fds[0])
	must(err)
	d := Get(s.Kind)
	at := &Attachment{Name: "x", Number: 0, Args: s.Args, Mem: a.Prims()}
	if d.Roles != nil {
		for i, role := range d.Roles(s.Args) {
			at.Fds = append(at.Fds, fds[1+i])
			if hasManager(s.Args) && role.Part != "" && role.Part != s.Part || s.Parts != nil && !slices.Contains(s.Parts, role.Part) {
				must(unix.Close(fds[1+i]))
				at.Fds[i] = -1
			}
		}
	}
	h, err := d.Attach(at)
	must(err)
	w := &worker{self: a.Self(s.Index, -1), mem: a.Prims(), h: h, d: d}
	w.self.Interruptible, w.self.PollFd = true, w.poll
	w.self.Callable = func() error { return proc.CatchIdly(arena.CallSignal) }
	if strings.HasPrefix(s.Kind, "sysv_") {
		runtime.GOMAXPROCS(2)
		// Who sits in a system call does not see that word: somebody has to look at
		// it instead, as the watcher of signals does in an agent.
		go func() {
			for ; ; time.Sleep(200 * time.Microsecond) {
				if w.self.Interrupt.Load() != 0 && w.self.NeedsRepeat() {
					w.self.Disturb()
				}
			}
		}()
	}
	for in.Scan() {
		var o order
		must(decode(bytes.NewReader(in.Bytes())).Decode(&o))
		o.Value = canonical(o.Value)
		if o.Float != nil {
			o.Value = *o.Float
		}
		if o.Verb == leave {
			if d.Detach != nil {
				d.Detach(h)
			}
			must(a.Close())
			return true
		}
		var r reply
		if o.Rounds > 0 {
			r = loops[o.Verb](w, o)
		} else {
			r = w.do(o)
		}
		must(out.Encode(r))
	}
	return false
}

// poll is what an agent gives to its Self: here a signal is a word in shared
// memory, which is looked at now and then.
func (w *worker) poll(wait arena.Wait, fd int, events int16, until int64) (arena.Outcome, error) {
	w.self.Enter(wait)
	defer w.self.Leave()
	list := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		span := 500 * time.Microsecond
		if until != 0 {
			span = max(min(span, time.Duration(until-arena.Now())), 0)
		}
		ts := unix.NsecToTimespec(int64(span))
		n, err := unix.Ppoll(list, &ts, nil)
		switch {
		case err != nil && err != unix.EINTR:
			return arena.Woken, err
		case n > 0:
			return arena.Woken, nil
		case w.self.Interrupt.Load() != 0:
			return arena.Interrupted, nil
		case until != 0 && arena.Now() >= until:
			return arena.TimedOut, nil
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(99)
	}
}

// do performs one operation; interrupted ones are done again, as the machine
// does it.
func (w *worker) do(o order) (r reply) {
	began := arena.Now()
	c := &Call{Self: w.self, Args: &Values{}, NoWait: o.NoWait, Elems: o.Elems}
	c.Until = w.until
	if o.Given {
		name := "value"
		if o.Param != "" {
			name = o.Param
		}
		c.Args = &Values{Names: []string{name}, Vals: []any{o.Value}}
	}
	for k, v := range o.More {
		c.Args = &Values{Names: append(c.Args.Names, k), Vals: append(c.Args.Vals, canonical(v))}
	}
	if o.Failure != "" {
		c.Args = &Values{Names: append(c.Args.Names, "fail"), Vals: append(c.Args.Vals, decl.Fail(o.Failure, ""))}
	}
	c.Part, c.Refs = o.Part, o.Refs
	if o.After != 0 {
		c.Deadline = began + int64(o.After)
	}
	for {
		err := w.d.Op(o.Verb).Do(w.h, c)
		if errors.Is(err, ErrInterrupted) {
			w.self.Interrupt.Store(0)
			continue
		}
		var f *decl.Failure
		switch {
		case errors.As(err, &f):
			r.Fail = f.Name
		case err != nil:
			r.Err = err.Error()
		default:
			r.Result, r.Seq = c.Result, c.Seq
		}
		r.Took = time.Duration(arena.Now() - began)
		return r
	}
}

// loops are what workers do by themselves, many times, by name.
var loops = map[string]func(w *worker, o order) reply{}
