package arena

import _ "unsafe" // for go:linkname

// Now is the monotonic clock in nanoseconds, the same for all processes of the
// machine (CLOCK_MONOTONIC): events of different processes can be compared.
//
//go:linkname Now runtime.nanotime
func Now() int64
