package engine

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// input is the standard input of a program. What is typed is written as far as
// there is room, and the rest when there is.
type input struct {
	fd      int // write end of a pipe, -1: closed, 0: it is the terminal
	typed   []byte
	last    byte // what was written last
	closing bool // it ends once all is written
	watched bool
}

// endOfFile ends the input of a terminal at the beginning of a line.
const endOfFile = 'D' & 0x1f

func (r *run) openInput(slot, fd int) error {
	r.procs[slot].program.input.fd = fd
	return unix.SetNonblock(fd, true)
}

// sendInput writes to the standard input of a program without waiting for it
// to read.
func (r *run) sendInput(slot int, b []byte) {
	in := &r.procs[slot].program.input
	in.typed = append(in.typed, b...)
	r.moreInput(slot)
}

// endInput lets the standard input of a program end once it has got all that
// was sent.
func (r *run) endInput(slot int) {
	r.procs[slot].program.input.closing = true
	r.moreInput(slot)
}

// moreInput writes as much of what is to be typed as there is room for.
func (r *run) moreInput(slot int) {
	in := &r.procs[slot].program.input
	if in.fd == 0 {
		r.typeOn(slot, in)
		return
	}
	for in.fd > 0 && len(in.typed) > 0 {
		n, err := unix.Write(in.fd, in.typed)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			if !in.watched {
				in.watched = true
				if err := r.watcher.AddWrite(in.fd, tagInput|uint64(slot)); err != nil {
					r.broken(err)
				}
			}
			return
		case err != nil: // nobody reads it any more
			in.typed, in.closing = nil, true
		default:
			in.typed = in.typed[n:]
		}
	}
	if in.watched {
		in.watched = false
		r.watcher.Remove(in.fd)
	}
	if in.closing {
		r.closeInput(slot)
	}
}

func (r *run) closeInput(slot int) {
	if in := &r.procs[slot].program.input; in.fd > 0 {
		unix.Close(in.fd)
		in.fd = -1
	}
}

// typeOn types on a terminal. What finds no room there is typed later: the
// kernel keeps 4096 bytes of lines that nobody has read.
func (r *run) typeOn(slot int, in *input) {
	t := r.terms[slot]
	for len(in.typed) > 0 {
		n, err := t.tty.Type(in.typed)
		if n > 0 {
			in.last = in.typed[n-1]
			in.typed = in.typed[n:]
		}
		if errors.Is(err, proc.ErrWouldBlock) {
			return
		}
		if err != nil {
			in.typed = nil // nobody is at the terminal any more
			return
		}
	}
	in.typed = slices.Clip(in.typed)
	if !in.closing {
		return
	}
	in.closing = false
	keys := []byte{endOfFile}
	if in.last != 0 && in.last != '\n' && in.last != '\r' {
		// Behind an unfinished line the key only hands over what was typed.
		keys = append(keys, endOfFile)
	}
	_ = t.tty.Press(keys...)
	in.last = 0
}

// retypeAll goes on with what found no room.
func (r *run) retypeAll() {
	for i, p := range r.procs {
		if p.program != nil && p.program.input.fd == 0 && len(p.program.input.typed) > 0 {
			r.moreInput(i)
		}
	}
}
