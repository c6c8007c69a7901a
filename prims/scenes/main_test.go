//go:build linux

package scenes

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"ipcrun/engine/proc"
)

// TestMain sees that the runs leave neither descriptors nor processes behind.
// The agents are this binary as well; they do not come this far.
func TestMain(m *testing.M) {
	flag.Parse()
	// A pipe makes the runtime open its poller now, before the count.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before, err := proc.Descriptors(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if code == 0 && !nothingLeft(before) {
		code = 1
	}
	os.Exit(code)
}

func nothingLeft(before map[int]string) bool {
	after, err := proc.Descriptors(os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return false
	}
	well := true
	for fd, what := range after {
		// The Go runtime opens its poller and the CPU limit of its cgroup.
		if _, ok := before[fd]; !ok && !strings.HasPrefix(what, "anon_inode:[event") && !strings.HasPrefix(what, "/sys/fs/cgroup/") {
			fmt.Fprintf(os.Stderr, "descriptor %d is left open: %s\n", fd, what)
			well = false
		}
	}
	if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left:", tree, err)
		well = false
	}
	return well
}
