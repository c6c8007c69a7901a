package diag

import (
	"fmt"
	"math"
	"strings"

	"github.com/fatih/color"

	"ipcrun/spec/source"
)

const (
	tabStop = 4 // cells between the tab stops of an excerpt
	gutter  = 8 // cells of "   14 | "
)

// excerpt writes the first line of s with carets under it and the hint behind
// them. It returns the hint if that had no room, else "".
func (p *printer) excerpt(f *source.File, s source.Span, hint string, attrs []color.Attribute) string {
	number := fmt.Sprintf("%5d", s.Start.Line)
	// Beyond 99,999 lines the gutter grows with the number.
	blank := strings.Repeat(" ", len(number))
	room := p.style.Width - gutter - (len(number) - 5)

	line, from, to := visibleLine(f, s, room)
	p.buf.WriteString(strings.TrimRight(p.paint(number+" |", color.FgBlue)+" "+line, " ") + "\n")
	if s.Start.Col <= 0 { // the line as a whole
		return hint
	}
	carets := strings.Repeat("^", max(1, to-from))
	p.buf.WriteString(p.paint(blank+" |", color.FgBlue) + " " + strings.Repeat(" ", from) + p.paint(carets, attrs...))
	if hint != "" && from+len(carets)+1+source.Cells(hint) <= room {
		p.buf.WriteString(" " + hint)
		hint = ""
	}
	p.buf.WriteByte('\n')
	return hint
}

// visibleLine returns the line on which s starts as it is shown, cut to room
// cells around s, and the cells from which to which s lies in it.
func visibleLine(f *source.File, s source.Span, room int) (line string, from, to int) {
	text := f.Line(s.Start.Line)
	// first and last are the rune columns of the span in the line, from 0.
	first := max(0, s.Start.Col-1)
	last := first + 1
	switch {
	case s.End.Line > s.Start.Line:
		last = math.MaxInt
	case s.End.Line == s.Start.Line:
		last = max(last, s.End.Col-1)
	}

	// A line of a megabyte is cut before it is laid out. A rune may take no
	// cell at all, so the cut leaves more runes than the window has cells.
	skipped := 0
	slack := 8 * room
	if len(text) > 2*slack {
		text, skipped = cut(text, first, slack)
		first -= skipped
		last = max(first+1, last-skipped)
	}

	units := layout(text, 0, tabStop)
	total, at := 0, 0
	from, to = -1, -1
	for _, u := range units {
		if from < 0 && first < at+u.runes {
			from = total
		}
		if at < last {
			to = total + u.cells
		}
		at += u.runes
		total += u.cells
	}
	if from < 0 { // behind the last rune
		from, to = total, total+1
	}
	to = max(to, from+1)
	if max(total, to) <= room && skipped == 0 {
		return join(units), from, to
	}
	return window(units, total, from, to, room, skipped > 0)
}

// cut keeps about slack runes of text on both sides of rune number at and
// tells how many runes it dropped in front.
func cut(text string, at, slack int) (string, int) {
	start, end, skipped, n := 0, len(text), 0, 0
	for i := range text {
		if n == at-slack {
			start, skipped = i, n
		}
		if n == at+slack {
			end = i
			break
		}
		n++
	}
	return text[start:end], skipped
}

// window shows room cells of units around from, with … in place of what is
// left out on either side. cutLeft says that something in front is missing
// already. The cells it takes and returns are those of the line and of the
// window.
func window(units []unit, total, from, to, room int, cutLeft bool) (string, int, int) {
	left := from - (room-min(to-from, room/2))/2
	left = max(0, min(left, max(total, to)-room))
	lo, hi := left, left+room // what may be shown of the line
	lead, trail := left > 0 || cutLeft, hi < total
	if lead {
		lo++
	}
	if trail {
		hi--
	}
	var b strings.Builder
	shift := 0
	if lead {
		b.WriteString("…")
		shift = 1
	}
	start, end, at := -1, lo, 0
	for _, u := range units {
		next := at + u.cells
		if at >= lo && next <= hi {
			if start < 0 {
				start = at
			}
			b.WriteString(u.text)
			end = next
		}
		at = next
	}
	if start < 0 {
		start = lo
	}
	if trail {
		b.WriteString("…")
	}
	from = max(from, start)
	to = max(from+1, min(to, max(end, from+1)))
	return b.String(), from - start + shift, to - start + shift
}
