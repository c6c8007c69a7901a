package stack

import (
	"testing"
	"unsafe"
)

// TestStackGrowsAtOnce: after the one call a goroutine has room for what it needs,
// and its stack stays where it is.
func TestStackGrowsAtOnce(t *testing.T) {
	moved := make(chan [2]bool)
	go func() {
		var here byte
		first := uintptr(unsafe.Pointer(&here))
		deep(false)
		second := uintptr(unsafe.Pointer(&here))
		fill(24)
		moved <- [2]bool{first != second, second != uintptr(unsafe.Pointer(&here))}
	}()
	if got := <-moved; got != [2]bool{true, false} {
		t.Errorf("moved by the call, and afterwards: %v", got)
	}
}

// fill uses n kilobytes of the stack.
//
//go:noinline
func fill(n int) byte {
	var room [1 << 10]byte
	if n > 1 {
		room[n] = fill(n - 1)
	}
	return room[n]
}
