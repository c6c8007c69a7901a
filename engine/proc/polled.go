//go:build linux

package proc

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Polled is a descriptor that a process asks about, in poll, select or epoll.
type Polled struct {
	Fd int
	// Events is what it asks for, or what it was answered, in the bits of poll(2):
	// POLLIN, POLLOUT… Those of epoll(7) are the same.
	Events uint32
	// Data is what epoll gives back in place of the descriptor; 0 elsewhere.
	Data uint64
}

// manyFds bounds how much is read of the lists that poll and select take.
const manyFds = 64

// PollList is what a poll of n descriptors asks, whose list lies at addr in the
// memory of a process, or what it was answered: without those that nothing was
// said of. At most 64 are read.
func PollList(pid int, addr, n uint64, answered bool) (out []Polled) {
	if n == 0 {
		return nil
	}
	list := memory(pid, addr, 8*int(min(n, manyFds)))
	for ; len(list) >= 8; list = list[8:] {
		p := Polled{Fd: int(int32(binary.NativeEndian.Uint32(list))), Events: uint32(binary.NativeEndian.Uint16(list[4:]))}
		if answered {
			p.Events = uint32(binary.NativeEndian.Uint16(list[6:]))
		}
		if p.Fd >= 0 && (!answered || p.Events != 0) {
			out = append(out, p)
		}
	}
	return out
}

// SelectSets is what a select of the descriptors below n asks, or was answered,
// whose sets lie at two addresses, 0 for none.
func SelectSets(pid int, n, read, write uint64) (out []Polled) {
	sets := [2][]byte{}
	for i, addr := range []uint64{read, write} {
		if addr != 0 && n != 0 {
			sets[i] = memory(pid, addr, int(min(n, 1024)+7)/8)
		}
	}
	for fd := range int(min(n, 1024)) {
		p := Polled{Fd: fd}
		for i, bit := range []uint32{unix.POLLIN, unix.POLLOUT} {
			if fd/8 < len(sets[i]) && sets[i][fd/8]&(1<<(fd%8)) != 0 {
				p.Events |= bit
			}
		}
		if p.Events != 0 {
			out = append(out, p)
		}
	}
	return out
}

// EpollList is what an epoll descriptor of a process asks about, in the order of
// the descriptors: that of the kernel is by where it keeps their files in memory.
func EpollList(pid, fd int) (out []Polled) {
	text, err := ReadFile(procPath(pid, "fdinfo/"+strconv.Itoa(fd)))
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(text) {
		// tfd:        5 events:       19 data:                5  pos:0 ino:2a sdev:e
		f := bytes.Fields(line)
		if len(f) < 6 || string(f[0]) != "tfd:" {
			continue
		}
		n, err := strconv.Atoi(string(f[1]))
		events, err2 := strconv.ParseUint(string(f[3]), 16, 32)
		data, err3 := strconv.ParseUint(string(f[5]), 16, 64)
		if err == nil && err2 == nil && err3 == nil {
			// That the other side is gone is told to everybody, asked for or not.
			out = append(out, Polled{Fd: n, Events: uint32(events) &^ (unix.POLLERR | unix.POLLHUP), Data: data})
		}
	}
	slices.SortStableFunc(out, func(a, b Polled) int { return a.Fd - b.Fd })
	return out
}

// polling is a wait for any of the descriptors of a list.
func polling(list []Polled, timed bool) Blocked {
	if len(list) == 0 {
		return idle(timed)
	}
	b := Blocked{In: InWrite, Polls: true, Timed: timed}
	for _, p := range list {
		b.Fds = append(b.Fds, p.Fd)
		if p.Events&unix.POLLIN != 0 {
			b.In = InRead
		}
	}
	return b
}

// idle waits for nothing but a signal, or for some time.
func idle(timed bool) Blocked {
	if timed {
		return Blocked{In: InTime, Timed: true}
	}
	return Blocked{In: InSignal}
}

// epolling is a wait at an epoll descriptor.
func epolling(pid, fd int, timed bool) Blocked {
	if list := EpollList(pid, fd); len(list) > 0 {
		return polling(list, timed)
	}
	return Blocked{In: InRead, Fds: []int{fd}, Polls: true, Timed: timed}
}
