package prims

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// shmFile makes an object in /dev/shm that n bytes of content begin, and opens
// it. file is its name there.
func shmFile(c *Creation, file string, unique bool, size int, content []byte) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Stat(shmDir, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, &NotHere{fmt.Errorf("this machine has no %s, where named semaphores and shared memory live: mount a tmpfs there", shmDir)}
	}
	var f *os.File
	err := c.System.File(shmDir+"/"+file, unique, func(path string) error {
		var err error
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600); err != nil {
			return err
		}
		// All of it now: a write into memory that is not there later would end the
		// writer with SIGBUS.
		if err := unix.Fallocate(int(f.Fd()), 0, 0, int64(size)); err != nil {
			return fmt.Errorf("%d bytes in %s: %w", size, shmDir, err)
		}
		_, err = f.WriteAt(content, 0)
		return err
	})
	if err != nil && f != nil {
		f.Close()
		f = nil
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = notHere(err)
	}
	return f, err
}

// mapShared maps n bytes of a descriptor.
func mapShared(name string, fd, n int) ([]byte, error) {
	mem, err := unix.Mmap(fd, 0, (n+pageSize-1)&^(pageSize-1), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping shared memory: %w", name, err)
	}
	return mem, nil
}

func unmap(mem []byte) { _ = unix.Munmap(mem) }
