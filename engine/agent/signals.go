package agent

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
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

// mask is what is blocked: by the script, and since a handler runs.
type mask struct{ held, running uint64 }

// unarmedSteps is how many steps look at the signalfd themselves before the
// watcher is set going: a system call each, but no second thread, which is
// what a process that lives on signals wants.
const unarmedSteps = 64

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

// mask blocks or unblocks signals for the script.
func (s *signals) mask(how string, list []int) error {
	if how == "block" {
		for _, n := range list {
			s.held |= proc.Bit(n)
			if s.dispositions[n] == script.Default {
				if err := s.keep(n); err != nil {
					return err
				}
			}
		}
		return s.update()
	}
	var m uint64
	for _, n := range list {
		m |= proc.Bit(n)
	}
	s.settle(m & (s.held | s.running))
	s.held &^= m
	s.running &^= m
	s.due = true
	if err := s.update(); err != nil {
		return err
	}
	err := s.letGo(list)
	s.a.self.Kept.Store(s.kept)
	return err
}

// keep holds a signal back that has its default action and that the runtime
// does not let us block: it is caught, and sent again when the script lets it
// through.
func (s *signals) keep(n int) error {
	if !proc.NeedsRaw(n) || s.handled&proc.Bit(n) != 0 || !sig.Sig(n).Catchable() {
		return nil
	}
	if err := s.catch(n); err != nil {
		return err
	}
	if taken&proc.Bit(n) == 0 { // no thread takes it any more
		return s.kernelDisposition(n, script.Default)
	}
	s.kept |= proc.Bit(n)
	return nil
}

// letGo gives signals that were kept their default action back.
func (s *signals) letGo(list []int) error {
	for _, n := range list {
		if s.kept&proc.Bit(n) == 0 {
			continue
		}
		if err := s.kernelDisposition(n, script.Default); err != nil {
			return err
		}
		s.collect()
		s.kept &^= proc.Bit(n)
		if s.isPending(n) {
			s.forget(n)
			if err := proc.Kill(unix.Getpid(), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// poll runs between steps: a handler that is due begins before the next step.
func (s *signals) poll() {
	if s.looked {
		s.looked = false
		return
	}
	if s.due {
		s.due = false
		s.poll1()
		return
	}
	if s.armed {
		if s.a.self.Interrupt.Load() != 0 {
			s.deliver()
		}
		return
	}
	s.poll1()
	if s.idle++; s.idle > unarmedSteps {
		s.beforePark()
	}
}

// await waits for a signal and for nothing else, and takes it, in one system
// call instead of two. done is false where that cannot be: where a signal may
// come through the pipe, or others of this process have something to do.
func (s *signals) await(w arena.Wait) (interrupted, done bool, err error) {
	open := s.open()
	if open == 0 || !s.a.self.Solo || (s.handled|s.kept)&rawSignals != 0 || s.duePending() {
		return false, false, nil
	}
	s.a.self.Enter(w)
	defer s.a.self.Leave()
	var info proc.Info
	if s.a.self.Linger(kernelLooks, func() bool {
		info, err = proc.AwaitSignal(open, &unix.Timespec{}, true)
		return err == nil
	}) {
		s.pending = append(s.pending, info)
		return true, true, nil
	}
	for solo := true; ; solo = false {
		var ts *unix.Timespec
		left := int64(math.MaxInt64)
		if w.Deadline != 0 {
			left = max(w.Deadline-arena.Now(), 0)
		}
		now := left
		if solo {
			now = min(left, int64(arena.SoloFor))
		}
		if now < math.MaxInt64 {
			t := unix.NsecToTimespec(now)
			ts = &t
		}
		info, err := proc.AwaitSignal(open, ts, solo)
		switch {
		case err == nil:
			s.pending = append(s.pending, info)
			return true, true, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, proc.ErrWouldBlock) && now < left:
		case errors.Is(err, proc.ErrWouldBlock):
			return false, true, nil
		default:
			return false, true, err
		}
	}
}

// poll1 looks whether a signal is there, at the price of a system call.
func (s *signals) poll1() {
	if info, ok := s.take(); ok {
		s.handle(info)
	}
}

// sentToSelf makes sure that the handler of a signal that the process has sent
// itself begins before the next step, as raise(3) has it. Where another thread
// takes it, that is a moment later.
func (s *signals) sentToSelf(n int) {
	if s.handled&proc.Bit(n) == 0 || !s.deliverable(n) {
		return
	}
	s.list()
	for until := arena.Now() + int64(10*time.Second); ; {
		if info, err := proc.ReadSignalfd(s.fd); err == nil {
			s.hold(info)
		}
		s.collect()
		if s.isPending(n) || arena.Now() > until {
			break
		}
		unix.Poll(s.fds(nil), 100)
	}
	s.due = true
}

// deliver takes the signal that interrupted a step, if it is still there.
func (s *signals) deliver() {
	s.armed = false
	s.a.self.Interrupt.Store(0)
	s.poll1()
}

// take yields the next signal that may be handled now.
func (s *signals) take() (proc.Info, bool) {
	if s.handled == 0 {
		return proc.Info{}, false
	}
	s.collect()
	for i, p := range s.pending {
		if s.deliverable(p.Signo) && s.handled&proc.Bit(p.Signo) != 0 {
			s.pending = append(s.pending[:i], s.pending[i+1:]...)
			return p, true
		}
	}
	if s.open() == 0 {
		return proc.Info{}, false
	}
	s.list()
	info, err := proc.ReadSignalfd(s.fd)
	return info, err == nil
}

// open are the signals whose handler may begin now.
func (s *signals) open() uint64 { return s.handled &^ s.held &^ s.running }

// collect moves what the raw handler has caught to pending, where a standard
// signal is at most once.
func (s *signals) collect() {
	if s.raw[0] < 0 || (s.handled|s.kept)&rawSignals == 0 {
		return
	}
	for {
		info, err := proc.ReadRaw(s.raw[0])
		if err != nil {
			return
		}
		// Its disposition may have changed since.
		if (s.handled|s.kept)&proc.Bit(info.Signo) != 0 {
			s.hold(info)
		}
	}
}

// settle collects what has come of signals that were blocked and are about not
// to be: what another thread has not taken yet would otherwise come a moment
// later and count twice. The caller brings the signalfd in line again.
func (s *signals) settle(m uint64) {
	m &= taken & (s.handled | s.kept)
	if m == 0 {
		return
	}
	if fd, err := proc.Signalfd(s.fd, m); err == nil {
		if s.fd < 0 {
			s.fd = high(fd)
		}
		s.fdMask = m
		for {
			info, err := proc.ReadSignalfd(s.fd)
			if err != nil {
				break
			}
			s.hold(info)
		}
	}
	s.collect()
}

func (s *signals) isPending(n int) bool {
	for _, p := range s.pending {
		if p.Signo == n {
			return true
		}
	}
	return false
}

// forget drops a signal that is pending here: its disposition is no handler
// any more.
func (s *signals) forget(n int) {
	s.pending = slices.DeleteFunc(s.pending, func(p proc.Info) bool { return p.Signo == n })
}

var rawSignals = func() (m uint64) {
	for n := 1; n <= 64; n++ {
		if proc.NeedsRaw(n) {
			m |= proc.Bit(n)
		}
	}
	return m
}()

// taken are those that threads of the runtime take, so that the kernel cannot keep them
// pending.
var taken = rawSignals &^ uint64(proc.Ordered)

// hold keeps a signal that cannot be blocked in the kernel until the script
// wants it; a standard one is pending at most once.
func (s *signals) hold(info proc.Info) {
	if !sig.Sig(info.Signo).Realtime() && s.isPending(info.Signo) {
		return
	}
	s.pending = append(s.pending, info)
}

func (s *signals) deliverable(n int) bool {
	return (s.held|s.running)&proc.Bit(n) == 0
}

// handle begins the handler of a signal. While it runs the signal itself is
// blocked, as sigaction(2) has it; others may interrupt it.
func (s *signals) handle(info proc.Info) {
	if !s.a.m.Handles(info.Signo) {
		return
	}
	s.a.emit(&event.Rec{Kind: event.Got, Obj: event.NoObj, Value: &event.Signal{
		Number: info.Signo, Pid: info.Pid, Code: info.Code, Value: int(info.Value),
	}})
	if info.Signo == int(sig.ALRM) {
		s.rang()
	}
	s.saved = append(s.saved, mask{s.held, s.running})
	s.running |= proc.Bit(info.Signo)
	s.idle = 0
	s.narrow()
	s.a.m.Interrupt(info.Signo, script.Siginfo{Signal: sig.Sig(info.Signo).String(), Pid: info.Pid, Value: int(info.Value)})
}

// rang takes an alarm that has rung off the public record, unless another has been set
// meanwhile.
func (s *signals) rang() {
	if it, err := unix.Getitimer(unix.ITIMER_REAL); err == nil && it.Value == (unix.Timeval{}) {
		s.a.self.Alarm.Store(0)
	}
}

// narrow keeps the signals whose handler runs out of the signalfd. Nothing needs
// doing before somebody reads it or waits for it, which is after the handler if the
// handler is short.
func (s *signals) narrow() {
	s.a.self.Mask.Store(s.held | s.running)
	if s.armed && s.open() != 0 {
		s.list()
	}
}

// list has the signalfd list what may be handled now, and nothing else.
func (s *signals) list() {
	if want := s.open(); want != s.fdMask {
		if _, err := proc.Signalfd(s.fd, want); err == nil {
			s.fdMask = want
		}
	}
}

// done is called at the end of a handler. The mask is again what it was before, as
// sigreturn(2) has it, whatever the handler has blocked or unblocked.
func (s *signals) done(n int) error {
	s.settle(proc.Bit(n))
	was := s.saved[len(s.saved)-1]
	s.saved = s.saved[:len(s.saved)-1]
	if s.held != was.held {
		if err := s.mask("block", numbers(was.held&^s.held)); err != nil {
			return err
		}
		if err := s.mask("unblock", numbers(s.held&^was.held)); err != nil {
			return err
		}
	}
	s.running = was.running
	s.narrow()
	s.a.handlers++
	s.a.emit(&event.Rec{Kind: event.Returned, Obj: event.NoObj, Value: n})
	// What is pending comes before the next step, one handler after the other.
	s.looked, s.due = false, false
	s.poll1()
	return nil
}

// numbers lists the signals of a mask.
func numbers(m uint64) (list []int) {
	for _, n := range proc.SignalSet(m) {
		list = append(list, int(n))
	}
	return list
}

// fds are the descriptors that become readable when a signal can be handled; a
// step that blocks on a descriptor waits for them too.
func (s *signals) fds(list []unix.PollFd) []unix.PollFd {
	if s.open() == 0 {
		return list
	}
	s.list()
	list = append(list, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
	if s.handled&rawSignals != 0 {
		list = append(list, unix.PollFd{Fd: int32(s.raw[0]), Events: unix.POLLIN})
	}
	return list
}

// duePending reports whether a held-back signal may be handled now.
func (s *signals) duePending() bool {
	for _, p := range s.pending {
		if s.deliverable(p.Signo) && s.handled&proc.Bit(p.Signo) != 0 {
			return true
		}
	}
	return false
}

// beforePark arms the watcher.
func (s *signals) beforePark() {
	if s.armed || !s.any {
		return
	}
	if s.duePending() {
		s.a.self.Interrupt.Store(1)
		return
	}
	s.list()
	if !s.watching {
		s.watching = true
		// It must run while this thread sits in the kernel.
		runtime.GOMAXPROCS(2)
		s.a.self.Solo = false
		s.arm = make(chan struct{}, 1)
		go s.watch()
	}
	s.armed = true
	select {
	case s.arm <- struct{}{}:
	default: // it has been told already, or still waits from the last time
	}
}

// watch is the watcher: armed once, it disturbs the process once.
func (s *signals) watch() {
	for range s.arm {
		for {
			fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.raw[0]), Events: unix.POLLIN}}
			_, err := unix.Poll(fds, -1)
			if err == nil {
				break
			}
			if !errors.Is(err, unix.EINTR) {
				return
			}
		}
		s.a.self.Disturb()
		for s.a.self.Interrupt.Load() != 0 && s.a.self.NeedsRepeat() {
			time.Sleep(time.Millisecond)
			s.a.self.Disturb()
		}
	}
}
