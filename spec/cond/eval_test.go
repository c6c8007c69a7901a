package cond

import (
	"errors"
	"math"
	"reflect"
	"sync"
	"testing"

	"ipcrun/spec/decl"
)

func TestEval(t *testing.T) {
	for _, test := range []struct {
		src  string
		want any
	}{
		{"jobs.size + 1", 3},
		{"2 * rounds == total.value + 1", true},
		{"7 / 2", 3.5},
		{"-7 % 3", -1},
		{"2 ** 10", 1024.0},
		{"9223372036854775806 + index", math.MaxInt},
		{"-9223372036854775807 - index", math.MinInt},
		{"3037000500 * 3037000499", 9223372033963249500},
		{"-4294967296 * 2147483648", math.MinInt},
		{"9223372036854775807 + 1.0", float64(1 << 63)},
		{"int(-9223372036854775808.0)", math.MinInt},
		{"int(9.9)", 9},
		{"sum([9223372036854775806, 1])", math.MaxInt},
		{"sum([9223372036854775807, 1.0])", float64(1 << 63)},
		{"sum([])", 0},
		{"sum(1..3) + sum(uniq(1..2)) + len(string(1..2))", 14},
		{"sum(fork, len(.holder))", 4},
		{"sum(map([1, 2], # * 2), # + 1)", 8},
		{"map([1, 2.5], -#)", []any{-1, -2.5}},
		{"abs(-7) + abs(7.5)", 14.5},
		{`string(nil) + string([1, nil, "a", {b: 2.0}])`, `null[1,null,"a",{"b":2}]`},
		{`string("a") + string(1.5) + string(1e21) + string(true) + string(100000000.0)`, "a1.51e+21true100000000"},
		{`map([nil, "x"], string(#))`, []any{"null", "x"}},
		{"{a: 2.0} == {a: 2}", true},
		{"{a: 2} == {b: 2}", false},
		{"{a: nil} == {b: nil}", false},
		{"{a: 2} != {a: 2, b: 1}", true},
		{"{a: [{b: 4 / 2}]} == {a: [{b: 2}]}", true},
		{"{a: 2.0} in [1, {a: 2}]", true},
		{"[{a: 2.0}] == [{a: 2}]", true},
		{"conductor.vars == anything or anything == conductor.lines", false},
		{"{} == {} and {} != nil", true},
		{"any([{a: 2.0}], # == {a: 2})", true},
		{"all([{a: 2.0}], # in [{a: 2}])", true},
		{"filter([1, {a: 2}], # != {a: 2.0})", []any{1}},
		{"len(uniq([{a: 2.0}, {a: 2}, 1, 1.0]))", 2},
		{"0 / 2", 0.0},
		{"2 ** -1", 0.5},
		{"(-2) ** 3", -8.0},
		{"0.1 + 0.2", 0.30000000000000004},
		{`"a" + who`, "aada"},
		{"1 < jobs.size <= 2", true},
		{"3 > jobs.size > 2", false},
		{"not locked or jobs.full", true},
		{"fork[-1].holder", "p3"},
		{"fork[(index + 2) % 3].holder", "p1"},
		{`fork[index]["locked"]`, false},
		{`"n" in conductor.vars`, true},
		{`"job" in keys(conductor.vars)`, true},
		{"conductor.exit_code == 0 && driver.exit_code == nil", true},
		{"driver.exit_code == 0", false},
		{"driver.exit_code ?? -1", -1},
		{"jobs.size in [1, 2, 3]", true},
		{"anything in [1, 2]", false},
		{"jobs.size in 1..3", true},
		{`conductor.output contains "到站" && conductor.output matches "下车吧\\n$"`, true},
		{"len(conductor.lines[0])", 7},
		{"count(fork, .locked)", 2},
		{"all(fork, .locked == (.holder != \"\"))", true},
		{"map(fork, .holder)", []any{"p1", "", "p3"}},
		{"map(fork, #index * 2)", []any{0, 2, 4}},
		{"1..3", []any{1, 2, 3}},
		{"sum([1, 2.5])", 3.5},
		{"fork[1:][0].holder", ""},
		{`split("a,b", ",")`, []any{"a", "b"}},
		{`fromJSON("{\"n\": [1, 2]}").n[1]`, 2.0},
		{"let a = jobs.size; let b = a + 1; a * b", 6},
		{"if locked { who } else { 3 }", "ada"},
		{"anything?.x.y", nil},
		{`duration("1.5s")`, 1.5},
		{`duration("1" + "m")`, 60.0},
		{`all([0.1], # < duration("200ms"))`, true},
		{"twice(twice(jobs.size))", 8},
		{"map([1, 2], twice(#))", []any{2, 4}},
		{`signals("conductor", "driver") == ["SIGUSR1", "SIGUSR2"]`, true},
		{"{a: 1, b: [who]}", map[string]any{"a": 1, "b": []any{"ada"}}},
		{"[]", []any{}},
		{"[1, 2] == [1.0, 2]", true},
		{"max([3, jobs.size, 1])", 3},
		{"0x10 + 1_000", 1016},
		{`conductor[true ? "pid" : "x"]`, 11},
		{`fork[anything ?? 1.9].holder`, ""},
		{`conductor.vars[conductor.state]`, nil},
		{"keys({b: 1})", []any{"b"}},
		{"uniq([1, 1, 2]) == [1, 2]", true},
		{"conductor.lines[0][0:2]", "到站"},
		{"conductor.lines[0][-3:-1]", "下车"},
		{"conductor.lines[0][:99]", "到站了，下车吧"},
		{"conductor.lines[0][-99:1]", "到"},
		{"conductor.lines[0][5:2]", ""},
		{"conductor.vars.job[1:]", "ne"},
		{"map(conductor.lines, #[1:2])", []any{"站"}},
		{"[1, 2, 3][-2:]", []any{2, 3}},
		{"indexOf(conductor.output, '下车')", 4},
		{"lastIndexOf(conductor.output, '了')", 2},
		{"indexOf(who, '了')", -1},
		{"conductor.output[indexOf(conductor.output, '，') + 1:]", "下车吧\n"},
		{"map(conductor.lines, indexOf(#, '站'))", []any{1}},
		{"fork[0] == {holder: 'p1', locked: true}", true},
	} {
		e, ps := Compile(test.src, course(), WantAny)
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		got, err := e.Eval(facts())
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s = %#v, %v; want %#v", test.src, got, err, test.want)
		}
		trusted, err := CompileTrusted(test.src)
		if err != nil {
			t.Errorf("trusted %s: %v", test.src, err)
			continue
		}
		got, err = trusted.Bind(callsOf(course()).byName).Eval(facts())
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("trusted %s = %#v, %v; want %#v", test.src, got, err, test.want)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	env := facts()
	delete(env, "ratio")
	for _, test := range []struct{ src, text, message string }{
		{"ratio > 1", "ratio", "ratio has no value yet"},
		{"all(fork, ratio > 1)", "ratio", "ratio has no value yet"},
		{"locked && ratio > 1", "ratio", "ratio has no value yet"},
		{"anything > 1", "anything > 1", "cannot compare nil and a whole number"},
		{"anything.x", "anything.x", `nil has no field "x"`},
		{"fork[index + 6].holder", "fork[index + 6]", "index 7 is out of range: there are 3 elements"},
		{"[index][1] == 1", "[index][1]", "index 1 is out of range: there is 1 element"},
		{"jobs.size / (index - 1) > 1", "jobs.size / (index - 1)", "a division by zero has no value"},
		{"jobs.size / (0.0 * index) > 1", "jobs.size / (0.0 * index)", "a division by zero has no value"},
		{"any([index - 1], 1 / # > 1)", "1 / #", "a division by zero has no value"},
		{"9223372036854775807 + index", "9223372036854775807 + index", "9223372036854775807 + 1 does not fit into 64 bits"},
		{"index + 9223372036854775807 > 0", "index + 9223372036854775807", "1 + 9223372036854775807 does not fit into 64 bits"},
		{"-9223372036854775807 - 2 * index", "-9223372036854775807 - 2 * index", "-9223372036854775807 - 2 does not fit into 64 bits"},
		{"-index - 9223372036854775807 - 1", "-index - 9223372036854775807 - 1", "-9223372036854775808 - 1 does not fit into 64 bits"},
		{"index + 4294967296 * (index + 4294967296)", "4294967296 * (index + 4294967296)", "4294967296 * 4294967297 does not fit into 64 bits"},
		{"(-index - 9223372036854775807) * -1", "(-index - 9223372036854775807) * -1", "-9223372036854775808 * -1 does not fit into 64 bits"},
		{"-1 * (-index - 9223372036854775807)", "-1 * (-index - 9223372036854775807)", "-1 * -9223372036854775808 does not fit into 64 bits"},
		{"-(-index - 9223372036854775807)", "-(-index - 9223372036854775807)", "-(-9223372036854775808) does not fit into 64 bits"},
		{"abs(-index - 9223372036854775807)", "abs(-index - 9223372036854775807)", "-9223372036854775808 without its sign does not fit into 64 bits"},
		{"map([index], # + 9223372036854775807)", "# + 9223372036854775807", "1 + 9223372036854775807 does not fit into 64 bits"},
		{"map([-index - 9223372036854775807], -#)", "-#", "-(-9223372036854775808) does not fit into 64 bits"},
		{"1 + sum([9223372036854775807, index])", "sum([9223372036854775807, index])", "9223372036854775807 + 1 does not fit into 64 bits"},
		{"sum([index, 2], # * 9223372036854775807)", "# * 9223372036854775807", "2 * 9223372036854775807 does not fit into 64 bits"},
		{"sum([index, anything])", "sum([index, anything])", "sum adds numbers, not nil"},
		{"sum(anything)", "anything", "sum wants a list here, not nil"},
		{"uniq(anything)", "anything", "uniq wants a list here, not nil"},
		{"1 + int(index * 1e30)", "int(index * 1e30)", "1e+30 does not fit into 64 bits"},
		{"int(index * 9223372036854775808.0)", "int(index * 9223372036854775808.0)", "9223372036854776000 does not fit into 64 bits"},
		{`int(float("-inf") * index)`, `int(float("-inf") * index)`, "-Inf does not fit into 64 bits"},
		{`int(float("nan") * index)`, `int(float("nan") * index)`, "NaN is no whole number"},
		{`int("922337203685477580" + string(index + 7))`, `int("922337203685477580" + string(index + 7))`, "9223372036854775808 does not fit into 64 bits"},
		{"(index - 1) ** -1 > 1", "(index - 1) ** -1", "zero to a negative power is a division by zero, which has no value"},
		{"(index - 2) ** 0.5 < 1", "(index - 2) ** 0.5", "a fractional power of a negative number has no value"},
		{"(index + 9) ** 400 > 1", "(index + 9) ** 400", "this power is too large for a number"},
		{"1 + jobs.size % (index - 1)", "jobs.size % (index - 1)", "the remainder of a division by zero has no value"},
		{"fork[conductor.vars.job]", "conductor.vars.job", "an element is picked by a whole number, not by text"},
		{"fork[anything]", "anything", "an element is picked by a whole number, not by nil"},
		{"conductor.vars.job[0]", "conductor.vars.job[0]", "text has no elements; cut out a piece, as in conductor.vars.job[0:1]"},
		{"map([1], conductor.vars.job[0])", "conductor.vars.job[0]", "text has no elements; cut out a piece, as in conductor.vars.job[0:1]"},
		{"get(conductor.vars.job, 0)", "conductor.vars.job", "text has no elements; cut out a piece, as in conductor.vars.job[0:1]"},
		{"first(conductor.vars.job)", "conductor.vars.job", "first wants a list here, not text"},
		{"any(conductor.vars.job, # == 'o')", "conductor.vars.job", "any wants a list here, not text"},
		{"anything[1:]", "anything[1:]", ""},
		{"indexOf(conductor.vars.n, 'o')", "indexOf(conductor.vars.n, 'o')", "indexOf looks for text in text, not at a whole number"},
		{"conductor.vars[conductor.vars.n]", "conductor.vars.n", "an entry of a map is picked by text, not by a whole number"},
		{"anything[0]", "anything[0]", "nil has no elements"},
		{"!anything", "anything", "! needs true or false, not nil"},
		{"anything && locked", "anything", "&& needs true or false, not nil"},
		{`"a" in conductor.vars.n`, `"a" in conductor.vars.n`, "in looks into a list or a map, not into a whole number"},
		{"1 in conductor.vars.job", "1 in conductor.vars.job", "in looks into a list or a map, not into text"},
		{"conductor.vars.n startsWith who", "conductor.vars.n startsWith who", "startsWith looks at text, not at a whole number and text"},
		{"-conductor.vars.job", "conductor.vars.job", "- needs a number, not text"},
		{"duration(conductor.vars.job)", "duration(conductor.vars.job)", `"one" is not a duration; write a number with a unit, as in "200ms" or "1.5s"`},
		{`duration(string(rounds) + "000000h")`, `duration(string(rounds) + "000000h")`, `"1000000000h" is too long; a duration is at most 876000h, which is 100 years`},
		{"1 + broken()", "broken()", "out of order"},
		{"all(fork, broken() == 1)", "broken()", "out of order"},
		{"unbound()", "unbound()", "unbound cannot be called here"},
		{"len(anything)", "anything", "nil has no length"},
		{"all(conductor.vars.n, # > 1)", "conductor.vars.n", ""},
	} {
		e, ps := Compile(test.src, course(), WantAny)
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		v, err := e.Eval(env)
		ee, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s = %v, %v; want an *Error", test.src, v, err)
			continue
		}
		if test.message == "" { // expr's own words
			if ee.Message == "" || ee.To <= ee.From {
				t.Errorf("%s: %+v has no message or no place", test.src, ee)
			}
			continue
		}
		if got := point(test.src, Problem{From: ee.From, To: ee.To}); got != test.text || ee.Message != test.message {
			t.Errorf("%s: %q, %q; want %q, %q", test.src, got, ee.Message, test.text, test.message)
		}
	}
	e, _ := Compile("1 + broken()", course(), WantAny)
	if _, err := e.Eval(env); !errors.Is(err, errBroken) || err.Error() != "broken(): out of order, in 1 + broken()" {
		t.Errorf("the error of a function is lost: %v", err)
	}
}

// TestEqualKinds compares what the checker refuses where it is known.
func TestEqualKinds(t *testing.T) {
	for _, src := range []string{"{} == []", "[] == {}", "[{}] == [[]]", "{a: 2} == [2]", `{a: 1} == "a"`, "any([[]], # == x)", "any([nil], # == x)"} {
		e, err := CompileTrusted(src)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Eval(vars{"x": map[string]any{}}); got != false || err != nil {
			t.Errorf("%s is %v, %v", src, got, err)
		}
	}
}

func TestEvalBool(t *testing.T) {
	e, _ := Compile("anything", course(), WantBool)
	for _, test := range []struct {
		value any
		truth bool
		err   string
	}{
		{true, true, ""},
		{false, false, ""},
		{300, false, "anything: is 300 (a whole number), not true or false"},
		{nil, false, "anything: is nil, not true or false"},
		{2.0, false, "anything: is 2 (a number), not true or false"},
		{int64(7), false, "anything: is 7 (a whole number), not true or false"},
	} {
		env := vars{"anything": test.value}
		truth, err := e.EvalBool(env)
		if text := errorText(err); truth != test.truth || text != test.err {
			t.Errorf("EvalBool of %v = %v, %q", test.value, truth, text)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestConst(t *testing.T) {
	for _, test := range []struct {
		src  string
		want any
		ok   bool
	}{
		{"true", true, true},
		{"1 == 1", true, true},
		{"[1, 2][1] * 2", 4, true},
		{"len(filter([1, 2, 3], # > 1))", 2, true},
		{`duration("2s")`, 2.0, true},
		{"locked || true", nil, false},
		{"twice(2)", nil, false},
	} {
		e, ps := Compile(test.src, course(), WantAny)
		if len(ps) > 0 {
			t.Fatalf("%s: %+v", test.src, ps)
		}
		if v, ok := e.Const(); ok != test.ok || !reflect.DeepEqual(v, test.want) {
			t.Errorf("%s: %v, %v", test.src, v, ok)
		}
	}
}

func TestShape(t *testing.T) {
	for src, want := range map[string]decl.Shape{
		"jobs.size": decl.Int, "jobs.size / 2": decl.Float, "who": decl.String, "locked": decl.Bool,
		"fork": decl.List, "fork[0]": decl.Map, "anything": decl.Any, "locked ? 1 : 2": decl.Int,
		"locked ? 1 : who": decl.Any, "first(fork).holder": decl.String, `signals("driver")`: decl.List,
		"map(fork, .locked)[0]": decl.Bool, "sum(map(fork, len(.holder)))": decl.Int,
	} {
		e, ps := Compile(src, course(), WantAny)
		if len(ps) > 0 {
			t.Fatalf("%s: %+v", src, ps)
		}
		if e.Shape() != want {
			t.Errorf("%s: shape %d, want %d", src, e.Shape(), want)
		}
	}
}

// record computes fields and counts how often it is asked for all of them.
type record struct {
	fields map[string]any
	maps   *int
}

func (r record) Field(name string) (any, bool) { v, ok := r.fields[name]; return v, ok }

func (r record) Map() map[string]any { *r.maps++; return r.fields }

// caller is an Env that computes functions.
type caller struct{ vars }

func (caller) Call(name string, args []any) (any, error) { return len(name) + len(args), nil }

func TestRecordAndCaller(t *testing.T) {
	maps := 0
	r := record{map[string]any{"size": 2, "holder": "p1"}, &maps}
	env := caller{vars{"jobs": r, "fork": []any{r, r}, "index": 1}}
	for _, test := range []struct {
		src  string
		want any
		maps int
	}{
		{"jobs.size + 1", 3, 0},
		{`fork[index]["holder"]`, "p1", 0},
		{"all(fork, .holder == 'p1')", true, 2},
		{"'size' in jobs", true, 1},
		{"jobs", map[string]any{"size": 2, "holder": "p1"}, 1},
		{"[jobs]", []any{map[string]any{"size": 2, "holder": "p1"}}, 1},
		{"jobs == fork[0]", true, 2},
		{"unbound(1, 2)", 9, 0},
	} {
		maps = 0
		e, err := CompileTrusted(test.src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Eval(env)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s = %v, %v; want %v", test.src, got, err, test.want)
		}
		if maps != test.maps {
			t.Errorf("%s: asked for all fields %d times, want %d", test.src, maps, test.maps)
		}
	}
}

func TestTrustedErrors(t *testing.T) {
	if _, err := CompileTrusted(""); err == nil {
		t.Error("an empty expression was trusted")
	}
	e, err := CompileTrusted("1 +")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := e.Eval(vars{}); err == nil {
		t.Errorf("a broken expression is %v", v)
	}
	if len(e.Refs()) != 0 || e.Explain(vars{}) != nil {
		t.Error("a broken expression has parts")
	}
}

// TestConcurrent is for the race detector: one expression, a trusted one
// compiled on first use, and one scope, used from many goroutines.
func TestConcurrent(t *testing.T) {
	sc := course()
	const src = `all(fork, .holder != who) && fork[index].holder == "" && conductor.ended < 0.5`
	trusted, err := CompileTrusted(src)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			e, ps := Compile(src, sc, WantBool)
			if len(ps) > 0 {
				t.Errorf("%+v", ps)
				return
			}
			for _, x := range []*Expr{e, trusted} {
				if v, err := x.Eval(facts()); v != false || err != nil {
					t.Errorf("%v, %v", v, err)
				}
				if n := len(x.Explain(facts())); n == 0 {
					t.Error("nothing explained")
				}
			}
		})
	}
	wg.Wait()
}

// named is a string type of somebody else's, as a careless Env may return.
type named string

func TestCanonical(t *testing.T) {
	for _, test := range []struct{ in, want any }{
		{named("x"), "x"}, {uint8(3), 3}, {float32(0.5), 0.5}, {[]string{"a"}, []any{"a"}},
		{map[string]int{"a": 1}, map[string]any{"a": 1}}, {map[any]any{1: nil}, map[string]any{"1": nil}},
		{[]any{1, []int{2}, nil}, []any{1, []any{2}, nil}},
		{map[string]any{"a": int64(1), "b": true}, map[string]any{"a": 1, "b": true}},
		{errBroken, "out of order"}, {[2]bool{true}, []any{true, false}},
	} {
		for src, want := range map[string]any{"x": test.want, "[x]": []any{test.want}, "map([1], x)[0]": test.want} {
			e, err := CompileTrusted(src)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := e.Eval(vars{"x": test.in}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %#v is %#v, %v; want %#v", src, test.in, got, err, want)
			}
			if e.Source() != src {
				t.Errorf("%s came from %s", src, e.Source())
			}
		}
	}
	list := []any{1, []any{"a"}, map[string]any{"b": 2.5}}
	if got := canonical(list).([]any); &got[0] != &list[0] {
		t.Error("a list that is canonical already was copied")
	}
}

// TestTextOfBytes slices text whose bytes are no UTF-8, as a pipe of bytes yields.
func TestTextOfBytes(t *testing.T) {
	for src, want := range map[string]any{"len(x)": 3, "x[1:]": "\xfd站", "x[:2]": "\xfe\xfd", "x[-1:]": "站", "indexOf(x, '站')": 2} {
		e, err := CompileTrusted(src)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Eval(vars{"x": "\xfe\xfd站"}); got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", src, got, err, want)
		}
	}
}
