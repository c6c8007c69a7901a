package script

import "ipcrun/spec/decl"

func init() {
	for _, how := range []struct{ name, summary, doc string }{
		{"block", "hold signals back", "sigprocmask(2) with SIG_BLOCK: the signals stay pending until they are unblocked. Standard signals coalesce meanwhile, real-time ones queue. SIGKILL and SIGSTOP cannot be blocked."},
		{"unblock", "let signals through again", "sigprocmask(2) with SIG_UNBLOCK: what became pending meanwhile is delivered before the next step."},
	} {
		register(&Verb{
			Verb: decl.Verb{
				Name: how.name, Summary: how.summary, Doc: how.doc, Place: decl.InProcess,
				Object:  &decl.Field{Name: how.name, Shape: decl.Signals, Required: true, Doc: "the signal, or a list", Example: "SIGUSR1"},
				Example: how.name + ": SIGUSR1",
			},
			Run: func(w World, a *Action) (any, error) {
				return nil, w.Mask(a, how.name, signalList(a.Obj))
			},
		})
	}
}
