package cond

import (
	"fmt"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	long := facts()
	long["conductor"].(map[string]any)["output"] = strings.Repeat("老", 500)
	unknown := facts()
	unknown["conductor"] = ended{"exit_code": nil, "pid": 11}
	for _, test := range []struct {
		src  string
		env  vars
		want string
	}{
		{"conductor.ended < driver.ended", facts(), "conductor.ended=1.2s driver.ended=1.1s"},
		{"driver.ended - conductor.ended > 0", facts(), "driver.ended - conductor.ended=-0.09999999999999987s driver.ended=1.1s conductor.ended=1.2s"},
		{"total.value == 2 * rounds", facts(), "total.value=1999 2 * rounds=2000 rounds=1000"},
		{`jobs.full && jobs.size == 2 && conductor.vars.job == "two"`, facts(),
			`jobs.full=true jobs.size == 2=true conductor.vars.job == "two"=false jobs.size=2 conductor.vars.job="one"`},
		{"jobs.empty && jobs.size == 2", facts(), "jobs.empty=false"},
		{"anything.size == '2'", vars{"anything": map[string]any{"size": 2}}, "anything.size=2, a number, and '2' is text"},
		{"'2' != anything.size", vars{"anything": map[string]any{"size": 2}}, "anything.size=2, a number, and '2' is text"},
		{"anything.size == '3'", vars{"anything": map[string]any{"size": 2}}, "anything.size=2"},
		{"jobs.empty || ready.set", facts(), "jobs.empty=false ready.set=false"},
		{`fork[(index + 1) % 3].holder == "p2"`, facts(), `fork[(index + 1) % 3].holder="p3" (index + 1) % 3=2 index + 1=2 index=1`},
		{`all(fork, .holder == "")`, facts(),
			`all(fork, .holder == "")=false fork[0].holder="p1" fork[2].holder="p3"`},
		{`any([conductor, driver], .ended < 1 && .pid > 0)`, facts(),
			`any([conductor, driver], .ended < 1 && .pid > 0)=false conductor.ended < 1=false driver.ended < 1=false conductor.ended=1.2s driver.ended=1.1s`},
		{`none(fork, !.locked)`, facts(), `none(fork, !.locked)=false fork[1].locked=false`},
		{`one(fork, .locked) or jobs.size == 3`, facts(),
			`one(fork, .locked)=false jobs.size == 3=false fork[0].locked=true fork[2].locked=true jobs.size=2`},
		{`one(fork, .holder startsWith "p")`, facts(),
			`one(fork, .holder startsWith "p")=false fork[0].holder="p1" fork[2].holder="p3"`},
		{`all([1, 5, jobs.size], # < jobs.size + 1)`, facts(),
			`all([1, 5, jobs.size], # < jobs.size + 1)=false jobs.size + 1=3 jobs.size=2`},
		{`all(fork, any(fork, .locked && # != #))`, facts(),
			`all(fork, any(fork, .locked && # != #))=false any(fork, .locked && # != #)=false fork=[{"holder":"p1","locked":true},{"holder":"","locked":false},{"holder":"p3","locked":true}]`},
		{"!locked", facts(), "locked=true"},
		{"locked", facts(), "locked=true"},
		{"locked ? jobs.empty : jobs.full", facts(), "locked=true jobs.empty=false"},
		{"conductor.exit_code == 3", unknown, ""}, // and not all that is known of conductor
		{"anything.x == 1 || jobs.empty", facts(), "anything=nil"},
		{"jobs.size == 3 or jobs.size == 4", facts(), "jobs.size == 3=false jobs.size == 4=false jobs.size=2"},
		{`signals("conductor", "driver") == []`, facts(), `signals("conductor", "driver")=["SIGUSR1","SIGUSR2"]`},
		{"let n = jobs.size; n == 3", facts(), "jobs.size=2"},
		{"1 == 2", facts(), ""},
		{`conductor.output == ""`, long, `conductor.output="` + strings.Repeat("老", 158) + "…"},
		{"rounds + index + jobs.size + total.value + ready.waiters + len(who) + len(fork) == 0", facts(),
			"rounds + index + jobs.size + total.value + ready.waiters + len(who) + len(fork)=3008 " +
				"rounds + index + jobs.size + total.value + ready.waiters + len(who)=3005 len(fork)=3 " +
				"rounds + index + jobs.size + total.value + ready.waiters=3002 len(who)=3 " +
				`fork=[{"holder":"p1","locked":true},{"holder":"","locked":false},{"holder":"p3","locked":true}] ` +
				"rounds + index + jobs.size + total.value=3002 ready.waiters=0"},
	} {
		e, ps := Compile(test.src, course(), WantBool)
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		var parts []string
		for _, p := range e.Explain(test.env) {
			parts = append(parts, p.Text+"="+p.Value)
			if got := point(test.src, Problem{From: p.From, To: p.To}); got != p.Text && !p.Element {
				t.Errorf("%s: part %q stands at %q", test.src, p.Text, got)
			}
		}
		if got := strings.Join(parts, " "); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.src, got, test.want)
		}
	}
}

// ended is a process of which nobody knows how it ended.
type ended map[string]any

func (e ended) Field(name string) (any, bool) {
	if v, ok := e[name]; v != nil || !ok {
		return v, ok
	}
	return errBroken, true
}

func (e ended) Map() map[string]any { return e }

func TestText(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "null"}, {true, "true"}, {12, "12"}, {1.0, "1"}, {0.1, "0.1"}, {1e21, "1e+21"}, {1e20, "100000000000000000000"},
		{1e-7, "1e-07"}, {"a\"b", `a"b`}, {"", ""},
		{[]any{1, "a", nil, 0.5}, `[1,"a",null,0.5]`},
		{map[string]any{"b": []any{}, "a": "<&>\n\x01"}, `{"a":"<&>\n\u0001","b":[]}`},
		{[]int{1, 2}, "[1,2]"},
		{int64(3), "3"},
	} {
		if got := Text(test.value); got != test.want {
			t.Errorf("%#v prints %s, want %s", test.value, got, test.want)
		}
	}
}

func ExampleExpr_Explain() {
	e, _ := Compile("conductor.ended < driver.ended", course(), WantBool)
	for _, p := range e.Explain(facts()) {
		fmt.Printf("%s was %s\n", p.Text, p.Value)
	}
	// Output:
	// conductor.ended was 1.2s
	// driver.ended was 1.1s
}
