// Package engine runs scenarios: it plans one, creates what its processes
// share, forks them, drives the top-level script, watches deadlines and
// deadlock, and tears everything down again. What happened is an event log.
//
// An Engine is configuration and may run many scenarios at once; everything
// that changes belongs to one run, and a run has one goroutine, whose loop
// waits for all there is to wait for (loop.go).
//
// The package must never know output formats or terminals of users.
package engine
