// Package race finds accesses to shared memory that nothing orders.
//
// It replays the log of a run: each process has a vector clock; operations that
// order (a lock's release and acquire, a put and the get that takes it, a get and the
// put that needed its room, a fork
// and the child, an end and the wait for it, a signal and its handler) pass
// clocks on; two accesses to the same memory of which neither clock knows the
// other are a race if one of them writes, whether or not this run's result
// came out right (Lamport 1978; Flanagan and Freund, FastTrack, PLDI 2009).
//
// Where the log does not tell which of several earlier operations an operation
// saw, it is taken to have seen them all: a race may be missed then, but none
// is invented.
//
// The package knows records of the event log; it must never know processes,
// scenarios or how anything runs.
package race
