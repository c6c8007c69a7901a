package agent

import (
	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/engine/script"
)

// mask is what is blocked: by the script, and since a handler runs.
type mask struct{ held, running uint64 }

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

// list has the signalfd list what may be handled now, and nothing else.
func (s *signals) list() {
	if want := s.open(); want != s.fdMask {
		if _, err := proc.Signalfd(s.fd, want); err == nil {
			s.fdMask = want
		}
	}
}

// numbers lists the signals of a mask.
func numbers(m uint64) (list []int) {
	for _, n := range proc.SignalSet(m) {
		list = append(list, int(n))
	}
	return list
}
