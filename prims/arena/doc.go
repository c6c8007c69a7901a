// Package arena is the shared memory that the processes of one run have in
// common: a sealed memfd, mapped by the engine and by every agent at the same
// descriptor. It holds a header, a status slot per process, an event ring per
// process and the state of the primitives that live in memory, and it knows
// how to wait on a word of it (futex) and how to be interrupted while waiting.
//
// It knows bytes, words and the kernel's futex; it must never know a concrete
// primitive, a scenario, or what the records in the rings mean.
//
//	header | slots (256 bytes each) | primitives | text | rings
//
// Everything in it is written with atomic operations: a process may be killed
// or stopped between any two instructions, and the others go on.
package arena
