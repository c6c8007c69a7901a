//go:build linux

package observe

import "golang.org/x/sys/unix"

// returned is what the last system call returned, an error as its negative.
func returned(r *unix.PtraceRegs) int64 { return int64(r.Regs[0]) }

// restart does nothing here: this architecture decides about restarting before
// it asks the tracer, and has lost the first argument by then. A signal without
// effect makes semop, epoll_wait, rt_sigtimedwait and io_getevents return EINTR.
func restart(int) {}

const auditArch = unix.AUDIT_ARCH_AARCH64
