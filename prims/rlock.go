package prims

import "ipcrun/spec/decl"

func init() { Register(&rlockKind) }

var rlockKind = Descriptor{
	Kind: decl.Kind{
		Name:    "rlock",
		Summary: "mutual exclusion that its holder may enter again",
		Doc: `A re-entrant lock belongs to the process that acquired it. That process may
acquire it again, up to 65535 times, and nobody else gets it before as many
releases. Only the holder may release it. A holder that ends keeps it locked for
ever. Which waiter gets it next is not defined.

With robust: true a holder that ends, by a signal or by itself, leaves the lock
to the next acquire, waiting or later: that one fails with OwnerDied and holds
the lock, once.`,
		Fields: []decl.Field{robustField},
		Facts: []decl.Fact{
			lockedFact, holderFact, depthFact,
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that are blocked on it"},
		},
		Verbs: []decl.Verb{
			{
				Name: "acquire", Summary: "take a re-entrant lock, or once more", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `Passes at once if the lock is free or this process holds it; else blocks until
it is free. With block: false it fails with WouldBlock at once, with timeout: it
fails with Timeout, no earlier than that. With into: the variable becomes true
or false instead, as acquire returns it in multiprocessing.RLock. A robust lock
whose holder has ended: OwnerDied, and this process holds it.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout, OwnerDied, Invalid},
				Example: "acquire: gate",
			},
			{
				Name: "release", Summary: "give back one acquire of a re-entrant lock", Place: decl.InProcess,
				Doc: `Never blocks. The lock is free after as many releases as acquires. A process
that does not hold it fails with Invalid (AssertionError in
multiprocessing.RLock).`,
				Errors:  []string{Invalid},
				Example: "release: gate",
			},
		},
		Example: "gate: rlock",
		Source:  "multiprocessing.RLock; robust: pthread_mutexattr_setrobust(3)",
	},
	ArenaSize: func(Args) int { return 8 + reentrantSize },
	Attach: func(a *Attachment) (any, error) {
		r := newReentrant(a.Mem, 8, isRobust(a.Args))
		return &r, nil
	},
	Facts: func(h any, v View) map[string]any { return h.(*reentrant).facts(v) },
	Ops: []Op{
		{
			Verb:  "acquire",
			Do:    func(h any, c *Call) error { return h.(*reentrant).acquire(c) },
			Ready: func(h any, _ uint64) bool { return h.(*reentrant).ready() },
			Order: Acquire,
		},
		{
			Verb:  "release",
			Do:    func(h any, c *Call) error { return h.(*reentrant).release(c) },
			Order: Release,
		},
	},
	Holders: func(h any) []int { return h.(*reentrant).holders() },
	Died:    func(h any, slot int) { h.(*reentrant).died(slot) },
	Model:   func(a Args, _ int) (Model, error) { return rlockModel{isRobust(a)}, nil },
}

// rlockModel: the bytes of a re-entrant lock.
type rlockModel struct{ robust bool }

func (rlockModel) Size() int   { return reentrantBytes }
func (rlockModel) Init([]byte) {}

func (rlockModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	switch verb {
	case "acquire":
		return reentrantState(st).acquire(p, 1, c)
	case "release":
		return nil, reentrantState(st).release(p), false
	}
	panic("rlock has no verb " + verb)
}

// Died implements Mortal.
func (m rlockModel) Died(st []byte, p int) {
	if m.robust {
		reentrantState(st).died(p)
	}
}
