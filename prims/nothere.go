package prims

import (
	"errors"
	"syscall"
)

// NotHere is in the error of a creation where this machine has nothing of the
// kind, or lets this user have none: a kernel without it, a container around us, a
// directory that is read-only. Then the scenario cannot run here, and nobody has
// made a mistake. A limit that has been reached is no such error.
type NotHere struct{ Err error }

func (n *NotHere) Error() string { return n.Err.Error() }

// Unwrap is the kernel's own error, in words.
func (n *NotHere) Unwrap() error { return n.Err }

// notHere makes an error of the system's own objects a *NotHere, if it says that
// there are none for us.
func notHere(err error) error {
	for _, e := range []error{syscall.ENOSYS, syscall.EPERM, syscall.EACCES, syscall.EROFS} {
		if errors.Is(err, e) {
			return &NotHere{err}
		}
	}
	return err
}
