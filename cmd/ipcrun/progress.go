package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"ipcrun/spec/source"
)

// progress is a bar on one line of a terminal. A nil progress shows nothing.
//
// The libraries for this bring an HTTP server or a table of every script's
// graphemes along, whose initialisation each process of every scenario would
// pay for.
type progress struct {
	w     io.Writer
	width int
	shown bool
}

// newProgress makes a bar, nil if nobody would see it.
func newProgress(f *os.File, quiet bool) *progress {
	if quiet || !isTerminal(f) {
		return nil
	}
	return &progress{w: f, width: orElse(width(f), plainWidth)}
}

// show says that done of all are done, and what is next.
func (p *progress) show(done, all int, next string) {
	if p == nil {
		return
	}
	fmt.Fprint(p.w, "\r\x1b[K"+barLine(done, all, next, p.width-1))
	p.shown = true
}

// close clears the line.
func (p *progress) close() {
	if p != nil && p.shown {
		io.WriteString(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// barLine is the bar, at most width cells of it.
func barLine(done, all int, next string, width int) string {
	const cells = 24
	full := cells
	if all > 0 {
		full = cells * done / all
	}
	text := fmt.Sprintf("%s%s %d/%d  %s", strings.Repeat("█", full), strings.Repeat("░", cells-full), done, all, next)
	r := []rune(text)
	for len(r) > 0 && source.Cells(string(r)) > width {
		r = r[:len(r)-1]
	}
	return string(r)
}
