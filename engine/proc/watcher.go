//go:build linux

package proc

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Watcher waits for many descriptors at once: pidfds, terminals, pipes. It
// has no goroutine of its own; the loop that owns it calls Wait. Only Wake
// may be called from elsewhere.
type Watcher struct {
	epoll int
	wake  int
	buf   []unix.EpollEvent
}

// Ready is one descriptor that can be read, or whose peer is gone.
type Ready struct {
	Tag    uint64 // as given to Add
	Hangup bool   // nothing more will come once what is there has been read
}

const wakeTag = ^uint64(0)

// NewWatcher makes a Watcher with nothing to watch.
func NewWatcher() (*Watcher, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watcher: epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("watcher: eventfd: %w", err)
	}
	w := &Watcher{epoll: epoll, wake: wake, buf: make([]unix.EpollEvent, 64)}
	if err := w.Add(wake, wakeTag); err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

// Add watches fd until Remove, and reports it under tag as long as it can be
// read. The tag ^0 is reserved.
func (w *Watcher) Add(fd int, tag uint64) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(uint32(tag)), Pad: int32(uint32(tag >> 32))}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	return nil
}

// AddWrite watches fd until Remove, and reports it as long as it can be written.
func (w *Watcher) AddWrite(fd int, tag uint64) error {
	ev := unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(uint32(tag)), Pad: int32(uint32(tag >> 32))}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	return nil
}

// Remove stops watching fd, which must still be open: a descriptor that was
// only closed goes on being reported while a duplicate of it lives anywhere.
func (w *Watcher) Remove(fd int) error {
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, fd, nil); err != nil {
		return fmt.Errorf("unwatch descriptor %d: %w", fd, err)
	}
	return nil
}

// Wait blocks until something is ready, Wake was called or timeout has
// passed; a negative timeout is none. It appends what is ready to ready,
// which is empty after Wake, a timeout or an interrupting signal. It never
// returns before the timeout without one of these reasons, and up to a
// millisecond after it.
func (w *Watcher) Wait(ready []Ready, timeout time.Duration) ([]Ready, error) {
	ms := -1
	if timeout >= 0 {
		ms = int(min((timeout+time.Millisecond-1)/time.Millisecond, 1<<30))
	}
	n, err := unix.EpollWait(w.epoll, w.buf, ms)
	if err == unix.EINTR {
		return ready, nil
	}
	if err != nil {
		return ready, fmt.Errorf("watcher: %w", err)
	}
	for _, ev := range w.buf[:n] {
		tag := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
		if tag == wakeTag {
			var count [8]byte
			_, _ = unix.Read(w.wake, count[:])
			continue
		}
		ready = append(ready, Ready{Tag: tag, Hangup: ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0})
	}
	return ready, nil
}

// Wake makes a running or the next Wait return. Any goroutine may call it
// until Close.
func (w *Watcher) Wake() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(w.wake, one[:]) // a full counter wakes as well
}

// Close releases the Watcher, not what it watched.
func (w *Watcher) Close() error {
	_ = unix.Close(w.wake)
	if err := unix.Close(w.epoll); err != nil {
		return fmt.Errorf("watcher: close: %w", err)
	}
	return nil
}
