package prims

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"unsafe"
)

func createNamedSemaphore(c *Creation) error {
	name, unique := c.systemName()
	content := make([]byte, semBytes)
	binary.LittleEndian.PutUint64(content, uint64(firstValue(c.Args)))
	binary.LittleEndian.PutUint32(content[semSharedOff:], semShared)
	f, err := shmFile(c, "sem."+bare(name), unique, semBytes, content)
	if err != nil {
		return notMade(c, "semaphore", name, "rm "+shmDir+"/sem."+bare(name), err)
	}
	putName(c.Mem[8:], name)
	c.Files = []*os.File{f}
	return nil
}

func attachNamedSemaphore(a *Attachment) (any, error) {
	mem, err := mapShared(a.Name, a.Fds[0], semBytes)
	if err != nil {
		return nil, err
	}
	return &namedSemaphore{
		seq: word64(a.Mem, 0), name: getName(a.Mem[8:]), open: openToOthers(a.Args),
		data: (*atomic.Uint64)(unsafe.Pointer(&mem[0])), mem: mem,
	}, nil
}

func detachNamedSemaphore(h any) { unmap(h.(*namedSemaphore).mem) }
