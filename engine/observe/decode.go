//go:build linux && (amd64 || arm64)

package observe

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
)

// reading is how an argument is read. It returns false if the call is none of
// interprocess communication after all.
type reading func(t *tracer, c *call, v uint64, a *Arg) bool

// arguments decodes what a call was given.
func (t *tracer) arguments(c *call) (args []Arg, tell bool) {
	args = make([]Arg, 0, len(c.spec.params))
	for i, p := range c.spec.params {
		if p.name == "" {
			continue
		}
		a := Arg{Name: p.name}
		if !p.as(t, c, c.raw[i], &a) {
			return nil, false
		}
		args = append(args, a)
	}
	return args, true
}

func asInt(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	return true
}

func asLong(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v)
	return true
}

func asSize(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v)
	return true
}

func asHex(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v)
	if v != 0 {
		a.Text = "0x" + strconv.FormatUint(v, 16)
	}
	return true
}

func asFd(_ *tracer, c *call, v uint64, a *Arg) bool {
	fd := int(int32(v))
	a.Number = int64(fd)
	if fd >= 0 {
		if a.Text = c.th.files.object(c.th.pid, fd); a.Text == "" {
			a.Text = link(c.th.pid, fd)
		}
	}
	return true
}

// asObject is a descriptor by which the call counts only if processes talk through
// it.
func asObject(t *tracer, c *call, v uint64, a *Arg) bool {
	return asFd(t, c, v, a) && c.th.files.object(c.th.pid, int(a.Number)) != ""
}

func asSignal(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	if s := sig.Sig(a.Number); s.Valid() {
		a.Text = s.String()
	}
	return true
}

func asKey(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	a.Text = "0x" + strconv.FormatUint(v&0xffffffff, 16)
	if a.Number == 0 {
		a.Text = "IPC_PRIVATE"
	}
	return true
}

// asText reads the name of a POSIX object, which has at most 255 bytes.
func asText(_ *tracer, c *call, v uint64, a *Arg) bool {
	a.Text = textAt(c.th.tid, v, 255)
	return true
}

// asSet reads a set of signals.
func asSet(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, 8)
	if !ok {
		a.Text = "none"
		return true
	}
	mask := binary.LittleEndian.Uint64(b)
	a.Number, a.Text = int64(mask), setText(mask)
	return true
}

func setText(mask uint64) string {
	if mask == 0 {
		return "none"
	}
	if mask == proc.AllSignals {
		return "all"
	}
	var names []string
	for _, s := range proc.SignalSet(mask) {
		names = append(names, sig.Sig(s).String())
	}
	return strings.Join(names, " ")
}

// asAction reads a disposition that is being set.
func asAction(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, 16)
	if !ok {
		return c.raw[2] != 0 // only asked for: told as such
	}
	const restart = 0x10000000
	switch binary.LittleEndian.Uint64(b) {
	case 0:
		a.Text = "default"
	case 1:
		a.Text = "ignore"
	default:
		a.Text = "handler"
		if binary.LittleEndian.Uint64(b[8:])&restart != 0 {
			a.Text = "handler, restart"
		}
	}
	return true
}

func asHow(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	a.Text = [...]string{"block", "unblock", "set"}[min(v, 2)]
	return true
}

// asTime reads a time limit in nanoseconds.
func asTime(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, 16)
	if !ok {
		a.Text = "none"
		return true
	}
	a.Number = int64(binary.LittleEndian.Uint64(b))*1e9 + int64(binary.LittleEndian.Uint64(b[8:]))
	return true
}

// asMilliseconds reads a time limit as poll has it, and makes it nanoseconds.
func asMilliseconds(_ *tracer, _ *call, v uint64, a *Arg) bool {
	if ms := int64(int32(v)); ms >= 0 {
		a.Number = ms * 1e6
	} else {
		a.Text = "none"
	}
	return true
}

// asTimeval reads a time limit as select has it, and makes it nanoseconds.
func asTimeval(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, 16)
	if !ok {
		a.Text = "none"
		return true
	}
	a.Number = int64(binary.LittleEndian.Uint64(b))*1e9 + int64(binary.LittleEndian.Uint64(b[8:]))*1e3
	return true
}

// asInterval reads what setitimer sets, in microseconds until the first.
func asInterval(_ *tracer, c *call, v uint64, a *Arg) bool {
	if b, ok := memory(c.th.tid, v, 32); ok {
		a.Number = int64(binary.LittleEndian.Uint64(b[16:]))*1e6 + int64(binary.LittleEndian.Uint64(b[24:]))
	}
	return true
}

func asLongAt(_ *tracer, c *call, v uint64, a *Arg) bool {
	if b, ok := memory(c.th.tid, v, 8); ok {
		a.Number = int64(binary.LittleEndian.Uint64(b))
	}
	return true
}

// asQueued reads the value in a siginfo.
func asQueued(_ *tracer, c *call, v uint64, a *Arg) bool {
	if b, ok := memory(c.th.tid, v, 28); ok {
		a.Number = int64(int32(binary.LittleEndian.Uint32(b[24:])))
	}
	return true
}

// asOperations reads what semop does: number, change, and how.
func asOperations(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, int(min(c.raw[2], 64))*6)
	if !ok {
		return true
	}
	var parts []string
	for ; len(b) >= 6; b = b[6:] {
		part := strconv.Itoa(int(binary.LittleEndian.Uint16(b)))
		change := int(int16(binary.LittleEndian.Uint16(b[2:])))
		if change >= 0 {
			part += "+"
		}
		part += strconv.Itoa(change)
		switch flags := binary.LittleEndian.Uint16(b[4:]); {
		case flags&unix.IPC_NOWAIT != 0:
			part += " nowait"
		case flags&0x1000 != 0:
			part += " undo"
		}
		parts = append(parts, part)
	}
	a.Text = strings.Join(parts, ", ")
	return true
}

// commands of the three System V kinds; those above ten are semctl's.
var commands = map[int32]string{0: "IPC_RMID", 1: "IPC_SET", 2: "IPC_STAT", 3: "IPC_INFO", 11: "GETPID", 12: "GETVAL",
	13: "GETALL", 14: "GETNCNT", 15: "GETZCNT", 16: "SETVAL", 17: "SETALL"}

func asCommand(_ *tracer, c *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	if a.Number <= 3 || c.spec.nr == unix.SYS_SEMCTL {
		a.Text = commands[int32(v)]
	}
	return true
}

// asWord reads the address of a futex: the call counts if processes share it.
func asWord(_ *tracer, c *call, v uint64, a *Arg) bool {
	name, ok := sharedAt(c.th.pid, v)
	a.Number, a.Text = int64(v), name
	return ok
}

var futexNames = [...]string{0: "wait", 1: "wake", 3: "requeue", 4: "requeue if equal", 5: "wake two",
	6: "lock", 7: "unlock", 8: "try lock", 9: "wait", 10: "wake", 11: "wait and lock", 12: "requeue to lock", 13: "lock"}

func asFutex(_ *tracer, _ *call, v uint64, a *Arg) bool {
	const clockRealtime = 256
	a.Number = int64(v &^ (futexPrivate | clockRealtime))
	a.Text = nameOf(futexNames[:], int(a.Number))
	return true
}

// Results.

// pairAt reads two descriptors that a call wrote where an argument points.
func pairAt(arg int, first, second string) func(*tracer, *call, int64) []Arg {
	return func(t *tracer, c *call, _ int64) []Arg {
		b, ok := memory(c.th.tid, c.raw[arg], 8)
		if !ok {
			return nil
		}
		out := make([]Arg, 0, 2)
		for i, name := range []string{first, second} {
			a := Arg{Name: name}
			asFd(t, c, uint64(binary.LittleEndian.Uint32(b[4*i:])), &a)
			out = append(out, a)
		}
		return out
	}
}

func messageType(_ *tracer, c *call, _ int64) []Arg {
	a := Arg{Name: "type"}
	asLongAt(nil, c, c.raw[1], &a)
	return []Arg{a}
}

func priority(_ *tracer, c *call, _ int64) []Arg {
	b, ok := memory(c.th.tid, c.raw[3], 4)
	if !ok {
		return nil
	}
	return []Arg{{Name: "priority", Number: int64(binary.LittleEndian.Uint32(b))}}
}

func childStatus(_ *tracer, c *call, result int64) []Arg {
	b, ok := memory(c.th.tid, c.raw[1], 4)
	if !ok || result == 0 {
		return nil
	}
	w := unix.WaitStatus(binary.LittleEndian.Uint32(b))
	return []Arg{{Name: "status", Number: int64(w), Text: statusText(w)}}
}

func statusText(w unix.WaitStatus) string {
	switch {
	case w.Stopped():
		return "stopped by " + sig.Sig(w.StopSignal()).String()
	case w.Continued():
		return "continued"
	}
	return proc.DecodeStatus(uint32(w)).String()
}

// infoAt reads a siginfo.
func infoAt(tid int, address uint64) (info siginfo, ok bool) {
	b, ok := memory(tid, address, 28)
	if ok {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&info)), 28), b)
	}
	return info, ok
}

func childInfo(_ *tracer, c *call, _ int64) []Arg {
	info, ok := infoAt(c.th.tid, c.raw[2])
	if !ok || info.signo == 0 {
		return nil
	}
	var e Event
	e.origin(&info)
	return []Arg{{Name: "pid", Number: int64(info.pid)}, {Name: "status", Number: int64(info.value), Text: e.Code.String() + ", " + strconv.Itoa(int(info.value))}}
}

// waited tells what sigwait has taken. It is a delivery like any other.
func waited(t *tracer, c *call, result int64) []Arg {
	info, ok := infoAt(c.th.tid, c.raw[1])
	if !ok {
		// The program did not want to know more than the number.
		t.tell(c.th.process, Event{Kind: Signal, Pid: c.th.pid, Tid: c.th.tid, Signal: int(result), Disposition: Taken})
		return nil
	}
	e := Event{Kind: Signal, Pid: c.th.pid, Tid: c.th.tid, Signal: int(result), Disposition: Taken}
	e.origin(&info)
	t.tell(c.th.process, e)
	return []Arg{{Name: "sender", Number: int64(e.Sender)}, {Name: "code", Text: e.Code.String()}}
}

// taken tells which signals were read from a signalfd.
func taken(t *tracer, c *call, result int64) []Arg {
	if !strings.HasPrefix(c.args[0].Text, "anon_inode:[signalfd") || result <= 0 {
		return nil
	}
	const size = int(unsafe.Sizeof(unix.SignalfdSiginfo{}))
	b, ok := memory(c.th.tid, c.raw[1], int(result))
	if !ok {
		return nil
	}
	var out []Arg
	for ; len(b) >= size; b = b[size:] {
		var r unix.SignalfdSiginfo
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&r)), size), b)
		info := siginfo{signo: int32(r.Signo), code: r.Code, pid: int32(r.Pid), uid: r.Uid, value: r.Int}
		if r.Signo == uint32(unix.SIGCHLD) {
			info.value = r.Status
		}
		e := Event{Kind: Signal, Pid: c.th.pid, Tid: c.th.tid, Signal: int(r.Signo), Disposition: Taken}
		e.origin(&info)
		t.tell(c.th.process, e)
		out = append(out, Arg{Name: "signal", Number: int64(r.Signo), Text: sig.Sig(r.Signo).String()})
	}
	return out
}

// memory reads a tracee's memory; false if there is none at that address.
func memory(tid int, address uint64, n int) ([]byte, bool) {
	if address == 0 || n <= 0 {
		return nil, false
	}
	b := make([]byte, n)
	local := []unix.Iovec{{Base: &b[0], Len: uint64(n)}}
	remote := []unix.RemoteIovec{{Base: uintptr(address), Len: n}}
	got, err := unix.ProcessVMReadv(tid, local, remote, 0)
	return b, err == nil && got == n
}

// textAt reads a text that ends with a zero, at most limit bytes of it.
func textAt(tid int, address uint64, limit int) string {
	var out []byte
	for len(out) < limit {
		// Not beyond the end of a page: the next may not exist.
		n := min(64, 4096-int((address+uint64(len(out)))%4096), limit-len(out))
		b, ok := memory(tid, address+uint64(len(out)), n)
		if !ok {
			break
		}
		if i := strings.IndexByte(string(b), 0); i >= 0 {
			return string(append(out, b[:i]...))
		}
		out = append(out, b...)
	}
	return string(out)
}
