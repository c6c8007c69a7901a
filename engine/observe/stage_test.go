//go:build linux && (amd64 || arm64)

package observe

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// ownStage is a stage of the test's own making.
const ownStage = "own-stage"

func init() {
	if os.Args[0] != ownStage {
		return
	}
	fd, err := strconv.Atoi(os.Args[1])
	must(err)
	must(Enter(fd))
	must(syscall.Exec(os.Args[2], os.Args[2:], os.Environ()))
}

// superviseLate observes a program whose stage is still another program when it is
// seized: argv begins with that one, which waits for it.
func superviseLate(own bool, argv []string) {
	o := Options{}
	if own {
		o.Stage = ownStage
	}
	forked = func(pid int) {
		// Of its own exec nothing is to be seen.
		_, err := unix.Wait4(pid, nil, unix.WUNTRACED, nil)
		must(err)
		must(unix.Kill(pid, unix.SIGCONT))
	}
	supervise(o, argv[1:], func(s proc.Start, gate int) proc.Start {
		c := Command(s, gate)
		if own {
			c.Args = append([]string{ownStage, strconv.Itoa(len(s.Files))}, s.Args...)
		}
		self, err := os.Executable()
		must(err)
		c.Args = append([]string{argv[0], self}, c.Args...)
		c.Path = argv[0]
		return c
	})
}

// TestSeizedBeforeTheStage: start returns when a stage is being executed, not when
// it has been. That exec is not the program's, whoever made the stage.
func TestSeizedBeforeTheStage(t *testing.T) {
	late := compiled(t, "late")
	for _, helper := range []string{"supervise-late", "supervise-own"} {
		x := watchAs(t, helper, Options{}, nil, nil, late, "/bin/sh", "-c", "exec /bin/true")
		events := x.end()
		consistent(t, events)
		var paths []string
		for _, e := range of(events, Exec) {
			paths = append(paths, e.Argv[0])
		}
		if len(paths) != 2 || paths[0] != "/bin/sh" || paths[1] != "/bin/true" {
			t.Errorf("%s: executed %q\n%s", helper, paths, x.tail())
		}
	}
}
