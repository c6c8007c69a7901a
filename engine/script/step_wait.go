package script

import "ipcrun/spec/decl"

func init() { register(&waitVerb) }

var waitVerb = Verb{
	Class: ClassProcess,
	Verb: decl.Verb{
		Name: "wait", Summary: "wait until a process has ended", Place: decl.Anywhere, Waits: true, Result: decl.Map,
		Doc: `In a process it is waitpid(2): it waits for a child, takes its status and so
removes the zombie; a process that is not a child gives NoChild. In the
top-level script it waits for any declared process to end, child of whomever.
The name of name[n] waits for all of them. into: receives {pid, exit_code,
exit_signal}; exit_code is nil for a process that a signal ended, exit_signal
is nil for one that exited.`,
		Object:  &decl.Field{Name: "wait", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the process", Example: "worker"},
		Errors:  []string{NoChild, Timeout},
		Example: "wait: worker",
	},
	Run: func(w World, a *Action) (any, error) { return w.Wait(a, a.Targets, false) },
}
