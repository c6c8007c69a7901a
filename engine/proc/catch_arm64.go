//go:build linux

package proc

// On arm64 the kernel provides the way back from a handler itself.
const (
	catchFlags        = 0
	catchRestorerAddr = 0
)
