//go:build linux && (amd64 || arm64)

package proc

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// unblockable is what the Go runtime takes out of the mask of every thread it
// makes, whatever mask the process was started with: the faults, what it wants
// to end the program by, SIGCHLD, SIGPROF and the three that C libraries use
// inside (blockableSig and the table of signals in its source).
const unblockable = 1<<(unix.SIGHUP-1) | 1<<(unix.SIGINT-1) | 1<<(unix.SIGQUIT-1) |
	1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1) | 1<<(unix.SIGABRT-1) |
	1<<(unix.SIGBUS-1) | 1<<(unix.SIGFPE-1) | 1<<(unix.SIGSEGV-1) |
	1<<(unix.SIGTERM-1) | 1<<(unix.SIGSTKFLT-1) | 1<<(unix.SIGCHLD-1) |
	1<<(unix.SIGPROF-1) | 1<<(unix.SIGSYS-1) | 1<<(32-1) | 1<<(33-1) | 1<<(34-1)

// preempts tells whether the runtime uses SIGURG between its threads, and so
// keeps it unblocked too.
var preempts = sync.OnceValue(func() bool {
	for _, kv := range strings.Split(os.Getenv("GODEBUG"), ",") {
		if kv == "asyncpreemptoff=1" {
			return false
		}
	}
	return true
})

// NeedsRaw tells whether a signalfd would never see this signal in a Go
// program, because some thread of the runtime always takes it first, so that
// CatchRaw has to be used. For all others, started with all signals blocked,
// a signalfd is right, and CatchRaw would catch nothing.
func NeedsRaw(sig int) bool {
	if sig < 1 || sig > 64 {
		return false
	}
	return unblockable&Bit(sig) != 0 || sig == int(unix.SIGURG) && preempts()
}

// catchFds is where the handler writes, by signal. The handler reads it.
var catchFds [65]int32

// catchHandlerAddr is the address of catchHandler by the kernel's calling
// convention; a Go function value would lead to a wrapper that needs a
// goroutine. Set by the assembler.
var catchHandlerAddr uintptr

// catchHandler is written in assembly: it writes the 128 bytes of siginfo to
// catchFds[signal] and returns, touching nothing of Go. Two kinds go on to the
// Go runtime instead: a fault that the kernel raised because of what this
// program did (an access through nil), which would recur for ever, and the
// SIGURG that one thread of the runtime sends to another.
//
//lint:ignore U1000 vet wants the declaration; only the assembler refers to it
func catchHandler()

// RawPipe makes a pipe fit for CatchRaw: both ends non-blocking and
// close-on-exec, and long where the kernel allows it.
func RawPipe() (read, write int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, -1, fmt.Errorf("signal pipe: %w", err)
	}
	// Only comfort: refused when the user has many long pipes.
	_, _ = unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, 1<<20)
	return p[0], p[1], nil
}

// CatchRaw makes every arrival of a signal in this process a record in the
// pipe whose write end is fd, to be read with ReadRaw. Each arrival is one
// record, in the order of delivery; a full pipe loses what comes then. Since
// the signal is taken at once, nothing coalesces that the reader is slow to
// read: a reader who wants a standard signal to be pending at most once has to
// see to that. Sigaction undoes it. The pipe must stay open meanwhile.
//
// System calls of other threads are interrupted by it; those that the kernel
// does not restart (poll, epoll_wait, futex with a timeout) return EINTR.
func CatchRaw(sig int, fd int) error {
	if sig < 1 || sig > 64 {
		return fmt.Errorf("catch signal %d: %w", sig, unix.EINVAL)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("catch signal %d: descriptor %d: %w", sig, fd, err)
	}
	if flags&unix.O_NONBLOCK == 0 {
		// A handler that blocks would hang a thread of the runtime.
		return fmt.Errorf("catch signal %d: descriptor %d may block: %w", sig, fd, unix.EINVAL)
	}
	return catchInto(sig, fd)
}

// CatchIdly gives a signal a handler that does nothing, so that it does no more
// than end the system call in which the thread is that it is sent to, where the
// kernel does not restart that.
func CatchIdly(sig int) error {
	if sig < 1 || sig > 64 {
		return fmt.Errorf("catch signal %d: %w", sig, unix.EINVAL)
	}
	return catchInto(sig, -1) // there is no such descriptor to write to
}

func catchInto(sig, fd int) error {
	actionMu.Lock()
	catchFds[sig] = int32(fd)
	actionMu.Unlock()
	return replaceAction(sig, &action{
		handler:  catchHandlerAddr,
		flags:    saSiginfo | saOnstack | saRestart | catchFlags,
		restorer: catchRestorerAddr,
		mask:     AllSignals,
	})
}
