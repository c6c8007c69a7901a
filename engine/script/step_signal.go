package script

import "ipcrun/spec/decl"

func init() { register(&signalVerb) }

var signalVerb = Verb{
	Verb: decl.Verb{
		Name: "signal", Summary: "change what signals do to this process", Place: decl.InProcess,
		Doc: `signal(2): from now on the signals have their default action, are ignored, or run
the given steps. SIGKILL and SIGSTOP cannot be changed.`,
		Object: &decl.Field{Name: "signal", Shape: decl.Signals, Required: true, Doc: "the signal, or a list", Example: "SIGINT"},
		Fields: []decl.Field{
			{Name: "handler", Shape: decl.Handler, Required: true, Doc: "default, ignore, or a list of steps", Example: "ignore"},
		},
		Example: "{signal: SIGINT, handler: ignore}",
	},
	Run: func(w World, a *Action) (any, error) {
		disp := a.Str("handler")
		if disp == "" {
			disp = Handle
		}
		for _, s := range signalList(a.Obj) {
			// The handler is known before the kernel may deliver, and
			// forgotten after it no longer does.
			if disp == Handle {
				a.m.UseHandler(a, s)
			}
			if err := w.Dispose(a, s, disp); err != nil {
				return nil, err
			}
			if disp != Handle {
				a.m.UseHandler(a, s)
			}
		}
		return nil, nil
	},
}

// signalList reads an evaluated Signals value.
func signalList(v any) []int {
	switch x := v.(type) {
	case int:
		return []int{x}
	case []any:
		var out []int
		for _, e := range x {
			if n, ok := e.(int); ok {
				out = append(out, n)
			}
		}
		return out
	}
	return nil
}
