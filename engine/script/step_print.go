package script

import (
	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// TooMuch is the error of who prints more than it may.
const TooMuch = "TooMuch"

// DefaultOutput is how much a process, or the script, may print where the file sets
// no limit, bytes.
const DefaultOutput = 1 << 20

func init() {
	register(&printVerb)
	decl.RegisterError(TooMuch, "the process would have printed more than its limit (limits: output:)")
}

var printVerb = Verb{
	Verb: decl.Verb{
		Name: "print", Summary: "print a line", Place: decl.Anywhere,
		Doc: `Writes the text and a line feed in one piece: to the terminal where the process
has one, else to its output in the event log. Nothing is buffered, so nothing
is lost when the process is killed. All lines of a process together have at most as
many bytes as its limits: output: says, 1 MiB if nothing is said, and those of the
script 1 MiB; one more fails with TooMuch and is not printed, so a loop without end
does not print without end.`,
		Object:  &decl.Field{Name: "print", Shape: decl.Text, Required: true, Doc: "the text", Example: "hello"},
		Errors:  []string{TooMuch},
		Example: "print: hello",
	},
	Run: func(w World, a *Action) (any, error) { return nil, w.Print(a, cond.Text(a.Obj)) },
}

// Output is what a process, or the script, has printed.
type Output struct{ bytes int }

// Add takes a line into account. It fails where it is one too many for a limit, 0
// standing for the default; whose says of what it is the limit.
func (o *Output) Add(line string, most int, whose string) error {
	if most == 0 {
		most = DefaultOutput
	}
	if o.bytes+len(line)+1 > most {
		return decl.Fail(TooMuch, "with this line it would have printed more than %d bytes, which is %s", most, whose)
	}
	o.bytes += len(line) + 1
	return nil
}
