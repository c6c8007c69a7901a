//go:build linux && (amd64 || arm64)

package observe

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The filter makes a thread, and all that it forks or becomes, stop at the system
// calls in the table, and at no other. It is a list of comparisons, in classic
// BPF: the number of the call against each of the table.

// Offsets in struct seccomp_data.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16 // 8 bytes each, the low half first
)

func statement(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(code uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: code, K: k, Jt: yes, Jf: no}
}

const (
	load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equals = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	hasBit = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	answer = unix.BPF_RET | unix.BPF_K
)

// filter assembles the program for a list of calls. Calls of another
// architecture (a 32-bit program's) pass unseen.
func filter(calls []filtered) []unix.SockFilter {
	prog := []unix.SockFilter{
		statement(load, dataArch),
		jump(equals, auditArch, 1, 0),
		statement(answer, unix.SECCOMP_RET_ALLOW),
		statement(load, dataNr),
	}
	for _, c := range calls {
		if c.bits == 0 && !c.unless {
			prog = append(prog,
				jump(equals, uint32(c.nr), 0, 1),
				statement(answer, unix.SECCOMP_RET_TRACE))
			continue
		}
		// The low half of one argument decides: whether it has a bit, or has not.
		yes, no := uint8(0), uint8(1)
		if c.unless {
			yes, no = 1, 0
		}
		prog = append(prog,
			jump(equals, uint32(c.nr), 0, 4),
			statement(load, dataArgs+8*uint32(c.arg)),
			jump(hasBit, c.bits, yes, no),
			statement(answer, unix.SECCOMP_RET_TRACE),
			statement(answer, unix.SECCOMP_RET_ALLOW))
	}
	return append(prog, statement(answer, unix.SECCOMP_RET_ALLOW))
}

// filtered is a call that the filter stops at: always, or depending on bits of an
// argument.
type filtered struct {
	nr     int
	arg    int
	bits   uint32
	unless bool // stop unless the bits are there
}

// installFilter installs it for the calling thread. It gives up for good what
// set-user-ID programs would gain.
func installFilter() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	prog := filter(traced())
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fprog))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
