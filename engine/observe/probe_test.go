//go:build linux && (amd64 || arm64)

package observe

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// refuse is the helper that forbids a system call to itself, as a container does,
// and tells what Probe makes of it.
func refuse() {
	nr, errno := unix.SYS_PTRACE, unix.EPERM
	switch os.Args[1] {
	case "ptrace":
	case "ancient":
		errno = unix.ENOSYS
	case "seccomp":
		// A filter may still be installed by prctl, which we do not use.
		nr = unix.SYS_SECCOMP
	}
	prog := []unix.SockFilter{
		statement(load, dataNr),
		jump(equals, uint32(nr), 0, 1),
		statement(answer, unix.SECCOMP_RET_ERRNO|uint32(errno)),
		statement(answer, unix.SECCOMP_RET_ALLOW),
	}
	must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if e != 0 {
		must(e)
	}
	s := Probe()
	fmt.Printf("events: %v\ncalls: %v\n", s.Events, s.Calls)
	err := Run(Options{Calls: os.Args[1] == "seccomp"}, func(gate int) (int, error) {
		pid, pidfd, err := proc.Fork(Command(proc.Start{Path: "/bin/true", Files: []int{0, 1, 2}, Ctty: -1}, gate))
		unix.Close(pidfd)
		return pid, err
	}, func(e *Event) { fmt.Println("saw", show(e)) })
	fmt.Printf("run: %v, refused: %v\n", err, IsRefused(err))
	if left, err := proc.Tree(os.Getpid()); err != nil || len(left) > 0 {
		must(fmt.Errorf("left: %v %v", left, err))
	}
}

func TestRefused(t *testing.T) {
	needTracing(t, Options{Calls: true})
	const filtered = "a seccomp filter under which ipcrun was started forbids ptrace, as some containers do"
	const ancient = "this kernel is too old to observe, or only pretends to be Linux: ptrace: function not implemented"
	const noFilter = "seccomp filters are forbidden here: operation not permitted"
	for _, test := range []struct{ how, want string }{
		{"ptrace", "events: " + filtered + "\ncalls: " + filtered + "\nrun: " + filtered + ", refused: true\n"},
		{"ancient", "events: " + ancient + "\ncalls: " + ancient + "\nrun: " + ancient + ", refused: true\n"},
		{"seccomp", "events: <nil>\ncalls: " + noFilter + "\nrun: " + noFilter + ", refused: true\n"},
	} {
		t.Run(test.how, func(t *testing.T) {
			cmd := exec.Command(proc.Self(), test.how)
			cmd.Env = append(os.Environ(), helperEnv+"=refused")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != test.want {
				t.Errorf("got\n%swant\n%s", out, test.want)
			}
		})
	}
}

// TestTracedAlready: who runs under a tracer cannot be traced again, and is told
// so.
func TestTracedAlready(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is needed")
	}
	needTracing(t, Options{})
	self, err := os.Executable() // the link of proc.Self would mean strace
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(strace, "-f", "-o", os.DevNull, "-e", "trace=none", self, "-test.run=^TestProgram$", "-test.v")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "ipcrun itself runs under strace or a debugger") || !strings.Contains(string(out), "SKIP") {
		t.Errorf("%v\n%s", err, out)
	}
}
