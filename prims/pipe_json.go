package prims

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A message of a pipe is one JSON text, as Python's json module writes and
// reads it. Beyond the standard of JSON:
//
//   - a float has a point or an exponent, a whole number has none, so that both
//     come back as what they were;
//   - NaN, Infinity and -Infinity are numbers;
//   - a byte of text that is no UTF-8 is \udc80 to \udcff, Python's
//     "surrogateescape": any bytes come back unchanged.

// AppendJSON appends a canonical value as a message of a pipe has it.
func AppendJSON(b []byte, v any) ([]byte, error) { return appendJSON(b, v, 0) }

// ParseJSON is the inverse of AppendJSON. It reads what other programs write, too.
func ParseJSON(b []byte) (any, error) { return parseJSON(b) }

// maxJSONDepth bounds how deeply lists and mappings of a message nest.
const maxJSONDepth = 1000

func errJSONDeep() error {
	return fmt.Errorf("lists and mappings nest more than %d deep", maxJSONDepth)
}

// appendJSON appends a canonical value to b.
func appendJSON(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return b, errJSONDeep()
	}
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case int:
		return strconv.AppendInt(b, int64(x), 10), nil
	case float64:
		return appendJSONFloat(b, x), nil
	case string:
		return appendJSONText(b, x), nil
	case []byte:
		return appendJSONText(b, string(x)), nil
	case []any:
		b = append(b, '[')
		var err error
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, e, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b = append(b, '{')
		var err error
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONText(b, k), ':')
			if b, err = appendJSON(b, x[k], depth+1); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
	return b, fmt.Errorf("%T is no value of the language", v)
}

func appendJSONFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...)
}

const hexDigits = "0123456789abcdef"

func appendJSONText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			case '\t':
				b = append(b, `\t`...)
			case '\r':
				b = append(b, `\r`...)
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || n > 1 {
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&15])
		i++
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// parseJSON reads one JSON text. The value shares no memory with b.
func parseJSON(b []byte) (any, error) {
	p := jsonParser{b: b}
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(b) {
		return nil, p.bad("more than one value")
	}
	return v, nil
}

type jsonParser struct {
	b []byte
	i int
}

func (p *jsonParser) bad(what string) error {
	if p.i >= len(p.b) {
		return errors.New("it ends too early")
	}
	return fmt.Errorf("%s at byte %d", what, p.i+1)
}

func (p *jsonParser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

// word takes a word if it stands here.
func (p *jsonParser) word(w string) bool {
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

func (p *jsonParser) value(depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, errJSONDeep()
	}
	if p.i >= len(p.b) {
		return nil, p.bad("")
	}
	switch c := p.b[p.i]; {
	case c == '"':
		return p.text()
	case c == '[':
		return p.list(depth)
	case c == '{':
		return p.mapping(depth)
	case p.word("null"):
		return nil, nil
	case p.word("true"):
		return true, nil
	case p.word("false"):
		return false, nil
	case p.word("NaN"):
		return math.NaN(), nil
	case p.word("Infinity"):
		return math.Inf(1), nil
	case p.word("-Infinity"):
		return math.Inf(-1), nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return nil, p.bad("no value")
}

func (p *jsonParser) number() (any, error) {
	from, whole := p.i, true
	if p.b[p.i] == '-' {
		p.i++
	}
	digits := func() (n int) {
		for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
			p.i++
			n++
		}
		return n
	}
	first := p.i
	if n := digits(); n == 0 || n > 1 && p.b[first] == '0' {
		p.i = first
		return nil, p.bad("no number")
	}
	if p.i < len(p.b) && p.b[p.i] == '.' {
		whole = false
		p.i++
		if digits() == 0 {
			return nil, p.bad("no number")
		}
	}
	if p.i < len(p.b) && (p.b[p.i] == 'e' || p.b[p.i] == 'E') {
		whole = false
		p.i++
		if p.i < len(p.b) && (p.b[p.i] == '+' || p.b[p.i] == '-') {
			p.i++
		}
		if digits() == 0 {
			return nil, p.bad("no number")
		}
	}
	s := string(p.b[from:p.i])
	if whole {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("%s does not fit into %d bits", s, strconv.IntSize)
		}
		return n, nil
	}
	f, _ := strconv.ParseFloat(s, 64) // beyond the largest it is infinite, as in Python
	return f, nil
}

func (p *jsonParser) text() (string, error) {
	p.i++
	from := p.i
	for p.i < len(p.b) && p.b[p.i] != '"' && p.b[p.i] != '\\' && p.b[p.i] >= ' ' {
		p.i++
	}
	if p.i < len(p.b) && p.b[p.i] == '"' {
		p.i++
		return string(p.b[from : p.i-1]), nil
	}
	out := append([]byte(nil), p.b[from:p.i]...)
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			p.i++
			return string(out), nil
		case c < ' ':
			return "", p.bad("a control character in text")
		case c != '\\':
			out = append(out, c)
			p.i++
			continue
		}
		if p.i+1 >= len(p.b) {
			p.i = len(p.b)
			break
		}
		switch e := p.b[p.i+1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := p.hex(p.i + 2)
			if !ok {
				return "", p.bad("a broken escape in text")
			}
			p.i += 4
			switch {
			case r >= 0xd800 && r < 0xdc00:
				if low, ok := p.escaped(p.i + 2); ok && low >= 0xdc00 && low < 0xe000 {
					r = utf16.DecodeRune(r, low)
					p.i += 6
				}
				out = utf8.AppendRune(out, r)
			case r >= 0xdc80 && r <= 0xdcff:
				out = append(out, byte(r))
			default:
				out = utf8.AppendRune(out, r)
			}
		default:
			return "", p.bad("a broken escape in text")
		}
		p.i += 2
	}
	return "", p.bad("")
}

// hex reads four digits.
func (p *jsonParser) hex(at int) (r rune, ok bool) {
	if at+4 > len(p.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.b[at:at+4]), 16, 16)
	return rune(n), err == nil
}

// escaped reads \u and four digits.
func (p *jsonParser) escaped(at int) (r rune, ok bool) {
	if at+6 > len(p.b) || p.b[at] != '\\' || p.b[at+1] != 'u' {
		return 0, false
	}
	return p.hex(at + 2)
}

func (p *jsonParser) list(depth int) (any, error) {
	p.i++
	out := []any{}
	if p.space(); p.i < len(p.b) && p.b[p.i] == ']' {
		p.i++
		return out, nil
	}
	for {
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.space()
		switch {
		case p.word(","):
		case p.word("]"):
			return out, nil
		default:
			return nil, p.bad("neither , nor ]")
		}
	}
}

func (p *jsonParser) mapping(depth int) (any, error) {
	p.i++
	out := map[string]any{}
	if p.space(); p.i < len(p.b) && p.b[p.i] == '}' {
		p.i++
		return out, nil
	}
	for {
		if p.space(); p.i >= len(p.b) || p.b[p.i] != '"' {
			return nil, p.bad("no key")
		}
		k, err := p.text()
		if err != nil {
			return nil, err
		}
		if p.space(); !p.word(":") {
			return nil, p.bad("no colon")
		}
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out[k] = v
		p.space()
		switch {
		case p.word(","):
		case p.word("}"):
			return out, nil
		default:
			return nil, p.bad("neither , nor }")
		}
	}
}
