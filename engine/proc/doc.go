// Package proc is the ground the engine stands on: it starts processes with
// exactly the descriptors they are to have, ties their lives to the engine's,
// opens terminals and presses their keys, reaps, and reads what the kernel
// says about a process.
//
// It knows system calls, the process file system and the habits of the Go
// runtime where these get in the way (signal masks, threads, handlers). It
// must never know scenarios, their language, primitives or verdicts. It works
// on Linux alone; elsewhere only this comment is left of it, while the
// subpackages sig (the table of signals) and keys (the names of keys) know no
// kernel and build everywhere.
//
// # Four rules of the kernel that shape it
//
// A parent-death signal is sent when the parent's thread ends, and a child's
// signal mask is that of the thread that forked it. Hence the Spawner: one
// thread, all signals blocked, that lives as long as the engine.
//
// A stopped process runs no code, so it cannot notice that its engine is
// gone. Hence the Lifeline: the kernel is told beforehand to kill the holder
// of a pipe's read end when the last writer disappears.
//
// A key becomes a signal in a worker of the kernel, some time after the byte was
// written. Hence Terminal.Press, which makes the kernel finish that work
// before it returns.
//
// The Go runtime keeps many signals unblocked in all of its threads, SIGINT,
// SIGQUIT, SIGTERM and SIGCHLD among them, so that a signalfd never sees them.
// Hence CatchRaw.
//
// # Example
//
//	spawner, err := proc.NewSpawner()
//	…
//	defer spawner.Close()
//	pid, pidfd, err := spawner.Start(proc.Start{
//		Path:  proc.Self(),
//		Args:  []string{"agent"},
//		Files: []int{0, 1, 2, int(life.ReadEnd().Fd())},
//		Ctty:  -1,
//	})
package proc
