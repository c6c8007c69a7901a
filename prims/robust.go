package prims

import (
	"sync/atomic"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// OwnerDied is what the acquire of a robust lock ends with that takes over the
// lock of a process that has ended.
const OwnerDied = "OwnerDied"

func init() {
	decl.RegisterError(OwnerDied, "the holder of a robust lock ended without releasing it; the step has acquired the lock all the same, and what the lock protects may be half done (EOWNERDEAD)")
}

// robustField is the robust: of a lock's declaration.
var robustField = decl.Field{Name: "robust", Shape: decl.Bool, Default: "false", Static: true,
	Doc: "whether a holder that ended leaves the lock to the next acquire, which then fails with OwnerDied and holds it", Example: "true"}

// isRobust reads it.
func isRobust(a Args) bool {
	r, _ := a.Fields["robust"].(bool)
	return r
}

// A lock word that names its owner says in its highest bit that the owner has
// ended. The engine sets it (Descriptor.Died) and wakes whoever waits; a process
// that acquires in the meantime asks the owner's slot.
const diedBit = 1 << 31

// hasEnded asks the slot of an owner, slot + 1.
func hasEnded(c *Call, owner uint32) bool {
	return c.Self.Arena.Slot(int(owner)-1).State() == arena.Ended
}

// ResultAfter is the key of a Call's Result that tells whose end an operation
// took advantage of, by slot.
const ResultAfter = "after the end of slot"

// ownerDied is the failure of an acquire that took over, and holds, the lock
// of owner, slot + 1.
func ownerDied(c *Call, owner uint32) error {
	c.Happened, c.Result = true, map[string]any{ResultAfter: int(owner) - 1}
	return decl.Fail(OwnerDied, "its holder has ended; it is held by this process now")
}

// setDied marks a lock word if owner, below mask, is the process in slot.
func setDied(word *atomic.Uint32, mask uint32, slot int) {
	for {
		w := word.Load()
		if w&diedBit != 0 || w&mask != uint32(slot)+1 || word.CompareAndSwap(w, w|diedBit) {
			return
		}
	}
}
