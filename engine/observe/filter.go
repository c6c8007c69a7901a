//go:build linux && (amd64 || arm64)

package observe

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The filter makes a thread, and all that it forks or becomes, stop at the system
// calls in the table, and at no other. It is a list of comparisons, in classic
// BPF: the number of the call against each of the table, and where it depends on
// an argument, that one's low half.

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

// condition restricts a call of the table to certain values of an argument; the
// zero one does not.
type condition struct {
	arg    int
	has    uint32   // one of these bits
	hasNot uint32   // none of these
	is     []uint32 // one of these values
}

// code is the condition's part of the program: it ends in an answer.
func (c condition) code() []unix.SockFilter {
	trace, allow := statement(answer, unix.SECCOMP_RET_TRACE), statement(answer, unix.SECCOMP_RET_ALLOW)
	from := statement(load, dataArgs+8*uint32(c.arg))
	switch {
	case c.has != 0:
		return []unix.SockFilter{from, jump(hasBit, c.has, 0, 1), trace, allow}
	case c.hasNot != 0:
		return []unix.SockFilter{from, jump(hasBit, c.hasNot, 1, 0), trace, allow}
	case len(c.is) > 0:
		prog := []unix.SockFilter{from}
		for i, v := range c.is {
			prog = append(prog, jump(equals, v, uint8(len(c.is)-i), 0))
		}
		return append(prog, allow, trace)
	}
	return []unix.SockFilter{trace}
}

// filter assembles the program. Calls of another architecture (a 32-bit
// program's) pass unseen.
func filter(calls []*spec) []unix.SockFilter {
	prog := []unix.SockFilter{
		statement(load, dataArch),
		jump(equals, auditArch, 1, 0),
		statement(answer, unix.SECCOMP_RET_ALLOW),
		statement(load, dataNr),
	}
	for _, c := range calls {
		code := c.when.code()
		prog = append(prog, jump(equals, uint32(c.nr), 0, uint8(len(code))))
		prog = append(prog, code...)
	}
	return append(prog, statement(answer, unix.SECCOMP_RET_ALLOW))
}

// installFilter installs it for the calling thread. It gives up for good what
// set-user-ID programs would gain.
func installFilter(calls []*spec) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	prog := filter(calls)
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	if _, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fprog))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
