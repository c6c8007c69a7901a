package source

import (
	"bytes"
	"sort"
	"unicode/utf8"
)

// markEvery is the number of runes between two remembered byte offsets. It
// bounds the work of turning an offset into a column on files whose single
// line is a megabyte long.
const markEvery = 128

const bom = "\xef\xbb\xbf"

// File is a named text. It is immutable after New and safe for concurrent use.
type File struct {
	Name string
	Data []byte

	body  int   // where the text starts: behind a byte order mark
	lines []int // byte offset at which each line starts; never empty
	marks []int // byte offset of rune number k*markEvery, counted from body
}

// New makes a File of data, which it keeps and which nobody may change
// afterwards. Any bytes are accepted: a byte that is not valid UTF-8 counts
// as one rune.
func New(name string, data []byte) *File {
	f := &File{Name: name, Data: data}
	if bytes.HasPrefix(data, []byte(bom)) {
		f.body = len(bom)
	}
	f.lines = []int{f.body}
	runes := 0
	for o := f.body; o < len(data); runes++ {
		if runes%markEvery == 0 {
			f.marks = append(f.marks, o)
		}
		if data[o] == '\n' {
			f.lines = append(f.lines, o+1)
		}
		o += width(data[o:])
	}
	return f
}

// Lines is the number of lines. An empty file has none, and a final line end
// does not start another line.
func (f *File) Lines() int {
	n := len(f.lines)
	if f.lines[n-1] == len(f.Data) {
		n--
	}
	return n
}

// Line returns line n, which counts from 1, without its line end; "" if there
// is no such line.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return string(f.Data[f.lines[n-1]:f.lineEnd(n)])
}

// lineEnd is the offset behind the last byte of line n's text.
func (f *File) lineEnd(n int) int {
	if n >= len(f.lines) {
		return len(f.Data)
	}
	end := f.lines[n] - 1
	if end > f.lines[n-1] && f.Data[end-1] == '\r' {
		end--
	}
	return end
}

// Offset is the byte offset of p. A position outside the file is moved to the
// nearest one inside: a column behind the end of its line to that end, a line
// behind the last one to the end of the file.
func (f *File) Offset(p Pos) int {
	switch {
	case p.Line < 1:
		return f.body
	case p.Line > len(f.lines):
		return len(f.Data)
	}
	start, end := f.lines[p.Line-1], f.lineEnd(p.Line)
	if p.Col <= 1 {
		return start
	}
	if p.Col-1 > end-start { // more runes than bytes
		return end
	}
	if p.Col <= markEvery { // nearer than a mark would be
		o := start
		for i := 1; i < p.Col && o < end; i++ {
			o += width(f.Data[o:])
		}
		return min(o, end)
	}
	return min(f.runeOffset(f.runesBefore(start)+p.Col-1), end)
}

// PosAt is the position of the rune that the byte at offset belongs to. An
// offset inside a line end is the column behind the line's last rune; one
// outside the file is moved to the nearest end.
func (f *File) PosAt(offset int) Pos {
	offset = min(max(offset, f.body), len(f.Data))
	n := sort.SearchInts(f.lines, offset+1) // number of lines that start at or before offset
	start := f.lines[n-1]
	offset = min(offset, f.lineEnd(n))
	if offset-start <= markEvery && (offset == len(f.Data) || utf8.RuneStart(f.Data[offset])) {
		return Pos{Line: n, Col: utf8.RuneCount(f.Data[start:offset]) + 1}
	}
	return Pos{Line: n, Col: f.runesBefore(offset) - f.runesBefore(start) + 1}
}

// Slice is the text of s. A span without an end is its start rune; one that
// ends before it starts is empty.
func (f *File) Slice(s Span) string {
	if !s.Start.IsValid() {
		return ""
	}
	from := f.Offset(s.Start)
	if !s.End.IsValid() {
		if from >= f.lineEnd(min(s.Start.Line, len(f.lines))) {
			return ""
		}
		return string(f.Data[from : from+width(f.Data[from:])])
	}
	return string(f.Data[from:max(from, f.Offset(s.End))])
}

// runesBefore counts the runes that end at or before offset.
func (f *File) runesBefore(offset int) int {
	k := sort.SearchInts(f.marks, offset+1) - 1
	if k < 0 {
		return 0
	}
	n := k * markEvery
	for o := f.marks[k]; o < len(f.Data); n++ {
		o += width(f.Data[o:])
		if o > offset {
			break
		}
	}
	return n
}

// runeOffset is the byte offset of rune number n of the body.
func (f *File) runeOffset(n int) int {
	k := n / markEvery
	if k >= len(f.marks) {
		return len(f.Data)
	}
	o := f.marks[k]
	for i := k * markEvery; i < n && o < len(f.Data); i++ {
		o += width(f.Data[o:])
	}
	return o
}

// width is the number of bytes of the first rune of b, 1 if it is invalid.
func width(b []byte) int {
	if b[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(b)
	return n
}
