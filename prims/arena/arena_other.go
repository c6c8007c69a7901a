//go:build !linux

package arena

// Elsewhere an arena exists in memory only: scenarios can be checked there, not
// run. Nothing waits, because nobody else is there.

func futexWait(word *uint32, seen uint32, deadline int64) bool { return true }

func futexWaitSolo(word *uint32, seen uint32, deadline int64) bool { return true }

func futexWait2(a *uint32, seenA uint32, b *uint32, seenB uint32, deadline int64) bool { return true }

func futexWake(word *uint32, n int) int { return 0 }

func yieldProcessor() {}

func haveWaitv() bool { return true }

// WakeEngine does nothing: there is no engine.
func (a *Arena) WakeEngine(fd int) {}

type callTimer struct{}

func (s *Self) disturbCall() {}
