package cond

import (
	"testing"
)

// slots is an Env as an agent has it: a few names, found without hashing.
type slots struct {
	names  []string
	values []any
}

func (s *slots) Lookup(name string) (any, bool) {
	for i, n := range s.names {
		if n == name {
			return s.values[i], true
		}
	}
	return nil, false
}

func BenchmarkEval(b *testing.B) {
	small := &slots{[]string{"seen", "index"}, []any{100, 1}}
	large := &slots{[]string{"seen", "index"}, []any{100000, 1}}
	jobs := &slots{[]string{"jobs", "fork"}, []any{map[string]any{"size": 2, "full": true}, facts()["fork"]}}
	for _, bench := range []struct {
		name, src string
		env       Env
	}{
		{"small", "seen + 1", small}, // no allocation: 0 to 255 need no box
		{"boxed", "seen + 1", large}, // one of 8 bytes, for the box
		{"map", "seen + 1", vars{"seen": 100}},
		{"less", "seen < 200000", large},
		{"ring", "(index + 1) % 5", small},
		{"fields", "jobs.size == 2 && jobs.full", jobs},
		{"machine", `all(fork, .holder != "x")`, jobs},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e, err := CompileTrusted(bench.src)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(bench.env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	sc := course()
	for name, src := range map[string]string{
		"short": "${seen + 1}"[2:10], "assert": "jobs.size == 1 && jobs.full", "predicate": `all(fork, .holder == "")`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			sc.Names["seen"] = of(8)
			for b.Loop() {
				if _, ps := Compile(src, sc, WantAny); len(ps) > 0 {
					b.Fatal(ps)
				}
			}
		})
	}
	b.Run("trusted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := CompileTrusted("jobs.size == 1 && jobs.full"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	e, ps := Compile("jobs.size == 1 && conductor.ended < driver.ended || total.value == 2 * rounds", course(), WantBool)
	if len(ps) > 0 {
		b.Fatal(ps)
	}
	env := facts()
	b.ReportAllocs()
	for b.Loop() {
		if len(e.Explain(env)) == 0 {
			b.Fatal("nothing explained")
		}
	}
}
