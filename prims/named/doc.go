// Package named keeps account of what a run makes under a name that the whole
// system sees: files, objects in /dev/shm, message queues. Such an object
// outlives the processes that use it, so whoever made it must remove it, also
// when the engine is killed and none of its code runs any more.
//
//  1. A Ledger notes an object before it is made. What it notes goes to the
//     janitor as well, a process that waits for the engine's end
//     (engine/janitor).
//  2. At the end of a run the engine sweeps the ledger; the janitor does the
//     same with what it was told, when the engine did not live to do it.
//
// Nothing is ever removed that somebody else has made under the same name, at
// whatever moment the engine is killed:
//
//   - a name that is unique to the run belongs to it;
//   - a file with a name of the author's choice is made under a unique one, its
//     inode is noted, and then it is moved to its name, which fails if there is
//     one. A file with another inode is not ours;
//   - an object that cannot be moved is made with mode 0, so that nobody can use
//     it yet; then its identity is noted, and then it gets its mode. One that is
//     on record without identity is ours only if it still has mode 0.
//
// It knows names and the calls that remove what bears them. It must never know
// primitives or scenarios.
package named
