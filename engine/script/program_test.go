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
		b, err := Encode(&Program{Steps: []*Step{{Obj: Lit(v)}}})
		if err != nil {
			t.Fatal(err)
		}
		var p Program
		if err := Decode(b, &p); err != nil {
			t.Fatal(err)
		}
		if got, err := newValuer(p.Steps[0].Obj).value(nil); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%#v has become %#v, %v", v, got, err)
		}
	}
}

// TestAllOfAProgramTravels: no field is forgotten on the way, whatever it is.
func TestAllOfAProgramTravels(t *testing.T) {
	for _, p := range []struct{ from, to Parcel }{{&Common{}, &Common{}}, {&Program{}, &Program{}}} {
		for _, full := range []bool{false, true} {
			if full {
				fill(t, reflect.ValueOf(p.from).Elem(), 0)
			}
			b, err := Encode(p.from)
			if err != nil {
				t.Fatal(err)
			}
			if err := Decode(b, p.to); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(p.from, p.to) {
				t.Errorf("%+v has become %+v", p.from, p.to)
			}
			// Half of it is no program.
			for i := range b {
				if Decode(b[:i], reflect.New(reflect.TypeOf(p.to).Elem()).Interface().(Parcel)) == nil {
					t.Fatalf("%d of %d bytes were decoded", i, len(b))
				}
			}
			if Decode(append(b, 0), reflect.New(reflect.TypeOf(p.to).Elem()).Interface().(Parcel)) == nil {
				t.Error("what is too long was decoded")
			}
		}
	}
	if _, err := Encode(&Common{Params: map[string]any{"a": struct{}{}}}); err == nil {
		t.Error("what is no value of the language was encoded")
	}
}

// fill gives everything in v that is to travel a value that is not zero.
func fill(t *testing.T, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(-70000 - int64(depth))
	case reflect.Uint32:
		v.SetUint(1<<32 - 1 - uint64(depth))
	case reflect.Float64:
		v.SetFloat(0.1)
	case reflect.String:
		v.SetString(v.Type().Name() + "ä")
	case reflect.Interface:
		v.Set(reflect.ValueOf([]any{1, 2.5, "x", map[string]any{"k": nil}}))
	case reflect.Pointer:
		if depth < 9 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if depth < 9 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(t, v.Index(0), depth+1)
			fill(t, v.Index(1), depth+1)
		}
	case reflect.Map:
		if depth < 9 {
			key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, depth+1)
			fill(t, val, depth+1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, val)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || v.Type() == reflect.TypeFor[Step]() && (f.Name == "In" || f.Name == "Background" || f.Name == "Order") {
				continue
			}
			fill(t, v.Field(i), depth+1)
		}
	default:
		t.Fatalf("no value for a %v", v.Type())
	}
}
