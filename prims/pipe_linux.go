package prims

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pipeSys is what the system calls of a handle need: memory that the kernel
// reads, so that no call allocates.
type pipeSys struct {
	iov [2]unix.Iovec
	msg unix.Msghdr
}

// createPipe makes the two ends. What they are called in the process file
// system is noted, so that a run that is stuck can tell who holds them.
func createPipe(c *Creation) error {
	var fds [2]int
	var err error
	if isOneWay(c.Args) {
		err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	} else {
		fds, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	parts := pipeParts(c.Args)
	for i, fd := range fds {
		c.Files = append(c.Files, os.NewFile(uintptr(fd), c.Name+"."+parts[i]))
	}
	for i, fd := range fds {
		ino, err := inode(fd)
		if err != nil {
			return pipeNotMade(c, err)
		}
		word64(c.Mem, 8+8*i).Store(ino)
	}
	if !isOneWay(c.Args) {
		return nil
	}
	if want, ok := wholeNumber(c.Args.Fields["capacity"]); ok {
		if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, want); err != nil {
			return pipeNotMade(c, fmt.Errorf("a capacity of %d bytes: %w", want, err))
		}
	}
	size, err := unix.FcntlInt(uintptr(fds[1]), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		return pipeNotMade(c, err)
	}
	word64(c.Mem, 24).Store(uint64(size))
	return nil
}

func pipeNotMade(c *Creation, err error) error {
	for _, f := range c.Files {
		f.Close()
	}
	c.Files = nil
	return fmt.Errorf("%s: %w", c.Name, err)
}

func inode(fd int) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	return st.Ino, nil
}

// attach takes the descriptors that the process has inherited. An end of a
// one-way pipe is opened anew, because steps must never block in the kernel
// where no signal is noticed, and O_NONBLOCK belongs to the open file that all
// processes share: a program at the other end may want to block.
func (p *pipe) attach(a *Attachment) error {
	for i := range p.ends {
		e, fd := &p.ends[i], -1
		if i < len(a.Fds) {
			fd = a.Fds[i]
		}
		if fd < 0 || a.Engine {
			continue
		}
		if ino, err := inode(fd); err != nil || ino != p.inode[i].Load() {
			// Closed by the parent, before the fork: there is none to hand on either.
			if a.Closed != nil {
				a.Closed(i)
			}
			continue
		}
		if p.oneWay {
			if err := reopen(fd, p.access(i)); err != nil {
				return fmt.Errorf("%s.%s: %w", p.name, e.part, err)
			}
		}
		e.fd = fd
		if a.Closed != nil {
			e.gone = func() { a.Closed(i) }
		}
	}
	return nil
}

func reopen(fd, access int) error {
	n, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), access|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening it anew: %w", err)
	}
	err = unix.Dup3(n, fd, unix.O_CLOEXEC)
	unix.Close(n)
	return err
}

func sysClose(fd int) { unix.Close(fd) }

// The calls below never block, so the Go runtime need not know of them.

func pipeErrno(e unix.Errno) error {
	switch e {
	case 0:
		return nil
	case unix.EAGAIN:
		return errPipeAgain
	case unix.EPIPE:
		return errPipeBroken
	}
	return e
}

// sysRead reads into b, which may lie in the arena. It returns 0 at the end of
// file.
func (p *pipe) sysRead(e *pipeEnd, b []byte) (int, error) {
	for {
		var n uintptr
		var errno unix.Errno
		if p.oneWay {
			n, _, errno = unix.RawSyscall(unix.SYS_READ, uintptr(e.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		} else {
			n, _, errno = unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(e.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		}
		if again, n, err := received(n, errno); !again {
			return n, err
		}
	}
}

// sysReadPiece reads into b and one byte more into last.
func (p *pipe) sysReadPiece(e *pipeEnd, b []byte, last *byte) (int, error) {
	iov := p.sys.iov[:0]
	if len(b) > 0 {
		iov = append(iov, unix.Iovec{Base: &b[0], Len: uint64(len(b))})
	}
	return p.sysReadTo(e, append(iov, unix.Iovec{Base: last, Len: 1}))
}

// sysReadWhole reads into header and, behind it, into body.
func (p *pipe) sysReadWhole(e *pipeEnd, header, body []byte) (int, error) {
	return p.sysReadTo(e, append(p.sys.iov[:0], unix.Iovec{Base: &header[0], Len: uint64(len(header))}, unix.Iovec{Base: &body[0], Len: uint64(len(body))}))
}

func (p *pipe) sysReadTo(e *pipeEnd, iov []unix.Iovec) (int, error) {
	y := &p.sys
	for {
		var n uintptr
		var errno unix.Errno
		if p.oneWay {
			n, _, errno = unix.RawSyscall(unix.SYS_READV, uintptr(e.fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
		} else {
			y.msg = unix.Msghdr{Iov: &iov[0], Iovlen: uint64(len(iov))}
			n, _, errno = unix.RawSyscall(unix.SYS_RECVMSG, uintptr(e.fd), uintptr(unsafe.Pointer(&y.msg)), unix.MSG_DONTWAIT)
		}
		if again, n, err := received(n, errno); !again {
			return n, err
		}
	}
}

// received says what came of a read.
func received(n uintptr, errno unix.Errno) (again bool, count int, err error) {
	switch errno {
	case unix.EINTR:
		return true, 0, nil
	case unix.ECONNRESET:
		// The last copy of the other end was closed while messages for it were
		// still in the pipe. It is closed, that is all.
		return false, 0, nil
	case 0:
		return false, int(n), nil
	}
	return false, 0, pipeErrno(errno)
}

// sysWrite writes as much of b as there is room for.
func (p *pipe) sysWrite(e *pipeEnd, c *Call, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, errno := p.put(e, c, b)
		switch errno {
		case unix.EINTR:
			continue
		case unix.ECONNRESET:
			return 0, errPipeBroken
		case 0:
			return n, nil
		case unix.EPIPE:
			if c.Self.Sigpipe != nil {
				c.Self.Sigpipe()
			}
		}
		return 0, pipeErrno(errno)
	}
}

// put is one write. SIGPIPE comes of it only where the script says what it does.
func (p *pipe) put(e *pipeEnd, c *Call, b []byte) (int, unix.Errno) {
	silent := c.Self.Sigpipe == nil
	base := uintptr(unsafe.Pointer(&b[0]))
	var n uintptr
	var errno unix.Errno
	switch {
	case !p.oneWay:
		flags := uintptr(unix.MSG_DONTWAIT)
		if silent {
			flags |= unix.MSG_NOSIGNAL
		}
		n, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(e.fd), base, uintptr(len(b)), flags, 0, 0)
	case !silent:
		n, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(e.fd), base, uintptr(len(b)))
	case !noSignalRefused.Load():
		p.sys.iov[0] = unix.Iovec{Base: &b[0], Len: uint64(len(b))}
		const here = ^uintptr(0) // at the file's own position, which a pipe does not have
		n, _, errno = unix.RawSyscall6(unix.SYS_PWRITEV2, uintptr(e.fd), uintptr(unsafe.Pointer(&p.sys.iov[0])), 1, here, here, unix.RWF_NOSIGNAL)
		if errno == unix.EOPNOTSUPP || errno == unix.EINVAL || errno == unix.ENOSYS {
			noSignalRefused.Store(true) // before Linux 6.18
			return p.putHeldBack(e, b)
		}
	default:
		return p.putHeldBack(e, b)
	}
	return int(n), errno
}

var noSignalRefused atomic.Bool

// putHeldBack writes with SIGPIPE blocked in this thread, and takes it away if
// it came.
func (p *pipe) putHeldBack(e *pipeEnd, b []byte) (int, unix.Errno) {
	const bit = uint64(1) << (unix.SIGPIPE - 1)
	set, old := bit, uint64(0)
	mask := func(how int, set, old *uint64) {
		unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	}
	mask(unix.SIG_BLOCK, &set, &old)
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(e.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno == unix.EPIPE && old&bit == 0 {
		var now unix.Timespec
		unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
	}
	mask(unix.SIG_SETMASK, &old, nil)
	return int(n), errno
}

// sysAvailable is how many bytes can be received at an end now.
func (p *pipe) sysAvailable(e *pipeEnd) (int, error) { return asked(e.fd, unix.TIOCINQ) }

// drained: everything that was sent at an end was received.
func (p *pipe) drained(e *pipeEnd) bool {
	what := uint(unix.TIOCOUTQ)
	if p.oneWay {
		what = unix.TIOCINQ // a pipe has one queue, whichever end is asked
	}
	n, err := asked(e.fd, what)
	return err == nil && n == 0
}

func asked(fd int, what uint) (int, error) {
	var n int32
	if _, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), uintptr(what), uintptr(unsafe.Pointer(&n))); errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// sysReady: a receive would not block.
func (p *pipe) sysReady(e *pipeEnd) (bool, error) {
	list := []unix.PollFd{{Fd: int32(e.fd), Events: pollIn}}
	for {
		n, err := unix.Poll(list, 0)
		if err != unix.EINTR {
			return n > 0, err
		}
	}
}
