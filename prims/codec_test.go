package prims

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyValue draws a value of the language.
func anyValue() *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int(), func(i int) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) any { return append([]byte{}, b...) }),
	)
	var deep func(level int) *rapid.Generator[any]
	deep = func(level int) *rapid.Generator[any] {
		if level == 0 {
			return scalar
		}
		in := deep(level - 1)
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(in, 0, 4), func(l []any) any { return append([]any{}, l...) }),
			rapid.Map(rapid.MapOfN(rapid.String(), in, 0, 4), func(m map[string]any) any { return m }),
		)
	}
	return deep(3)
}

// TestCodecRoundTrip: every value of the language comes back, equal values
// have equal bytes, and nothing behind a value is read.
func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue().Draw(t, "value")
		b, err := AppendValue([]byte("before"), v)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := AppendValue([]byte("before"), v)
		if !bytes.Equal(b, again) {
			t.Fatal("two encodings of the same value")
		}
		got, rest, err := ReadValue(append(b[len("before"):], "after"...))
		if err != nil || string(rest) != "after" || !reflect.DeepEqual(got, v) {
			t.Fatalf("%#v (%q, %v), want %#v", got, rest, err, v)
		}
	})
}

// TestCodecNeverPanics: damaged bytes are an error, whatever they say.
func TestCodecNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, _ := AppendValue(nil, anyValue().Draw(t, "value"))
		cut := b[:rapid.IntRange(0, len(b)-1).Draw(t, "length")]
		if _, _, err := ReadValue(cut); err == nil {
			t.Fatalf("%q, cut to %q, is read without an error", b, cut)
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		_, _, _ = ReadValue(b)
	})
}

func TestCodecCorners(t *testing.T) {
	for _, v := range []any{math.MinInt, math.MaxInt, math.Inf(-1), math.Copysign(0, -1), "", "\x00\xff", []any{}, map[string]any{}, strings.Repeat("x", 1<<20)} {
		b, err := AppendValue(nil, v)
		got, rest, err2 := ReadValue(b)
		if err != nil || err2 != nil || len(rest) != 0 || !reflect.DeepEqual(got, v) {
			t.Errorf("%v came back as %v (%v, %v)", v, got, err, err2)
		}
	}
	if b, _ := AppendValue(nil, math.NaN()); len(b) != 9 {
		t.Errorf("not a number takes %d bytes", len(b))
	} else if f, _, _ := ReadValue(b); !math.IsNaN(f.(float64)) {
		t.Errorf("not a number came back as %v", f)
	}
	for _, v := range []any{int64(1), struct{}{}, []string{"x"}, []any{1, func() {}}, map[string]any{"x": make(chan int)}} {
		if _, err := AppendValue(nil, v); err == nil {
			t.Errorf("%T is encoded, and is no value of the language", v)
		}
	}
}
