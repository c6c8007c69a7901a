//go:build linux && !amd64 && !arm64

package observe

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Options say what is observed.
type Options struct {
	Calls  bool
	Prints bool
	Stage  string
	Idle   func()
}

// Support is what this machine lets us observe.
type Support struct{ Events, Calls error }

// Refused is the error where the kernel does not let us observe.
type Refused struct {
	Call, Reason string
	Err          error
}

func (r *Refused) Error() string { return r.Reason }

// Unwrap is the kernel's own error.
func (r *Refused) Unwrap() error { return r.Err }

// IsRefused reports whether an error says that observing is not possible.
func IsRefused(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}

func unknown() error {
	return &Refused{Call: "ptrace", Reason: "observing is not written for " + runtime.GOARCH, Err: unix.ENOSYS}
}

// Probe says that nothing works on this architecture.
func Probe() Support { return Support{unknown(), unknown()} }

// Run is not available on this architecture.
func Run(Options, func(gate int) (int, error), func(*Event)) error { return unknown() }

// Command returns the command as it is.
func Command(s proc.Start, gate int) proc.Start { return s }

// Enter is not available on this architecture.
func Enter(int) error { return unknown() }

// Fail does nothing on this architecture.
func Fail(int, string, error) {}
