package diag

import (
	"strings"

	"ipcrun/spec/source"
)

// Severity says whether a diagnostic keeps a file from being used.
type Severity uint8

// The severities. The zero value is Error.
const (
	Error   Severity = iota // the file cannot be used
	Warning                 // it can, but probably means something else
)

// String is the word that stands in the output.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one thing that is wrong at one place of a user's file.
type Diagnostic struct {
	Severity Severity
	Code     string       // stable and registered, such as "IPC014"
	File     *source.File // nil if there is nothing to show: then Name
	Name     string       // the file's name if File is nil
	Span     source.Span  // what is wrong; zero if it is the file as a whole
	Summary  string       // one short sentence, starts lower-case, no full stop
	Detail   string       // what to do or why, any number of lines; lines that start with a space keep their layout
	Hint     string       // a few words beside the caret: did you mean "recv"?
	Related  []Related    // other places that matter, such as the first of two declarations
	Fix      *Fix         // a replacement that is surely right, or nil
}

// Related is another place that a diagnostic speaks of.
type Related struct {
	File    *source.File
	Span    source.Span
	Message string // "declared here"; lower-case, no full stop
}

// Fix is a correction that a program can apply: Text in place of Span, in the
// diagnostic's own file.
type Fix struct {
	Span source.Span
	Text string
}

// FileName is the name of the file the diagnostic is about, "" if unknown.
func (d *Diagnostic) FileName() string {
	if d.File != nil {
		return d.File.Name
	}
	return d.Name
}

// Error is the diagnostic on one line: file:line:col: error[IPC014]: summary.
// What is unknown is left out.
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if at := place(d.FileName(), d.Span.Start); at != "" {
		b.WriteString(at + ": ")
	}
	b.WriteString(d.label() + ": " + source.Visible(d.Summary))
	return b.String()
}

func (d *Diagnostic) label() string {
	if d.Code == "" {
		return d.Severity.String()
	}
	return d.Severity.String() + "[" + d.Code + "]"
}

// place is "file:3:7" without the parts that are unknown.
func place(file string, p source.Pos) string {
	switch at := p.String(); {
	case file == "":
		return at
	case at == "":
		return source.Visible(file)
	default:
		return source.Visible(file) + ":" + at
	}
}
