package agent

import (
	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
)

// signals is how an agent handles signals. Those it has a handler for are
// blocked and read from a signalfd between steps: standard ones coalesce and
// real-time ones queue exactly as the kernel does it, and each comes with its
// sender. Those that the Go runtime keeps unblocked in its threads (SIGINT,
// SIGTERM, SIGCHLD…) never reach a signalfd; a raw handler writes them into a
// pipe as they come, and they coalesce here instead. SIGRTMIN is one of those, but
// queues: see proc.CatchOrdered.
//
// A step that blocks on a descriptor waits for the signalfd at the same time.
// A step that blocks in shared memory cannot; for it a watcher, a thread that
// waits for the signalfd, disturbs it. The watcher is armed before such a step
// and after a while of running without one.
type signals struct {
	a        *agent
	any      bool   // there are handlers at all
	handled  uint64 // signals with a handler
	held     uint64 // signals that the script has blocked
	running  uint64 // signals whose handler runs now, and that it has not unblocked
	saved    []mask // what the handlers that run have interrupted
	kept     uint64 // blocked by the script, without a handler, and caught to keep them pending
	fd       int    // signalfd, -1: none yet
	fdMask   uint64 // what it lists
	raw      [2]int // pipe of the raw handler
	pending  []proc.Info
	armed    bool
	watching bool
	// dispositions, by signal: default, ignore or handle.
	dispositions [65]string
	arm          chan struct{}
	idle         int
	due          bool // the step that ends now has made signals deliverable
	looked       bool // nothing was there, a moment ago
}

// newSignals installs the dispositions of the program. All signals are
// blocked until it returns.
func newSignals(a *agent) (*signals, error) {
	s := &signals{a: a, fd: -1, raw: [2]int{-1, -1}}
	for n := range s.dispositions {
		s.dispositions[n] = script.Default
	}
	for _, h := range a.prog.Handlers {
		s.dispositions[h.Signal] = h.Disp
		s.declared(h.Signal)
	}
	for _, g := range sig.All() {
		n := int(g)
		if !g.Catchable() {
			continue
		}
		d := s.dispositions[n]
		if d == script.Handle {
			s.handled |= proc.Bit(n)
			continue
		}
		if err := s.kernelDisposition(n, d); err != nil {
			return nil, err
		}
	}
	for n := 1; n <= 64; n++ {
		if s.handled&proc.Bit(n) != 0 {
			if err := s.catch(n); err != nil {
				return nil, err
			}
		}
	}
	a.self.BeforePark = s.beforePark
	return s, s.update()
}

// declared notes that the script has said what a signal does. Of SIGPIPE that
// decides whether a write without a reader raises it: Python, which scenarios
// are written after, ignores it unless told otherwise.
func (s *signals) declared(n int) {
	if n == int(sig.PIPE) {
		s.a.self.Sigpipe = func() { s.sentToSelf(n) }
	}
}

func (s *signals) kernelDisposition(n int, d string) error {
	if d == script.Ignore {
		return proc.Sigaction(n, proc.Ignore)
	}
	return proc.Sigaction(n, proc.Default)
}

// catch makes the kernel see a handler, and makes a place where its signals
// can be read.
func (s *signals) catch(n int) error {
	if s.raw[0] < 0 {
		r, w, err := proc.RawPipe()
		if err != nil {
			return err
		}
		s.raw = [2]int{high(r), high(w)}
	}
	if proc.Ordered&proc.Bit(n) != 0 {
		return proc.CatchOrdered(n, s.raw[1])
	}
	return proc.CatchRaw(n, s.raw[1])
}

// high moves a descriptor of ours out of the way of those that scripts see.
func high(fd int) int {
	h, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, proc.HighFd)
	if err != nil {
		return fd
	}
	unix.Close(fd)
	return h
}

// update brings signalfd, mask and bookkeeping in line with what is handled,
// held and running.
func (s *signals) update() error {
	s.any = s.handled != 0
	s.a.self.Interruptible = s.any
	count := 0
	for n := 1; n <= 64; n++ {
		if s.handled&proc.Bit(n) != 0 {
			count++
		}
	}
	s.a.self.Handlers.Store(uint32(count))
	s.a.self.Mask.Store(s.held | s.running)
	s.a.self.Kept.Store(s.kept)
	want := s.handled &^ s.held &^ s.running
	if s.any && (s.fd < 0 || want != s.fdMask) {
		fd, err := proc.Signalfd(s.fd, want)
		if err != nil {
			return err
		}
		if s.fd < 0 {
			s.fd = high(fd)
		}
		s.fdMask = want
	}
	// What the runtime's threads do not block this one takes, so that it is in
	// the pipe as soon as it was sent: the kernel asks the main thread first.
	return proc.SetMask((s.handled | s.held) &^ (taken & (s.handled | s.kept)))
}

// dispose changes a disposition. The signalfd forgets the signal before the
// kernel may act on it by itself, and the kernel sees a handler before the
// signalfd lists it.
func (s *signals) dispose(n int, d string) error {
	s.dispositions[n] = d
	s.declared(n)
	if d == script.Handle {
		if err := proc.Block(proc.Bit(n)); err != nil {
			return err
		}
		if err := s.catch(n); err != nil {
			return err
		}
		s.handled |= proc.Bit(n)
		s.kept &^= proc.Bit(n)
		return s.update()
	}
	s.handled &^= proc.Bit(n)
	if s.fd >= 0 && s.fdMask&proc.Bit(n) != 0 {
		s.fdMask &^= proc.Bit(n)
		if _, err := proc.Signalfd(s.fd, s.fdMask); err != nil {
			return err
		}
	}
	if err := s.kernelDisposition(n, d); err != nil {
		return err
	}
	s.collect()
	s.kept &^= proc.Bit(n)
	if d == script.Default && s.held&proc.Bit(n) != 0 {
		// It goes on being pending, if it is.
		if err := s.keep(n); err != nil {
			return err
		}
	} else {
		s.forget(n)
	}
	return s.update()
}
