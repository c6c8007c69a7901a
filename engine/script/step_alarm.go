package script

import "ipcrun/spec/decl"

func init() { register(&alarmVerb) }

var alarmVerb = Verb{
	Verb: decl.Verb{
		Name: "alarm", Summary: "have SIGALRM sent to oneself after a while", Place: decl.InProcess, Result: decl.Float,
		Doc: `alarm(2), with fractions of a second: the kernel sends SIGALRM once the time has
passed. A new alarm replaces the former one, alarm: 0 cancels it. into: receives
the seconds that the former one had left, 0 if there was none.`,
		Object:  &decl.Field{Name: "alarm", Shape: decl.Duration, Required: true, Doc: "how long, 0 to cancel", Example: "2s"},
		Example: "alarm: 2s",
	},
	Run: func(w World, a *Action) (any, error) {
		d, err := durationOf(a.instr.obj, a.Obj)
		if err != nil {
			return nil, err
		}
		return w.Alarm(a, int64(d))
	},
}
