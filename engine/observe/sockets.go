//go:build linux && (amd64 || arm64)

package observe

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

func asFamily(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v)
	a.Text = map[uint64]string{unix.AF_UNIX: "AF_UNIX", unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6"}[v]
	return true
}

func asSocketType(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(int32(v))
	a.Text = map[uint64]string{unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM",
		unix.SOCK_SEQPACKET: "SOCK_SEQPACKET"}[v&0xf]
	if a.Text != "" && v&unix.SOCK_NONBLOCK != 0 {
		a.Text += "|SOCK_NONBLOCK"
	}
	return true
}

// asAddress reads where a socket is to be: a path, @ and a name in no directory, or
// an address with its port. What nobody here knows is told as its length.
func asAddress(_ *tracer, c *call, v uint64, a *Arg) bool {
	size := int(min(c.raw[2], 128))
	a.Number = int64(size)
	b, ok := memory(c.th.tid, v, size)
	if !ok || size < 2 {
		return true
	}
	switch binary.NativeEndian.Uint16(b) {
	case unix.AF_UNIX:
		switch name := b[2:]; {
		case len(name) == 0:
			a.Text = "none" // the kernel finds a name
		case name[0] == 0:
			a.Text = "@" + string(name[1:])
		default:
			a.Text = untilZero(name)
		}
	case unix.AF_INET:
		if size >= 8 {
			a.Text = internetAddress(b[4:8], binary.BigEndian.Uint16(b[2:]))
		}
	case unix.AF_INET6:
		if size >= 24 {
			a.Text = internetAddress(b[8:24], binary.BigEndian.Uint16(b[2:]))
		}
	default:
		a.Text = "of family " + strconv.Itoa(int(binary.NativeEndian.Uint16(b)))
	}
	return true
}

func untilZero(b []byte) string {
	for i := range b {
		if b[i] == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// accepted tells of the connection that was accepted.
func accepted(t *tracer, c *call, result int64) []Arg {
	a := Arg{Name: "connection"}
	asFd(t, c, uint64(result), &a)
	return []Arg{a}
}
