package script

import (
	"ipcrun/prims"
	"ipcrun/spec/decl"
)

func init() { register(&withVerb) }

var withVerb = Verb{
	Verb: decl.Verb{
		Name: "with", Summary: "do steps while holding a lock", Place: decl.InProcess,
		Doc: `Acquires, does the body, releases, like Python's with statement. timeout: is
for the acquire, and so is error: with OwnerDied the body is done while holding
the lock, with Timeout nobody gets it, and the body is left out. An exit inside the body ends the process and keeps the lock,
as os._exit does.`,
		Object:  &decl.Field{Name: "with", Shape: decl.Ref, Required: true, Doc: "what to hold", Example: "gate"},
		Fields:  []decl.Field{doField},
		Errors:  []string{Timeout, prims.OwnerDied},
		Waits:   true,
		Example: "{with: gate, do: [{add: total}]}",
	},
	refs: lockable,
	Lower: func(l *lowering, s *Step) {
		kind := l.common.Names[s.Obj.Ref.Name].Kind
		acquire, release := *s, *s
		acquire.Verb, acquire.Class, acquire.Args, acquire.Blocks = "acquire", kind, nil, nil
		release.Verb, release.Class, release.Args, release.Blocks = "release", kind, nil, nil
		release.Timeout, release.Error = nil, ""
		l.action(Lookup("acquire", kind), &acquire)
		if s.Error != "" && s.Error != prims.OwnerDied {
			// It ends so, without the lock, or the process ends here.
			return
		}
		l.steps(s.Blocks["do"])
		l.action(Lookup("release", kind), &release)
	},
}

// lockable are the kinds that can be acquired and released.
func lockable() []string {
	var out []string
	for _, d := range prims.All() {
		if d.Op("acquire").Do != nil && d.Op("release").Do != nil {
			out = append(out, d.Name)
		}
	}
	return out
}
