//go:build linux

package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// A trial is a process that is started in namespaces of its own, furnishes
// them, says how that went, and ends. Everything that it made ends with it.

// trialName is what the argument vector of such a process begins with.
const trialName = "ipcrun-trial"

// patience bounds a trial. One that takes longer counts as refused, and programs lose
// what was tried: it is not to be taken for that where others want the processors.
const patience = 10 * time.Second

// trialSteps are what is tried inside, in the order in which it is done for a
// program, where it needs a namespace of its own.
var trialSteps = []struct {
	name  string
	needs Spaces
	try   func() error
}{
	{"apart", Mount, setApart},
	{"read-only", Mount, makeReadOnly},
	{"proc", Mount | PID, mountProc},
	{"pids", Mount | PID, func() error { return limitPids(1000) }},
	{"shm", Mount, func() error { return mountEmpty("/dev/shm", 1<<20) }},
	{"tmp", Mount, func() error { return mountEmpty("/tmp", 1<<20) }},
	{"mqueue", Mount | IPC, mountMqueue},
	{"loopback", Network, raiseLoopback},
}

// stepStart is the step before all others, that of being started.
const stepStart = "start"

// runTrial is that process. Its standard output gets one line for each step:
// its name and the number of the error, 0 for none. With a second argument it
// has another process do it: one whose parent is not root.
func runTrial(args []string) {
	n, err := strconv.ParseUint(args[0], 16, 64)
	if err != nil {
		os.Exit(2)
	}
	var out strings.Builder
	if len(args) > 1 {
		t := try(Spaces(n), nil)
		fmt.Fprintln(&out, stepStart, int(errnoOf(t.start)))
		for name, err := range t.steps {
			fmt.Fprintln(&out, name, int(errnoOf(err)))
		}
		_, _ = os.Stdout.WriteString(out.String())
		os.Exit(0)
	}
	for _, s := range trialSteps {
		if !Spaces(n).Has(s.needs) {
			continue
		}
		fmt.Fprintln(&out, s.name, int(errnoOf(s.try())))
	}
	_, _ = os.Stdout.WriteString(out.String())
	os.Exit(0)
}

// errnoOf is the kernel's number of an error: 0 for none, EIO where the error
// is not the kernel's.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return unix.EIO
}

// tried is what a trial found out.
type tried struct {
	start error            // the process could not be started
	steps map[string]error // nil for what is allowed
}

// of is the result of a step.
func (t *tried) of(step string) error {
	if t.start != nil {
		return t.start
	}
	err, ok := t.steps[step]
	if !ok {
		return errors.New("it was not tried")
	}
	return err
}

// try starts a trial and waits for its end. With a credential, a process of
// that user starts it.
func try(s Spaces, as *syscall.Credential) *tried {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return &tried{start: err}
	}
	defer unix.Close(p[0])
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(p[1])
		return &tried{start: err}
	}
	start := proc.Start{
		Path:       proc.Self(),
		Args:       []string{trialName, strconv.FormatUint(uint64(s), 16)},
		Dir:        "/",
		Files:      []int{null, p[1], null},
		Ctty:       -1,
		Credential: as,
	}
	if as == nil {
		s.Enclose(&start)
		start.Pdeathsig = 0 // the thread that forks may end before we are done
	} else {
		start.Args = append(start.Args, "nested")
	}
	pid, pidfd, err := proc.Fork(start)
	unix.Close(null)
	unix.Close(p[1])
	if err != nil {
		return &tried{start: err}
	}
	text, err := readAll(p[0], time.Now().Add(patience))
	// It has no more to do; whatever it does, it ends now.
	_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	_, _ = unix.Wait4(pid, nil, 0, nil)
	unix.Close(pidfd)
	if err != nil {
		return &tried{start: err}
	}
	t := &tried{steps: map[string]error{}}
	for line := range strings.Lines(text) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		errno, err := strconv.Atoi(number)
		switch {
		case err != nil:
			t.steps[name] = err
		case errno != 0:
			t.steps[name] = syscall.Errno(errno)
		default:
			t.steps[name] = nil
		}
	}
	if err := t.steps[stepStart]; err != nil {
		return &tried{start: err}
	}
	return t
}

// readAll reads to the end, which comes when the process ends.
func readAll(fd int, until time.Time) (string, error) {
	var text bytes.Buffer
	buf := make([]byte, 1024)
	for {
		left := time.Until(until)
		if left <= 0 {
			return "", os.ErrDeadlineExceeded
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, int(left/time.Millisecond)+1); err != nil && err != unix.EINTR {
			return "", err
		}
		if poll[0].Revents == 0 {
			continue
		}
		n, err := unix.Read(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return text.String(), nil
		}
		text.Write(buf[:n])
	}
}
