//go:build linux && (amd64 || arm64)

package observe

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// The gate is a pair of sockets that keep messages apart. The stage waits for a
// byte, which says what is observed; a closed gate means that nobody will trace
// it. In the other direction goes one message: why there is no program.

const (
	goOn       = 'g'
	goOnCalls  = 'c'
	goOnPrints = 'p'
)

// gate makes the pair.
func gate() (ours, theirs int, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("observe: gate: %w", err)
	}
	return p[0], p[1], nil
}

func openGate(ours int, o Options) error {
	b := []byte{goOn}
	switch {
	case o.Calls: // writes are among them
		b[0] = goOnCalls
	case o.Prints:
		b[0] = goOnPrints
	}
	if err := unix.Sendto(ours, b, unix.MSG_NOSIGNAL, nil); err != nil {
		return fmt.Errorf("observe: open gate: %w", err)
	}
	return nil
}

// failure is why a stage that has ended did not become the program, nil if it
// did not say.
func failure(ours int) error {
	var b [1024]byte
	n, _, err := unix.Recvfrom(ours, b[:], unix.MSG_DONTWAIT)
	if err != nil || n < 1 {
		return nil
	}
	errno, text, _ := strings2(string(b[:n]))
	if errno == 0 {
		return errors.New(text)
	}
	if text == filterFailed {
		return refused("seccomp", errno, 0)
	}
	return fmt.Errorf("%s: %w", text, errno)
}

// strings2 takes a number and a text apart.
func strings2(s string) (unix.Errno, string, bool) {
	for i := range len(s) {
		if s[i] == ' ' {
			n, err := strconv.Atoi(s[:i])
			return unix.Errno(n), s[i+1:], err == nil
		}
	}
	return 0, s, false
}

// filterFailed stands in the place of a program's name where the filter is what
// failed.
const filterFailed = "\x00filter"

// stageName is what the argument vector of a stage begins with.
const stageName = "ipcrun-observed"

// Command turns the command of a program into that of its stage: this binary,
// which waits until it is traced, gives the program the dispositions and the mask
// that a login shell would, and becomes it. gate is the caller's descriptor of the
// gate; in the stage it follows those of the program, and is closed by the exec.
func Command(s proc.Start, gate int) proc.Start {
	args := s.Args
	if len(args) == 0 {
		args = []string{s.Path}
	}
	s.Args = append([]string{stageName, strconv.Itoa(len(s.Files)), s.Path}, args...)
	s.Path = proc.Self()
	s.Fresh = false // the stage does that itself, once it is traced
	s.Files = append(append([]int(nil), s.Files...), gate)
	return s
}

// init is where a stage never comes back from. It runs on the first thread, which
// is the one that is traced.
func init() {
	if len(os.Args) < 4 || os.Args[0] != stageName {
		return
	}
	fd, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(127)
	}
	unix.CloseOnExec(fd)
	if err := Enter(fd); err != nil {
		os.Exit(127)
	}
	path := os.Args[2]
	if path == "" { // Probe
		_ = unix.Kill(unix.Getpid(), 0)
		os.Exit(0)
	}
	for s := 1; s <= 64; s++ {
		_ = proc.Sigaction(s, proc.Default) // refused for two of them
	}
	_ = proc.SetMask(0)
	Fail(fd, path, syscall.Exec(path, os.Args[3:], os.Environ()))
	os.Exit(127)
}

// Enter is for a stage of the caller's own making: it waits until the thread is
// traced and installs the filter where one is wanted. It must run on the first
// thread of the process, the one that executes the program afterwards and from
// then on stops at the filter's system calls. fd is the gate. An error means that
// there is to be no program; whoever waits for it has been told.
func Enter(fd int) error {
	var b [1]byte
	for {
		n, err := unix.Read(fd, b[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("observe: wait at the gate: %w", err)
		}
		if n == 0 {
			return errors.New("observe: nobody opens the gate")
		}
		break
	}
	var calls []*spec
	switch b[0] {
	case goOnCalls:
		calls = table()
	case goOnPrints:
		calls = printing()
	default:
		return nil
	}
	err := installFilter(calls)
	if err != nil {
		Fail(fd, filterFailed, err)
	}
	return err
}

// Fail tells the tracer why a stage does not become its program.
func Fail(fd int, what string, err error) {
	var errno unix.Errno
	text := what
	if !errors.As(err, &errno) {
		text += ": " + err.Error()
	}
	_ = unix.Sendto(fd, []byte(strconv.Itoa(int(errno))+" "+text), unix.MSG_NOSIGNAL, nil)
}
