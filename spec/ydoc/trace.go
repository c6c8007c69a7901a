package ydoc

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"ipcrun/spec/source"
)

// style is how a scalar is written.
type style uint8

const (
	plain style = iota
	single
	double
	block
)

// PosIn is the place in the file of the rune of Value at runeOffset, which is
// moved into 0 … number of runes. It is exact for every way to write a scalar:
// an escape is the place of its backslash, a folded line end the place where
// the line ends. Of what is not a scalar it is where the value starts.
func (n *Node) PosIn(runeOffset int) source.Pos {
	if n == nil {
		return source.Pos{}
	}
	if n.Kind != Scalar || n.file == nil {
		return n.Span.Start
	}
	at, end, seen := -1, 0, 0
	end, _ = trace(n.file.Data, n.start, n.style, n.Value, func(o int) {
		if seen == max(0, runeOffset) {
			at = o
		}
		seen++
	})
	if at < 0 { // behind the last rune, which for quotes is before the closing one
		at = end
		if n.style == single || n.style == double {
			at--
		}
	}
	return n.file.PosAt(at)
}

// trace walks over the text of a scalar that starts at start and calls each,
// unless it is nil, with the offset of every rune of value. It returns the
// offset behind the scalar and whether the text really spells value.
func trace(data []byte, start int, st style, value string, each func(int)) (end int, exact bool) {
	emitted := 0
	emit := func(o int) {
		emitted++
		if each != nil {
			each(o)
		}
	}
	switch st {
	case single, double:
		end, exact = traceQuoted(data, start, st, emit)
		return end, exact && emitted == utf8.RuneCountInString(value)
	case block:
		return traceBlock(data, start, value, emit)
	}
	if each == nil && hasPrefix(data, start, value) {
		return start + len(value), true
	}
	return tracePlain(data, start, value, emit)
}

func hasPrefix(data []byte, o int, s string) bool {
	return len(data)-o >= len(s) && string(data[o:o+len(s)]) == s
}

func tracePlain(data []byte, o int, value string, emit func(int)) (int, bool) {
	for value != "" {
		if o >= len(data) {
			return o, false
		}
		if next, breaks := space(data, o); breaks > 0 {
			n := folded(breaks)
			if len(value) < n {
				return o, false
			}
			for range n {
				emit(o)
			}
			value, o = value[n:], next
			continue
		}
		_, n := utf8.DecodeRune(data[o:])
		if !strings.HasPrefix(value, string(data[o:o+n])) {
			return o, false
		}
		emit(o)
		value, o = value[n:], o+n
	}
	return o, true
}

// space measures the white space at o and counts the line ends in it.
func space(data []byte, o int) (next, breaks int) {
	for ; o < len(data); o++ {
		switch data[o] {
		case '\n':
			breaks++
		case ' ', '\t', '\r':
		default:
			return o, breaks
		}
	}
	return o, breaks
}

// folded is the number of characters that so many line ends become: one is a
// space, of several the first one goes.
func folded(breaks int) int { return max(1, breaks-1) }

func traceQuoted(data []byte, o int, st style, emit func(int)) (int, bool) {
	quote := byte('\'')
	if st == double {
		quote = '"'
	}
	if o >= len(data) || data[o] != quote {
		return o, false
	}
	for o++; o < len(data); {
		next, breaks := space(data, o)
		switch {
		case breaks > 0:
			for range folded(breaks) {
				emit(o)
			}
			o = next
		case data[o] == quote && st == single && o+1 < len(data) && data[o+1] == quote:
			emit(o)
			o += 2
		case data[o] == quote:
			return o + 1, true
		case data[o] == '\\' && st == double && o+1 < len(data):
			if n := escape(data[o+1]); n > 0 {
				emit(o)
				o += n
				break
			}
			// The line end is escaped: it and the white space behind it
			// go, and of further line ends each one stays.
			next, breaks := space(data, o+1)
			for range max(0, breaks-1) {
				emit(o)
			}
			o = next
		default:
			_, n := utf8.DecodeRune(data[o:])
			emit(o)
			o += n
		}
	}
	return o, false
}

// escape is the length of the escape sequence whose letter is c, 0 if it
// escapes the line end.
func escape(c byte) int {
	switch c {
	case '\r', '\n':
		return 0
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}

func traceBlock(data []byte, o int, value string, emit func(int)) (int, bool) {
	end := o
	for end < len(data) && strings.IndexByte("|>+-0123456789", data[end]) >= 0 {
		end++
	}
	o = nextLine(data, o)
	indent := blockIndent(data, o, value)
	for o < len(data) && strings.Trim(value, "\n") != "" {
		next := nextLine(data, o)
		line := bytes.TrimSuffix(bytes.TrimSuffix(data[o:next], []byte("\n")), []byte("\r"))
		lead := 0
		for lead < indent && lead < len(line) && line[lead] == ' ' {
			lead++
		}
		text := string(line[lead:])
		if text == "" {
			o = next
			continue
		}
		for !strings.HasPrefix(value, text) {
			if value == "" || value[0] != '\n' && value[0] != ' ' {
				return end, false
			}
			emit(end)
			value = value[1:]
		}
		for i := range text {
			emit(o + lead + i)
		}
		value = value[len(text):]
		end, o = o+len(line), next
	}
	for range len(value) {
		emit(end)
	}
	return end, strings.Trim(value, "\n") == ""
}

func nextLine(data []byte, o int) int {
	if i := bytes.IndexByte(data[o:], '\n'); i >= 0 {
		return o + i + 1
	}
	return len(data)
}

// blockIndent is the number of spaces that the lines of a block from o on
// have and value has not: by comparing the first line that is not blank.
func blockIndent(data []byte, o int, value string) int {
	want := -1
	for line := range strings.SplitSeq(value, "\n") {
		if rest := strings.TrimLeft(line, " "); rest != "" {
			want = len(line) - len(rest)
			break
		}
	}
	if want < 0 {
		return 0
	}
	for o < len(data) {
		next := nextLine(data, o)
		line := strings.TrimRight(string(data[o:next]), "\r\n")
		if rest := strings.TrimLeft(line, " "); rest != "" {
			return max(0, len(line)-len(rest)-want)
		}
		o = next
	}
	return 0
}
