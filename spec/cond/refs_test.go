package cond

import (
	"fmt"
	"strings"
	"testing"
)

// sketch writes refs as root{fields} with a star for a use as a whole, and
// "root"(func.param:class) for a name in quotes.
func sketch(refs []Ref) string {
	var out []string
	for _, r := range refs {
		s := r.Root
		if r.Class != "" {
			s = fmt.Sprintf("%q(%s.%s:%s)", r.Root, r.Func, r.Param, r.Class)
		}
		if r.Whole {
			s += "*"
		}
		if len(r.Fields) > 0 {
			s += "{" + strings.Join(r.Fields, " ") + "}"
		}
		out = append(out, fmt.Sprintf("%s@%d-%d", s, r.From, r.To))
	}
	return strings.Join(out, " ")
}

func TestRefs(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"conductor.ended < driver.ended", "conductor{ended}@0-15 driver{ended}@18-30"},
		{"conductor.vars.job == conductor.state", "conductor{state vars.job}@0-18"},
		{"jobs['size'] == 1", "jobs{size}@0-12"},
		{"fork[(index + 1) % 3].holder == who", "fork{holder}@0-28 index*@6-11 who*@32-35"},
		{"all(fork, .holder == '')", "fork{holder}@4-8"},
		{"filter(fork, .locked)[0].holder == ''", "fork*{locked}@7-11"},
		{"any(conductor.lines, # == who)", "conductor{lines}@4-19 who*@26-29"},
		{"len(fork) == 3 && jobs == nil", "fork*@4-8 jobs*@18-22"},
		{"let x = jobs.size; x == 2", "jobs{size}@8-17"},
		{"anything?.a.b == 1", "anything{a.b}@0-13"},
		{`signals("conductor", "driver") == signals("driver")`,
			`"conductor"(signals.from:process)@8-19 "driver"(signals.to:process)@21-29`},
		{"twice(rounds) == 2", "rounds*@6-12"},
		{"1 == 1", ""},
	} {
		e, ps := Compile(test.src, course(), WantBool)
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		if got := sketch(e.Refs()); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
		}
	}
}

func TestRefUses(t *testing.T) {
	e, ps := Compile("jobs.size == 1 && jobs.full && jobs.size < 3", course(), WantBool)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	refs := e.Refs()
	if len(refs) != 1 {
		t.Fatalf("%+v", refs)
	}
	got := fmt.Sprint(refs[0].Uses)
	if want := "[{size 0 9} {full 18 27} {size 31 40}]"; got != want {
		t.Errorf("uses %s, want %s", got, want)
	}
}
