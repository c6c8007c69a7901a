//go:build linux && (amd64 || arm64)

package observe

import (
	"encoding/binary"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// What a program prints through stdio stands in a buffer first, and a signal that
// kills it, or _exit, leaves it there: nobody ever writes it, and nothing tells of
// it. The kernel stops a tracee once more before its memory is gone; there the
// buffers are looked at. They are glibc's: exit has emptied them by then.
//
// What is told must be so, and what is in doubt is not told:
//
//   - While others live in the same memory, they may still write it: only the last
//     thread of a process counts, and no process that shares its memory with
//     another, as a child of vfork does until it executes something.
//   - What a forked child has in its buffer from its parent is the parent's. It is
//     told only of the parent, and of the child what it has added.
//   - A process that ends in the middle of writing its buffer may have written some
//     of it: nothing is told of what it began to write last.
//   - Where descriptor 1 or 2 leads elsewhere by now, it was not going to a standard
//     stream.

// maxLost bounds what a Lost tells of one buffer, in bytes.
const maxLost = 4 << 10

// maxSearched bounds where stdio's own variables are looked for, in bytes.
const maxSearched = 1 << 20

// The layout of glibc's struct _IO_FILE where pointers have 64 bits. It is part of
// its ABI: programs were compiled with it, and putc_unlocked reads it.
const (
	fileMagic     = 0xfbad // the upper half of its first word
	filePutting   = 0x800  // in the lower half: what is in the buffer is to be written
	fileWriteBase = 32
	fileWritePtr  = 40
	fileBufBase   = 56
	fileBufEnd    = 64
	fileNumber    = 112
	fileSize      = 120
)

// unwritten is what a process has in a buffer of stdio, of descriptor fd.
type unwritten struct {
	text       string // at most maxLost bytes of it
	start, end uint64 // where the whole of it lies
}

// writing is the last write that a process has begun to a descriptor.
type writing struct {
	address, n uint64
	text       string // at most maxLost bytes of it
}

// keepsBuffers reports whether it is told what is lost in buffers.
func (o *Options) keepsBuffers() bool { return o.Prints || o.Calls }

// exiting deals with the stop of a thread that is about to end.
func (t *tracer) exiting(th *thread) {
	if th.exiting {
		return
	}
	th.exiting = true
	th.process.exiting++
	p := th.process
	if p.staged || p.shares || p.exiting != p.threads {
		return
	}
	status, ok := eventMessage(th.tid)
	if !ok {
		return
	}
	for i, u := range t.unwritten(th) {
		fd := i + 1
		own, copied := strings.CutPrefix(u.text, p.inherited[i])
		if !copied {
			own = u.text
		}
		if own == "" || p.writing[i].reaches(th.tid, &u) {
			continue
		}
		// A thread may have been cloned in this very moment.
		if stream := t.stream(th.tid, fd); stream != 0 && threads(th.tid) == p.threads {
			t.tell(p, Event{Kind: Lost, Pid: p.pid, Fd: stream, Text: own, Status: uint32(status)})
		}
	}
}

// inherit notes what a child that was just forked has in its buffers that is not its
// own.
func (t *tracer) inherit(th *thread, child *process, way Way) {
	switch {
	case !t.options.keepsBuffers() || th.staged:
	case way == ByVfork:
		child.shares = true // the parent waits meanwhile
	case sharesMemory(th.pid, child.pid):
		child.shares, th.shares = true, true
	default:
		for i, u := range t.unwritten(th) {
			child.inherited[i] = u.text
		}
	}
}

// unwritten is what is in the buffers of the standard output and error of a process
// that is in a stop.
func (t *tracer) unwritten(th *thread) (list [2]unwritten) {
	p := th.process
	if p.buffers == [2]uint64{} {
		p.buffers = findBuffers(th.tid)
	}
	for i, at := range p.buffers {
		if f, ok := memory(th.tid, at, fileSize); ok {
			list[i] = pendingIn(th.tid, f, i+1)
		}
	}
	return list
}

// pendingIn reads what a struct _IO_FILE says is to be written yet.
func pendingIn(tid int, f []byte, fd int) (u unwritten) {
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(f[at:]) }
	start, end := word(fileWriteBase), word(fileWritePtr)
	if !isFile(f, fd) || binary.LittleEndian.Uint32(f)&filePutting == 0 ||
		start < word(fileBufBase) || start >= end || end > word(fileBufEnd) {
		return u
	}
	text, ok := memory(tid, start, int(min(end-start, maxLost)))
	if !ok {
		return u
	}
	if end-start > maxLost {
		text = text[:wholeRunes(text)]
	}
	return unwritten{string(text), start, end}
}

// wholeRunes is the length of a text without the beginning of a character at its end.
func wholeRunes(text []byte) int {
	for n := len(text) - 1; n >= 0 && n > len(text)-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			if !utf8.FullRune(text[n:]) {
				return n
			}
			break
		}
	}
	return len(text)
}

// isFile reports whether bytes can be the struct _IO_FILE of a descriptor.
func isFile(f []byte, fd int) bool {
	return binary.LittleEndian.Uint32(f)>>16 == fileMagic && binary.LittleEndian.Uint32(f[fileNumber:]) == uint32(fd)
}

// findBuffers is where a process has stdio's variables of its standard output and
// error: among those of the C library, or of a program that it is linked into. 0
// is what was not found.
func findBuffers(tid int) (at [2]uint64) {
	exe, _ := program(tid)
	var library, itself []span
	for line := range strings.Lines(readAll(tid, "maps")) {
		// 7f00-8000 rw-p 00001000 00:01 77   /lib/libc.so.6
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(f) < 6 || !strings.HasPrefix(f[1], "rw") {
			continue
		}
		low, high, _ := strings.Cut(f[0], "-")
		from, err1 := strconv.ParseUint(low, 16, 64)
		to, err2 := strconv.ParseUint(high, 16, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		switch name := strings.TrimLeft(f[5], " "); {
		case isGlibc(name):
			library = append(library, span{from, to})
		case name == exe && exe != "":
			itself = append(itself, span{from, to})
		}
	}
	if library == nil {
		library = itself
	}
	left := uint64(maxSearched)
	for _, s := range library {
		n := min(s.to-s.from, left)
		left -= n
		b, ok := memory(tid, s.from, int(n))
		for i := 0; ok && i+fileSize <= len(b); i += 8 {
			for k := range at {
				if at[k] == 0 && isFile(b[i:], k+1) {
					at[k] = s.from + uint64(i)
				}
			}
		}
	}
	return at
}

// span is a piece of a process's memory.
type span struct{ from, to uint64 }

// isGlibc reports whether a file is the C library: libc.so.6, or as it was called
// earlier, libc-2.31.so.
func isGlibc(file string) bool {
	name := path.Base(strings.TrimSuffix(file, " (deleted)"))
	return name == "libc.so.6" || strings.HasPrefix(name, "libc-2.") && strings.HasSuffix(name, ".so")
}

// wrote notes that a process begins to write to a descriptor.
func (p *process) wrote(tid, fd int, address, n uint64) {
	text, _ := memory(tid, address, int(min(n, maxLost)))
	p.writing[fd-1] = writing{address, n, string(text)}
}

// reaches reports whether a write was, or may have been, one of what is in a buffer:
// it ends where that ends, and is of the same text. stdio forgets a text only after
// it has written it.
func (w *writing) reaches(tid int, u *unwritten) bool {
	if w.text == "" || w.address < u.start || w.address+w.n != u.end {
		return false
	}
	now, ok := memory(tid, w.address, len(w.text))
	return !ok || string(now) == w.text
}

// sharesMemory reports whether two processes have, or may have, the same memory.
func sharesMemory(a, b int) bool {
	const kcmpVM = 1
	r, _, errno := unix.RawSyscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpVM, 0, 0, 0)
	return errno != 0 || r == 0
}

// threads is how many threads a process has, those included that have just ended.
func threads(tid int) int {
	var buf [2048]byte
	n, _ := strconv.Atoi(string(field(read(tid, "status", buf[:]), "Threads")))
	return n
}
