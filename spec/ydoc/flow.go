package ydoc

import (
	"bytes"
	"fmt"
	"strings"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// flowFault looks for what most often breaks a {…} or […]: a quote inside that
// is never closed, and text with a bracket or a colon of its own that is not quoted.
func (x *fault) flowFault() bool {
	data := x.f.Data
	depth := 0
	value := false // a key and its colon stand before
	for i := x.offset; i < len(data); {
		switch c := data[i]; {
		case c == '{' || c == '[':
			depth++
			value = false
			i++
		case c == '}' || c == ']':
			i++
			if depth--; depth == 0 {
				return false
			}
		case c == ',' || c == ':':
			value = c == ':'
			i++
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#':
			i = max(i+1, skipTrivia(data, i))
		case c == '"' || c == '\'':
			end := quoteEnd(data, i)
			if end < 0 {
				return x.openQuote(i)
			}
			value = false
			i = end
		default:
			end, bracket := plainEnd(data, i)
			if bracket {
				return x.bare(i, end, "bracket", "Inside of {…} and […] another bracket starts a list or mapping of its own. On a line of its own the text needs no quotes.")
			}
			// With a blank before it, the word at the colon may be a key that lacks its comma.
			if value && end < len(data) && data[end] == ':' && (!bytes.ContainsAny(data[i:end], " \t") || bytes.Contains(data[i:end], []byte("，"))) {
				for end < len(data) && data[end] == ':' {
					if end, bracket = plainEnd(data, end+1); bracket {
						return false
					}
				}
				return x.bare(i, end, "colon", "A colon and a blank stand between a key and its value, and there is a key already.")
			}
			value = false
			i = end
		}
	}
	return false
}

// quoteEnd is the offset behind the quoted text at i, -1 if it never ends.
func quoteEnd(data []byte, i int) int {
	quote := data[i]
	for i++; i < len(data); i++ {
		switch {
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] == quote && quote == '\'' && i+1 < len(data) && data[i+1] == quote:
			i++
		case data[i] == quote:
			return i + 1
		}
	}
	return -1
}

// plainEnd is the offset behind the unquoted text at i inside of brackets.
// With a bracket of its own in it, YAML cannot read it.
func plainEnd(data []byte, i int) (end int, bracket bool) {
	depth := 0
	for ; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			return i, bracket
		case c == '[' || c == '{':
			depth++
			bracket = true
		case (c == ']' || c == '}') && depth > 0:
			depth--
		case depth > 0:
		case c == ',' || c == ']' || c == '}',
			c == ':' && i+1 < len(data) && bytes.IndexByte([]byte(" \t\r\n,]}"), data[i+1]) >= 0,
			c == ' ' && i+1 < len(data) && data[i+1] == '#':
			return i, bracket
		}
	}
	return i, bracket
}

func (x *fault) openQuote(at int) bool {
	x.d.Code = CodeUnclosed
	x.d.Span = source.Span{Start: x.f.PosAt(at)}
	return x.say(fmt.Sprintf("this %c is never closed", x.f.Data[at]), "Text in quotes ends at the next quote of the same kind.")
}

// bare is text without quotes that YAML cannot take for text, because of what is in
// it.
func (x *fault) bare(start, end int, what, why string) bool {
	text := strings.TrimRight(string(x.f.Data[start:end]), " \t")
	quoted := `"` + text + `"`
	if strings.ContainsAny(text, `"\`) {
		quoted = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	x.d.Span = source.Span{Start: x.f.PosAt(start), End: x.f.PosAt(start + len(text))}
	if before, _, _ := strings.Cut(text, ":"); what == "colon" && strings.Contains(before, "，") {
		x.d.Hint = "， is the full-width comma: YAML needs , and a space"
		x.d.Fix = &diag.Fix{Span: x.d.Span, Text: strings.ReplaceAll(strings.ReplaceAll(text, "， ", ", "), "，", ", ")}
		return x.say("a key in the middle of text", why)
	}
	x.d.Hint = "write " + quoted
	x.d.Fix = &diag.Fix{Span: x.d.Span, Text: quoted}
	return x.say("text with a "+what+" in it needs quotes here", why)
}
