package named

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MessageQueue is the class of POSIX message queues: names like /jobs, in a file
// system of the kernel's own that need not be mounted anywhere.
const MessageQueue = "mqueue"

func init() {
	Register(Class{
		Name:   MessageQueue,
		Exists: func(e Entry) bool { return queueIs(e) == oursForSure || queueIs(e) == closedToUs },
		Remove: func(e Entry) error {
			switch queueIs(e) {
			case oursForSure:
				return UnlinkQueue(e.Name)
			case closedToUs:
				// One of mode 0, as far as can be seen. The kernel lets only its owner
				// remove it, and nobody but this run makes such ones of ours.
				if err := UnlinkQueue(e.Name); err != unix.EACCES && err != unix.EPERM && err != unix.ENOENT {
					return err
				}
			}
			return nil
		},
	})
}

type whose int

const (
	notOurs whose = iota
	oursForSure
	closedToUs // it is being made, or belongs to another user
)

// queueIs tells whether the queue of an entry's name is the one it speaks of.
func queueIs(e Entry) whose {
	fd, err := OpenQueue(e.Name, unix.O_RDONLY|unix.O_NONBLOCK, 0, nil)
	if err == unix.EACCES {
		return closedToUs // until it gets its mode, whose it is may be on record already
	}
	if err != nil {
		return notOurs
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	switch err := unix.Fstat(fd, &st); {
	case err != nil:
		return notOurs
	case e.ID != 0 && st.Ino == e.ID, e.ID == 0 && st.Mode&0o777 == 0 && int(st.Uid) == unix.Geteuid():
		return oursForSure
	}
	return notOurs
}

// QueueAttr is struct mq_attr.
type QueueAttr struct {
	Flags, MaxMsg, MsgSize, CurMsgs int64
	_                               [4]int64
}

// OpenQueue is mq_open(3); attr may be nil. Its errors are those of the kernel.
func OpenQueue(name string, flags int, mode uint32, attr *QueueAttr) (fd int, err error) {
	p, err := queueName(name)
	if err != nil {
		return -1, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)), uintptr(flags|unix.O_CLOEXEC), uintptr(mode), uintptr(unsafe.Pointer(attr)), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// UnlinkQueue is mq_unlink(3).
func UnlinkQueue(name string) error {
	p, err := queueName(name)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// queueName is a name without its slash, as the kernel takes it.
func queueName(name string) (*byte, error) {
	if len(name) < 2 || name[0] != '/' {
		return nil, fmt.Errorf("%q is no name of a message queue: %w", name, unix.EINVAL)
	}
	return unix.BytePtrFromString(name[1:])
}
