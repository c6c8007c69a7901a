//go:build linux && !amd64

package proc

// blockedOld knows the system calls that only old architectures have.
func blockedOld(_, _ int, _ [6]uint64) Blocked { return Blocked{In: InCall} }
