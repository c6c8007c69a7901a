//go:build linux && (amd64 || arm64)

package observe

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Support is what this machine lets us observe. A nil error means that it works;
// otherwise it is a *Refused, whose text is a sentence for users.
type Support struct {
	Events error // forks, execs, ends, signals
	Calls  error // system calls, Options.Calls
}

// Probe tries it: it traces a stage that makes one system call and ends. It takes
// a few milliseconds and may be called from any goroutine.
func Probe() Support {
	result := make(chan Support)
	go func() {
		// The thread ends with the goroutine: a tracer is a thread.
		runtime.LockOSThread()
		result <- probe()
	}()
	return <-result
}

func probe() Support {
	broken := func(err error) Support { return Support{Events: err, Calls: err} }
	ours, theirs, err := gate()
	if err != nil {
		return broken(err)
	}
	defer unix.Close(ours)
	pid, pidfd, err := proc.Fork(Command(proc.Start{Args: []string{"probe"}, Env: []string{}, Files: []int{-1, -1, -1}, Ctty: -1}, theirs))
	_ = unix.Close(theirs)
	if err != nil {
		return broken(fmt.Errorf("observe: probe: %w", err))
	}
	_ = unix.Close(pidfd)
	if err := seize(pid, options); err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = unix.Wait4(pid, nil, unix.WALL, nil)
		return broken(err)
	}
	if err := openGate(ours, Options{Calls: true}); err != nil {
		return broken(err)
	}
	return Support{Calls: probed(pid, ours)}
}

// probed follows the stage to its end and tells what became of its system call.
func probed(pid, ours int) error {
	var seen bool
	for {
		var status uint32
		// The stage's threads are traced too. Whatever else this process has to
		// wait for belongs to other threads of it.
		tid, errno := wait(-1, &status, unix.WNOTHREAD, nil)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return fmt.Errorf("observe: probe: wait: %w", errno)
		case status&0x7f == 0x7f:
			if status>>16 == unix.PTRACE_EVENT_SECCOMP {
				var i callInfo
				if errno := i.read(tid); errno != 0 {
					resume(tid, 0)
					return refused("ptrace system call info", errno, 0)
				}
				seen = seen || i.op == unix.PTRACE_SYSCALL_INFO_SECCOMP && i.nr == unix.SYS_KILL && i.args[0] == uint64(pid)
			}
			resume(tid, 0)
			continue
		case tid != pid:
			continue
		}
		if err := failure(ours); err != nil {
			return err
		}
		if !seen {
			return &Refused{Call: "seccomp", Reason: "a seccomp filter is accepted here, but its stops never come"}
		}
		return nil
	}
}

// reason says in words why the kernel refused. tracee is the process that was to
// be traced, 0 if there is none.
func reason(call string, err error, tracee int) string {
	switch {
	case call == "seccomp" && (err == unix.EINVAL || err == unix.ENOSYS):
		return "this kernel has no seccomp filters"
	case call == "seccomp":
		return "seccomp filters are forbidden here: " + err.Error()
	case err == unix.ENOSYS || err == unix.EIO || err == unix.EINVAL:
		return "this kernel is too old to observe, or only pretends to be Linux: " + call + ": " + err.Error()
	}
	if by := statusNumber(tracee, "TracerPid"); by > 0 {
		return fmt.Sprintf("the program is traced already, by process %d: ipcrun itself runs under strace or a debugger", by)
	}
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	switch s := strings.TrimSpace(string(scope)); {
	case s == "3":
		return "nobody may trace on this machine: kernel.yama.ptrace_scope is 3"
	case s == "2" && os.Geteuid() != 0:
		return "only root may trace on this machine: kernel.yama.ptrace_scope is 2"
	}
	if statusNumber(os.Getpid(), "Seccomp") == 2 {
		return "a seccomp filter under which ipcrun was started forbids ptrace, as some containers do"
	}
	return "the kernel forbids ptrace here: " + err.Error()
}

func statusNumber(pid int, name string) int {
	var buf [4096]byte
	n, _ := strconv.Atoi(string(field(read(pid, "status", buf[:]), name)))
	return n
}
