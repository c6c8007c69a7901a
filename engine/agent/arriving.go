package agent

import (
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
)

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
