package event

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values draws values of the language, a few levels deep.
func values(depth int) *rapid.Generator[any] {
	plain := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int(), func(i int) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 20), func(b []byte) any { return b }),
	}
	if depth > 0 {
		plain = append(plain,
			rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.String(), values(depth-1), 0, 4), func(m map[string]any) any { return m }))
	}
	return rapid.OneOf(plain...)
}

func records() *rapid.Generator[Rec] {
	return rapid.Custom(func(t *rapid.T) Rec {
		rec := Rec{
			Kind:  Kind(rapid.IntRange(1, int(numKinds)-1).Draw(t, "kind")),
			Flags: rapid.Byte().Draw(t, "flags") & (FlagExpected | FlagMore),
			Verb:  rapid.Uint16().Draw(t, "verb"),
			Step:  rapid.Uint32().Draw(t, "step"),
			Obj:   rapid.Uint32().Draw(t, "obj"),
			At:    rapid.Int64().Draw(t, "at"),
			Seq:   rapid.Uint64().Draw(t, "seq"),
			Value: values(3).Draw(t, "value"),
		}
		if rec.Last = rapid.Uint32().Draw(t, "last"); rec.Last != 0 {
			rec.First = rapid.Uint32().Draw(t, "first")
		}
		return rec
	})
}

// capture is a Ring that keeps its last record.
type capture struct{ b []byte }

func (c *capture) Reserve(n int) []byte { c.b = make([]byte, n); return c.b }
func (c *capture) Publish(int, bool)    {}

// TestRoundTrip: a record is read as it was written.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := records().Draw(t, "record")
		var c capture
		Write(&c, &rec)
		if len(c.b)%8 != 0 {
			t.Fatalf("%d bytes", len(c.b))
		}
		got, err := Read(c.b[4:])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, rec) {
			t.Fatalf("wrote %+v, read %+v", rec, got)
		}
		if PeekKind(c.b[4:]) != rec.Kind {
			t.Fatalf("kind %v", PeekKind(c.b[4:]))
		}
	})
}

// TestReadBroken: bytes that are no record are an error or a value, never a
// panic; a record that is cut short is never taken for a whole one of the same
// value.
func TestReadBroken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")
		_, _ = Read(b)
		_, _, _ = ReadValue(b)
		rec := Rec{Kind: Print, Value: "a text of some length"}
		var c capture
		Write(&c, &rec)
		cutAt := rapid.IntRange(0, len(c.b)-4-8).Draw(t, "cut")
		if got, err := Read(c.b[4 : 4+cutAt]); err == nil && reflect.DeepEqual(got, rec) {
			t.Fatalf("%d of %d bytes were enough", cutAt, len(c.b)-4)
		}
	})
	// A list that claims more elements than there are bytes.
	if _, _, err := ReadValue([]byte{tagList, 0xff, 0xff, 0xff, 0x7f, 0}); err == nil {
		t.Error("a list of two thousand million elements was read")
	}
}

// TestValuesInARow: values follow one another.
func TestValuesInARow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(values(2), 0, 5).Draw(t, "values")
		var b []byte
		for _, v := range in {
			b = AppendValue(b, v)
		}
		for _, want := range in {
			var got any
			var err error
			if got, b, err = ReadValue(b); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v, %v; want %v", got, err, want)
			}
		}
		if len(b) > 0 {
			t.Fatalf("%d bytes are left", len(b))
		}
	})
}

// TestLargeValues: what does not fit is replaced by its beginning and its
// size, in whole characters; a text of MaxText bytes fits.
func TestLargeValues(t *testing.T) {
	write := func(v any) any {
		var c capture
		Write(&c, &Rec{Kind: Print, Value: v})
		rec, err := Read(c.b[4:])
		if err != nil {
			t.Fatal(err)
		}
		return rec.Value
	}
	if text := strings.Repeat("x", MaxText); write(text) != text {
		t.Error("a text of MaxText bytes does not fit")
	}
	long := strings.Repeat("老司机", 10_000)
	m, ok := write(long).(map[string]any)
	if !ok {
		t.Fatal("it was not cut")
	}
	begin, _ := m["cut"].(string)
	if m["bytes"] != len(long) || !strings.HasPrefix(long, begin) || len(begin) < MaxText/2 || strings.ContainsRune(begin, '\ufffd') {
		t.Errorf("%d bytes of %v are left", len(begin), m["bytes"])
	}
	list := make([]any, 10_000)
	if m, ok = write(append(list, strings.Repeat("x", 20_000))).(map[string]any); !ok || m["cut"] != "" {
		t.Errorf("%v", m)
	}
	if v := write(math.Inf(1)); v != math.Inf(1) {
		t.Errorf("%v", v)
	}
}

// TestLargeMeaning: of a kind that is read by its keys nothing is cut, however long it
// is and whatever other processes record in between; an operation on a piece of an
// array keeps its elements.
func TestLargeMeaning(t *testing.T) {
	waits := make([]any, 1000)
	for i := range waits {
		waits[i] = map[string]any{"proc": strings.Repeat("w", 60), "n": i}
	}
	for _, k := range []Kind{Fail, Checked, Deadlock, Expired, Raced, OrderDone, Ended} {
		rec := Rec{Kind: k, Obj: 7, At: 1, Value: map[string]any{"what": "step", "waits": waits}, First: 3, Last: 5}
		var l Log
		l.Add(-1, &rec)
		l.Add(0, &Rec{Kind: Print, Value: "between"})
		var got []Rec
		l.Each(nil, func(_ int, r Rec) { got = append(got, r) })
		if len(got) != 2 || !reflect.DeepEqual(got[0], rec) || got[1].Value != "between" {
			t.Errorf("%v: %.200v", k, got)
		}
	}
}

// TestKinds: every kind has a name of its own, and is found by it.
func TestKinds(t *testing.T) {
	if len(kindNames) != int(numKinds) {
		t.Fatalf("%d names for %d kinds", len(kindNames), numKinds)
	}
	for k := Kind(1); k < numKinds; k++ {
		if KindOf(k.String()) != k {
			t.Errorf("%d: %q is %d", k, k, KindOf(k.String()))
		}
	}
	if KindOf("nonsense") != KindNone || Kind(200).String() != "?" {
		t.Error("what is no kind is one")
	}
}

// TestLog keeps records in order, across its chunks, and filters them.
func TestLog(t *testing.T) {
	var l Log
	text := strings.Repeat("y", 1000)
	const n = 5000
	for i := range n {
		k := Op
		if i%10 == 0 {
			k = Print
		}
		l.Add(i%7-1, &Rec{Kind: k, Step: uint32(i), Value: text})
	}
	if l.Len() != n {
		t.Errorf("%d records", l.Len())
	}
	i := 0
	l.Each(nil, func(slot int, r Rec) {
		if slot != i%7-1 || r.Step != uint32(i) || r.Value != text {
			t.Fatalf("record %d: slot %d, %+v", i, slot, r)
		}
		i++
	})
	if i != n {
		t.Errorf("%d records were seen", i)
	}
	i = 0
	l.Each(func(_ int, k Kind) bool { return k == Print }, func(_ int, r Rec) {
		if r.Step != uint32(i*10) {
			t.Fatalf("%d: %+v", i, r)
		}
		i++
	})
	if i != n/10 {
		t.Errorf("%d prints", i)
	}
}

// TestLogForms: whatever forms records have, and in whatever order they come, a
// log gives back what was put into it.
func TestLogForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type in struct {
			slot int
			r    Rec
		}
		var l Log
		var all []in
		at := rapid.Int64().Draw(t, "start") / 2
		for range rapid.IntRange(1, 200).Draw(t, "records") {
			at += rapid.Int64Range(-50, 1<<40).Draw(t, "later")
			r := Rec{
				Kind:  rapid.SampledFrom([]Kind{Op, Op, Print, Slept}).Draw(t, "kind"),
				Flags: uint8(rapid.SampledFrom([]int{0, FlagErr}).Draw(t, "flags")),
				Verb:  uint16(rapid.IntRange(0, 2).Draw(t, "verb")), Step: uint32(rapid.IntRange(0, 100).Draw(t, "step")),
				Obj: rapid.SampledFrom([]uint32{0, 1, NoObj}).Draw(t, "obj"),
				At:  at, Seq: rapid.Uint64().Draw(t, "seq"), Value: values(2).Draw(t, "value"),
			}
			if rapid.Bool().Draw(t, "range") {
				r.First, r.Last = 3, 5
			}
			slot := rapid.IntRange(-1, 2).Draw(t, "slot")
			l.Add(slot, &r)
			all = append(all, in{slot, r})
		}
		l.Append(0, make([]byte, recHead-5)) // not a record
		if l.Len() != len(all) {
			t.Fatalf("%d records, of %d", l.Len(), len(all))
		}
		i := 0
		l.Each(nil, func(slot int, r Rec) {
			if w := all[i]; slot != w.slot || !reflect.DeepEqual(r, w.r) {
				t.Fatalf("record %d:\n%d %+v, want\n%d %+v", i, slot, r, w.slot, w.r)
			}
			i++
		})
		if i != len(all) {
			t.Fatalf("%d records came back, of %d", i, len(all))
		}
	})
}

// TestLogOfALoop: a record like those before it is a few bytes.
func TestLogOfALoop(t *testing.T) {
	var l Log
	const n = 100_000
	for i := range n {
		l.Add(i/64%3, &Rec{Kind: Op, Verb: uint16(i % 2), Step: uint32(i % 2), At: int64(200 * i), Seq: uint64(i)})
	}
	size := 0
	for _, c := range l.chunks {
		size += len(c)
	}
	if per := float64(size) / n; per > 8 {
		t.Errorf("%.1f bytes for each of %d operations", per, n)
	}
}

// TestFile: a log in a file is read as it was written, one line per event.
func TestFile(t *testing.T) {
	code := 3
	in := []Event{
		{Type: "start", Run: &Run{Scenario: "x <&> 老", Procs: []string{"a"}, Params: map[string]any{"n": 3.5}}},
		{At: 5, Type: "print", Proc: "a", Pid: 7, Line: 2, Col: 3, Value: "<老司机>"},
		{At: 6, Type: "ended", Proc: "a", Status: &Status{ExitCode: &code}},
		{At: 7, Type: "check", Check: &Check{Text: "a == b", Parts: []Part{{"a", "1"}}}},
		{At: 8, Type: "expired", Limit: &Limit{What: "step", After: 5, SetBy: "the file"}, Stuck: &Stuck{Cycle: []string{"a"}, Waits: []Waiting{{Proc: "a", On: "gate", For: []string{"a"}, HeldSince: []int{3}}}}},
	}
	var b bytes.Buffer
	if err := WriteAll(&b, in); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != len(in) || !strings.Contains(b.String(), "<老司机>") {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
	out, err := ReadAll(&b)
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%v\n%+v\n%+v", err, in, out)
	}
	out, err = ReadAll(strings.NewReader("{\"at\":1,\"type\":\"print\"}\n{broken"))
	if err == nil || len(out) != 1 || !strings.Contains(err.Error(), "event 2") {
		t.Errorf("%v %v", out, err)
	}
}

// TestStatusInWords: code and signal are never confused.
func TestStatusInWords(t *testing.T) {
	zero := 0
	for _, tt := range []struct {
		s    *Status
		want string
	}{
		{nil, "ended, nobody knows how"},
		{&Status{}, "ended, nobody knows how"},
		{&Status{ExitCode: &zero}, "exited 0"},
		{&Status{Signal: "SIGINT"}, "ended by SIGINT"},
		{&Status{Signal: "SIGSEGV", Core: true}, "ended by SIGSEGV (core dumped)"},
	} {
		if got := tt.s.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestCheckValue: a check travels in a record and comes out the same.
func TestCheckValue(t *testing.T) {
	for _, c := range []Check{
		{OK: true, Text: "a == b"},
		{Text: "a == b", Why: "a is null", Parts: []Part{{"a", "null"}, {"b", "3"}}},
	} {
		var w capture
		Write(&w, &Rec{Kind: Checked, Value: CheckValue(c.OK, c.Text, c.Why, c.Parts)})
		rec, err := Read(w.b[4:])
		if err != nil {
			t.Fatal(err)
		}
		if got := CheckOf(rec.Value); !reflect.DeepEqual(got, c) {
			t.Errorf("%+v, want %+v", got, c)
		}
	}
	if got := CheckOf("nonsense"); got.OK {
		t.Error("nonsense is a check that holds")
	}
}
