package engine

import (
	"bytes"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
	"ipcrun/engine/supervisor"
)

// What a program prints and what its children print comes out of one terminal or
// pipe. Where an observer tells who is about to write what, each line gets its
// author: the process that wrote its first byte. The bytes themselves come from the
// stream, so nothing depends on the observer but the name beside a line; a line
// that nobody was seen to write may be anybody's.

// authors is who is about to write what to the streams of a program.
type authors struct {
	on      bool
	writing []writing // told, and not come out yet, in the order of telling
	// half is what is coming out, to its end; nobody's if its text is empty.
	half [2]writing
}

// writing is a write that was told of before it was done.
type writing struct {
	pid   int
	toErr bool
	text  []byte
}

// maxWriting bounds what is kept of what never came out, such as a write that
// failed.
const maxWriting = 256

// told takes in what a process is about to write. both: the two streams are one.
func (a *authors) told(pid int, toErr, both bool, text string) {
	if len(a.writing) >= maxWriting {
		a.writing = a.writing[1:]
	}
	a.writing = append(a.writing, writing{pid, toErr && !both, []byte(text)})
}

// next is who wrote the beginning of what has come out, and how much of it. 0 is
// nobody who was seen.
func (a *authors) next(b []byte, toErr bool) (pid, n int) {
	which := 0
	if toErr {
		which = 1
	}
	h := &a.half[which]
	if n = min(len(h.text), len(b)); n > 0 && bytes.Equal(h.text[:n], b[:n]) {
		h.text = h.text[n:]
		return h.pid, n
	}
	for i, w := range a.writing {
		n = min(len(w.text), len(b))
		if w.toErr != toErr || !bytes.Equal(w.text[:n], b[:n]) {
			continue
		}
		*h = writing{w.pid, toErr, w.text[n:]}
		// What the same process was told to write before has come out, or will not.
		rest := a.writing[:0]
		for k, o := range a.writing {
			if k > i || k < i && (o.pid != w.pid || o.toErr != toErr) {
				rest = append(rest, o)
			}
		}
		a.writing = rest
		return w.pid, n
	}
	*h = writing{}
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		return 0, end + 1
	}
	return 0, len(b)
}

// hasAuthors: the scenario asks who of a program prints what, and the kernel lets
// us see it.
func (r *run) hasAuthors(slot int) bool {
	if !observes(r.plan.Slots[slot].Proc.Run) || support().Calls != nil {
		return false
	}
	for i := range r.plan.Slots {
		if r.isFound(i) && r.programAbove(i) == slot {
			return true
		}
	}
	return false
}

// programAbove is the slot of the program that forks a found process.
func (r *run) programAbove(slot int) int {
	for slot >= 0 && !r.isProgram(slot) {
		slot = r.plan.Slots[slot].Parent
	}
	return slot
}

// mine reports whether a line that a process wrote is one of a declared process: of
// a program are those of all its processes that the scenario does not name.
func (r *run) mine(slot, author int) bool {
	if author == 0 || r.isFound(slot) {
		return author == 0 || r.slotOfPid(author) == slot
	}
	by := r.slotOfPid(author)
	return by < 0 || by == slot
}

// lineIs reports whether line i of what a program prints is one of a declared
// process; the line after the last is the one that it is printing.
func (r *run) lineIs(slot int, out *process, i int) bool {
	if out.program == nil || !out.program.authors.on {
		return true
	}
	if i < len(out.by) {
		return r.mine(slot, out.by[i])
	}
	return r.mine(slot, out.program.tailBy[0])
}

// linesOf are the lines that a declared process has printed.
func (r *run) linesOf(slot int) []string {
	out := r.printerOf(slot)
	if out.program == nil || !out.program.authors.on {
		return out.lines
	}
	var lines []string
	for i, l := range out.lines {
		if r.lineIs(slot, out, i) {
			lines = append(lines, l)
		}
	}
	return lines
}

// outputOf is what a declared process has printed: of a program every byte.
func (r *run) outputOf(slot int) string {
	p := r.procs[slot]
	if !r.isFound(slot) {
		return string(p.out)
	}
	lines := r.linesOf(slot)
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// authorSlot is the slot under which a line of a program is recorded.
func (r *run) authorSlot(slot, author int) int {
	if by := r.slotOfPid(author); author != 0 && by >= 0 && r.isFound(by) && r.programAbove(by) == slot {
		return by
	}
	return slot
}

// peekReports reads what the supervisor of a program has told so far, and takes of
// it who prints what: that is told before it comes out. The rest waits for its turn,
// since what a process printed comes before its end.
func (r *run) peekReports(slot int) {
	pr := r.procs[slot].program
	var buf [4096]byte
	for pr.report != nil && pr.report.fd >= 0 {
		n, err := unix.Read(pr.report.fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		pr.reports = append(pr.reports, buf[:n]...)
	}
	r.peek(slot)
}

// patience bounds how long the engine waits for what an observer has seen already and
// is about to tell.
const patience = 10 * time.Second

// awaitStatus waits until an observer tells how a process ended that is gone: it has
// seen the end before anybody could reap the process.
func (r *run) awaitStatus(slot, pid int) (proc.Status, bool) {
	pr := r.procs[slot].program
	pr.ahead = true
	for deadline := time.Now().Add(patience); ; {
		r.peekReports(slot)
		if st, ok := pr.statuses[pid]; ok {
			return st, true
		}
		left := time.Until(deadline)
		if pr.report == nil || pr.report.fd < 0 || left <= 0 {
			return proc.Status{}, false
		}
		fds := []unix.PollFd{{Fd: int32(pr.report.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, int(left.Milliseconds())+1); err == nil && n > 0 && fds[0].Revents&unix.POLLIN == 0 {
			return proc.Status{}, false // nobody is left who could tell
		}
	}
}

// takePeeked takes the reports that awaitStatus has read ahead of their turn.
func (r *run) takePeeked() {
	for i, p := range r.procs {
		if p.program != nil && p.program.ahead {
			p.program.ahead = false
			r.takeReports(i, nil)
		}
	}
}

// peek takes who prints what, and how who has ended, from reports whose turn has not come.
func (r *run) peek(slot int) {
	pr := r.procs[slot].program
	for {
		rep, rest, ok, err := supervisor.Next(pr.reports[pr.peeked:])
		if err != nil || !ok {
			return // takeReports says what is wrong with them
		}
		pr.peeked = len(pr.reports) - len(rest)
		if rep.Kind != supervisor.Noticed {
			continue
		}
		e, _, ok, err := observe.Next(rep.Data)
		switch {
		case !ok || err != nil:
		case e.Kind == observe.Print && pr.authors.on:
			pr.authors.told(e.Pid, e.Fd == 2, r.terms[slot] != nil, e.Text)
		case e.Kind == observe.Exit && pr.statuses != nil:
			pr.statuses[e.Pid] = proc.DecodeStatus(e.Status)
		}
	}
}
