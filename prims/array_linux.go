package prims

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

func createArray(c *Creation) error {
	s, bits, err := arrayArgs(c.Args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	f, mem, err := memfd(c.Name, s.n*s.t.Size)
	if err != nil {
		return err
	}
	for i, b := range bits {
		s.t.store(unsafe.Pointer(&mem[i*s.t.Size]), b)
	}
	unix.Munmap(mem)
	c.Files = []*os.File{f}
	return nil
}

func attachArray(a *Attachment) (any, error) {
	s, _, err := arrayArgs(a.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	mem, err := unix.Mmap(a.Fds[0], 0, (s.n*s.t.Size+pageSize-1)&^(pageSize-1), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", a.Name, err)
	}
	return &array{seq: word64(a.Mem, 0), shape: s, mem: mem, lock: newOwnLock(a.Mem, a.Args)}, nil
}

func detachArray(h any) { unix.Munmap(h.(*array).mem) }
