package cond

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestLoweredIsMachine is the proof that closures compute what expr's machine
// computes: random expressions over random values, both ways. Both must fail,
// or both must yield the same value of the same type.
func TestLoweredIsMachine(t *testing.T) {
	ran, failed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		src := expression(t, 4)
		env := vars{}
		for _, name := range []string{"a", "b", "c"} {
			env[name] = scalar(t, name)
		}
		env["xs"] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return scalar(t, "element") }), 0, 3).Draw(t, "xs")
		env["m"] = map[string]any{"a": scalar(t, "m.a"), "s": env["xs"]}

		tree, err := parse(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		l := &lowerer{tree: tree}
		machine := l.program(tree.root)
		if l.err != nil {
			t.Skip(src) // expr's checker refuses literals that never fit
		}
		run := l.lower(tree.root)
		if l.err != nil {
			t.Skip(src)
		}
		want, wantErr := outcome(machine.run, env)
		got, gotErr := outcome(run.run, env)
		ran++
		if wantErr {
			failed++
		}
		if got != want || gotErr != wantErr {
			t.Fatalf("%s\nwith %v\nlowered %s, failed %v\nmachine %s, failed %v", src, env, got, gotErr, want, wantErr)
		}
	})
	if ran == 0 || failed == ran {
		t.Errorf("of %d expressions %d failed: nothing was compared", ran, failed)
	}
}

// outcome is the value with its type, so that 1 is not 1.0 and NaN is NaN.
func outcome(run op, env Env) (text string, failed bool) {
	_, ok := attempt(func() {
		v := canonical(run(env, nil).any())
		text = fmt.Sprintf("%T %s", v, Text(v))
	})
	return text, !ok
}

func scalar(t *rapid.T, label string) any {
	return rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]int{-300, -1, 0, 1, 2, 3, math.MaxInt, math.MinInt}), func(n int) any { return n }),
		rapid.Map(rapid.SampledFrom([]float64{-1.5, 0, 0.5, 1, 2}), func(f float64) any { return f }),
		rapid.Map(rapid.SampledFrom([]string{"", "a", "ab", "老"}), func(s string) any { return s }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	).Draw(t, label)
}

func expression(t *rapid.T, depth int) string {
	leaf := rapid.SampledFrom([]string{
		"a", "b", "c", "a", "b", "c", "xs", "m", "m.a", "m.s", `m["a"]`, "m.none",
		"0", "1", "2", "0.5", "1.0", `"a"`, `"ab"`, `""`, "true", "false", "nil",
	})
	if depth == 0 {
		return leaf.Draw(t, "leaf")
	}
	sub := func() string { return expression(t, depth-1) }
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0:
		return leaf.Draw(t, "leaf")
	case 1:
		return "(" + rapid.SampledFrom([]string{"-", "+", "!", "not "}).Draw(t, "unary") + sub() + ")"
	case 2:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	case 3:
		return "xs[" + sub() + "]"
	case 4:
		return "[" + sub() + ", " + sub() + "]"
	case 5:
		return "(" + sub() + rapid.SampledFrom([]string{" in ", " not in "}).Draw(t, "in") +
			rapid.SampledFrom([]string{"xs", "m", "m.s", "[1, 2]", `["a", 1.0, nil]`, "nil"}).Draw(t, "collection") + ")"
	case 6:
		return "(" + strings.Join([]string{sub(), sub(), sub()}, rapid.SampledFrom([]string{" < ", " <= ", " > ", " >= "}).Draw(t, "chain")) + ")"
	case 7:
		return "(" + sub() + " matches " + rapid.SampledFrom([]string{`"^a"`, `"b$"`}).Draw(t, "pattern") + ")"
	}
	op := rapid.SampledFrom([]string{
		"+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "and", "or", "??",
		"contains", "startsWith", "endsWith",
	}).Draw(t, "op")
	return "(" + sub() + " " + op + " " + sub() + ")"
}

// FuzzCompile looks for text that makes the compiler panic, or blame a place
// that does not exist.
func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		`fork[(index + 1) % 3].holder == "p3"`, "all(fork, .holder == '')", "1 < x < 3", "let x = 1; x", "a?.b[1:2]",
		"if a {b} else if c {d} else {e}", `"\u{1F600}" + '`, "{a: 1, 'b': [x]} | keys()", "（", "5ms", "a // b", "x = 1", "$env",
	} {
		f.Add(src)
	}
	sc := course()
	f.Fuzz(func(t *testing.T, src string) {
		e, ps := Compile(src, sc, WantAny)
		if (e == nil) == (len(ps) == 0) {
			t.Fatalf("%q: %v and %d problems", src, e, len(ps))
		}
		n := len([]rune(src))
		for _, p := range ps {
			if p.From < 0 || p.To > n || p.From >= p.To && n > 0 || p.Message == "" {
				t.Errorf("%q: %+v is nowhere", src, p)
			}
		}
		if e == nil {
			return
		}
		for _, r := range e.Refs() {
			if r.From < 0 || r.To > n || r.From >= r.To {
				t.Errorf("%q: %+v is nowhere", src, r)
			}
		}
		_, _ = e.Eval(facts()) // an error is as good as a value; a panic is not
		for _, p := range e.Explain(facts()) {
			if p.Text != string([]rune(src)[p.From:p.To]) && !p.Element {
				t.Errorf("%q: part %+v is not its text", src, p)
			}
		}
	})
}
