package source

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// narrow measures in cells the same way everywhere. The library's own default
// follows the locale of the reader, and then the same message would be laid
// out differently in a test, in CI and on a student's laptop.
var narrow = &runewidth.Condition{StrictEmojiNeutral: true}

// Cells is the number of terminal cells s takes up. It counts a tab as no
// cell at all and a control character neither: see Expand and Visible.
func Cells(s string) int {
	return narrow.StringWidth(s)
}

// Expand replaces every tab of s by the spaces up to the next multiple of tab
// cells, counted from the start of s. A tab below 1 is taken as 1.
func Expand(s string, tab int) string {
	if !strings.Contains(s, "\t") {
		return s
	}
	tab = max(tab, 1)
	var b strings.Builder
	at := 0
	for i, part := range strings.Split(s, "\t") {
		if i > 0 {
			n := tab - at%tab
			b.WriteString(strings.Repeat(" ", n))
			at += n
		}
		b.WriteString(part)
		at += Cells(part)
	}
	return b.String()
}

// Visible replaces what a terminal would swallow, obey or garble by something
// that can be seen: control characters by their pictures (␛), bytes that are
// not UTF-8 by \xff, characters that are invisible or turn the writing
// direction by <U+202E>. Tabs stay, for Expand.
func Visible(s string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= ' ' && s[i] < 0x7f || s[i] == '\t'
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		b.WriteString(picture(r, s[i:i+n]))
		i += n
	}
	return b.String()
}

const hex = "0123456789ABCDEF"

func picture(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return `\x` + strings.ToLower(string([]byte{hex[raw[0]>>4], hex[raw[0]&15]}))
	case r == '\t':
		return raw
	case r < ' ':
		return string('\u2400' + r)
	case r == 0x7f:
		return "\u2421"
	case r == 0x200d: // joins emoji into one
		return raw
	case r >= 0x80 && r < 0xa0, r == '\u2028', r == '\u2029', r == '\u00ad', unicode.Is(unicode.Cf, r) && !isTag(r):
		return codePoint(r)
	}
	return raw
}

// isTag tells the characters that spell the flags of regions, such as
// Scotland's, behind a black flag.
func isTag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

func codePoint(r rune) string {
	digits := 4
	for r>>(4*digits) != 0 {
		digits++
	}
	b := []byte("<U+")
	for i := digits - 1; i >= 0; i-- {
		b = append(b, hex[r>>(4*i)&15])
	}
	return string(append(b, '>'))
}

// Pad is s with spaces behind it, so that it has at least n cells.
func Pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Cells(s))) }
