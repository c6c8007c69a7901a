package script

import (
	"reflect"
	"testing"
)

// TestLiteralsTravel: a value written in a step is, in the process, what it was in
// the file.
func TestLiteralsTravel(t *testing.T) {
	for _, v := range []any{
		nil, false, true, 0, -1, 0.0, 2.5, "", "a", []any{}, map[string]any{},
		[]any{map[string]any{}, []any{}, nil}, map[string]any{"a": map[string]any{}, "b": []any{}, "c": nil},
	} {
		b, err := Encode(Lit(v))
		if err != nil {
			t.Fatal(err)
		}
		var a *Arg
		if err := Decode(b, &a); err != nil {
			t.Fatal(err)
		}
		if got, err := newValuer(a).value(nil); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v has become %#v, %v", v, got, err)
		}
	}
}
