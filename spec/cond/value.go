package cond

import (
	"fmt"
	"math"
	"reflect"
)

// value is a canonical value without the allocation that an interface costs
// for a number. x is what it came from, if it came from an interface, so that
// passing a value through allocates nothing.
type value struct {
	kind valueKind
	n    int64 // a bool (0, 1), an int, or the bits of a float64
	x    any   // string, []any, map[string]any, Record; of a number: its box or nil
}

type valueKind uint8

const (
	isNil valueKind = iota
	isBool
	isInt
	isFloat
	isString
	isOther
)

func boolValue(b bool) value {
	if b {
		return value{kind: isBool, n: 1}
	}
	return value{kind: isBool}
}

func intValue(n int) value { return value{kind: isInt, n: int64(n)} }

func floatValue(f float64) value { return value{kind: isFloat, n: int64(math.Float64bits(f))} }

func (v value) truth() bool { return v.n != 0 }

// whole is the number in an int.
func (v value) whole() int { return int(v.n) }

func (v value) float() float64 {
	if v.kind == isInt {
		return float64(v.n)
	}
	return math.Float64frombits(uint64(v.n))
}

func (v value) number() bool { return v.kind == isInt || v.kind == isFloat }

func (v value) str() string { return v.x.(string) }

func valueOf(x any) value {
	switch t := x.(type) {
	case nil:
		return value{}
	case bool:
		return boolValue(t)
	case int:
		return value{kind: isInt, n: int64(t), x: x}
	case float64:
		return value{kind: isFloat, n: int64(math.Float64bits(t)), x: x}
	case string:
		return value{kind: isString, x: x}
	case []any, map[string]any, Record:
		return value{kind: isOther, x: x}
	}
	return valueOf(canonical(x))
}

// any is v as Eval returns it. It allocates for a computed float, and for a
// computed int outside 0 to 255.
func (v value) any() any {
	switch v.kind {
	case isNil:
		return nil
	case isBool:
		return v.n != 0
	case isInt:
		if v.x != nil {
			return v.x
		}
		return int(v.n)
	case isFloat:
		if v.x != nil {
			return v.x
		}
		return v.float()
	}
	return v.x
}

// equal is ==: numbers by value, lists element by element and maps key by key
// with the same rule, everything else only within its own type.
func equal(a, b value) bool {
	switch {
	case a.kind == isInt && b.kind == isInt:
		return a.n == b.n
	case a.number() && b.number():
		return a.float() == b.float()
	case a.kind == isString && b.kind == isString:
		return a.str() == b.str()
	case a.kind == isBool && b.kind == isBool:
		return a.n == b.n
	case a.kind == isOther && b.kind == isOther:
		return equalParts(a.x, b.x)
	}
	return a.kind == b.kind && a.kind == isNil
}

func equalParts(a, b any) bool {
	if r, ok := a.(Record); ok {
		a = r.Map()
	}
	if r, ok := b.(Record); ok {
		b = r.Map()
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(valueOf(x[i]), valueOf(y[i])) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, e := range x {
			f, ok := y[k]
			if !ok || !equal(valueOf(e), valueOf(f)) {
				return false
			}
		}
		return true
	}
	return false
}

// plain replaces a Record, or the Records in a list, by maps.
func plain(x any) any {
	switch t := x.(type) {
	case Record:
		return t.Map()
	case []any:
		for i, e := range t {
			switch e.(type) {
			case Record, []any:
				out := append([]any(nil), t...)
				for ; i < len(out); i++ {
					out[i] = plain(out[i])
				}
				return out
			}
		}
	}
	return x
}

// canonical turns what expr's machine or a foreign function yields into nil,
// bool, int, float64, string, []any and map[string]any.
func canonical(x any) any {
	switch t := x.(type) {
	case nil, bool, int, float64, string:
		return x
	case []any:
		for i, e := range t {
			if c := canonical(e); !same(c, e) {
				out := append([]any(nil), t...)
				out[i] = c
				for i++; i < len(out); i++ {
					out[i] = canonical(out[i])
				}
				return out
			}
		}
		return x
	case map[string]any:
		for _, e := range t {
			if c := canonical(e); !same(c, e) {
				out := make(map[string]any, len(t))
				for k, e := range t {
					out[k] = canonical(e)
				}
				return out
			}
		}
		return x
	case Record:
		return canonical(t.Map())
	}
	r := reflect.ValueOf(x)
	switch r.Kind() {
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return int(r.Uint())
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.String:
		return r.String()
	case reflect.Slice, reflect.Array:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = canonical(r.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any, r.Len())
		for _, k := range r.MapKeys() {
			out[fmt.Sprint(k.Interface())] = canonical(r.MapIndex(k).Interface())
		}
		return out
	}
	return fmt.Sprint(x)
}

// same reports whether canonical left an element as it was. Containers are
// compared by identity.
func same(a, b any) bool {
	ra, rb := reflect.ValueOf(a), reflect.ValueOf(b)
	if !ra.IsValid() || !rb.IsValid() {
		return ra.IsValid() == rb.IsValid()
	}
	if ra.Type() != rb.Type() {
		return false
	}
	switch ra.Kind() {
	case reflect.Slice:
		return ra.Len() == rb.Len() && ra.Pointer() == rb.Pointer()
	case reflect.Map:
		return ra.Pointer() == rb.Pointer()
	}
	return true
}

// describe names the type of a run-time value as messages do.
func describe(x any) string {
	switch x.(type) {
	case nil:
		return "nil"
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "a map"
}
