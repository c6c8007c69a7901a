package prims

import (
	"sync/atomic"
	"unsafe"
)

// The state of an instance in the arena begins with its operation counter;
// kinds place their words behind it.

func word64(mem []byte, off int) *atomic.Uint64 { return (*atomic.Uint64)(unsafe.Pointer(&mem[off])) }
func word32(mem []byte, off int) *atomic.Uint32 { return (*atomic.Uint32)(unsafe.Pointer(&mem[off])) }

// futexWord is the raw address of an atomic word, for waiting on it.
func futexWord(w *atomic.Uint32) *uint32 { return (*uint32)(unsafe.Pointer(w)) }

// pageSize is what memory of one's own is rounded up to.
const pageSize = 4096
