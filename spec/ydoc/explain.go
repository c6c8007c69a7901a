package ydoc

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// fault is a syntax error with what its explanation looks at.
type fault struct {
	f      *source.File
	offset int
	text   string // the library's words
	pos    source.Pos
	line   string // the line it is on
	before string // that line up to the fault
	rest   string // that line from the fault on
	d      *diag.Diagnostic
}

const (
	quoteAll  = "quote the whole value"
	condition = `A condition needs '…' around the whole of it, or a block (| and the text on the next line), if it has a colon or a # next to a space, or starts with a quote, a bracket or another sign.`
)

// explain says in a student's words what is wrong at offset of f, where the
// library says text.
func explain(f *source.File, offset int, text string) *diag.Diagnostic {
	pos := f.PosAt(offset)
	x := &fault{f: f, offset: offset, text: text, pos: pos, line: f.Line(pos.Line)}
	from := f.Offset(source.Pos{Line: pos.Line, Col: 1})
	x.before = x.line[:min(len(x.line), max(0, offset-from))]
	x.rest = x.line[len(x.before):]
	x.d = &diag.Diagnostic{Code: CodeSyntax, File: f, Span: source.Span{Start: pos}}
	for _, why := range []func(*fault) bool{
		(*fault).tab, (*fault).unknownAnchor, (*fault).depth, (*fault).directive, (*fault).escape,
		(*fault).afterQuote, (*fault).unclosed, (*fault).sign, (*fault).secondColon, (*fault).listOnKeyLine,
		(*fault).blockHeader, (*fault).noColon, (*fault).indentation,
	} {
		if why(x) {
			return x.d
		}
	}
	x.say("this is not valid YAML: "+text, condition)
	return x.d
}

func (x *fault) says(parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(x.text, p) {
			return true
		}
	}
	return false
}

func (x *fault) say(summary, detail string) bool {
	x.d.Summary, x.d.Detail = summary, detail
	return true
}

// first is the rune at the fault, 0 at the end of a line.
func (x *fault) first() rune {
	if x.rest == "" {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(x.rest)
	return r
}

// atStart reports whether nothing but white space and dashes is in front.
func (x *fault) atStart() bool {
	return strings.Trim(x.before, " \t-") == ""
}

// valueAt is the byte of the line at which the value starts that the fault
// is in: behind the dashes and the key.
func (x *fault) valueAt() int {
	i := len(x.line) - len(strings.TrimLeft(x.line, " \t"))
	for strings.HasPrefix(x.line[i:], "- ") {
		i += 2
		i += len(x.line[i:]) - len(strings.TrimLeft(x.line[i:], " "))
	}
	if rest := x.line[i:]; rest != "" && strings.IndexByte(`'"[{`, rest[0]) < 0 {
		if c := strings.Index(rest, ": "); c >= 0 && i+c < len(x.before) {
			i += c + 2
			i += len(x.line[i:]) - len(strings.TrimLeft(x.line[i:], " "))
		}
	}
	return i
}

// offerQuotes adds the value in quotes as a fix.
func (x *fault) offerQuotes() {
	i := x.valueAt()
	value := strings.TrimRight(x.line[i:], " \t")
	x.d.Hint = quoteAll
	if value == "" || strings.Contains(value, " #") { // who knows whether that is a comment
		return
	}
	col := utf8.RuneCountInString(x.line[:i]) + 1
	text := x.quoted(value)
	x.d.Fix = &diag.Fix{Text: text, Span: source.Span{
		Start: source.Pos{Line: x.pos.Line, Col: col},
		End:   source.Pos{Line: x.pos.Line, Col: col + utf8.RuneCountInString(value)},
	}}
	if len(text) <= 60 {
		x.d.Hint += ": " + text
	}
}

// quoted writes value in quotes, whichever need less escaping.
func (x *fault) quoted(value string) string {
	last := len(value) - 1
	// In 'it's' the quotes are meant: the fault is glued to the one inside.
	if value[0] == '\'' && value[last] == '\'' && strings.HasSuffix(x.before, "'") && unicode.IsLetter(x.first()) {
		return "'" + strings.ReplaceAll(value[1:last], "'", "''") + "'"
	}
	if strings.Contains(value, "'") && !strings.ContainsAny(value, `"\`) {
		return `"` + value + `"`
	}
	return "'" + strings.ReplaceAll(value, "'", "''") + "'"
}

func (x *fault) tab() bool {
	if x.first() != '\t' && !x.says("tab character") {
		return false
	}
	x.d.Code = CodeTab
	return x.say("a tab in the indentation", "YAML indents with spaces only. Most editors can be told to insert spaces for a tab.")
}

func (x *fault) unknownAnchor() bool {
	if !x.says("unknown anchor") {
		return false
	}
	name := strings.TrimPrefix(x.rest, "*")
	if end := strings.IndexAny(name, " \t,[]{}"); end >= 0 {
		name = name[:end]
	}
	x.d.Code = CodeUnknownAnchor
	x.d.Span.End = source.Pos{Line: x.pos.Line, Col: x.pos.Col + 1 + utf8.RuneCountInString(name)}
	return x.say(fmt.Sprintf("there is no anchor &%s before this", name),
		"A value that starts with * repeats the one that an earlier & of the same name marks. Text that starts with * needs quotes.")
}

func (x *fault) depth() bool {
	if !x.says("max depth") {
		return false
	}
	x.d.Code = CodeDepth
	return x.say(fmt.Sprintf("lists and mappings are nested more than %d deep", maxDepth), "")
}

func (x *fault) directive() bool {
	if x.pos.Col != 1 || x.first() != '%' {
		return false
	}
	return x.say("a line that starts with % is a directive to YAML", "Scenarios have no directives: remove the line, or quote the text.")
}

func (x *fault) escape() bool {
	if !isEscapeError(x.text) || x.first() != '\\' {
		return false
	}
	n := min(2, utf8.RuneCountInString(x.rest))
	x.d.Span.End = source.Pos{Line: x.pos.Line, Col: x.pos.Col + n}
	x.d.Hint = `write \\ for a backslash`
	return x.say(fmt.Sprintf("unknown escape %s in double quotes", string([]rune(x.rest)[:n])),
		`In "…" a backslash starts an escape such as \n, \t or \u4f60. In '…' it is an ordinary character.`)
}

// afterQuote is text behind the end of a quoted or bracketed value.
func (x *fault) afterQuote() bool {
	if x.atStart() || x.rest == "" || !x.says("did not find expected key", "did not find expected '-'", "<document start>", "expected ',' or", "could not find expected ':'", "expected comment or line break") {
		return false
	}
	head := strings.TrimRight(x.before, " \t")
	last := head[len(head)-1]
	switch value := strings.TrimLeft(x.line[x.valueAt():], " "); {
	case value == "":
		return false
	case last == '\'' && value[0] == '\'', last == '"' && value[0] == '"':
		x.offerQuotes()
		return x.say("text after the closing quote",
			"The value ends at the closing quote. Quote the whole of it; inside '…' a ' is written ''.")
	case last == ']' && value[0] == '[', last == '}' && value[0] == '{':
		x.offerQuotes()
		return x.say(fmt.Sprintf("text after the closing %c", last),
			fmt.Sprintf("A value that starts with %c is a list or mapping to YAML and ends at %c. %s", value[0], last, condition))
	}
	return false
}

func (x *fault) unclosed() bool {
	switch c := x.first(); c {
	case '"', '\'':
		if !x.says("end of stream", "document indicator", "could not find expected ':'", "expected key", "expected '-'", "expected ','") {
			return false
		}
		x.d.Code = CodeUnclosed
		detail := "Text in quotes ends at the next quote of the same kind."
		if c == '\'' {
			detail += " Inside '…' a ' is written ''."
		} else {
			detail += ` Inside "…" a " is written \".`
		}
		return x.say(fmt.Sprintf("this %c is not closed where it should be", c), detail)
	case '[', '{':
		if x.flowFault() {
			return true
		}
		closer := map[rune]byte{'[': ']', '{': '}'}[c]
		if closed(x.f.Data[x.offset:], byte(c), closer) {
			x.offerQuotes()
			return x.say(fmt.Sprintf("this %c…%c is not a valid list or mapping", c, closer),
				fmt.Sprintf("Its items are separated by commas, and in {…} each is key: value. %s", condition))
		}
		x.d.Code = CodeUnclosed
		if wide := map[rune]string{'[': "］", '{': "｝"}[c]; strings.Contains(x.rest, wide) {
			x.d.Hint = fmt.Sprintf("%s is the full-width bracket: YAML needs %c", wide, closer)
		}
		return x.say(fmt.Sprintf("this %c is never closed", c),
			fmt.Sprintf("A %c is missing, or the value is text that starts with %c and needs quotes.", closer, c))
	case ']', '}':
		return x.say(fmt.Sprintf("this %c closes nothing", c), "Nothing opened it. "+condition)
	}
	if x.says("end of stream") { // in a file too large to find out where
		x.d.Code = CodeUnclosed
		return x.say("a quote that opens here or soon after is never closed", "")
	}
	return false
}

// closed reports whether the bracket at the start of b is closed, as far as
// that can be told by counting brackets outside of quotes and comments.
func closed(b []byte, opener, closer byte) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case opener:
			depth++
		case closer:
			if depth--; depth == 0 {
				return true
			}
		case '"', '\'':
			if end := bytes.IndexByte(b[i+1:], c); end >= 0 {
				i += end + 1
			}
		case '#':
			if i > 0 && (b[i-1] == ' ' || b[i-1] == '\n') {
				i = nextLine(b, i) - 1
			}
		}
	}
	return false
}

// sign is a value that starts with a character YAML keeps for itself.
func (x *fault) sign() bool {
	c := x.first()
	switch {
	case c == 0 || !strings.ContainsRune("@`%*&!|>,?", c):
		return false
	case !x.says("cannot start any token", "alphabetic or numeric", "expected whitespace or line break", "tag", "expected node content", "expected key", "expected '-'",
		"mapping keys are not allowed", "comment or line break", "indentation indicator", "URI", "expected '!'"):
		return false
	}
	x.offerQuotes()
	if i := x.valueAt(); i < len(x.before) && (x.line[i] == '!' || x.line[i] == '&') {
		// The fault is behind a tag or anchor that was not meant as one.
		c = rune(x.line[i])
		x.d.Span.Start.Col = utf8.RuneCountInString(x.line[:i]) + 1
	}
	if c == '!' {
		x.d.Code = CodeTag
	}
	what := map[rune]string{'*': "an alias", '&': "an anchor", '!': "a tag", '|': "a block of text", '>': "a block of folded text", '?': "a complex key", '%': "a directive"}[c]
	if what == "" {
		what = "YAML itself"
	}
	return x.say(fmt.Sprintf("a value cannot start with %c", c),
		fmt.Sprintf("A leading %c is reserved for %s. Text that starts with it needs quotes around the whole of it.", c, what))
}

// secondColon is a colon where no key can be.
func (x *fault) secondColon() bool {
	if !x.says("mapping values are not allowed") {
		return false
	}
	if strings.Contains(x.before, ": ") || strings.Contains(x.before, "- ") && strings.ContainsAny(x.before, "?{'\"") {
		x.offerQuotes()
		return x.say(`a second ": " on one line`, `YAML takes what stands before ": " for a key, and there is one already. `+condition)
	}
	if x.keyAbove("") {
		return true
	}
	return x.say("a key where none can be",
		"The line before has a value already. A key stands in the same column as its neighbours; what belongs to a key is indented below it, and that key has no other value.")
}

// keyAbove is the line above, if it was to be a key and has no colon, but with in it:
// YAML takes it for text, to which the line of the fault belongs or not.
func (x *fault) keyAbove(with string) bool {
	for n := x.pos.Line - 1; n > 0; n-- {
		line, _, _ := strings.Cut(x.f.Line(n), " #")
		line = strings.TrimRight(line, " \t")
		word := strings.TrimLeft(line, " \t")
		for strings.HasPrefix(word, "- ") {
			word = strings.TrimLeft(word[2:], " ")
		}
		switch {
		case word == "" || word[0] == '#':
			continue
		case strings.Contains(word, ": ") || strings.HasSuffix(word, ":") || strings.ContainsAny(word[:1], `'"[{|>&*!`), !strings.Contains(word, with):
			return false
		}
		start := source.Pos{Line: n, Col: utf8.RuneCountInString(line[:len(line)-len(word)]) + 1}
		x.d.Span = source.Span{Start: start, End: source.Pos{Line: n, Col: start.Col + utf8.RuneCountInString(word)}}
		return x.lacksColon(word)
	}
	return false
}

func (x *fault) listOnKeyLine() bool {
	if !x.says("block sequence entries are not allowed") {
		return false
	}
	return x.say("a list cannot start here",
		"The items of a list start on lines of their own below its key. Text that starts with \"- \" needs quotes.")
}

// blockHeader is text on the line of a | or >.
func (x *fault) blockHeader() bool {
	if !x.says("expected comment or line break", "indentation indicator") {
		return false
	}
	x.offerQuotes()
	return x.say("text on the line of | or >", "The text of a block starts on the next line, indented. A value that starts with | or > itself needs quotes.")
}

// noColon is a line that should be "key: value" and has no colon.
func (x *fault) noColon() bool {
	if !x.says("could not find expected ':'") {
		return false
	}
	word := strings.TrimSpace(x.rest)
	x.d.Span.End = source.Pos{Line: x.pos.Line, Col: x.pos.Col + max(1, utf8.RuneCountInString(word))}
	return x.lacksColon(word)
}

// lacksColon says of word, which the span of the diagnostic is, that it should have
// a colon, and where one looks like it.
func (x *fault) lacksColon(word string) bool {
	x.say("a key without a colon", `Each line of a mapping is "key: value".`)
	if key, value, ok := strings.Cut(word, "："); ok {
		x.d.Hint = "： is the full-width colon: YAML needs : and a space"
		text := strings.TrimSpace(key) + ": " + strings.TrimSpace(value)
		x.d.Fix = &diag.Fix{Span: x.d.Span, Text: strings.TrimRight(text, " ")}
	} else if key, value, ok := strings.Cut(word, ":"); ok && value != "" && !strings.HasPrefix(value, " ") {
		x.d.Hint = "a space is missing after the colon"
		x.d.Fix = &diag.Fix{Span: x.d.Span, Text: key + ": " + value}
	}
	return true
}

// indentation is a line that belongs to nothing above it.
func (x *fault) indentation() bool {
	if !x.says("did not find expected key", "did not find expected '-'", "expected node content", "<document start>") {
		return false
	}
	if !x.atStart() {
		return x.say("text that belongs to nothing", "The value before it ends here. "+condition)
	}
	switch {
	case strings.HasPrefix(x.rest, "- ") || x.rest == "-":
		return x.say("this item is not in the column of its list", "All dashes of one list stand in the same column.")
	case strings.HasSuffix(x.before, "-"):
		x.d.Span.End = x.d.Span.Start
		x.d.Span.Start.Col--
		x.d.Hint = "write a blank behind it"
		return x.say("this dash starts no item", `Each item of a list starts with "- ", all dashes in the same column.`)
	case x.says("expected '-'"):
		return x.say("a list goes on with something that is no item", `Each item of a list starts with "- ", all dashes in the same column.`)
	}
	if x.keyAbove("：") {
		return true
	}
	return x.say("this line is not indented like its neighbours", "All keys of one mapping start in the same column, and what belongs to a key stands further right than the key.")
}
