//go:build linux && !amd64 && !arm64

package proc

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// The handler is written for amd64 and arm64; elsewhere nothing is caught
// raw, and no signal is claimed to need it.
const catchHandlerAddr = ^uintptr(0)

// NeedsRaw is always false on this architecture.
func NeedsRaw(sig int) bool { return false }

// RawPipe is not available on this architecture.
func RawPipe() (read, write int, err error) { return -1, -1, errNoCatch() }

// CatchRaw is not available on this architecture.
func CatchRaw(sig int, fd int) error { return errNoCatch() }

// Ordered is empty: no signal needs it.
const Ordered = 0

// CatchOrdered is not available on this architecture.
func CatchOrdered(sig int, fd int) error { return errNoCatch() }

// CatchIdly is not available on this architecture.
func CatchIdly(sig int) error { return errNoCatch() }

func errNoCatch() error {
	return fmt.Errorf("catch signals on %s: %w", runtime.GOARCH, unix.ENOSYS)
}
