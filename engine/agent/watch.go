package agent

import (
	"errors"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// unarmedSteps is how many steps look at the signalfd themselves before the
// watcher is set going: a system call each, but no second thread, which is
// what a process that lives on signals wants.
const unarmedSteps = 64

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
		// Without futex_waitv a wake that comes just before the thread sleeps is lost, and
		// the kernel tells nobody that it sleeps now: the wake is repeated until it reacts.
		for s.a.self.Interrupt.Load() != 0 && s.a.self.NeedsRepeat() {
			time.Sleep(time.Millisecond)
			s.a.self.Disturb()
		}
	}
}
