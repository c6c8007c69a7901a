package prims

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
)

// createManaged makes the board and the door. The door is a socket for messages:
// who comes for the first time sends one end of a pair of stream sockets
// through it, and its slot. So there is no name in a file system that somebody
// else could find, and the desk sees the end of file when the last process has
// ended that had the door.
func createManaged(c *Creation) error {
	board, mem, err := memfd(c.Name, boardBytes)
	if err != nil {
		return err
	}
	unix.Munmap(mem)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		board.Close()
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	c.Files = []*os.File{board, os.NewFile(uintptr(fds[0]), c.Name+" door"), os.NewFile(uintptr(fds[1]), c.Name+" desk")}
	return nil
}

func attachManaged(a *Attachment) (any, error) {
	region, err := unix.Mmap(a.Fds[roleBoard], 0, boardBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", a.Name, err)
	}
	maxsize, _ := a.Args.Main.(int)
	p := &proxy{
		name: a.Name, number: a.Number, maxsize: maxsize, slot: managerSlot(a.Args), board: newQueueBoard(a.Mem, region), region: region,
		door: -1, conn: -1, desk: -1, open: map[uint32]*request{},
	}
	if a.Engine || len(a.Fds) < managerRoles {
		return p, nil
	}
	p.door, p.desk = a.Fds[roleDoor], a.Fds[roleDesk]
	if p.desk >= 0 && p.door >= 0 {
		// The manager's own copy of the door would keep the end of file away.
		if a.Closed != nil {
			a.Closed(roleDoor)
		}
		unix.Close(p.door)
		p.door = -1
	}
	return p, nil
}

func (p *proxy) detach() {
	p.hangUp()
	unix.Munmap(p.region)
}

func (p *proxy) hangUp() {
	if p.conn >= 0 {
		unix.Close(p.conn)
	}
	p.conn, p.out, p.sent, p.in, p.room, p.missing = -1, nil, 0, nil, nil, 0
	clear(p.open)
}

func (p *proxy) howManagerEnded(c *Call) string {
	if p.slot < 0 || c.Self.Arena == nil || p.slot >= c.Self.Arena.Slots() {
		return "has ended"
	}
	return howEnded(c.Self.Arena.Slot(p.slot))
}

// highFd is where the socket goes, out of the way of the descriptors that
// scripts look at; below 64, where the table of descriptors would have to grow.
const highFd = 48

// connect comes to the manager's door, if this process has not yet.
func (p *proxy) connect(c *Call) error {
	if p.conn >= 0 {
		return nil
	}
	if c.Self.Index >= boardSlots {
		return fmt.Errorf("%s: only %d processes can use a queue with a manager", p.name, boardSlots)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	rights, hello := unix.UnixRights(fds[1]), binary.LittleEndian.AppendUint32(nil, uint32(c.Self.Index))
	for {
		err := unix.Sendmsg(p.door, hello, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch err {
		case nil:
			if p.conn, err = unix.FcntlInt(uintptr(fds[0]), unix.F_DUPFD_CLOEXEC, highFd); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			return nil
		case unix.EPIPE, unix.ECONNRESET, unix.ECONNREFUSED:
			return errManagerGone
		case unix.EINTR:
			continue
		case unix.EAGAIN:
		default:
			return fmt.Errorf("%s: %w", p.name, err)
		}
		// Many have come at once, and the manager has not seen them all.
		switch out, err := c.Self.PollFd(c.wait(0), p.door, pollOut, c.Deadline); {
		case err != nil:
			return err
		case out == arena.Interrupted:
			return ErrInterrupted
		case out == arena.TimedOut && c.Deadline != 0:
			return errPipeTime
		}
	}
}

// flush sends what has not been sent, as far as the kernel takes it now.
func (p *proxy) flush() error {
	for p.sent < len(p.out) {
		n, errno := sendNow(p.conn, p.out[p.sent:])
		switch errno {
		case 0:
			p.sent += n
		case unix.EINTR:
		case unix.EAGAIN:
			return nil
		case unix.EPIPE, unix.ECONNRESET:
			return errManagerGone
		default:
			return errno
		}
	}
	if p.out = p.out[:0]; cap(p.out) > kept {
		p.out = nil
	}
	p.sent = 0
	return nil
}

// receive takes what is there.
func (p *proxy) receive() (int, error) {
	p.in, p.room = roomFor(p.in, p.room, p.missing)
	for {
		n, errno := recvNow(p.conn, p.in[len(p.in):cap(p.in)])
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			return 0, errPipeAgain
		case errno == unix.ECONNRESET, errno == 0 && n == 0:
			return 0, errManagerGone
		case errno != 0:
			return 0, errno
		default:
			p.in = p.in[:len(p.in)+n]
			return n, nil
		}
	}
}

// roomFor makes room behind what is in a buffer, for so many bytes at least.
// room is the memory that it had.
func roomFor(in, room []byte, missing int) (newIn, newRoom []byte) {
	const least = 4096
	if len(in) == 0 {
		if cap(room) == 0 || cap(room) > kept {
			room = make([]byte, 0, 4*least)
		}
		in = room[:0]
	}
	if cap(in)-len(in) < max(missing, least/2) {
		in = append(make([]byte, 0, len(in)+max(missing, 4*least)), in...)
		room = in[:0]
	}
	return in, room
}

// These never block, so the Go runtime need not know of them.

func sendNow(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

func recvNow(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// server is a manager at work: its desk, and the sockets of its visitors.
type server struct {
	*desk
	door     int // descriptor of the desk's end of it
	epoll    int
	visitors map[int32]*visitor // by descriptor
	room     []byte             // memory for what one visitor sends
	over     bool
}

// queueServe is the life of a manager: it carries out requests until nobody is
// left who could make one.
func queueServe(h any, c *Call) error {
	p, managed := h.(*proxy)
	if !managed || p.desk < 0 {
		return fmt.Errorf("this process is no manager")
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(epoll)
	s := &server{desk: newDesk(p.board, p.maxsize), door: p.desk, epoll: epoll, visitors: map[int32]*visitor{}}
	if err := s.watch(unix.EPOLL_CTL_ADD, s.door, unix.EPOLLIN); err != nil {
		return err
	}
	var ready [128]unix.EpollEvent
	for !s.over {
		n, err := s.next(c, ready[:])
		if err != nil {
			return err
		}
		if err := s.turn(ready[:n]); err != nil {
			return err
		}
	}
	for _, v := range s.visitors {
		unix.Close(v.fd)
	}
	return nil
}

// next waits until somebody asks for something.
func (s *server) next(c *Call, ready []unix.EpollEvent) (int, error) {
	// As long as there is something to do it is not blocked. It does not look
	// longer than this: whoever is to ask next wants the processor.
	if n, err := epollWait(s.epoll, ready, 0, true); n != 0 || err != nil {
		return n, err
	}
	c.Self.Enter(c.wait(0))
	defer c.Self.Leave()
	if c.Self.Solo {
		if n, err := epollWait(s.epoll, ready, int(arena.SoloFor/time.Millisecond), true); n != 0 || err != nil {
			return n, err
		}
	}
	return epollWait(s.epoll, ready, -1, false)
}

// epollWait is epoll_wait(2). Solo: the Go runtime need not know.
func epollWait(fd int, ready []unix.EpollEvent, timeout int, solo bool) (int, error) {
	for {
		if !solo {
			n, err := unix.EpollWait(fd, ready, timeout)
			if err == unix.EINTR {
				continue
			}
			return n, err
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(&ready[0])), uintptr(len(ready)), uintptr(timeout), 0, 8)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

func (s *server) watch(how, fd int, events uint32) error {
	return unix.EpollCtl(s.epoll, how, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// turn deals with all that is there at one time. Who has ended comes first: what
// others ask for in the same moment must not go to them.
func (s *server) turn(ready []unix.EpollEvent) error {
	const hangup = unix.EPOLLHUP | unix.EPOLLRDHUP | unix.EPOLLERR
	for _, e := range ready {
		if v := s.visitors[e.Fd]; v != nil && e.Events&hangup != 0 {
			v.gone = true
			s.hear(v)
		}
	}
	for _, e := range ready {
		v := s.visitors[e.Fd]
		switch {
		case int(e.Fd) == s.door:
			if err := s.greet(); err != nil {
				return err
			}
		case v == nil:
		case e.Events&unix.EPOLLIN != 0:
			s.hear(v)
		case e.Events&unix.EPOLLOUT != 0:
			s.tell(v)
		}
	}
	for i := 0; i < len(s.touched); i++ {
		v := s.touched[i]
		v.marked = false
		s.tell(v)
	}
	s.touched = s.touched[:0]
	return nil
}

// greet lets in who stands at the door.
func (s *server) greet() error {
	for {
		var hello [4]byte
		oob := make([]byte, unix.CmsgSpace(4))
		n, nOOB, _, _, err := unix.Recvmsg(s.door, hello[:], oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return nil
		case err != nil:
			return err
		case n == 0:
			s.over = true
			s.board.over.Store(1)
			return nil
		}
		fd, err := sentDescriptor(oob[:nOOB])
		if err != nil {
			return err
		}
		v := &visitor{slot: int(binary.LittleEndian.Uint32(hello[:])), fd: fd}
		if n < len(hello) || v.slot >= boardSlots {
			unix.Close(fd)
			continue
		}
		if b := s.board.visitors; int(b.Load()) <= v.slot {
			b.Store(uint32(v.slot) + 1)
		}
		if err := s.watch(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
			return err
		}
		s.visitors[int32(fd)] = v
	}
}

func sentDescriptor(oob []byte) (int, error) {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return -1, err
	}
	for i := range list {
		if fds, err := unix.ParseUnixRights(&list[i]); err == nil && len(fds) == 1 {
			return fds[0], nil
		}
	}
	return -1, errWire
}

// hear carries out what a visitor asks for. One that has ended is heard to the
// end: a put that it has sent whole has happened.
func (s *server) hear(v *visitor) {
	for {
		v.in, s.room = roomFor(v.in, s.room, v.missing)
		room := cap(v.in) - len(v.in)
		n, errno := recvNow(v.fd, v.in[len(v.in):cap(v.in)])
		if errno == unix.EINTR {
			continue
		}
		if n <= 0 || errno != 0 {
			if errno != unix.EAGAIN {
				s.leave(v)
			}
			break
		}
		v.in = v.in[:len(v.in)+n]
		var err error
		if v.missing, err = s.read(v); err != nil {
			s.leave(v) // whoever that is does not speak our language
			break
		}
		if n < room && !v.gone {
			break
		}
	}
	// The memory is common: a visitor that needs little of it takes a copy of
	// that along, one that needs much takes the memory.
	switch {
	case len(v.in) == 0:
		v.in = nil
	case len(v.in)+v.missing <= segSize:
		v.in = append([]byte(nil), v.in...)
	default:
		s.room = nil
	}
}

// tell sends a visitor its answers, as far as the kernel takes them now.
func (s *server) tell(v *visitor) {
	for v.sent < len(v.out) && !v.gone {
		n, errno := sendNow(v.fd, v.out[v.sent:])
		switch errno {
		case 0:
			v.sent += n
		case unix.EINTR:
		case unix.EAGAIN:
			if !v.watching {
				v.watching = true
				_ = s.watch(unix.EPOLL_CTL_MOD, v.fd, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLOUT)
			}
			return
		default:
			s.leave(v)
			return
		}
	}
	if v.out = v.out[:0]; cap(v.out) > kept {
		v.out = nil
	}
	v.sent = 0
	if v.watching && !v.gone {
		v.watching = false
		_ = s.watch(unix.EPOLL_CTL_MOD, v.fd, unix.EPOLLIN|unix.EPOLLRDHUP)
	}
}

// leave: a visitor is gone for good.
func (s *server) leave(v *visitor) {
	if s.visitors[int32(v.fd)] != v {
		return
	}
	delete(s.visitors, int32(v.fd))
	unix.Close(v.fd)
	s.left(v)
}
