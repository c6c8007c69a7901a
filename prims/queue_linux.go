package prims

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// queueRegion is the size of a queue's own memory. Nothing of it exists before
// it is used.
func queueRegion(a Args) int {
	maxsize, _ := a.Main.(int)
	return storeBytes(queueCells(maxsize)*8, queueData)
}

func createQueue(c *Creation) error {
	if hasManager(c.Args) {
		return createManaged(c)
	}
	f, mem, err := memfd(c.Name, queueRegion(c.Args))
	if err != nil {
		return err
	}
	unix.Munmap(mem)
	c.Files = []*os.File{f}
	return nil
}

func attachQueue(a *Attachment) (any, error) {
	if hasManager(a.Args) {
		return attachManaged(a)
	}
	region, err := unix.Mmap(a.Fds[0], 0, queueRegion(a.Args), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", a.Name, err)
	}
	return newQueue(a.Mem, region, a.Args), nil
}

func detachQueue(h any) {
	if p, managed := h.(*proxy); managed {
		p.detach()
		return
	}
	unix.Munmap(h.(*queue).region)
}

// discard gives pages back to the kernel, for all who map them; they read as
// zero then. Where the kernel refuses, they stay.
func discard(b []byte) { _ = unix.Madvise(b, unix.MADV_REMOVE) }
