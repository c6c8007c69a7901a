//go:build linux

package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrWouldBlock is returned where nothing can be had without waiting.
var ErrWouldBlock = errors.New("would block")

// Info is one signal that arrived.
type Info struct {
	Signo  int
	Code   int // why it came: CodeUser, CodeQueue, CodeKernel, …
	Pid    int // the sender, or the child for SIGCHLD; 0 if the kernel itself sent it
	Uid    int
	Value  int64 // what came with Sigqueue; a C int
	Status int   // for SIGCHLD: exit code or signal, according to Code
}

// Reasons for a signal; any other one is explained in sigaction(2).
const (
	CodeUser   = 0    // kill
	CodeQueue  = -1   // sigqueue
	CodeTimer  = -2   // a POSIX timer
	CodeThread = -6   // tgkill, pthread_kill
	CodeKernel = 0x80 // the kernel: a terminal's key, an alarm
)

const (
	codeMessage = -3
	codePoll    = -5
	infoSize    = 128
)

// Signalfd makes a signalfd for the signals of mask, or gives an existing one
// a new mask; fd is -1 for a new one. It is close-on-exec and non-blocking.
// The signals must be blocked in every thread (see NeedsRaw for those that
// the Go runtime never blocks). When a signal is to be treated otherwise, take
// it out of the mask first: a signalfd that still lists it may steal it.
func Signalfd(fd int, mask uint64) (int, error) {
	var set unix.Sigset_t
	set.Val[0] = mask
	got, err := unix.Signalfd(fd, &set, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("signalfd: %w", err)
	}
	return got, nil
}

// ReadSignalfd takes one signal from a signalfd. The error is ErrWouldBlock
// if none is there. Apart from the process's signals it takes those sent to
// the calling thread alone, but never those sent to another thread.
func ReadSignalfd(fd int) (Info, error) {
	var b [infoSize]byte
	if err := readRecord(fd, &b); err != nil {
		return Info{}, err
	}
	return Info{
		Signo:  word(&b, 0),
		Code:   word(&b, 8),
		Pid:    word(&b, 12),
		Uid:    word(&b, 16),
		Status: word(&b, 40),
		Value:  int64(word(&b, 44)),
	}, nil
}

// ReadRaw takes one signal from the read end of a pipe that CatchRaw writes
// to. The error is ErrWouldBlock if none is there, io.EOF if the write end is
// closed.
func ReadRaw(fd int) (Info, error) {
	var b [infoSize]byte
	if err := readRecord(fd, &b); err != nil {
		return Info{}, err
	}
	return infoOf(&b), nil
}

// AwaitSignal blocks until one of the signals of mask is pending and takes it,
// as sigtimedwait(2) does; the calling thread, which is the one that counts,
// must block them. timeout nil: none. The error is ErrWouldBlock when it has
// passed. solo: it does not tell the Go runtime that it blocks, so no other
// goroutine may have anything to do meanwhile.
func AwaitSignal(mask uint64, timeout *unix.Timespec, solo bool) (Info, error) {
	var b [infoSize]byte
	call := unix.Syscall6
	if solo {
		call = unix.RawSyscall6
	}
	for {
		_, _, e := call(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&b)),
			uintptr(unsafe.Pointer(timeout)), sigsetSize, 0, 0)
		switch e {
		case 0:
			return infoOf(&b), nil
		case unix.EAGAIN:
			return Info{}, ErrWouldBlock
		case unix.EINTR:
			// Stopped and continued, or some other signal.
			if timeout != nil {
				return Info{}, unix.EINTR
			}
		default:
			return Info{}, fmt.Errorf("wait for signals: %w", e)
		}
	}
}

// infoOf reads the kernel's siginfo. Which part of its union is filled depends
// on number and code.
func infoOf(b *[infoSize]byte) Info {
	i := Info{Signo: word(b, 0), Code: word(b, 8)}
	switch {
	case i.Code == CodeTimer:
		i.Value = int64(word(b, 24))
	case i.Code == codePoll:
	case i.Code == CodeQueue, i.Code == codeMessage:
		i.Pid, i.Uid, i.Value = word(b, 16), word(b, 20), int64(word(b, 24))
	case i.Code <= 0:
		i.Pid, i.Uid = word(b, 16), word(b, 20)
	case i.Signo == int(unix.SIGCHLD) && i.Code < CodeKernel:
		i.Pid, i.Uid, i.Status = word(b, 16), word(b, 20), word(b, 24)
	}
	return i
}

func word(b *[infoSize]byte, at int) int {
	return int(int32(binary.NativeEndian.Uint32(b[at:])))
}

// readRecord reads one whole record; both sources hand out nothing less.
func readRecord(fd int, b *[infoSize]byte) error {
	for {
		n, err := unix.Read(fd, b[:])
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return ErrWouldBlock
		case err != nil:
			return fmt.Errorf("read signal: %w", err)
		case n == 0:
			return io.EOF
		case n != infoSize:
			return fmt.Errorf("read signal: %d bytes instead of %d", n, infoSize)
		default:
			return nil
		}
	}
}
