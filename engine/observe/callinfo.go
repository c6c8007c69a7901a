//go:build linux && (amd64 || arm64)

package observe

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// callInfo is the kernel's struct ptrace_syscall_info, which is the same on every
// architecture.
type callInfo struct {
	op   uint8
	_    [3]byte
	arch uint32
	_    [2]uint64 // instruction and stack pointer
	// At the entry and at a filter's stop.
	nr   uint64
	args [6]uint64
	_    [8]byte // a filter's data
}

// read fills i in for a thread in a stop.
func (i *callInfo) read(tid int) unix.Errno {
	return ptrace(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(*i), uintptr(unsafe.Pointer(i)))
}

// result is what the call returned, at its exit, which has other fields in the
// place of the number.
func (i *callInfo) result() (value int64, failed bool) {
	return int64(i.nr), i.args[0]&0xff != 0
}
