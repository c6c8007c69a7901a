package prims

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strings"
	"sync/atomic"
	"unicode"
	"unsafe"

	"ipcrun/spec/decl"
)

// CType is an element type of shared memory, as C lays it out on 64-bit Linux
// and as multiprocessing's sharedctypes names it.
type CType struct {
	Letter string // multiprocessing's and struct's letter
	Name   string // int32, double…
	C      string // int, unsigned char…
	Size   int    // bytes, also its alignment
	kind   byte   // 'i' signed, 'u' unsigned, 'f' floating, 'c' one byte of text, '?' truth
}

var ctypes = []CType{
	{"c", "char", "char", 1, 'c'},
	{"b", "int8", "signed char", 1, 'i'},
	{"B", "uint8", "unsigned char", 1, 'u'},
	{"?", "bool", "_Bool", 1, '?'},
	{"h", "int16", "short", 2, 'i'},
	{"H", "uint16", "unsigned short", 2, 'u'},
	{"i", "int32", "int", 4, 'i'},
	{"I", "uint32", "unsigned int", 4, 'u'},
	{"l", "long", "long", 8, 'i'},
	{"L", "ulong", "unsigned long", 8, 'u'},
	{"q", "int64", "long long", 8, 'i'},
	{"Q", "uint64", "unsigned long long", 8, 'u'},
	{"f", "float", "float", 4, 'f'},
	{"d", "double", "double", 8, 'f'},
}

// ParseCType finds a type by its letter or its name.
func ParseCType(s string) (CType, bool) {
	for _, t := range ctypes {
		if s == t.Letter || s == t.Name {
			return t, true
		}
	}
	return CType{}, false
}

// CTypeNames lists letters and names, for messages.
func CTypeNames() []string {
	var out []string
	for _, t := range ctypes {
		out = append(out, t.Letter, t.Name)
	}
	sort.Strings(out)
	return out
}

func init() { decl.CheckCType = checkCType }

// checkCType is what the loader asks about a type it finds in a file.
func checkCType(s string) error {
	if _, ok := ParseCType(s); ok {
		return nil
	}
	for _, t := range ctypes {
		if bare := strings.TrimPrefix(s, "c_"); s == t.C || bare == t.C || bare == t.Name { // C's word, or ctypes'
			return fmt.Errorf("the C type %s is written %s or %s", s, t.Letter, t.Name)
		}
	}
	return fmt.Errorf("a C type is one of %s", strings.Join(CTypeNames(), " "))
}

// encode turns a value of the language into the bits of the type, the way
// ctypes does: integers wrap around, floats round to their precision, a truth is
// whether a number is not 0, other conversions fail with Invalid.
func (t CType) encode(v any) (uint64, error) {
	switch t.kind {
	case 'i', 'u':
		switch x := v.(type) {
		case int:
			return uint64(x) & t.mask(), nil
		case bool:
			if x {
				return 1, nil
			}
			return 0, nil
		case float64:
			// Integer-valued results of a division are what a user means.
			if x == math.Trunc(x) && math.Abs(x) < 1<<63 {
				return uint64(int64(x)) & t.mask(), nil
			}
			return 0, decl.Fail(Invalid, "%s holds whole numbers, not %v", t.C, x)
		}
	case 'f':
		var f float64
		switch x := v.(type) {
		case int:
			f = float64(x)
		case float64:
			f = x
		default:
			return 0, decl.Fail(Invalid, "%s holds numbers, not %s", t.C, describe(v))
		}
		if t.Size == 4 {
			return uint64(math.Float32bits(float32(f))), nil
		}
		return math.Float64bits(f), nil
	case '?':
		switch x := v.(type) {
		case bool:
			if x {
				return 1, nil
			}
			return 0, nil
		case int:
			if x != 0 {
				return 1, nil
			}
			return 0, nil
		case float64:
			if x != 0 { // C11 6.3.1.2: as it stands, not without its fraction
				return 1, nil
			}
			return 0, nil
		}
	case 'c':
		if s, ok := v.(string); ok && len(s) == 1 {
			return uint64(s[0]), nil
		}
		return 0, decl.Fail(Invalid, "char holds one byte of text, not %s", describe(v))
	}
	if s, ok := v.(string); ok && strings.ContainsAny(s, "+-*/%") && strings.ContainsFunc(s, unicode.IsLetter) {
		return 0, decl.Fail(Invalid, "%s cannot hold %s; what is to be computed stands in ${…}", t.C, describe(v))
	}
	return 0, decl.Fail(Invalid, "%s cannot hold %s", t.C, describe(v))
}

func describe(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the text %q", x)
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return fmt.Sprint(v)
}

func (t CType) mask() uint64 {
	if t.Size == 8 {
		return math.MaxUint64
	}
	return 1<<(8*t.Size) - 1
}

// decode is the inverse of encode.
func (t CType) decode(bits uint64) any {
	switch t.kind {
	case 'i':
		shift := 64 - 8*t.Size
		return int(int64(bits<<shift) >> shift)
	case 'u':
		return int(bits)
	case 'f':
		if t.Size == 4 {
			return float64(math.Float32frombits(uint32(bits)))
		}
		return math.Float64frombits(bits)
	case '?':
		return bits != 0
	default:
		if bits == 0 {
			return ""
		}
		return string([]byte{byte(bits)})
	}
}

// held is decode for bits that v was encoded to: v itself, where it is a number
// that the type holds as it is, which takes no memory.
func (t CType) held(v any, bits uint64) any {
	if n, ok := v.(int); ok && t.kind == 'i' {
		if shift := 64 - 8*t.Size; int64(bits<<shift)>>shift == int64(n) {
			return v
		}
	}
	return t.decode(bits)
}

// The accesses below are single machine accesses of the type's size, atomic
// by themselves, as a C program's access to the same aligned memory is.

func (t CType) load(p unsafe.Pointer) uint64 {
	switch t.Size {
	case 8:
		return atomic.LoadUint64((*uint64)(p))
	case 4:
		return uint64(atomic.LoadUint32((*uint32)(p)))
	}
	w, shift := wordAround(p)
	return uint64(atomic.LoadUint32(w)) >> shift & t.mask()
}

func (t CType) store(p unsafe.Pointer, bits uint64) {
	switch t.Size {
	case 8:
		atomic.StoreUint64((*uint64)(p), bits)
	case 4:
		atomic.StoreUint32((*uint32)(p), uint32(bits))
	default:
		t.update(p, func(uint64) (uint64, error) { return bits, nil })
	}
}

// update replaces the bits by f of them, in one atomic step. It returns the
// old and the new bits.
func (t CType) update(p unsafe.Pointer, f func(uint64) (uint64, error)) (old, now uint64, err error) {
	for {
		switch t.Size {
		case 8:
			old = atomic.LoadUint64((*uint64)(p))
			if now, err = f(old); err != nil || atomic.CompareAndSwapUint64((*uint64)(p), old, now) {
				return
			}
		case 4:
			o := atomic.LoadUint32((*uint32)(p))
			old = uint64(o)
			if now, err = f(old); err != nil || atomic.CompareAndSwapUint32((*uint32)(p), o, uint32(now)) {
				return
			}
		default:
			w, shift := wordAround(p)
			o := atomic.LoadUint32(w)
			old = uint64(o) >> shift & t.mask()
			if now, err = f(old); err != nil {
				return
			}
			n := o&^uint32(t.mask()<<shift) | uint32(now&t.mask())<<shift
			if atomic.CompareAndSwapUint32(w, o, n) {
				return
			}
		}
	}
}

// wordAround is the aligned 32-bit word that holds a smaller element, and the
// element's position in it. Linux on amd64 and arm64 is little-endian.
func wordAround(p unsafe.Pointer) (*uint32, uint) {
	off := uintptr(p) & 3
	return (*uint32)(unsafe.Add(p, -int(off))), uint(off) * 8
}

// add is x + y in the arithmetic of the type.
func (t CType) add(bits uint64, delta any) (uint64, error) {
	cur := t.decode(bits)
	switch a := cur.(type) {
	case int:
		switch d := delta.(type) {
		case int:
			return t.encode(a + d)
		case float64:
			return t.encode(float64(a) + d)
		}
	case float64:
		switch d := delta.(type) {
		case int:
			return t.encode(a + float64(d))
		case float64:
			return t.encode(a + d)
		}
	}
	return 0, decl.Fail(Invalid, "%s and %s cannot be added", t.C, describe(delta))
}

// put and get are the same on a model's bytes.
func (t CType) put(st []byte, bits uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], bits)
	copy(st[:t.Size], b[:])
}

func (t CType) get(st []byte) uint64 {
	var b [8]byte
	copy(b[:], st[:t.Size])
	return binary.LittleEndian.Uint64(b[:])
}
