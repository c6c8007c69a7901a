package diag

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ipcrun/spec/source"
)

// unit is the smallest piece of a line that a caret can stand under: a
// character with everything that is drawn on top of it.
type unit struct {
	text  string // as shown
	runes int    // of the file
	cells int
}

// layout splits s, which starts at cell at, into units as they are shown.
// With a tab stop of 0 tabs are left alone.
func layout(s string, at, tab int) []unit {
	units := make([]unit, 0, len(s))
	for len(s) > 0 {
		n, runes := cluster(s)
		u := unit{text: s[:n], runes: runes}
		if u.text == "\t" && tab > 0 {
			u.text = strings.Repeat(" ", tab-at%tab)
		} else {
			u.text = source.Visible(u.text)
		}
		u.cells = source.Cells(u.text)
		if u.cells == 0 && len(units) == 0 {
			// A combining mark needs something to stand on.
			u.text, u.cells = "◌"+u.text, 1
		}
		at += u.cells
		units = append(units, u)
		s = s[n:]
	}
	return units
}

func join(units []unit) string {
	var b strings.Builder
	for _, u := range units {
		b.WriteString(u.text)
	}
	return b.String()
}

// cluster measures the first character of s in bytes and runes: a base, the
// marks on it, and whatever is joined to it into one emoji or flag.
func cluster(s string) (bytes, runes int) {
	first, n := utf8.DecodeRuneInString(s)
	bytes, runes = n, 1
	if first < ' ' || first == utf8.RuneError {
		return bytes, runes
	}
	prev := first
	flag := isRegional(first)
	for bytes < len(s) {
		r, n := utf8.DecodeRuneInString(s[bytes:])
		switch {
		case flag && isRegional(r):
			flag = false
		case extends(r), prev == zwj && r > 0xff && r != utf8.RuneError:
		default:
			return bytes, runes
		}
		bytes += n
		runes++
		prev = r
	}
	return bytes, runes
}

const zwj = 0x200d

func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// extends reports whether r is drawn on the character before it.
func extends(r rune) bool {
	switch {
	case r < 0x300:
		return false
	case r == zwj, r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f:
		return true
	case r >= 0x1160 && r <= 0x11ff: // vowels and finals of a Hangul syllable
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc)
}
