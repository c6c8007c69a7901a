// Package family decides which process of a program is which declared one. A
// program that somebody else wrote forks whenever it likes, through shells,
// launchers and version managers; the scenario only says that conductor is a
// child of driver.
//
// A Family is what is known of the processes below one program: who forked whom,
// what each has executed since, its signal masks, what its standard streams lead
// to. It is fed by looks at the process file system (Look), by events of an
// observer (Forked, Execed, Ended), or by both. A Finder holds the declared names
// against it. Both are pure: the same family yields the same names, so what real
// machines did is a test.
//
// The rules, which docs/decisions.md gives reasons for:
//
//  1. A process is the same after exec. A child that its parent forked before the
//     parent's latest exec was a helper of what the parent ran before.
//  2. A launcher (timeout, env, …) and a shell that traps nothing stand for the one
//     child that they run in the foreground. What a shell runs in the background is
//     a child of its own; what it reads the output of is a helper.
//  3. A child is bound once it has settled: it is asleep, stopped or has ended, it
//     handles signals otherwise than its parent, it has children, or it has used
//     processor time. Before that it may be about to exec.
//  4. Children that are still what their parent is come before those that have
//     executed something else. Of the latter, one that has ended is not bound as
//     long as others can come.
//  5. A child that has ended and left exactly one child behind, as a daemon does,
//     passes its name on to it.
//  6. Two candidates at once and no match: is Ambiguous, never a guess.
//
// The package must never know system calls, scenarios or verdicts.
package family
