package script

import "ipcrun/spec/decl"

func init() { register(&pauseVerb) }

var pauseVerb = Verb{
	Verb: decl.Verb{
		Name: "pause", Summary: "wait for a signal", Place: decl.InProcess, Waits: true,
		Doc: `pause(2): blocks until a signal that has a handler arrives, and ends when the
handler has run. Ignored signals do not end it. A signal that came before the
step began does not count; there is no sigsuspend, so wait for an event that the
handler sets where the signal may come first.`,
		Errors:  []string{Timeout},
		Example: "pause",
	},
	Run: func(w World, a *Action) (any, error) { return nil, w.Pause(a) },
}
