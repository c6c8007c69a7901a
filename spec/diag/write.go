package diag

import (
	"bytes"
	"io"
	"strings"

	"github.com/fatih/color"

	"ipcrun/spec/source"
)

// Style says how diagnostics are shown.
type Style struct {
	Color bool // with terminal colours
	Short bool // one line each: Error and the hint
	Width int  // terminal cells of a line; 0 means 100, less than 40 is taken as 40
}

const (
	defaultWidth = 100
	leastWidth   = 40
)

// Write renders ds to w, in the order given, in one write. Nothing of a file
// reaches w unless it is visible: control characters appear as pictures. The
// error is w's.
func Write(w io.Writer, ds []*Diagnostic, st Style) error {
	if len(ds) == 0 {
		return nil
	}
	if st.Width == 0 {
		st.Width = defaultWidth
	}
	st.Width = max(st.Width, leastWidth)
	p := &printer{style: st}
	for i, d := range ds {
		if st.Short {
			p.short(d)
			continue
		}
		if i > 0 {
			p.buf.WriteByte('\n')
		}
		p.long(d)
	}
	_, err := w.Write(p.buf.Bytes())
	return err
}

// printer collects the output of one Write.
type printer struct {
	style Style
	buf   bytes.Buffer
}

// paint colours s if colours are on.
func (p *printer) paint(s string, attrs ...color.Attribute) string {
	if !p.style.Color || s == "" {
		return s
	}
	c := color.New(attrs...)
	c.EnableColor() // the style decides, not what standard output happens to be
	return c.Sprint(s)
}

func (s Severity) attrs() []color.Attribute {
	if s == Warning {
		return []color.Attribute{color.FgYellow, color.Bold}
	}
	return []color.Attribute{color.FgRed, color.Bold}
}

func (p *printer) head(d *Diagnostic) {
	if at := place(d.FileName(), d.Span.Start); at != "" {
		p.buf.WriteString(p.paint(at, color.Bold) + ": ")
	}
	p.buf.WriteString(p.paint(d.label(), d.Severity.attrs()...))
	p.buf.WriteString(": " + p.paint(source.Visible(d.Summary), color.Bold))
}

func (p *printer) short(d *Diagnostic) {
	p.head(d)
	if d.Hint != "" {
		p.buf.WriteString(" (" + source.Visible(d.Hint) + ")")
	}
	p.buf.WriteByte('\n')
}

func (p *printer) long(d *Diagnostic) {
	p.head(d)
	p.buf.WriteByte('\n')
	hint := source.Visible(d.Hint)
	if d.File != nil && d.Span.Start.IsValid() {
		hint = p.excerpt(d.File, d.Span, hint, d.Severity.attrs())
	}
	if hint != "" {
		p.text(hint)
	}
	p.text(d.Detail)
	for _, r := range d.Related {
		name := ""
		if r.File != nil {
			name = r.File.Name
		}
		line := "  " + source.Visible(r.Message)
		if at := place(name, r.Span.Start); at != "" {
			line += ": " + at
		}
		p.buf.WriteString(line + "\n")
		if r.File != nil && r.Span.Start.IsValid() {
			p.excerpt(r.File, r.Span, "", []color.Attribute{color.FgCyan, color.Bold})
		}
	}
}

// text writes s indented by two cells and wrapped to the width. A line that
// starts with a space is an example and keeps its layout.
func (p *printer) text(s string) {
	if s == "" {
		return
	}
	for _, line := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
		line = source.Visible(strings.TrimRight(line, " \r"))
		if line == "" {
			p.buf.WriteByte('\n')
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			p.buf.WriteString("  " + source.Expand(line, tabStop) + "\n")
			continue
		}
		for _, part := range wrap(line, p.style.Width-2) {
			p.buf.WriteString("  " + part + "\n")
		}
	}
}

// wrap breaks s into lines of at most width cells: at spaces, and where a
// word alone is wider, as a Chinese sentence is, between two characters.
func wrap(s string, width int) []string {
	var lines []string
	line, at := "", 0
	flush := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line, at = "", 0
	}
	for _, word := range strings.Fields(s) {
		n := source.Cells(word)
		switch {
		case at > 0 && at+1+n <= width:
			line, at = line+" "+word, at+1+n
			continue
		case n <= width:
			flush()
			line, at = word, n
			continue
		}
		if at > 0 && at+1 < width {
			line, at = line+" ", at+1
		}
		for _, u := range layout(word, 0, 0) {
			if at+u.cells > width {
				line = strings.TrimRight(line, " ")
				flush()
			}
			line, at = line+u.text, at+u.cells
		}
	}
	flush()
	return lines
}
