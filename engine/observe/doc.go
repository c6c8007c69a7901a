// Package observe watches a program that knows nothing of us, and all of its
// descendants, from the kernel's side: who forked, executed and ended, and every
// signal with its sender, those that are ignored included; on request also the
// system calls by which processes talk to each other, who prints what, and what is
// lost in a buffer that nobody has written.
//
// It knows ptrace, seccomp filters and the process file system. It must never
// know scenarios or verdicts. It works on Linux, on amd64 and arm64; the Event
// and its travelling form are known everywhere.
//
// # Who does what
//
//  1. A supervisor, a process of its own, calls Run. Its start function forks a
//     stage (Command): this binary once more, which waits at a gate.
//  2. Run seizes the stage, opens the gate, and the stage becomes the program by
//     exec. So nothing of the program runs unseen.
//  3. What the program forks is traced from its first instruction. Each stop is
//     looked at, told to the sink, and ended, all on one thread.
//  4. Run returns when no child of the supervisor is left.
//
// The kernel kills everything that is traced when the tracing thread ends, in
// whatever way: a tracer leaves no stopped process behind.
//
// # What tracing changes, and what it does not
//
// Stopping and continuing, job control, waiting for children and their statuses
// are as without a tracer: a stopped process is left in its stop
// (PTRACE_LISTEN), and a parent sees its children's ends after the tracer has.
// These things differ:
//
//   - A program with the set-user-ID bit runs as the caller (ptrace; with Calls
//     also the no_new_privs attribute).
//   - A signal that is ignored wakes a process for a moment. The few system calls
//     that the kernel does not restart by itself then return EINTR, which is
//     mended where it can be (see restart). Others begin again, and what comes
//     in between is kept away until they have (see reenter).
//   - With Prints or Calls each thread stops once more when it ends, its memory still
//     there: that is when its buffers are looked at. It ends as much later, and is
//     still there meanwhile for those who look at it or wait for it; nothing that it
//     could do itself comes after.
//   - A stopped process reads as t in the process file system, not as T.
//   - Nobody else can trace it, and TracerPid tells who does.
//
// # What stays unseen
//
// SIGKILL carries no sender: the kernel does not keep it. With Calls the system
// call that sent it is seen. A signal that is taken by sigwait or from a signalfd
// is never delivered; with Calls the taking is seen. A signal that stays blocked
// has not been delivered yet. A stop that SIGKILL ends in the same moment may be
// missed. What is in the buffers of stdio is seen of glibc alone, in programs of
// 64 bits, for the standard output and error, when a process ends; not what an exec
// throws away, nor where a second SIGKILL ends the stop before it is looked at. Calls
// of 32-bit programs, and those of io_uring, are no calls here. A child that is cloned
// with CLONE_UNTRACED is seen only when it ends, and only if it has become the
// supervisor's by then.
//
// # Example
//
//	err := observe.Run(observe.Options{}, func(gate int) (int, error) {
//		pid, pidfd, err := proc.Fork(observe.Command(start, gate))
//		…
//		return pid, err
//	}, func(e *observe.Event) {
//		buf = e.Append(buf)
//	})
package observe
