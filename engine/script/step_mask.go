package script

import "ipcrun/spec/decl"

func init() {
	register(&blockVerb)
	register(&unblockVerb)
}

var blockVerb = maskVerb("block", "hold signals back",
	"sigprocmask(2) with SIG_BLOCK: the signals stay pending until they are unblocked. Standard signals coalesce meanwhile, real-time ones queue. SIGKILL and SIGSTOP cannot be blocked.")

var unblockVerb = maskVerb("unblock", "let signals through again",
	"sigprocmask(2) with SIG_UNBLOCK: what became pending meanwhile is delivered before the next step.")

func maskVerb(name, summary, doc string) Verb {
	return Verb{
		Verb: decl.Verb{
			Name: name, Summary: summary, Doc: doc, Place: decl.InProcess,
			Object:  &decl.Field{Name: name, Shape: decl.Signals, Required: true, Doc: "the signal, or a list", Example: "SIGUSR1"},
			Example: name + ": SIGUSR1",
		},
		Run: func(w World, a *Action) (any, error) { return nil, w.Mask(a, a.Verb.Name, signalList(a.Obj)) },
	}
}
