//go:build linux && (amd64 || arm64)

package prims

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
	"ipcrun/prims/sysv"
)

// The calls of System V objects that may block. With wait they block, and say
// ErrInterrupted or errSysvTime as well; without it they say errSysvAgain.

func msgsnd(c *Call, id int, buf []byte, wait bool) error {
	a3 := uintptr(len(buf) - 8)
	if !wait {
		_, _, e := unix.RawSyscall6(unix.SYS_MSGSND, uintptr(id), uintptr(unsafe.Pointer(&buf[0])), a3, sysv.NoWait, 0, 0)
		return sysvErrno(e)
	}
	_, e, out, err := c.Self.Call(c.Deadline, unix.SYS_MSGSND, uintptr(id), uintptr(unsafe.Pointer(&buf[0])), a3, 0, 0, 0)
	return sysvEnd(e, out, err)
}

// msgrcv fills buf: 8 bytes of type, then the message, of which it returns the
// length.
func msgrcv(c *Call, id int, buf []byte, typ, flags int, wait bool) (int, error) {
	a3, a4 := uintptr(len(buf)-8), uintptr(typ)
	if !wait {
		n, _, e := unix.RawSyscall6(unix.SYS_MSGRCV, uintptr(id), uintptr(unsafe.Pointer(&buf[0])), a3, a4, uintptr(flags|sysv.NoWait), 0)
		return int(n), sysvErrno(e)
	}
	n, e, out, err := c.Self.Call(c.Deadline, unix.SYS_MSGRCV, uintptr(id), uintptr(unsafe.Pointer(&buf[0])), a3, a4, uintptr(flags), 0)
	return int(n), sysvEnd(e, out, err)
}

// semop does all of ops, or nothing.
func semop(c *Call, id int, ops []sysv.Op, wait bool) error {
	if !wait {
		for i := range ops {
			ops[i].Flag |= sysv.NoWait
		}
		_, _, e := unix.RawSyscall6(unix.SYS_SEMTIMEDOP, uintptr(id), uintptr(unsafe.Pointer(&ops[0])), uintptr(len(ops)), 0, 0, 0)
		for i := range ops {
			ops[i].Flag &^= sysv.NoWait
		}
		return sysvErrno(e)
	}
	var ts *unix.Timespec
	if c.Deadline != 0 {
		t := unix.NsecToTimespec(max(c.Deadline-arena.Now(), 0))
		ts = &t
	}
	_, e, out, err := c.Self.Call(0, unix.SYS_SEMTIMEDOP, uintptr(id), uintptr(unsafe.Pointer(&ops[0])), uintptr(len(ops)), uintptr(unsafe.Pointer(ts)), 0, 0)
	if e == unix.EAGAIN && c.Deadline != 0 {
		if arena.Now() >= c.Deadline {
			return errSysvTime
		}
		return errSysvAgain // a moment too early
	}
	return sysvEnd(e, out, err)
}

func sysvEnd(e unix.Errno, out arena.Outcome, err error) error {
	switch {
	case err != nil:
		return err
	case out == arena.Interrupted:
		return ErrInterrupted
	case out == arena.TimedOut:
		return errSysvTime
	}
	return sysvErrno(e)
}

func sysvErrno(e unix.Errno) error {
	switch e {
	case 0:
		return nil
	case unix.EAGAIN, unix.ENOMSG:
		return errSysvAgain
	case unix.EIDRM, unix.EINVAL:
		return sysv.ErrRemoved
	case unix.E2BIG:
		return errSysvTooBig
	case unix.ERANGE:
		return errSysvRange
	}
	return e
}
