//go:build linux

package sandbox

import (
	"golang.org/x/sys/unix"
)

// scopeVersion is the first one that holds signals back.
const scopeVersion = 6

// landlockVersion asks for the version of the interface.
func landlockVersion() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}
