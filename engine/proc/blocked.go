//go:build linux

package proc

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Sleep is what a process is asleep in.
type Sleep uint8

// What a process can be asleep in.
const (
	Awake     Sleep = iota // it runs, or nobody can tell
	InSignal               // it waits for a signal: pause, sigsuspend
	InChild                // for the end of Pid, -1: any child
	InTime                 // for a moment to come
	InRead                 // for something to read from one of Fds
	InWrite                // for room in one of Fds
	InMemory               // for a word in memory at Addr: a futex
	InLock                 // for a lock on the file behind Fds
	InOpen                 // for the other side of a FIFO that it opens
	InMessage              // for a System V message, or for room for one, in queue ID
	InSem                  // for a System V semaphore of set ID
	InCall                 // in some other system call
)

// Blocked is what a process is blocked in: its main thread, or, where that one has
// left, the thread that its Facts are of.
type Blocked struct {
	In   Sleep
	Fds  []int
	Pid  int
	ID   int
	Addr uint64
	// Polls: it only asks whether it could read or write.
	Polls bool
	// Timed: the wait ends by itself.
	Timed bool
}

// ReadBlocked asks the kernel what a process is blocked in. It
// knows nothing where this user may not trace the process. It does not block.
func ReadBlocked(pid int) Blocked {
	tid, nr, a, ok := callOf(pid)
	if !ok {
		return Blocked{}
	}
	return blockedIn(tid, nr, a)
}

// Awaited is the signals that a process, as in Blocked, waits for in sigwait, as
// a mask: the kernel shows them neither as handled nor as blocked meanwhile.
func Awaited(pid int) uint64 {
	tid, nr, a, ok := callOf(pid)
	if !ok || nr != unix.SYS_RT_SIGTIMEDWAIT {
		return 0
	}
	return wordAt(tid, a[0])
}

// callOf is the system call that the main thread of a process is blocked in, and its
// arguments; where that one has left, that of the thread that its Facts are of.
func callOf(pid int) (tid, nr int, a [6]uint64, ok bool) {
	if nr, a, ok = callOfThread(pid); !ok {
		if tid = teller(pid); tid != pid {
			nr, a, ok = callOfThread(tid)
			return tid, nr, a, ok
		}
	}
	return pid, nr, a, ok
}

func callOfThread(pid int) (nr int, a [6]uint64, ok bool) {
	b, err := ReadFile(procPath(pid, "syscall"))
	if err != nil {
		return 0, a, false
	}
	words := strings.Fields(string(b))
	if len(words) < 7 {
		return 0, a, false // running, or in no system call
	}
	nr, err = strconv.Atoi(words[0])
	if err != nil {
		return 0, a, false
	}
	for i := range a {
		a[i], _ = strconv.ParseUint(strings.TrimPrefix(words[i+1], "0x"), 16, 64)
	}
	return nr, a, true
}

func blockedIn(pid, nr int, a [6]uint64) Blocked {
	fd := []int{int(int32(a[0]))}
	switch nr {
	case unix.SYS_RT_SIGSUSPEND:
		return Blocked{In: InSignal}
	case unix.SYS_RT_SIGTIMEDWAIT:
		return Blocked{In: InSignal, Timed: a[2] != 0}
	case unix.SYS_WAIT4:
		return Blocked{In: InChild, Pid: max(int(int32(a[0])), -1)}
	case unix.SYS_WAITID:
		if a[0] == unix.P_PID {
			return Blocked{In: InChild, Pid: int(int32(a[1]))}
		}
		return Blocked{In: InChild, Pid: -1}
	case unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP:
		return Blocked{In: InTime, Timed: true}
	case unix.SYS_RESTART_SYSCALL:
		return Blocked{In: InTime, Timed: true}
	case unix.SYS_READ, unix.SYS_READV, unix.SYS_PREAD64, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_ACCEPT, unix.SYS_ACCEPT4:
		return Blocked{In: InRead, Fds: fd}
	case unix.SYS_MQ_TIMEDRECEIVE:
		return Blocked{In: InRead, Fds: fd, Timed: a[4] != 0}
	case unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_CONNECT:
		return Blocked{In: InWrite, Fds: fd}
	case unix.SYS_MQ_TIMEDSEND:
		return Blocked{In: InWrite, Fds: fd, Timed: a[4] != 0}
	case unix.SYS_FUTEX:
		return Blocked{In: InMemory, Addr: a[0], Timed: a[3] != 0}
	case unix.SYS_FUTEX_WAITV:
		return Blocked{In: InMemory, Addr: wordAt(pid, a[0]+8), Timed: a[3] != 0}
	case unix.SYS_FLOCK, unix.SYS_FCNTL:
		return Blocked{In: InLock, Fds: fd}
	case unix.SYS_OPENAT:
		return Blocked{In: InOpen}
	case unix.SYS_MSGRCV, unix.SYS_MSGSND:
		return Blocked{In: InMessage, ID: int(int32(a[0]))}
	case unix.SYS_SEMOP:
		return Blocked{In: InSem, ID: int(int32(a[0]))}
	case unix.SYS_SEMTIMEDOP:
		return Blocked{In: InSem, ID: int(int32(a[0])), Timed: a[3] != 0}
	case unix.SYS_PPOLL:
		return polling(PollList(pid, a[0], a[1], false), a[2] != 0)
	case unix.SYS_PSELECT6:
		return polling(SelectSets(pid, a[0], a[1], a[2]), a[4] != 0)
	case unix.SYS_EPOLL_PWAIT:
		return epolling(pid, fd[0], int32(a[3]) >= 0)
	case unix.SYS_EPOLL_PWAIT2:
		return epolling(pid, fd[0], a[3] != 0)
	}
	return blockedOld(pid, nr, a)
}

// memory reads n bytes of another process, fewer where they are not there.
func memory(pid int, addr uint64, n int) []byte {
	buf := make([]byte, n)
	local := []unix.Iovec{{Base: &buf[0]}}
	local[0].SetLen(n)
	got, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: n}}, 0)
	if err != nil {
		return nil
	}
	return buf[:got]
}

func wordAt(pid int, addr uint64) uint64 {
	b := memory(pid, addr, 8)
	if len(b) < 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(b)
}

// MappedAt names what is mapped at an address of a process, as the kernel does: a
// path, /memfd:name, "" for memory without one.
func MappedAt(pid int, addr uint64) string {
	b, err := readOf(pid, "maps")
	if err != nil {
		return ""
	}
	for _, line := range bytes.Split(b, []byte{'\n'}) {
		f := bytes.Fields(line)
		if len(f) < 6 {
			continue
		}
		from, to, _ := strings.Cut(string(f[0]), "-")
		low, _ := strconv.ParseUint(from, 16, 64)
		high, _ := strconv.ParseUint(to, 16, 64)
		if addr >= low && addr < high {
			return string(bytes.Join(f[5:], []byte{' '}))
		}
	}
	return ""
}
