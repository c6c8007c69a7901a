package arena

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWaitBitset = 9 // FUTEX_WAIT_BITSET: absolute deadline on CLOCK_MONOTONIC
	futexWakeOp     = 1 // FUTEX_WAKE
	matchAny        = 0xffffffff
	sysFutexWaitv   = 449 // the same number on every architecture (Linux 5.16)
	futex2Size32    = 2
)

// futexWait blocks while *word == seen, until a wake or the deadline
// (absolute, MaxInt64: none). It reports whether the deadline passed. Any
// other end, spurious ones included, is a wake.
func futexWait(word *uint32, seen uint32, deadline int64) (timedOut bool) {
	ts := until(deadline)
	_, _, e := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitBitset,
		uintptr(seen), uintptr(unsafe.Pointer(ts)), 0, matchAny)
	return e == unix.ETIMEDOUT
}

// SoloFor is how long a wait may last that the Go runtime is not told of (see
// Self.Solo). Its monitor believes that the thread runs, and looks after it a
// hundred times a second: of a thousand processes that wait, a machine would do
// nothing else.
const SoloFor = 2 * time.Millisecond

// futexWaitSolo is futexWait without telling the Go runtime for a while: it
// believes that the thread runs. Only for a process in which no other goroutine has
// anything to do meanwhile; it saves handing the processor to another thread and
// back.
func futexWaitSolo(word *uint32, seen uint32, deadline int64) (timedOut bool) {
	first := min(Now()+int64(SoloFor), deadline)
	ts := until(first)
	_, _, e := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitBitset,
		uintptr(seen), uintptr(unsafe.Pointer(ts)), 0, matchAny)
	if e == unix.ETIMEDOUT && first < deadline {
		return futexWait(word, seen, deadline)
	}
	return e == unix.ETIMEDOUT
}

// until is a deadline as the kernel wants it, nil for none.
func until(deadline int64) *unix.Timespec {
	if deadline == math.MaxInt64 {
		return nil
	}
	t := unix.NsecToTimespec(deadline)
	return &t
}

func futexWake(word *uint32, n int) int {
	r, _, e := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakeOp, uintptr(n), 0, 0, 0)
	if e != 0 {
		return 0
	}
	return int(r)
}

// yieldProcessor is sched_yield(2).
func yieldProcessor() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

type futexWaitv struct {
	val   uint64
	addr  uint64
	flags uint32
	_     uint32
}

var noWaitv atomic.Bool

// haveWaitv reports whether the kernel has futex_waitv(2) and the sandbox
// around us allows it. It is known after the first use.
func haveWaitv() bool { return !noWaitv.Load() }

// futexWait2 blocks while *a == seenA and *b == seenB.
func futexWait2(a *uint32, seenA uint32, b *uint32, seenB uint32, deadline int64) (timedOut bool) {
	if noWaitv.Load() {
		return futexWait(a, seenA, deadline)
	}
	w := [2]futexWaitv{
		{val: uint64(seenA), addr: uint64(uintptr(unsafe.Pointer(a))), flags: futex2Size32},
		{val: uint64(seenB), addr: uint64(uintptr(unsafe.Pointer(b))), flags: futex2Size32},
	}
	var ts *unix.Timespec
	if deadline != math.MaxInt64 {
		t := unix.NsecToTimespec(deadline)
		ts = &t
	}
	_, _, e := unix.Syscall6(sysFutexWaitv, uintptr(unsafe.Pointer(&w)), 2, 0,
		uintptr(unsafe.Pointer(ts)), unix.CLOCK_MONOTONIC, 0)
	if e == unix.ENOSYS || e == unix.EPERM {
		noWaitv.Store(true)
		return futexWait(a, seenA, deadline)
	}
	return e == unix.ETIMEDOUT
}
