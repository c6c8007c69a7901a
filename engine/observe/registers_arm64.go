//go:build linux

package observe

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// returned is what the last system call returned, an error as its negative.
func returned(r *unix.PtraceRegs) int64 { return int64(r.Regs[0]) }

// restart does nothing here: this architecture decides about restarting before
// it asks the tracer, and has lost the first argument by then. A signal without
// effect makes semop, epoll_wait, rt_sigtimedwait and io_getevents return EINTR.
func restart(int) {}

// beginsAgain reports whether a thread that is about to receive a signal enters a
// system call next: this architecture has put it back before the instruction
// already if the call is to begin again.
func beginsAgain(tid int) bool {
	var r unix.PtraceRegs
	if !registers(tid, &r) {
		return false
	}
	const svc = 0xd4000001
	code, ok := memory(tid, r.Pc, 4)
	return ok && binary.LittleEndian.Uint32(code) == svc
}

const auditArch = unix.AUDIT_ARCH_AARCH64
