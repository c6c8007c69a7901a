package janitor

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/named"
)

// TestJanitor: it stays while there is an engine, whatever signal comes, and
// tidies up when there is none any more. (This binary is its own janitor.)
func TestJanitor(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	pid, pidfd, err := proc.Fork(Command(int(null.Fd()), p[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	unix.Close(p[0])
	told := os.NewFile(uintptr(p[1]), "told")
	l := named.NewLedger("janitor", func() (io.Writer, error) { return told, nil })
	dir, err := l.Dir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jobs")
	if err := l.File(path, false, func(p string) error { return unix.Mkfifo(p, 0o600) }); err != nil {
		t.Fatal(err)
	}
	// It gives itself its name once it is deaf.
	for {
		comm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err != nil {
			t.Fatal(err)
		}
		if string(comm) == Name+"\n" {
			break
		}
	}
	for sig := unix.Signal(1); sig <= 64; sig++ {
		if sig != unix.SIGKILL && sig != unix.SIGSTOP && sig != 32 && sig != 33 {
			if err := unix.Kill(pid, sig); err != nil {
				t.Fatalf("%v: %v", sig, err)
			}
		}
	}
	if f, err := proc.ReadFacts(pid); err != nil || f.Sid != pid || f.Pgid != pid {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	told.Close() // as the kernel does it when the engine is killed
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 60_000)
		if n == 1 {
			break
		}
		if err != unix.EINTR {
			t.Fatalf("it does not end: %v", err)
		}
	}
	st, reaped, err := proc.WaitPidfd(pidfd)
	if err != nil || !reaped || !st.Exited || st.Code != 0 {
		t.Errorf("%v, %v", st, err)
	}
	for _, p := range []string{dir, path} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s is left", p)
		}
	}
}
