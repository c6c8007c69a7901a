package cond

import (
	"reflect"
	"testing"

	"ipcrun/spec/decl"
)

func TestTemplate(t *testing.T) {
	for _, test := range []struct {
		src  string
		want any
	}{
		{"plain", "plain"},
		{"", ""},
		{"${jobs.size + 1}", 3},
		{"${ jobs.size }", 2},
		{"${fork[0]}", map[string]any{"holder": "p1", "locked": true}},
		{"${anything}", nil},
		{"seen ${jobs.size + 1} of ${rounds}", "seen 3 of 1000"},
		{"${who}${who}", "adaada"},
		{"${ratio} ${anything} ${fork[0]} ${locked}", `0.5 null {"holder":"p1","locked":true} true`},
		{"$${who}", "${who}"},
		{"$$${who}", "$${who}"},
		{"$5 and ${who} $", "$5 and ada $"},
		{"${{a: {b: 1}}.a.b}", 1},
		{`${"}" + who + '{'}`, "}ada{"},
		{"${`}` + \"\\\"}\"}", `}"}`},
		{"到站${who}了", "到站ada了"},
	} {
		tpl, ps := ParseTemplate(test.src, course())
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		trusted, err := ParseTemplateTrusted(test.src)
		if err != nil {
			t.Errorf("trusted %s: %v", test.src, err)
			continue
		}
		for _, tpl := range []*Template{tpl, trusted} {
			got, err := tpl.Eval(facts())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s = %#v, %v; want %#v", test.src, got, err, test.want)
			}
		}
		if tpl.Source() != test.src {
			t.Errorf("%s came from %s", test.src, tpl.Source())
		}
	}
}

func TestTemplateProblems(t *testing.T) {
	for _, test := range []struct {
		src  string
		want []problem
	}{
		{"到 ${jobss} and ${jobs.sze + 1}", []problem{
			{4, 9, "jobss", `unknown name "jobss"`, "did you mean jobs?"},
			{22, 25, "sze", `queue jobs has no field "sze"`, "queue jobs has: empty, full, size"},
		}},
		{"到 ${who", []problem{{2, 4, "${", "this ${ is never closed", "add the missing }, or write $${ for the two characters themselves"}}},
		{`a ${"x}`, []problem{{2, 4, "${", "this ${ is never closed", "add the missing }, or write $${ for the two characters themselves"}}},
		{"a ${}", []problem{{2, 5, "${}", "there is no expression here", "write a condition such as jobs.size == 1"}}},
		{"a ${who = 1}", []problem{{8, 9, "=", "= does not compare", "write == to compare"}}},
	} {
		tpl, ps := ParseTemplate(test.src, course())
		var got []problem
		for _, p := range ps {
			got = append(got, problem{p.From, p.To, point(test.src, p), p.Message, p.Hint})
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\n got %+v\nwant %+v", test.src, got, test.want)
		}
		if tpl != nil {
			t.Errorf("%s: a Template came with the problems", test.src)
		}
	}
	if _, err := ParseTemplateTrusted("${who"); err == nil {
		t.Error("an unclosed template was trusted")
	}
}

func TestTemplateFacts(t *testing.T) {
	for _, test := range []struct {
		src   string
		refs  string
		shape decl.Shape
		con   any
		isCon bool
	}{
		{"${jobs.size}", "jobs{size}@2-11", decl.Int, nil, false},
		{"a ${jobs.size} ${who} ${jobs.full}", "jobs{full size}@4-13 who*@17-20", decl.String, nil, false},
		{"plain", "", decl.String, "plain", true},
		{"${1 + 1}", "", decl.Int, 2, true},
		{"n=${1 + 1}", "", decl.String, "n=2", true},
		{`to ${signals("driver")}`, `"driver"(signals.to:process)@13-21`, decl.String, nil, false},
	} {
		tpl, ps := ParseTemplate(test.src, course())
		if len(ps) > 0 {
			t.Errorf("%s: %+v", test.src, ps)
			continue
		}
		if got := sketch(tpl.Refs()); got != test.refs {
			t.Errorf("%s: refs %s, want %s", test.src, got, test.refs)
		}
		if tpl.Shape() != test.shape {
			t.Errorf("%s: shape %d, want %d", test.src, tpl.Shape(), test.shape)
		}
		if v, ok := tpl.Const(); v != test.con || ok != test.isCon {
			t.Errorf("%s: constant %v, %v", test.src, v, ok)
		}
	}
	if !IsTemplate("a ${b}") || !IsTemplate("$${") || IsTemplate("$5 {x}") {
		t.Error("IsTemplate does not see what is a template")
	}
	tpl, err := ParseTemplateTrusted("${unbound()} of 9")
	if err != nil {
		t.Fatal(err)
	}
	bound := tpl.Bind(map[string]Call{"unbound": func(...any) (any, error) { return 7, nil }})
	if v, err := bound.Eval(nil); v != "7 of 9" || err != nil {
		t.Errorf("bound template is %v, %v", v, err)
	}
	if v, err := tpl.Eval(nil); err == nil {
		t.Errorf("Bind changed the original, which is %v", v)
	}
}
