package prims

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

func createFifo(c *Creation) error {
	path, err := c.path()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	err = c.System.File(path, false, func(p string) error {
		if err := unix.Mkfifo(p, 0o600); err != nil {
			return &fs.PathError{Op: "mkfifo", Path: p, Err: err}
		}
		return unix.Chmod(p, 0o600) // whatever the mask says
	})
	if err != nil {
		return notMade(c, "file", path, "rm "+path, err)
	}
	putName(c.Mem[pipeMem+fifoHead:], path)
	return nil
}

// openNow opens an end in the kernel, unless this process has got it already. It
// says no where that is one to send and nobody receives.
func (f *fifo) openNow(e *pipeEnd) (bool, error) {
	if f.pending[e.number] >= 0 {
		return true, nil
	}
	fd, err := unix.Open(f.path, f.access(e.number)|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENXIO):
		return false, nil
	case errors.Is(err, unix.ENOENT):
		return false, decl.Fail(NoEntry, "nothing is called %s any more", f.path)
	case err != nil:
		return false, fmt.Errorf("open %s: %w", f.path, err)
	}
	f.pending[e.number] = fd
	f.opens.Add(1)
	arena.Wake(futexWord(f.opens), math.MaxInt32)
	return true, nil
}

// dropPending gives up the end of an open that did not come to its end.
func (f *fifo) dropPending(e *pipeEnd) {
	if fd := f.pending[e.number]; fd >= 0 {
		unix.Close(fd)
		f.pending[e.number] = -1
	}
}

// hasWriter reports whether somebody has opened the FIFO for writing since fd
// was opened for reading, or had it open then. The kernel tells of data and of a
// writer that came and went; that one is there and has not written yet shows in a
// tee: it says that it would have to wait. Whether who has written the data is
// still there it does not tell.
func hasWriter(fd int) bool {
	list := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(list, 0)
		if err == unix.EINTR {
			continue
		}
		if n > 0 {
			return true
		}
		break
	}
	var scratch [2]int
	if err := unix.Pipe2(scratch[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return false
	}
	defer unix.Close(scratch[0])
	defer unix.Close(scratch[1])
	n, err := unix.Tee(fd, scratch[1], 1, unix.SPLICE_F_NONBLOCK)
	return n > 0 || err == unix.EAGAIN
}
