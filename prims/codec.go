package prims

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"
)

// The codec turns canonical values (nil bool int float64 string []byte []any
// map[string]any) into bytes and back, for primitives that carry any data from
// one process to another. Equal values have equal bytes.
//
//	tag | nothing                       null, false, true
//	tag | 8 bytes, little-endian        int, float
//	tag | length, 4 bytes | contents    text, bytes; elements; keys and values, sorted
const (
	codeNil byte = iota
	codeFalse
	codeTrue
	codeInt
	codeFloat
	codeString
	codeBytes
	codeList
	codeMap
)

// maxEncoded bounds an encoded value, bytes.
const maxEncoded = math.MaxInt32

var errEncoded = errors.New("encoded value is damaged")

// AppendValue appends the encoding of v to b. It fails for what is no value of
// the language and for values too large to be encoded at all.
func AppendValue(b []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, codeNil), nil
	case bool:
		if x {
			return append(b, codeTrue), nil
		}
		return append(b, codeFalse), nil
	case int:
		return binary.LittleEndian.AppendUint64(append(b, codeInt), uint64(x)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, codeFloat), math.Float64bits(x)), nil
	case string:
		b, err := appendLength(b, codeString, len(x))
		return append(b, x...), err
	case []byte:
		b, err := appendLength(b, codeBytes, len(x))
		return append(b, x...), err
	case []any:
		b, err := appendLength(b, codeList, len(x))
		for i := 0; err == nil && i < len(x); i++ {
			b, err = AppendValue(b, x[i])
		}
		return b, err
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b, err := appendLength(b, codeMap, len(x))
		for i := 0; err == nil && i < len(keys); i++ {
			if b, err = AppendValue(b, keys[i]); err == nil {
				b, err = AppendValue(b, x[keys[i]])
			}
		}
		return b, err
	}
	return b, fmt.Errorf("%T is no value of the language", v)
}

func appendLength(b []byte, code byte, n int) ([]byte, error) {
	if n > maxEncoded-len(b) {
		return b, fmt.Errorf("the value is longer than %d bytes", maxEncoded)
	}
	return binary.LittleEndian.AppendUint32(append(b, code), uint32(n)), nil
}

// ReadValue decodes what AppendValue wrote and returns the bytes behind it. The
// value shares no memory with b.
func ReadValue(b []byte) (v any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errEncoded
	}
	code := b[0]
	b = b[1:]
	switch code {
	case codeNil:
		return nil, b, nil
	case codeFalse, codeTrue:
		return code == codeTrue, b, nil
	case codeInt, codeFloat:
		if len(b) < 8 {
			return nil, nil, errEncoded
		}
		u := binary.LittleEndian.Uint64(b)
		if code == codeInt {
			return int(u), b[8:], nil
		}
		return math.Float64frombits(u), b[8:], nil
	}
	if len(b) < 4 {
		return nil, nil, errEncoded
	}
	n := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	// Every element and every byte takes at least one byte.
	if n > len(b) {
		return nil, nil, errEncoded
	}
	switch code {
	case codeString:
		return string(b[:n]), b[n:], nil
	case codeBytes:
		return append([]byte{}, b[:n]...), b[n:], nil
	case codeList:
		list := make([]any, n)
		for i := range list {
			if list[i], b, err = ReadValue(b); err != nil {
				return nil, nil, err
			}
		}
		return list, b, nil
	case codeMap:
		m := make(map[string]any, n)
		for range n {
			var k, x any
			if k, b, err = ReadValue(b); err != nil {
				return nil, nil, err
			}
			key, ok := k.(string)
			if !ok {
				return nil, nil, errEncoded
			}
			if x, b, err = ReadValue(b); err != nil {
				return nil, nil, err
			}
			m[key] = x
		}
		return m, b, nil
	}
	return nil, nil, errEncoded
}
