//go:build linux

package arena

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The other side of an arena is another process: this binary again, with the
// arena as descriptor 3 and a pipe to it as standard input.

const writerEnv = "IPCRUN_ARENA_WRITER"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(writerEnv)); err == nil {
		write(n)
		os.Exit(0)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// write publishes records with growing numbers and lengths until n of them are
// written, 0 for ever.
func write(n int) {
	a, err := Attach(3)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	r := a.Ring(0, -1)
	for i := 0; n == 0 || i < n; i++ {
		put(r, i)
	}
}

// put publishes record i: its number, and a body that follows from it.
func put(r *Ring, i int) {
	size := recordSize(i)
	b := r.Reserve(size)
	binary.LittleEndian.PutUint64(b[8:], uint64(i))
	for k := 16; k < size; k++ {
		b[k] = byte(i + k)
	}
	r.Publish(size, i%7 == 0)
}

func recordSize(i int) int { return 16 + 8*(i*31%97) }

// checker holds drained records against what put writes.
type checker struct {
	t    testing.TB
	next int
}

func (c *checker) take(b []byte) {
	size := recordSize(c.next)
	if len(b) != size-4 {
		c.t.Fatalf("record %d has %d bytes, want %d", c.next, len(b), size-4)
	}
	if n := binary.LittleEndian.Uint64(b[4:]); n != uint64(c.next) {
		c.t.Fatalf("record %d comes where %d is due", n, c.next)
	}
	for k := 16; k < size; k++ {
		if b[k-4] != byte(c.next+k) {
			c.t.Fatalf("record %d is broken at byte %d", c.next, k)
		}
	}
	c.next++
}

// writer starts another process that writes into ring 0.
func writer(t testing.TB, a *Arena, n int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), writerEnv+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", a.Fd()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.ExtraFiles = []*os.File{f}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reap := sync.OnceFunc(func() { _ = cmd.Wait() })
	t.Cleanup(func() { _ = cmd.Process.Kill(); reap() })
	return cmd
}

func newArena(t testing.TB, l Layout) *Arena {
	t.Helper()
	a, err := Create("arena-test", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// eventually waits for what another process does.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !f(); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(until) {
			t.Fatalf("not after 20s: %s", what)
		}
	}
}
