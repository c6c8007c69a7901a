package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

func init() {
	register(&typeVerb)
	register(&closeStdinVerb)
}

var typeVerb = Verb{
	Verb: decl.Verb{
		Name: "type", Summary: "type text for a program to read", Place: decl.InScript,
		Doc: `Writes the text to the program's standard input, and then presses Enter (enter:
false leaves that out). Nothing waits for the program to read it: what finds no
room is written when there is some. On a terminal the text goes through the line
discipline, which hands over whole lines of at most 4095 bytes (termios(3));
through a pipe every byte arrives as it is.`,
		Object: &decl.Field{Name: "type", Shape: decl.Text, Required: true, Doc: "the text", Example: "hello"},
		Fields: []decl.Field{
			{Name: "to", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the process with run: that reads it", Example: "shell"},
			{Name: "enter", Shape: decl.Bool, Default: "true", Doc: "whether Enter follows the text"},
		},
		Errors:  []string{NoProcess, Closed, Invalid},
		Example: "{type: 3 4, to: adder}",
	},
	Run: func(w World, a *Action) (any, error) {
		text := cond.Text(a.Obj)
		if enter, given := a.Args.Get("enter").(bool); !given || enter {
			text += "\n"
		}
		return nil, w.(ScriptWorld).Type(a, a.Targets[0], text)
	},
}

var closeStdinVerb = Verb{
	Verb: decl.Verb{
		Name: "close_stdin", Summary: "let the standard input of a program end", Place: decl.InScript,
		Doc: `What was typed before is read first; then the program sees the end of file. On a
terminal this presses ctrl-d, which ends one read and not those after it.`,
		Object:  &decl.Field{Name: "close_stdin", Shape: decl.Ref, Refs: []string{ClassProcess}, Required: true, Doc: "the process with run:", Example: "adder"},
		Errors:  []string{NoProcess, Closed},
		Example: "close_stdin: adder",
	},
	Run: func(w World, a *Action) (any, error) {
		return nil, w.(ScriptWorld).CloseStdin(a, a.Targets[0])
	},
}
