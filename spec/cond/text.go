package cond

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text is how a value prints inside a template: a string bare, a float as
// short as it can be without losing anything, lists and maps as JSON with
// sorted keys, nil as null.
func Text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendJSON(nil, canonical(v), "null"))
}

// show is how a value prints in an explanation: as one would write it in an
// expression, so strings are in quotes and nothing is nil; long values are cut.
func show(v any) string {
	return cut(string(appendJSON(nil, canonical(v), "nil")), 160)
}

// appendJSON writes a value as JSON, but for nil, which is the word none.
func appendJSON(b []byte, v any, none string) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, none...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e, none)
		}
		return append(b, ']')
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, k), ':')
			b = appendJSON(b, v[k], none)
		}
		return append(b, '}')
	}
	return appendJSON(b, canonical(v), none)
}

// appendFloat writes no exponent between a millionth and 10²¹, as JavaScript
// does. NaN and infinities have no form in JSON and are written as Go does.
func appendFloat(b []byte, f float64) []byte {
	form := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(b, f, form, -1, 64)
}

// appendString quotes as JSON does but leaves <, > and & readable, which
// encoding/json's default does not.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20 || r == 0x7f:
			hex := strconv.FormatInt(int64(r), 16)
			b = append(append(b, `\u`...), strings.Repeat("0", 4-len(hex))+hex...)
		case r == utf8.RuneError && size == 1:
			b = append(b, `\ufffd`...)
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}
