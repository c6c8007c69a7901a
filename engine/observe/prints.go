//go:build linux && (amd64 || arm64)

package observe

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"
)

// What a program prints and all that it forks prints comes out of one terminal or
// pipe, and nothing there says who wrote it. So each write to a standard stream
// stops before it begins; it is told then, and what is told is on its way before
// the first byte is.

// maxPrinted bounds what a Print tells of one write, in bytes.
const maxPrinted = 32 << 10

// maxVectors is how many pieces of a writev are read: as many as the C library's
// stdio uses, and many more.
const maxVectors = 64

// printing is the table of a program of which only that is observed. Every write
// stops: a copy that dup has made of a standard stream may have any number.
func printing() []*spec {
	return []*spec{{nr: unix.SYS_WRITE, name: "write"}, {nr: unix.SYS_WRITEV, name: "writev"}}
}

// streams remembers what the standard streams of the program lead to. A process
// that has put something else in their place does not print.
func (t *tracer) streams(root int) {
	for i := range t.standard {
		t.standard[i] = link(root, i+1)
	}
}

// stream is the standard stream that a descriptor of a process leads to now: 1 or 2,
// 0 if it leads elsewhere.
func (t *tracer) stream(pid, fd int) int {
	to := link(pid, fd)
	if to == "/dev/tty" && strings.HasPrefix(t.standard[0], "/dev/pts/") {
		to = t.standard[0] // its terminal, by another name
	}
	// A shell's echo >&2 writes to descriptor 1, which is the other stream then.
	switch first, second := to == t.standard[0], to == t.standard[1]; {
	case to == "" || !first && !second:
		return 0
	case !first:
		return 2
	case !second || fd != 2:
		return 1
	}
	return fd
}

// printed tells of a write to a standard stream, before it is done.
func (t *tracer) printed(th *thread, i *callInfo) {
	fd := int(int32(i.args[0]))
	if th.staged || i.nr != unix.SYS_WRITE && i.nr != unix.SYS_WRITEV {
		return
	}
	if i.nr == unix.SYS_WRITE && (fd == 1 || fd == 2) {
		th.wrote(th.tid, fd, i.args[1], i.args[2])
	}
	if !t.options.Prints {
		return
	}
	if fd = t.stream(th.pid, fd); fd == 0 {
		return
	}
	var text []byte
	if i.nr == unix.SYS_WRITE {
		text, _ = memory(th.tid, i.args[1], int(min(i.args[2], maxPrinted)))
	} else if vectors, ok := memory(th.tid, i.args[1], 16*int(min(i.args[2], maxVectors))); ok {
		for ; len(vectors) >= 16 && len(text) < maxPrinted; vectors = vectors[16:] {
			at, n := binary.LittleEndian.Uint64(vectors), binary.LittleEndian.Uint64(vectors[8:])
			piece, _ := memory(th.tid, at, int(min(n, uint64(maxPrinted-len(text)))))
			text = append(text, piece...)
		}
	}
	if len(text) > 0 {
		t.tell(th.process, Event{Kind: Print, Pid: th.pid, Tid: th.tid, Fd: fd, Text: string(text)})
	}
}
