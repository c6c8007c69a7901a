package arena

// CallSignal gets a thread out of a system call that blocks and that knows no
// other end: the kernel has it return EINTR once the handler has run. No script
// can name this signal, C libraries keep it for themselves; whoever sets
// Self.Callable has given it a handler that does nothing.
const CallSignal = 32

// NeedsRepeat reports whether a Disturb can be lost, so that it has to be
// repeated until the process has reacted: the kernel has no futex_waitv, or the
// process is about to enter a system call.
func (s *Self) NeedsRepeat() bool {
	return !haveWaitv() && s.parked.Load() != nil || s.calling.Load() != 0
}
