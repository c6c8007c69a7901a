package prims

import (
	"fmt"
	"os"
)

func createShared(c *Creation) error {
	s, bits, err := sharedArgs(c.Args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	content := make([]byte, len(bits)*s.t.Size)
	for i, b := range bits {
		s.t.put(content[i*s.t.Size:], b)
	}
	name, unique := c.systemName()
	f, err := shmFile(c, bare(name), unique, s.n*s.t.Size, content)
	if err != nil {
		return notMade(c, "shared memory object", name, "rm "+shmDir+"/"+bare(name), err)
	}
	putName(c.Mem[8:], name)
	c.Files = []*os.File{f}
	return nil
}

func attachShared(a *Attachment) (any, error) {
	s, _, err := sharedArgs(a.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	mem, err := mapShared(a.Name, a.Fds[0], s.n*s.t.Size)
	if err != nil {
		return nil, err
	}
	return &sharedMemory{array: &array{seq: word64(a.Mem, 0), shape: s, mem: mem}, name: getName(a.Mem[8:])}, nil
}
