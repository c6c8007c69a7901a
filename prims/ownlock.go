package prims

import "ipcrun/spec/decl"

// ownLock is the lock that shared memory comes with: the re-entrant one, or
// none with lock: false.
type ownLock struct {
	reentrant
	absent bool
}

// lockField is the lock: of a declaration.
var lockField = decl.Field{Name: "lock", Shape: decl.Bool, Default: "true", Static: true,
	Doc: "whether it has a lock of its own, for acquire, release and with", Example: "false"}

// hasOwnLock reads it.
func hasOwnLock(a Args) bool {
	l, given := a.Fields["lock"].(bool)
	return l || !given
}

// newOwnLock is the lock behind the operation counter in an instance's memory.
func newOwnLock(mem []byte, a Args) ownLock {
	return ownLock{newReentrant(mem, 8, false), !hasOwnLock(a)}
}

// ownLockWaiters is a fact of it, beside those of any re-entrant lock.
var ownLockWaiters = decl.Fact{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that wait for its lock"}

// ownAcquire and ownRelease describe the verbs, of a kind, with an example's
// name.
func ownAcquire(kind, name string) decl.Verb {
	return decl.Verb{
		Name: "acquire", Summary: "take the lock of a shared " + kind, Waits: true, Result: decl.Bool, Place: decl.InProcess,
		Doc: `Passes at once if the lock is free or this process holds it; else blocks until
it is free. With block: false it fails with WouldBlock at once, with timeout: it
fails with Timeout, no earlier than that. With into: the variable becomes true
or false instead. Fails with Invalid where lock: false was declared. A holder
that ends keeps it locked for ever.`,
		Fields:  []decl.Field{blockField},
		Errors:  []string{WouldBlock, Timeout, Invalid},
		Example: "acquire: " + name,
	}
}

func ownRelease(kind, name string) decl.Verb {
	return decl.Verb{
		Name: "release", Summary: "give back the lock of a shared " + kind, Place: decl.InProcess,
		Doc: `Never blocks. The lock is free after as many releases as acquires. A process
that does not hold it fails with Invalid.`,
		Errors:  []string{Invalid},
		Example: "release: " + name,
	}
}

var errNoOwnLock = &decl.Failure{Name: Invalid, Detail: "it was declared with lock: false and has no lock of its own"}

// acquire and release are the operations of the lock.

func (l *ownLock) acquire(c *Call) error {
	if l.absent {
		return errNoOwnLock
	}
	return l.reentrant.acquire(c)
}

func (l *ownLock) release(c *Call) error {
	if l.absent {
		return errNoOwnLock
	}
	return l.reentrant.release(c)
}

// ownLockModel is the same in the bytes of a model.
func ownLockModel(st []byte, present bool, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	switch {
	case !present:
		return nil, errNoOwnLock, false
	case verb == "acquire":
		return reentrantState(st).acquire(p, 1, c)
	}
	return nil, reentrantState(st).release(p), false
}
