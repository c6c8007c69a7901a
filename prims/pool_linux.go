package prims

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
)

func createPool(c *Creation) error {
	f, mem, err := memfd(c.Name, poolRegion())
	if err != nil {
		return err
	}
	unix.Munmap(mem)
	word32(c.Mem, 44).Store(uint32(poolSize(c.Args)))
	c.Files = []*os.File{f}
	return nil
}

func attachPool(a *Attachment) (any, error) {
	region, err := unix.Mmap(a.Fds[0], 0, poolRegion(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", a.Name, err)
	}
	return newPool(a.Name, a.Mem, region, a.Args), nil
}

func detachPool(h any) { unix.Munmap(h.(*pool).region) }

// howEnded says in words how the process in a slot ended, as far as its slot
// knows.
func howEnded(s *arena.Slot) string {
	ws, ok := s.Status()
	st := unix.WaitStatus(ws)
	code, exited := s.ExitCode()
	switch {
	case ok && st.Signaled():
		return "was ended by " + unix.SignalName(st.Signal())
	case ok && st.Exited():
		return fmt.Sprintf("exited with code %d", st.ExitStatus())
	case exited:
		return fmt.Sprintf("exited with code %d", code)
	}
	return "ended"
}
