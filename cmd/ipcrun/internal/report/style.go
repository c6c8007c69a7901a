package report

import (
	"github.com/fatih/color"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// Output says whose printed lines are shown.
type Output string

// The values of Output.
const (
	OutputFailed Output = "failed" // those of scenarios that did not pass, their last lines
	OutputAll    Output = "all"    // those of every scenario, all lines
	OutputNone   Output = "none"
)

// Style says how a report looks.
type Style struct {
	Color  bool
	Short  bool // one line for a scenario that did not pass
	Width  int  // terminal cells of a line; 0 means 100, less than 40 is taken as 40
	Output Output
}

const (
	defaultWidth = 100
	leastWidth   = 40
)

func (st Style) width() int {
	if st.Width == 0 {
		return defaultWidth
	}
	return max(st.Width, leastWidth)
}

// Run is a finished run: all that a report is made of.
type Run struct {
	File *source.File // nil if the source is not at hand
	Log  []event.Event
	// Among is how many runs this one is among of which some have passed, 0 otherwise.
	Among int
}

func (st Style) paint(s string, attrs ...color.Attribute) string {
	if !st.Color || s == "" {
		return s
	}
	c := color.New(attrs...)
	c.EnableColor() // the style decides, not what standard output happens to be
	return c.Sprint(s)
}

func (st Style) bold(s string) string  { return st.paint(s, color.Bold) }
func (st Style) faint(s string) string { return st.paint(s, color.Faint) }

// word is a result word in its colour.
func (st Style) word(w string) string {
	switch w {
	case string(event.Pass):
		return st.paint(w, color.FgGreen, color.Bold)
	case string(event.Skip), interrupted, string(event.Flaky), warning:
		return st.paint(w, color.FgYellow, color.Bold)
	}
	return st.paint(w, color.FgRed, color.Bold)
}

// interrupted is the word for a run that a signal cut short; it has no
// result.
const interrupted = "interrupted"

// warning is the word before what did not decide against a scenario.
const warning = "warning"

// wordOf is the word that stands before a scenario's name.
func wordOf(v event.Verdict) string {
	if v.Ending == interrupted {
		return interrupted
	}
	return string(v.Result)
}
