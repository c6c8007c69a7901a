package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() { register(&printVerb) }

var printVerb = Verb{
	Verb: decl.Verb{
		Name: "print", Summary: "print a line", Place: decl.Anywhere,
		Doc: `Writes the text and a line feed in one piece: to the terminal where the process
has one, else to its output in the event log. Nothing is buffered, so nothing
is lost when the process is killed.`,
		Object:  &decl.Field{Name: "print", Shape: decl.Text, Required: true, Doc: "the text", Example: "hello"},
		Example: "print: hello",
	},
	Run: func(w World, a *Action) (any, error) { return nil, w.Print(a, cond.Text(a.Obj)) },
}
