// Package supervisor is the life of the small process that stands between
// ipcrun and a program that somebody else wrote. It leads the program's session,
// puts it into a process group of its own (the terminal's foreground group,
// where there is a terminal), gives it the dispositions and the mask of a login
// shell, adopts its orphans, reports what happens to it, and stays until the
// whole tree below it is gone: then nothing the program does reaches ipcrun, and
// nothing it leaves outlives the run.
//
// It knows processes; it must never know scenarios, verdicts or the event log.
// It imports little and runs from its own init, so that it starts fast.
//
//  1. The engine starts the supervisor (Command) with the program's descriptors,
//     a pipe for reports, and the lifeline.
//  2. The supervisor starts the program and reports Started, or Failed.
//  3. It reaps whatever becomes its child and reports Ended for it, for the program
//     with who outlives it.
//  4. When the lifeline is cut, it ends the tree below it, and then itself.
package supervisor
