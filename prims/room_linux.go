package prims

import "golang.org/x/sys/unix"

// socketBuffer is how much a socket of this machine takes before it is full, 0 if that
// cannot be known.
func socketBuffer() int {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	n, err := unix.GetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return 0
	}
	return n
}
