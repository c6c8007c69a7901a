package source

import "strconv"

// Pos is a place in a file: line and column, both from 1, the column counting
// runes. The zero Pos is an unknown place; a Pos without a column stands for
// its whole line.
type Pos struct{ Line, Col int }

// IsValid reports whether p names at least a line.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String is "3:7", "3" if the column is unknown, "" if nothing is known.
func (p Pos) String() string {
	switch {
	case p.Line <= 0:
		return ""
	case p.Col <= 0:
		return strconv.Itoa(p.Line)
	}
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// Before reports whether p comes earlier in a file than q.
func (p Pos) Before(q Pos) bool {
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Col < q.Col
}

// Span is a stretch of a file. End is exclusive: the position behind the last
// rune. A zero End means just the rune at Start; an End equal to Start means
// nothing at all, at that place.
type Span struct{ Start, End Pos }
