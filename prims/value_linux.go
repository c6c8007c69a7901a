package prims

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memfd makes a piece of shared memory of its own: n bytes, zeroed, that can
// neither shrink nor grow under those who map it.
func memfd(name string, n int) (*os.File, []byte, error) {
	size := (n + pageSize - 1) / pageSize * pageSize
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: shared memory: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := f.Truncate(int64(size)); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: shared memory: %w", name, err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: shared memory: %w", name, err)
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: mapping shared memory: %w", name, err)
	}
	return f, mem, nil
}

func createValue(c *Creation) error {
	t, bits, err := valueArgs(c.Args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	f, mem, err := memfd(c.Name, t.Size)
	if err != nil {
		return err
	}
	t.store(unsafe.Pointer(&mem[0]), bits)
	unix.Munmap(mem)
	c.Files = []*os.File{f}
	return nil
}

func attachValue(a *Attachment) (any, error) {
	t, _, err := valueArgs(a.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	fd := a.Fds[0]
	mem, err := unix.Mmap(fd, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", a.Name, err)
	}
	return &value{seq: word64(a.Mem, 0), t: t, p: unsafe.Pointer(&mem[0]), mem: mem, lock: newOwnLock(a.Mem, a.Args)}, nil
}

func detachValue(h any) { unix.Munmap(h.(*value).mem) }
