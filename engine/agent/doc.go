// Package agent is the life of a forked process: it attaches to the shared
// memory of its run, installs its dispositions, reports that it is ready, runs
// its script, records what it does, and dies. An agent is the binary itself,
// executed anew, which becomes an agent in this package's init: whoever imports
// the package can be re-executed as one, a test binary too.
//
// It knows programs, primitives, shared memory and the kernel; it must never
// know scenarios, reports or flags.
//
// The descriptors it starts with:
//
//	0 1 2  standard streams: the terminal, or /dev/null and the run's pipe
//	3      the arena
//	4      the lifeline: everything dies with the engine
//	5      the eventfd that wakes the engine
//	6      orders of the script, for an idle process; else a hole
//	7…     descriptors of primitives, in the order of the program's Uses, then
//	       the sockets for the orders of idle descendants
package agent
