package engine

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
	"ipcrun/spec"
)

// stream is a pipe from a program or its supervisor.
type stream struct {
	fd   int // -1: closed
	slot int
	take func(slot int, b []byte)
	r    *run
}

// addStream begins to read a stream, which it owns from then on.
func (r *run) addStream(s *stream) error {
	s.r = r
	r.streams = append(r.streams, s)
	if err := unix.SetNonblock(s.fd, true); err != nil {
		return err
	}
	return r.watcher.Add(s.fd, tagStream|uint64(len(r.streams)-1))
}

func (s *stream) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

// atOnce bounds what is read of one stream before anything else is looked at,
// bytes. It is more than a pipe or a terminal holds: whoever writes without end
// does not keep the engine from its deadlines.
const atOnce = 256 << 10

// read takes all that is there.
func (s *stream) read() {
	var buf [4096]byte
	for left := atOnce; s.fd >= 0 && left > 0; {
		n, err := unix.Read(s.fd, buf[:])
		switch {
		case err == unix.EINTR:
		case n > 0:
			left -= n
			s.r.news++
			s.take(s.slot, buf[:n])
		case err == unix.EAGAIN:
			return
		default: // the end of file, or nothing to be read any more
			s.r.watcher.Remove(s.fd)
			s.close()
		}
	}
}

// openStreams makes the standard streams of a program: a terminal or pipes for
// output, and for input a pipe where the text is fixed or there is no terminal.
// done closes the program's ends.
func (r *run) openStreams(slot int, d *spec.Proc) (files []int, done func(), err error) {
	var theirs []int
	done = func() {
		for _, fd := range theirs {
			unix.Close(fd)
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	pipe := func(write bool) (mine, his int, err error) {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return 0, 0, fmt.Errorf("pipe: %w", err)
		}
		if write {
			p[0], p[1] = p[1], p[0]
		}
		theirs = append(theirs, p[1])
		return p[0], p[1], nil
	}
	if d.Terminal {
		t, err := r.openTerminal(slot)
		if err != nil {
			return nil, nil, err
		}
		fd := t.tty.Slave()
		files = []int{fd, fd, fd}
	} else {
		files = []int{0, 0, 0}
		for i := 1; i <= 2; i++ {
			mine, his, err := pipe(false)
			if err != nil {
				return nil, nil, err
			}
			if err := r.addStream(&stream{fd: mine, slot: slot, take: func(slot int, b []byte) { r.feed(slot, b, i == 2) }}); err != nil {
				return nil, nil, err
			}
			files[i] = his
		}
	}
	if !d.Terminal || d.Run.Stdin != nil {
		mine, his, err := pipe(true)
		if err != nil {
			return nil, nil, err
		}
		files[0] = his
		if err := r.openInput(slot, mine); err != nil {
			return nil, nil, err
		}
	}
	return files, done, nil
}

// readOut takes all output of a program that has come so far.
func (r *run) readOut(slot int) {
	if r.terms[slot] != nil {
		r.readTerminal(slot, false)
	}
	for _, s := range r.streams {
		if s.slot == slot {
			s.read()
		}
	}
}

// feed takes what a program has printed: every byte is kept, and each line that
// is complete becomes an event.
func (r *run) feed(slot int, b []byte, toErr bool) {
	p := r.procs[slot]
	pr := p.program
	if pr.over {
		return
	}
	most := r.plan.Slots[slot].Proc.Limits.Output
	if most == 0 {
		most = script.DefaultOutput
	}
	if pr.bytes += len(b); pr.bytes > most {
		b = b[:len(b)-(pr.bytes-most)]
		defer r.printedTooMuch(slot, most)
	}
	which, flags := 0, uint8(0)
	if toErr {
		which, flags = 1, event.FlagErr
		p.stderr = append(p.stderr, b...)
	} else {
		p.out = append(p.out, b...)
	}
	if pr.authors.on {
		r.peekReports(slot)
	}
	for len(b) > 0 {
		author, n := 0, len(b)
		if pr.authors.on {
			author, n = pr.authors.next(b, toErr)
		}
		if len(pr.tail[which]) == 0 {
			pr.tailBy[which] = author
		}
		pr.tail[which] = append(pr.tail[which], b[:n]...)
		b = b[n:]
		for {
			line, rest, complete := bytes.Cut(pr.tail[which], []byte{'\n'})
			if !complete {
				break
			}
			r.line(slot, string(line), flags, pr.tailBy[which])
			pr.tail[which], pr.tailBy[which] = rest, author
		}
	}
	if pr.authors.on {
		r.takeReports(slot, nil)
	}
}

// line records a line of a program, or of a process that it has forked.
func (r *run) line(slot int, text string, flags uint8, author int) {
	by := r.authorSlot(slot, author)
	if flags&event.FlagErr == 0 {
		p := r.procs[slot]
		p.by = append(p.by, author)
	}
	for first := true; first || text != ""; first = false {
		piece, more := text, uint8(0)
		if len(piece) > event.MaxText {
			piece, more = piece[:event.MaxText], event.FlagMore
		}
		text = text[len(piece):]
		rec := &event.Rec{Kind: event.Print, Flags: flags | more, Obj: event.NoObj, Value: piece, At: arena.Now()}
		if author != 0 {
			rec.Obj = uint32(author)
		}
		r.log.Add(by, rec)
		r.news++
		r.note(slot, rec)
	}
}

// flushTails makes lines of what came without a line feed at its end.
func (r *run) flushTails(slot int) {
	pr := r.procs[slot].program
	for which, flags := range []uint8{0, event.FlagErr} {
		if len(pr.tail[which]) > 0 {
			r.line(slot, string(pr.tail[which]), flags, pr.tailBy[which])
			pr.tail[which] = nil
		}
	}
}

// printedTooMuch ends a program that prints without end.
func (r *run) printedTooMuch(slot, most int) {
	p := r.procs[slot]
	p.program.over = true
	r.emit(&event.Rec{Kind: event.Overrun, Obj: uint32(slot), Value: map[string]any{"what": "output", "limit": most}})
	r.endProgram(slot)
}

// endProgram kills a program, and whoever else is in its process group.
func (r *run) endProgram(slot int) {
	if p := r.procs[slot]; p.forked && !p.reaped {
		_ = unix.Kill(-p.program.root, unix.SIGKILL)
		_ = unix.Kill(p.program.root, unix.SIGKILL)
	}
}
