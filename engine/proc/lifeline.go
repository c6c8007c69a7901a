//go:build linux

package proc

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Lifeline lets nothing outlive the process that holds it, however that
// process ends. It is a pipe to which nobody writes:
//
//  1. The engine holds the only write end, close-on-exec.
//  2. Every process it is responsible for is handed the read end and arms it
//     (ArmLifeline).
//  3. When the engine cuts it, exits or is killed, the last write end goes
//     away, and the kernel sends SIGKILL to everyone who armed it. No code of
//     theirs has to run for that, so it reaches stopped processes too.
//
// One process is out of its reach: the first of a PID namespace, which the
// kernel shields from signals that carry no sender. Give that one a Pdeathsig.
type Lifeline struct {
	read *os.File

	mu    sync.Mutex
	write int // not an os.File: a finalizer must never be what cuts it
}

// NewLifeline makes the pipe.
func NewLifeline() (*Lifeline, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("lifeline: pipe: %w", err)
	}
	return &Lifeline{read: os.NewFile(uintptr(p[0]), "lifeline"), write: p[1]}, nil
}

// ReadEnd is what a child has to be handed. It belongs to the Lifeline and is
// closed by Cut.
func (l *Lifeline) ReadEnd() *os.File { return l.read }

// Cut closes the write end: everything armed dies. It may be called more than
// once.
func (l *Lifeline) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.write < 0 {
		return
	}
	// The write end first: were the read end the last one open, closing it
	// first would leave the kernel nobody to notify.
	_ = unix.Close(l.write)
	l.write = -1
	_ = l.read.Close()
}

// HighFd is where descriptors of ours go: scripts and students look at the low
// numbers. It stays below 64, the size of a fresh descriptor table: a process
// with threads that outgrows its table waits for a grace period of the kernel,
// which takes longer than everything else at its start (up to 18 ms).
const HighFd = 48

const lifelineFloor = HighFd

var (
	armedLifeline   atomic.Int64 // descriptor + 1; 0 when not armed
	lifelineWatched atomic.Bool
)

// ArmLifeline ties the calling process to the Lifeline whose read end is fd:
// it dies by SIGKILL when the Lifeline is cut, at once if that has already
// happened. The descriptor fd is closed; a close-on-exec one of high number
// takes its place (LifelineFd). It does not block.
//
// Where the kernel refuses (no process file system; a pipe that belongs to
// another user) a goroutine watches instead, which cannot help a process that
// is stopped.
func ArmLifeline(fd int) error {
	armed, err := armAsync(fd)
	if err != nil {
		if armed, err = armWatch(fd); err != nil {
			return fmt.Errorf("arm lifeline: %w", err)
		}
	}
	_ = unix.Close(fd)
	armedLifeline.Store(int64(armed) + 1)
	return nil
}

// LifelineWatched reports whether a goroutine of this process watches the
// lifeline, because the kernel would not.
func LifelineWatched() bool { return lifelineWatched.Load() }

// LifelineFd is this process's armed descriptor, which it may hand to its own
// children to arm in turn, or -1 if nothing is armed.
func LifelineFd() int { return int(armedLifeline.Load()) - 1 }

// armAsync asks the kernel for SIGKILL. Owner, signal and O_ASYNC belong to
// the open file description, which is shared by everyone who inherited it, so
// the pipe is opened anew.
func armAsync(fd int) (armed int, err error) {
	own, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("reopen: %w", err)
	}
	armed, err = moveHigh(own)
	_ = unix.Close(own)
	if err != nil {
		return -1, err
	}
	if err := killOnHangup(armed); err != nil {
		_ = unix.Close(armed)
		return -1, err
	}
	// The engine may have gone before O_ASYNC was set; nothing would come.
	if hungUp(armed, 0) {
		die()
	}
	return armed, nil
}

func killOnHangup(fd int) error { return signalOnHangup(fd, unix.SIGKILL) }

// signalOnHangup has the kernel send this process a signal when the last write
// end of the pipe goes away.
func signalOnHangup(fd int, sig unix.Signal) error {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETOWN, unix.Getpid()); err != nil {
		return fmt.Errorf("F_SETOWN: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(sig)); err != nil {
		return fmt.Errorf("F_SETSIG: %w", err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return fmt.Errorf("F_GETFL: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_ASYNC); err != nil {
		return fmt.Errorf("O_ASYNC: %w", err)
	}
	return nil
}

// WatchLifeline opens the Lifeline whose read end is fd for a process that has
// something to do when it is cut: AwaitCut returns then, and the kernel
// continues the process if it is stopped. The returned descriptor is
// close-on-exec and takes the place of fd, which is closed.
func WatchLifeline(fd int) (int, error) {
	own, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		if err = signalOnHangup(own, unix.SIGCONT); err != nil {
			_ = unix.Close(own)
		}
	}
	if err != nil {
		// Without it a stopped process is not continued, and all else works.
		own, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return -1, fmt.Errorf("lifeline: %w", err)
		}
	}
	_ = unix.Close(fd)
	return own, nil
}

// AwaitCut blocks until the Lifeline is cut; fd is WatchLifeline's.
func AwaitCut(fd int) {
	for !hungUp(fd, -1) {
	}
}

// armWatch is the second best: a goroutine, and so a thread, that waits.
func armWatch(fd int) (armed int, err error) {
	armed, err = moveHigh(fd)
	if err != nil {
		return -1, err
	}
	lifelineWatched.Store(true)
	go func() {
		for !hungUp(armed, -1) {
		}
		die()
	}()
	return armed, nil
}

// hungUp waits up to timeout milliseconds, -1 for ever, for the last writer
// to go.
func hungUp(fd, timeout int) bool {
	p := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(p, timeout)
	return err == nil && n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
}

func moveHigh(fd int) (int, error) {
	floor := lifelineFloor
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < lifelineFloor+8 {
		floor = max(int(limit.Cur)-8, 3)
	}
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, floor)
	if err != nil {
		return -1, fmt.Errorf("duplicate descriptor %d: %w", fd, err)
	}
	return high, nil
}

// die ends this process in the way the Lifeline would have. The first process
// of a PID namespace, which cannot kill itself, exits.
func die() {
	_ = unix.Kill(unix.Getpid(), unix.SIGKILL)
	unix.Exit(128 + int(unix.SIGKILL))
}
