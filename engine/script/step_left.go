package script

import "ipcrun/spec/decl"

// What can be left behind.
const (
	LeftZombies = "no_zombies"
	LeftOrphans = "no_orphans"
	LeftIPC     = "no_leaked_ipc"
)

func init() {
	register(&noZombiesVerb)
	register(&noOrphansVerb)
	register(&noLeakedIPCVerb)
}

var noZombiesVerb = leftVerb(LeftZombies, "check that nobody has ended without being waited for",
	`A zombie is a process that has ended and whose parent has not waited for it
(waitpid(2)). The check holds if there is none; while a zombie's parent runs it may
be about to wait, so it is given the time to. Those count as well that a program
never waited for before it ended itself. In finally: it tells how it was when the
last process had ended.`, "The offenders are named with their command line and their parent.")

var noOrphansVerb = leftVerb(LeftOrphans, "check that nobody lives on whose parent has ended",
	`An orphan is a process that lives while the one that forked it has ended: a child
that nobody waits for, a daemon. The check holds if there is none; one that runs may
be about to end, so it is given the time to. In finally: it tells how it was when the
last declared process had ended, before ipcrun ended the rest.`, "The offenders are named with their command line and what they do.")

var noLeakedIPCVerb = leftVerb(LeftIPC, "check that no object is left under a name in the system",
	`System V queues, semaphore sets and shared memory, POSIX message queues, semaphores
and shared memory live under their names until somebody removes them, and make the
next run fail. The check holds if a program has left none. It waits until nobody of
the program's tree is left. Where the kernel allows it a program has a namespace of
its own for them, and what is in it at the end was left by it; elsewhere it is what
is there now, belongs to this user and was not there before the run.`, "The objects are named with their kind and key.")

func leftVerb(name, summary, doc, source string) Verb {
	return Verb{
		Verb: decl.Verb{
			Name: name, Summary: summary, Place: decl.InScript, Doc: doc + " " + source + `

With timeout: it waits no longer than that for what may still change, and then fails with
AssertionFailed; 5 seconds if nothing is said. In finally: there is nothing to wait for.`,
			Fields: []decl.Field{
				{Name: "of", Shape: decl.Ref, Refs: []string{ClassProcess}, Doc: "the process whose descendants alone are looked at", Default: "all", Example: "driver"},
			},
			Errors:  []string{AssertionFailed},
			Waits:   true,
			Past:    true,
			Example: name,
		},
		Checks: true,
		Run:    checkLeft,
	}
}

func checkLeft(w World, a *Action) (any, error) {
	of := -1
	if len(a.Targets) > 0 {
		of = a.Targets[0]
	}
	c, err := w.(ScriptWorld).Left(a, a.Verb.Name, of)
	if err != nil {
		return nil, err
	}
	if c.OK || a.ExpectedError() != AssertionFailed {
		w.Check(a, c)
	}
	if !c.OK {
		return nil, decl.Fail(AssertionFailed, "%s", c.Text)
	}
	return nil, nil
}
