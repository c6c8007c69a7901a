//go:build linux

package prims

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// The primitives are tested from several real processes at once: this binary
// again, as workers that do what the test tells them. A worker has one
// instance of one kind. When it has done all that it was told it gives that up
// and may be given another: starting a process costs twenty milliseconds.

const workerEnv = "IPCRUN_PRIMS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		work()
		os.Exit(0)
	}
	flag.Parse()
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before := openDescriptors()
	code := m.Run()
	dismiss()
	if code == 0 {
		for fd, what := range opened(before) {
			fmt.Fprintf(os.Stderr, "descriptor %d is left open: %s\n", fd, what)
			code = 1
		}
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
			fmt.Fprintln(os.Stderr, "a child is left:", pid, err)
			code = 1
		}
	}
	os.Exit(code)
}

func openDescriptors() map[int]string {
	open, err := proc.Descriptors(os.Getpid())
	must(err)
	return open
}

// opened are the descriptors that are open and were not before, without those
// that the Go runtime opens for itself: its poller, and the CPU limit of its
// cgroup.
func opened(before map[int]string) map[int]string {
	out := openDescriptors()
	for fd, what := range out {
		if _, ok := before[fd]; ok || strings.HasPrefix(what, "anon_inode:[event") || strings.HasPrefix(what, "/sys/fs/cgroup/") {
			delete(out, fd)
		}
	}
	return out
}
