//go:build linux

package proc

import (
	"fmt"
	"io"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal. The engine keeps both sides open: the master
// is where keys are pressed and output is read, the slave is handed to the
// processes and tells the engine when the kernel has done its work.
//
// It is a terminal as a shell would set it up (line by line, keys become
// signals, a new line is written as CR LF), with three differences: it does
// not echo, it knows that its text is UTF-8, and keys that become signals do
// not flush. Flushing would throw away output that a process has written and
// the kernel has not passed on yet, so that a line would now and then be
// missing for no reason a reader could see.
type Terminal struct {
	master, slave int

	mu sync.Mutex // one Press at a time: their bytes must not mix
}

// OpenTerminal opens a terminal of the given size in cells. The error names
// what the machine is missing.
func OpenTerminal(rows, cols int) (*Terminal, error) { return newTerminal(rows, cols, true) }

// OpenPlainTerminal opens one that hands on what is written to it byte by byte:
// a line feed is not made CR LF, so that what a program has printed can be
// compared exactly.
func OpenPlainTerminal(rows, cols int) (*Terminal, error) { return newTerminal(rows, cols, false) }

func newTerminal(rows, cols int, crlf bool) (*Terminal, error) {
	master, err := openMaster()
	if err != nil {
		return nil, err
	}
	slave, err := openSlave(master)
	if err != nil {
		_ = unix.Close(master)
		return nil, err
	}
	t := &Terminal{master: master, slave: slave}
	if err := t.prepare(rows, cols, crlf); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

func openMaster() (int, error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Open("/dev/ptmx", flags, 0)
	if err == unix.ENOENT {
		fd, err = unix.Open("/dev/pts/ptmx", flags, 0)
	}
	switch err {
	case nil:
	case unix.ENOENT, unix.ENODEV, unix.ENXIO:
		return -1, fmt.Errorf("open terminal: no /dev/ptmx with a devpts file system on /dev/pts: %w", err)
	case unix.EACCES, unix.EPERM:
		return -1, fmt.Errorf("open terminal: no permission for /dev/ptmx: %w", err)
	case unix.ENOSPC:
		return -1, fmt.Errorf("open terminal: all pseudo-terminals are in use (see /proc/sys/kernel/pty/max): %w", err)
	default:
		return -1, fmt.Errorf("open terminal: /dev/ptmx: %w", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("open terminal: unlock: %w", err)
	}
	return fd, nil
}

// openSlave asks the master for its other side, which needs no path and so
// works whatever is mounted on /dev/pts.
func openSlave(master int) (int, error) {
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, flags)
	if errno == 0 {
		return int(fd), nil
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return -1, fmt.Errorf("open terminal: its number: %w", err)
	}
	path := "/dev/pts/" + strconv.Itoa(n)
	slave, err := unix.Open(path, flags, 0)
	if err != nil {
		return -1, fmt.Errorf("open terminal: the kernel does not open the other side (%v), and %s: %w", errno, path, err)
	}
	return slave, nil
}

func (t *Terminal) prepare(rows, cols int, crlf bool) error {
	m, err := unix.IoctlGetTermios(t.slave, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("open terminal: read settings: %w", err)
	}
	m.Iflag |= unix.IUTF8
	m.Lflag |= unix.ICANON | unix.ISIG | unix.NOFLSH
	m.Lflag &^= unix.ECHO
	if !crlf {
		m.Oflag &^= unix.ONLCR
	}
	m.Cc[unix.VINTR] = 'C' & 0x1f
	m.Cc[unix.VQUIT] = '\\' & 0x1f
	m.Cc[unix.VSUSP] = 'Z' & 0x1f
	if err := unix.IoctlSetTermios(t.slave, unix.TCSETS, m); err != nil {
		return fmt.Errorf("open terminal: change settings: %w", err)
	}
	return t.Resize(rows, cols)
}

// Resize sets the size in cells; the foreground group gets SIGWINCH if it is
// a new one.
func (t *Terminal) Resize(rows, cols int) error {
	size := &unix.Winsize{Row: uint16(rows), Col: uint16(cols)}
	if err := unix.IoctlSetWinsize(t.master, unix.TIOCSWINSZ, size); err != nil {
		return fmt.Errorf("terminal: size %d by %d: %w", rows, cols, err)
	}
	return nil
}

// Master is the engine's side, to be watched for output. It belongs to the
// Terminal.
func (t *Terminal) Master() int { return t.master }

// Slave is the processes' side, to be handed to them. It belongs to the
// Terminal. Blocking, unlike the master.
func (t *Terminal) Slave() int { return t.slave }

// Read takes output that is there. The error is ErrWouldBlock if there is
// none, and that is a proof: everything written to the terminal before the
// call has been read. It is io.EOF when nobody has the other side open, which
// the engine's own copy prevents until Close.
func (t *Terminal) Read(buf []byte) (int, error) {
	for {
		n, err := unix.Read(t.master, buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return 0, ErrWouldBlock
		case err == unix.EIO, err == nil && n == 0 && len(buf) > 0:
			return 0, io.EOF
		case err != nil:
			return 0, fmt.Errorf("terminal: read: %w", err)
		default:
			return n, nil
		}
	}
}

// Foreground is the process group that keys act on, 0 if there is none.
func (t *Terminal) Foreground() (pgid int, err error) {
	pgid, err = unix.IoctlGetInt(t.master, unix.TIOCGPGRP)
	if err != nil {
		return 0, fmt.Errorf("terminal: foreground group: %w", err)
	}
	return pgid, nil
}

// Close closes both sides. If the terminal still has a session, its leader
// and the foreground group get SIGHUP. Nobody may use the Terminal then.
func (t *Terminal) Close() error {
	_ = unix.Close(t.slave)
	if err := unix.Close(t.master); err != nil {
		return fmt.Errorf("terminal: close: %w", err)
	}
	return nil
}
