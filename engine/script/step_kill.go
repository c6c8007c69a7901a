package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// Self as a slot means the process that acts.
const Self = -1

func init() {
	register(&killVerb)
	register(&raiseVerb)
}

var killVerb = Verb{
	Verb: decl.Verb{
		Name: "kill", Summary: "send a signal to a process", Place: decl.Anywhere,
		Doc: `kill(2), or sigqueue(3) where value: is given. It ends when the kernel has
accepted the signal; what the receiver makes of it is its own affair. A process
that has ended and was waited for gives NoProcess. The name of name[n] sends to
each of them.`,
		Object: &decl.Field{Name: "kill", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the receiver", Example: "driver"},
		Fields: []decl.Field{
			{Name: "signal", Shape: decl.Signal, Default: "SIGTERM", Doc: "the signal, as kill -l names it", Example: "SIGUSR1"},
			{Name: "value", Shape: decl.Int, Doc: "a whole number that travels with it (sigqueue)", Example: "7"},
		},
		Errors:  []string{NoProcess, Permission, Invalid},
		Example: "{kill: driver, signal: SIGUSR1}",
	},
	Run: func(w World, a *Action) (any, error) { return nil, sendAll(w, a, a.Targets, a.Args.Get("signal")) },
}

var raiseVerb = Verb{
	Verb: decl.Verb{
		Name: "raise", Summary: "send a signal to oneself", Place: decl.InProcess,
		Doc:    "raise(3): a handler of it runs before the next step.",
		Object: &decl.Field{Name: "raise", Shape: decl.Signal, Required: true, Doc: "the signal", Example: "SIGUSR1"},
		Fields: []decl.Field{
			{Name: "value", Shape: decl.Int, Doc: "a whole number that travels with it (sigqueue)", Example: "7"},
		},
		Errors:  []string{Invalid},
		Example: "raise: SIGUSR1",
	},
	Run: func(w World, a *Action) (any, error) { return nil, sendAll(w, a, []int{Self}, a.Obj) },
}

func sendAll(w World, a *Action, to []int, sig any) error {
	n, ok := asInt(sig)
	if !ok {
		n = 15
	}
	var value *int
	if a.Args.Has("value") {
		v, ok := asInt(a.Args.Get("value"))
		if !ok {
			return decl.Fail(Invalid, "the value of a signal is a whole number, not %s", cond.Text(a.Args.Get("value")))
		}
		value = &v
	}
	for _, t := range to {
		if err := w.Kill(a, t, n, value); err != nil {
			return err
		}
	}
	return nil
}
