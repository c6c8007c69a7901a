//go:build linux

package supervisor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
)

// openOutside keeps sight of the numbers that processes have outside of the PID
// namespace that this process is the first of.
func openOutside(p *Program) (*sandbox.Outside, error) {
	if !p.Box.Spaces.Has(sandbox.PID) {
		return nil, nil
	}
	return sandbox.OpenOutside()
}

// observe starts the program under an observer and reports what it sees, until
// nobody is left.
func (s *supervisor) observe() error {
	o := &observing{s: s, outer: map[int]int{}}
	what := observe.Options{Calls: s.program.Calls, Prints: s.program.Prints, Stage: sandbox.StageName, Idle: s.flush}
	return observe.Run(what, func(gate int) (int, error) {
		err := s.start(gate)
		return s.pid, err
	}, o.see)
}

// observing translates what is seen into the numbers of the engine.
type observing struct {
	s     *supervisor
	outer map[int]int // numbers outside, of those that live or have just ended
	buf   []byte
}

// see is called with every event, in order.
func (o *observing) see(e *observe.Event) {
	s := o.s
	if e.Kind == observe.Exec && e.Pid == s.pid && !s.started {
		s.began()
	}
	pid := e.Pid
	e.Pid, e.Tid, e.Child = o.number(e.Pid), 0, o.number(e.Child)
	if e.Sender != 0 {
		e.Sender = o.number(e.Sender)
	}
	o.buf = e.Append(o.buf[:0])
	s.tell(&Report{Kind: Noticed, Pid: e.Pid, At: e.At, Data: o.buf})
	if e.Kind == observe.Print {
		s.flush() // who prints is to be known before it comes out
	}
	if e.Kind == observe.Exit {
		if pid == s.pid {
			s.used(syscall.WaitStatus(e.Status), e.CPU, e.Peak)
			s.tell(&Report{Kind: Ended, Pid: s.outer, Status: e.Status, At: e.At, Data: appendPids(nil, s.living())})
		}
		delete(o.outer, pid)
	}
}

// number is the number outside of a process with a number here. What has been
// reaped by now keeps the number it was known by.
func (o *observing) number(pid int) int {
	s := o.s
	if pid == 0 || s.outside == nil {
		return pid
	}
	if pid == s.pid {
		return s.outer
	}
	if n, known := o.outer[pid]; known {
		return n
	}
	fd, err := proc.OpenPidfd(pid)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, err := s.outside.Pid(fd)
	if err != nil {
		return 0
	}
	o.outer[pid] = n
	return n
}
