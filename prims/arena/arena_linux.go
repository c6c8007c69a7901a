package arena

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Create makes an arena in a memfd of its own, sealed so that nobody can
// shrink it under the others. The descriptor is close-on-exec; hand it over
// explicitly.
func Create(name string, l Layout) (*Arena, error) {
	if l.Slots > MaxSlots {
		return nil, fmt.Errorf("%d processes: at most %d fit in one run", l.Slots, MaxSlots)
	}
	_, _, _, total := l.offsets()
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("shared memory (memfd_create): %w", err)
	}
	if err := unix.Ftruncate(fd, int64(total)); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("shared memory of %d bytes: %w", total, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("sealing shared memory: %w", err)
	}
	a, err := mapFd(fd, total)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	a.format(l)
	return a, nil
}

// Attach maps the arena behind an inherited descriptor, which stays open: it is
// handed on to children.
func Attach(fd int) (*Arena, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	a, err := mapFd(fd, int(st.Size))
	if err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a, nil
}

func mapFd(fd, size int) (*Arena, error) {
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping shared memory: %w", err)
	}
	return attachTo(mem, fd)
}

// Fd is the descriptor of the memory, to hand over to children.
func (a *Arena) Fd() int { return a.fd }

// Close unmaps the arena and closes its descriptor.
func (a *Arena) Close() error {
	if a.fd < 0 {
		return nil
	}
	err := unix.Munmap(a.mem)
	if e := unix.Close(a.fd); err == nil {
		err = e
	}
	a.mem, a.hdr, a.fd = nil, nil, -1
	return err
}

// WakeEngine ends the engine's sleep, once.
func (a *Arena) WakeEngine(fd int) {
	if fd < 0 || a.hdr.wanted.Swap(WantNothing) == WantNothing {
		return
	}
	one := [8]byte{1}
	unix.Write(fd, one[:])
}
