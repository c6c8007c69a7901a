package event

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// Values in records are the canonical ones of the language (nil bool int
// float64 string []byte []any map[string]any) and *Signal, each behind a tag byte. A zero
// tag is nil, so that padding reads as no value.
const (
	tagNil byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagString
	tagBytes
	tagList
	tagMap
	tagSignal
)

// Signal is the value of Sent and Got. There may be many, and each wakes
// somebody: it travels as a few bytes.
type Signal struct {
	Number, Pid, Code, Value int  // all of them a C int
	Valued                   bool // sigqueue sent a value with it; Got knows that from its code
}

// SignalOf is the signal of a record. What was observed of a program comes as a
// mapping with the same keys, and more.
func SignalOf(v any) Signal {
	switch x := v.(type) {
	case *Signal:
		return *x
	case map[string]any:
		var s Signal
		s.Number, _ = x["signal"].(int)
		s.Pid, _ = x["pid"].(int)
		s.Code, _ = x["code"].(int)
		s.Value, s.Valued = x["value"].(int)
		return s
	}
	return Signal{}
}

const signalSize = 1 + 1 + 4*4

func appendSignal(b []byte, s *Signal) []byte {
	b = append(b, tagSignal, 0)
	if s.Valued {
		b[len(b)-1] = 1
	}
	for _, n := range [...]int{s.Number, s.Pid, s.Code, s.Value} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// readSignal is the inverse, behind the tag.
func readSignal(b []byte) (*Signal, []byte, error) {
	if len(b) < signalSize-1 {
		return nil, nil, errShort
	}
	s := &Signal{Valued: b[0] != 0}
	for i, n := range [...]*int{&s.Number, &s.Pid, &s.Code, &s.Value} {
		*n = int(int32(binary.LittleEndian.Uint32(b[1+4*i:])))
	}
	return s, b[signalSize-1:], nil
}

// valueSize is how many bytes appendValue appends.
func valueSize(v any) int {
	switch x := v.(type) {
	case nil, bool:
		return 1
	case int, float64:
		return 9
	case *Signal:
		return signalSize
	case string:
		return 5 + len(x)
	case []byte:
		return 5 + len(x)
	case []any:
		n := 5
		for _, e := range x {
			n += valueSize(e)
		}
		return n
	case []string:
		n := 5
		for _, e := range x {
			n += 5 + len(e)
		}
		return n
	case map[string]any:
		n := 5
		for k, e := range x {
			n += 5 + len(k) + valueSize(e)
		}
		return n
	}
	panic("event: value of a type that does not travel")
}

func appendValue(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, tagNil)
	case bool:
		if x {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case int:
		return binary.LittleEndian.AppendUint64(append(b, tagInt), uint64(x))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagFloat), math.Float64bits(x))
	case *Signal:
		return appendSignal(b, x)
	case string:
		b = binary.LittleEndian.AppendUint32(append(b, tagString), uint32(len(x)))
		return append(b, x...)
	case []byte:
		b = binary.LittleEndian.AppendUint32(append(b, tagBytes), uint32(len(x)))
		return append(b, x...)
	case []any:
		b = binary.LittleEndian.AppendUint32(append(b, tagList), uint32(len(x)))
		for _, e := range x {
			b = appendValue(b, e)
		}
		return b
	case []string:
		b = binary.LittleEndian.AppendUint32(append(b, tagList), uint32(len(x)))
		for _, e := range x {
			b = appendValue(b, e)
		}
		return b
	case map[string]any:
		var few [8]string // most maps in records have few keys
		keys := few[:0]
		for k := range x {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = binary.LittleEndian.AppendUint32(append(b, tagMap), uint32(len(x)))
		for _, k := range keys {
			b = appendValue(b, k)
			b = appendValue(b, x[k])
		}
		return b
	}
	panic("event: value of a type that does not travel")
}

// AppendValue and ReadValue are the encoding of canonical values that records
// use, for others who send values between processes.
func AppendValue(b []byte, v any) []byte { return appendValue(b, v) }

// ReadValue decodes what AppendValue wrote and returns the rest.
func ReadValue(b []byte) (v any, rest []byte, err error) { return readValue(b) }

func readValue(b []byte) (any, []byte, error) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	tag := b[0]
	b = b[1:]
	switch tag {
	case tagNil:
		return nil, b, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, b, nil
	case tagInt, tagFloat:
		if len(b) < 8 {
			return nil, nil, errShort
		}
		u := binary.LittleEndian.Uint64(b)
		if tag == tagInt {
			return int(u), b[8:], nil
		}
		return math.Float64frombits(u), b[8:], nil
	case tagSignal:
		return readSignal(b)
	}
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	switch tag {
	case tagString, tagBytes:
		if len(b) < n {
			return nil, nil, errShort
		}
		if tag == tagString {
			return string(b[:n]), b[n:], nil
		}
		return append([]byte(nil), b[:n]...), b[n:], nil
	case tagList:
		if n > len(b) {
			return nil, nil, errShort
		}
		list := make([]any, n)
		var err error
		for i := range list {
			if list[i], b, err = readValue(b); err != nil {
				return nil, nil, err
			}
		}
		return list, b, nil
	case tagMap:
		if n > len(b) {
			return nil, nil, errShort
		}
		m := make(map[string]any, n)
		for range n {
			k, rest, err := readValue(b)
			if err != nil {
				return nil, nil, err
			}
			if m[asString(k)], b, err = readValue(rest); err != nil {
				return nil, nil, err
			}
		}
		return m, b, nil
	}
	return nil, nil, errShort
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}

// cut replaces a value too large for a record by its beginning and its size.
func cut(enc []byte, v any) []byte {
	if s, ok := v.(string); ok {
		n := maxValue / 2
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		return appendValue(nil, map[string]any{"cut": s[:n], "bytes": len(s)})
	}
	return appendValue(nil, map[string]any{"cut": "", "bytes": len(enc)})
}
