package prims

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/spec/decl"
)

// createSocket makes the socket, which listens from then on: whoever connects
// need not wait for a process to be ready.
func createSocket(c *Creation) error {
	path, err := c.path()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if len(path) > socketPathMost {
		return fmt.Errorf("%s: the path %s has %d bytes, that of a socket has at most %d: give the socket a shorter name, or set TMPDIR to a shorter path", c.Name, path, len(path), socketPathMost)
	}
	backlog, _ := socketArgs(c.Args)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("%s: socket: %w", c.Name, err)
	}
	err = c.System.File(path, false, func(p string) error {
		if len(p) > socketPathMost {
			return fmt.Errorf("the directory leaves %d bytes for a name of its own while it is being made: choose a shorter path", socketPathMost-len(p))
		}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: p}); err != nil {
			if err == unix.EADDRINUSE {
				err = os.ErrExist
			}
			return &os.PathError{Op: "bind", Path: p, Err: err}
		}
		if err := unix.Chmod(p, 0o600); err != nil {
			return &os.PathError{Op: "chmod", Path: p, Err: err}
		}
		return unix.Listen(fd, backlog)
	})
	if err != nil {
		unix.Close(fd)
		return notMade(c, "file", path, "rm "+path, err)
	}
	putName(c.Mem[socketHead:], path)
	c.Files = []*os.File{os.NewFile(uintptr(fd), c.Name)}
	return nil
}

// attachSocket takes the listening socket that the process has inherited. The
// engine has no use for it.
func attachSocket(a *Attachment) (any, error) {
	s := newUnixSocket(a)
	if a.Engine || len(a.Fds) == 0 || a.Fds[0] < 0 {
		return s, nil
	}
	if on, err := unix.GetsockoptInt(a.Fds[0], unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
		// Closed by the parent, before the fork: there is none to hand on either.
		s.shut = true
		if a.Closed != nil {
			a.Closed(0)
		}
		return s, nil
	}
	s.listener = a.Fds[0]
	if a.Closed != nil {
		s.gone = func() { a.Closed(0) }
	}
	return s, nil
}

// sysAccept takes a connection. again: there is none.
func (s *unixSocket) sysAccept() (fd int, again bool, err error) {
	for {
		fd, _, err := unix.Accept4(s.listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		switch err {
		case nil:
			return fd, false, nil
		case unix.EAGAIN:
			return -1, true, nil
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return -1, false, fmt.Errorf("accept: %w", err)
		}
	}
}

// sysConnect makes a connection. again: as many wait for an accept as may.
func (s *unixSocket) sysConnect() (fd int, again bool, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, false, fmt.Errorf("socket: %w", err)
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: s.path})
	}
	if err == nil {
		return fd, false, nil
	}
	unix.Close(fd)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return -1, true, nil
	case errors.Is(err, unix.ECONNREFUSED):
		return -1, false, decl.Fail(Refused, "nobody listens at %s any more", s.name)
	case errors.Is(err, unix.ENOENT):
		return -1, false, decl.Fail(NoEntry, "nothing is called %s any more", s.path)
	}
	return -1, false, fmt.Errorf("connect: %w", err)
}

// sysSend sends as much as there is room for. SIGPIPE comes of it only where the
// script says what it does.
func (s *unixSocket) sysSend(fd int, c *Call, b []byte) (n int, again bool, err error) {
	flags := uintptr(unix.MSG_DONTWAIT)
	if c.Self.Sigpipe == nil {
		flags |= unix.MSG_NOSIGNAL
	}
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), flags, 0, 0)
		switch errno {
		case 0:
			return int(n), false, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, true, nil
		case unix.EPIPE:
			if c.Self.Sigpipe != nil {
				c.Self.Sigpipe()
			}
			return 0, false, errPipeBroken
		case unix.ECONNRESET:
			return 0, false, errPipeBroken
		default:
			return 0, false, fmt.Errorf("send: %w", errno)
		}
	}
}

// sysRecv receives what is there, 0 at the end. again: nothing is.
func (s *unixSocket) sysRecv(fd int, b []byte) (n int, again bool, err error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), false, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, true, nil
		case unix.ECONNRESET:
			// The other side was closed with something unread in it, or before it was
			// accepted. It is closed, that is all.
			return 0, false, nil
		default:
			return 0, false, fmt.Errorf("recv: %w", errno)
		}
	}
}

// sysShutdown ends the sending side.
func sysShutdown(fd int) { _ = unix.Shutdown(fd, unix.SHUT_WR) }
