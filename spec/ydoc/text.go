package ydoc

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// MaxSize is the number of bytes of the largest file that is read.
const MaxSize = 1 << 20

const smallest = `The smallest scenario:
  name: hello
  processes:
    hello: {steps: [{print: hello}]}
  steps:
    - {expect: hello, from: hello}`

// checkText says what keeps f from being a YAML file at all, nil if nothing
// does. It leaves only files in which this package and the YAML library agree
// on what a line is.
func checkText(f *source.File) *diag.Diagnostic {
	data := f.Data
	switch {
	case len(data) > MaxSize:
		return &diag.Diagnostic{Code: CodeTooLarge, File: f,
			Summary: fmt.Sprintf("the file has %d bytes, more than the %d (1 MiB) of the largest scenario", len(data), MaxSize),
			Detail:  "Repetition belongs into params, name[n] and repeat; data into files that the processes read."}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return &diag.Diagnostic{Code: CodeEncoding, File: f,
			Summary: "the file is UTF-16, not UTF-8",
			Detail:  `Save it as UTF-8: editors have this under "Save as", then "Encoding".`}
	}
	start := 0
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		start = 3
	}
	for o := start; o < len(data); {
		c := data[o]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			o++
			continue
		}
		r, n := utf8.DecodeRune(data[o:])
		if what, detail := badRune(r, n, data[o:]); what != "" {
			return &diag.Diagnostic{Code: CodeNotText, File: f, Span: source.Span{Start: f.PosAt(o)}, Summary: what, Detail: detail}
		}
		o += n
	}
	return nil
}

// badRune says what is wrong with the first rune r of rest, n bytes long, and
// what to do about it.
func badRune(r rune, n int, rest []byte) (what, detail string) {
	const escape = `In a text, write it as an escape in double quotes: "\u%04X".`
	switch {
	case r == utf8.RuneError && n == 1:
		return fmt.Sprintf("the byte 0x%02X is not UTF-8", rest[0]),
			"The file is not text, or is text in another encoding: save it as UTF-8."
	case r == 0:
		return "the file has a zero byte, which no text has", "It is a program, an archive or UTF-16 text. A scenario is UTF-8 text."
	case r == '\r' && len(rest) > 1 && rest[1] == '\n':
		return "", ""
	case r == '\r':
		return "a carriage return without a line feed", "Lines end with LF or CRLF. " + `In a text, write it as "\r" in double quotes.`
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
		return fmt.Sprintf("the control character U+%04X", r), fmt.Sprintf(escape, r)
	case r == 0x2028, r == 0x2029:
		return fmt.Sprintf("the invisible line separator U+%04X", r), fmt.Sprintf(escape, r)
	case r == 0xfeff:
		return "a byte order mark in the middle of the file", "Two files were joined, perhaps. It is invisible: delete and retype the characters around it."
	}
	return "", ""
}
