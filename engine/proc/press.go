//go:build linux

package proc

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Press presses keys, given as the bytes that they send (see package keys).
// When it returns without an error, the kernel has done with them: signals
// have been generated for the foreground group, lines can be read. Whether a
// process has acted on them is another matter.
//
// The error is ErrWouldBlock, wrapped, if the terminal takes no more because
// nobody reads what was typed; what came before has been pressed.
//
// How it is done:
//
//  1. A byte written to the master is only queued; a kernel worker runs the
//     line discipline over it later.
//  2. Polling the slave while it has nothing to read makes the kernel wait
//     for that worker first.
//  3. If there is unread input, polling has its answer and waits for nothing.
//     Then the master can still be asked to send the key's signal directly,
//     which is all that the key would have done.
//
// What one key sends, an arrow's escape sequence or a character of several bytes, is
// written at once, as a terminal does it: who reads it may rely on that.
func (t *Terminal) Press(b ...byte) error {
	_, err := t.Type(b)
	return err
}

// Type is Press, and reports how many bytes have been pressed where not all were.
func (t *Terminal) Type(b []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n < len(b) {
		unread, err := t.settle()
		if err != nil {
			return n, err
		}
		if unread {
			m, err := unix.IoctlGetTermios(t.slave, unix.TCGETS)
			if err != nil {
				return n, fmt.Errorf("terminal: read settings: %w", err)
			}
			if sig := keySignal(m, b[n]); sig != 0 {
				if err := t.signal(m, sig); err != nil {
					return n, err
				}
				n++
				continue
			}
		}
		// One key at a time: each may make input readable.
		k, err := t.write(b[n : n+oneKey(b[n:])])
		if n += k; err != nil {
			return n, err
		}
	}
	_, err = t.settle()
	return n, err
}

// oneKey is how many of the bytes one key sends: a character in UTF-8, or an escape
// sequence (ECMA-48, 5.4: the final byte of a control sequence is the first from @ to ~).
func oneKey(b []byte) int {
	const esc = 0x1b
	if b[0] != esc || len(b) == 1 {
		_, n := utf8.DecodeRune(b)
		return n
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b) && b[i] >= ' ' && b[i] <= '~'; i++ {
			if b[i] >= '@' {
				return i + 1
			}
		}
		return 2
	case 'O':
		return min(3, len(b))
	case esc:
		return 1
	}
	_, n := utf8.DecodeRune(b[1:])
	return 1 + n
}

// settle waits until the kernel has processed what was written to the master,
// unless there is unread input.
func (t *Terminal) settle() (unread bool, err error) {
	p := []unix.PollFd{{Fd: int32(t.slave), Events: unix.POLLIN}}
	for {
		_, err = unix.Poll(p, 0)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("terminal: poll: %w", err)
	}
	if p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
		return false, fmt.Errorf("terminal: hung up: the leader of its session has ended: %w", unix.EIO)
	}
	return p[0].Revents&unix.POLLIN != 0, nil
}

func (t *Terminal) write(b []byte) (n int, err error) {
	for {
		n, err := unix.Write(t.master, b)
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, fmt.Errorf("terminal: nobody reads what was typed: %w", ErrWouldBlock)
		default:
			return 0, fmt.Errorf("terminal: press: %w", err)
		}
	}
}

// keySignal is the signal that a byte means under the given settings, or 0.
func keySignal(m *unix.Termios, b byte) unix.Signal {
	if m.Lflag&unix.ISIG == 0 || b == 0 { // 0 in the settings means disabled
		return 0
	}
	switch b {
	case m.Cc[unix.VINTR]:
		return unix.SIGINT
	case m.Cc[unix.VQUIT]:
		return unix.SIGQUIT
	case m.Cc[unix.VSUSP]:
		return unix.SIGTSTP
	}
	return 0
}

// signal does what the key would: it signals the foreground group and, where
// a process has asked for flushing, drops the unread input.
func (t *Terminal) signal(m *unix.Termios, sig unix.Signal) error {
	if err := unix.IoctlSetInt(t.master, unix.TIOCSIG, int(sig)); err != nil {
		return fmt.Errorf("terminal: send %s: %w", unix.SignalName(sig), err)
	}
	if m.Lflag&unix.NOFLSH == 0 {
		if err := unix.IoctlSetInt(t.slave, unix.TCFLSH, unix.TCIFLUSH); err != nil {
			return fmt.Errorf("terminal: flush: %w", err)
		}
	}
	return nil
}
