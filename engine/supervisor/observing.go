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

// OutOfSight in the place of a sender is one of the program's own of whom nobody has
// seen more than its number there.
const OutOfSight = -1

// observing translates what is seen into the numbers of the engine.
type observing struct {
	s     *supervisor
	outer map[int]int // numbers outside, of those that live and those that have ended
	buf   []byte
}

// see is called with every event, in order.
func (o *observing) see(e *observe.Event) {
	s := o.s
	if e.Kind == observe.Exec && e.Pid == s.pid && !s.started {
		s.began()
	}
	pid := e.Pid
	if e.Kind == observe.Fork {
		delete(o.outer, e.Child) // whoever had that number before has ended
	}
	e.Pid, e.Tid, e.Child = o.number(e.Pid), 0, o.number(e.Child)
	if e.Sender != 0 {
		if e.Sender = o.number(e.Sender); e.Sender == 0 {
			e.Sender = OutOfSight
		}
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
	}
}

// number is the number outside of a process with a number here. Who has ended keeps
// it, since its signals may still be on their way.
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
