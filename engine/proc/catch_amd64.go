//go:build linux

package proc

// On amd64 the kernel returns from a handler by way of the restorer alone.
const catchFlags = saRestorer

// catchRestorerAddr is the address of catchRestorer, set by the assembler.
var catchRestorerAddr uintptr

// catchRestorer is written in assembly: it ends a handler by rt_sigreturn.
//
//lint:ignore U1000 vet wants the declaration; only the assembler refers to it
func catchRestorer()
