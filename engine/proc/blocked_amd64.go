package proc

import "golang.org/x/sys/unix"

// blockedOld knows the system calls that only old architectures have.
func blockedOld(pid, nr int, a [6]uint64) Blocked {
	switch nr {
	case unix.SYS_PAUSE:
		return Blocked{In: InSignal}
	case unix.SYS_POLL:
		return polling(PollList(pid, a[0], a[1], false), int32(a[2]) >= 0)
	case unix.SYS_SELECT:
		return polling(SelectSets(pid, a[0], a[1], a[2]), a[4] != 0)
	case unix.SYS_EPOLL_WAIT:
		return epolling(pid, int(int32(a[0])), int32(a[3]) >= 0)
	case unix.SYS_OPEN:
		return Blocked{In: InOpen}
	}
	return Blocked{In: InCall}
}
