//go:build linux

package proc

import "golang.org/x/sys/unix"

// Encode is a status as wait(2) returns it, for shared memory.
func (s Status) Encode() uint32 {
	switch {
	case s.Signaled && s.Core:
		return uint32(s.Signal) | 0x80
	case s.Signaled:
		return uint32(s.Signal)
	}
	return uint32(s.Code&0xff) << 8
}

// DecodeStatus is the inverse of Encode.
func DecodeStatus(ws uint32) Status {
	if n := ws & 0x7f; n != 0 {
		return Status{Known: true, Signaled: true, Signal: unix.Signal(n), Core: ws&0x80 != 0}
	}
	return Status{Known: true, Exited: true, Code: int(ws >> 8 & 0xff)}
}
