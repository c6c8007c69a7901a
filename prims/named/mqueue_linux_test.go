package named

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestQueueWithoutMode: a queue whose maker was killed before it had its mode is
// removed, be its identity on record or not; for who is not root it cannot be opened.
func TestQueueWithoutMode(t *testing.T) {
	name := fmt.Sprintf("/ipcrun-test-%d-mode", os.Getpid())
	for _, known := range []bool{false, true} {
		fd, err := OpenQueue(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0, nil)
		if err == unix.ENOSYS {
			t.Skip("this kernel has no message queues")
		}
		if err != nil {
			t.Fatal(err)
		}
		e := Entry{Class: MessageQueue, Name: name}
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			t.Fatal(err)
		}
		if known {
			e.ID = st.Ino
		}
		_ = unix.Close(fd)
		if left := Sweep([]Entry{e}); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		if err := UnlinkQueue(name); err != unix.ENOENT {
			t.Errorf("known: %v: it was left (%v)", known, err)
		}
	}
}
