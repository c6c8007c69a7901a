package script

import "ipcrun/spec/decl"

func init() { register(&sleepVerb) }

var sleepVerb = Verb{
	Verb: decl.Verb{
		Name: "sleep", Summary: "do nothing for a while", Place: decl.Anywhere, Waits: true,
		Doc: `Sleeps at least that long. A signal handler runs in between and the sleep goes
on (PEP 475). Sleeping proves nothing about what other processes have done
meanwhile: to wait for them, use expect, eventually or wait.`,
		Object:  &decl.Field{Name: "sleep", Shape: decl.Duration, Required: true, Doc: "how long", Example: "200ms"},
		Example: "sleep: 200ms",
	},
	Run: func(w World, a *Action) (any, error) {
		if a.Resumed == 0 {
			d, err := durationOf(a.instr.obj, a.Obj)
			if err != nil {
				return nil, err
			}
			a.since = w.Now()
			a.Deadline = a.since + int64(d)
		}
		return nil, w.Sleep(a)
	},
}
