package prims

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/prims/named"
)

func createMqueue(c *Creation) error {
	name, _ := c.systemName()
	maxmsg, msgsize := mqueueArgs(c.Args)
	fd := -1
	err := c.System.Claim(named.MessageQueue, name, func() (uint64, error) {
		var err error
		attr := named.QueueAttr{MaxMsg: int64(maxmsg), MsgSize: int64(msgsize)}
		if fd, err = named.OpenQueue(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NONBLOCK, 0, &attr); err != nil {
			return 0, err
		}
		return inode(fd)
	})
	if err == nil {
		err = unix.Fchmod(fd, 0o600)
	}
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return notMade(c, "message queue", name, "with mq_unlink, or rm in a directory where a file system of type mqueue is mounted", refusedQueue(maxmsg, msgsize, err))
	}
	putName(c.Mem[8:], name)
	c.Files = []*os.File{os.NewFile(uintptr(fd), c.Name)}
	return nil
}

// refusedQueue says which of the kernel's limits is behind its refusal.
func refusedQueue(maxmsg, msgsize int, err error) error {
	const dir = "/proc/sys/fs/mqueue/"
	limit := func(file string) string {
		b, err := os.ReadFile(dir + file)
		if err != nil {
			return "?"
		}
		return strings.TrimSpace(string(b))
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return err
	case errors.Is(err, unix.ENOSYS):
		return notHere(fmt.Errorf("this kernel, or a sandbox around us, has no POSIX message queues: %w", err))
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return notHere(fmt.Errorf("a sandbox around us forbids POSIX message queues: %w", err))
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%d messages of %d bytes are more than this user may have: at most %s (%smsg_max) of %s bytes (%smsgsize_max): %w",
			maxmsg, msgsize, limit("msg_max"), dir, limit("msgsize_max"), dir, err)
	case errors.Is(err, unix.EMFILE):
		var l unix.Rlimit
		_ = unix.Getrlimit(sysRlimitMsgqueue, &l)
		return fmt.Errorf("all message queues of this user together may take %d bytes (RLIMIT_MSGQUEUE), and this one would exceed that: %w", l.Cur, err)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("there are as many message queues as the system allows, %s (%squeues_max): %w", limit("queues_max"), dir, err)
	}
	return err
}

const sysRlimitMsgqueue = 12 // RLIMIT_MSGQUEUE, on every architecture of Go's but MIPS

// attachMqueue takes the inherited descriptor. It never blocks: O_NONBLOCK
// belongs to the open file that the processes of the run share; programs of
// others open the queue themselves. The engine keeps one of its own, for facts.
func attachMqueue(a *Attachment) (any, error) {
	q := &mqueue{seq: word64(a.Mem, 0), name: getName(a.Mem[8:]), open: openToOthers(a.Args), fd: a.Fds[0]}
	q.maxmsg, q.msgsize = mqueueArgs(a.Args)
	if a.Engine {
		fd, err := unix.FcntlInt(uintptr(a.Fds[0]), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		q.fd = fd
	} else if _, _, errno := unix.RawSyscall(unix.SYS_MQ_GETSETATTR, uintptr(a.Fds[0]), 0, 0); errno != 0 {
		// Closed by the parent, before the fork: there is none to hand on either.
		q.fd, q.closed = -1, true
		if a.Closed != nil {
			a.Closed(0)
		}
		return q, nil
	}
	if a.Closed != nil {
		q.gone = func() { a.Closed(0) }
	}
	return q, nil
}

func unlinkMqueue(name string) error { return named.UnlinkQueue(name) }

// put is mq_send. again: there is no room.
func (q *mqueue) put(text string, prio int) (again bool, err error) {
	b := append(q.buf[:0], text...)
	b = append(b, 0) // there is a first byte then
	q.buf = b
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_MQ_TIMEDSEND, uintptr(q.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(text)), uintptr(prio), 0, 0)
		switch errno {
		case 0:
			return false, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return true, nil
		default:
			return false, fmt.Errorf("mq_send: %w", errno)
		}
	}
}

// take is mq_receive. again: there is no message.
func (q *mqueue) take() (text string, prio int, again bool, err error) {
	if cap(q.buf) < q.msgsize {
		q.buf = make([]byte, q.msgsize)
	}
	b := q.buf[:q.msgsize]
	var p uint32
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_MQ_TIMEDRECEIVE, uintptr(q.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&p)), 0, 0)
		switch errno {
		case 0:
			return string(b[:n]), int(p), false, nil
		case unix.EINTR:
		case unix.EAGAIN:
			return "", 0, true, nil
		default:
			return "", 0, false, fmt.Errorf("mq_receive: %w", errno)
		}
	}
}

// size is how many messages are in it, 0 if this process has closed it.
func (q *mqueue) size() int {
	var attr named.QueueAttr
	if _, _, errno := unix.RawSyscall(unix.SYS_MQ_GETSETATTR, uintptr(q.fd), 0, uintptr(unsafe.Pointer(&attr))); errno != 0 {
		return 0
	}
	return int(attr.CurMsgs)
}
