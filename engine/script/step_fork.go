package script

import "ipcrun/spec/decl"

func init() { register(&forkVerb) }

var forkVerb = Verb{
	Verb: decl.Verb{
		Name: "fork", Summary: "fork a child process", Place: decl.InProcess,
		Doc: `Starts the process, which must be declared with parent: naming this one. The
step ends when it is forked; the child installs its dispositions and begins its
steps by itself, and signals sent to it meanwhile wait until then. A declared
process can be forked once.`,
		Object:  &decl.Field{Name: "fork", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the child", Example: "worker"},
		Errors:  []string{Invalid},
		Example: "fork: worker",
	},
	Run: func(w World, a *Action) (any, error) {
		for _, t := range a.Targets {
			if err := w.Fork(a, t); err != nil {
				return nil, err
			}
		}
		return nil, nil
	},
}
