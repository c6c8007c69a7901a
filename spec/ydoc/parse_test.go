package ydoc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ipcrun/spec/source"
)

// outline writes a tree as one line per node: path, span, text of the span.
func outline(f *source.File, path string, n *Node, b *strings.Builder) {
	fmt.Fprintf(b, "%s %v-%v %q", path, n.Span.Start, n.Span.End, f.Slice(n.Span))
	if n.Comment != "" {
		fmt.Fprintf(b, " %s", n.Comment)
	}
	b.WriteByte('\n')
	for i, item := range n.Items {
		outline(f, fmt.Sprintf("%s[%d]", path, i), item, b)
	}
	for _, p := range n.Pairs {
		outline(f, path+"."+p.Key.Value, p.Value, b)
	}
}

func TestSpans(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"plain", "a: one two # c\nb:   3\n", `
. 1:1-2:7 "a: one two # c\nb:   3"
.a 1:4-1:11 "one two" # c
.b 2:6-2:7 "3"
`},
		{"chinese", "名字: 老司机\n列: [甲, 乙 ]\n", `
. 1:1-2:11 "名字: 老司机\n列: [甲, 乙 ]"
.名字 1:5-1:8 "老司机"
.列 2:4-2:11 "[甲, 乙 ]"
.列[0] 2:5-2:6 "甲"
.列[1] 2:8-2:9 "乙"
`},
		{"quotes", "a: 'it''s' # c\nb: \"x\\\"y\\u4f60\"\nc: 'two\n  lines'\n", `
. 1:1-4:9 "a: 'it''s' # c\nb: \"x\\\"y\\u4f60\"\nc: 'two\n  lines'"
.a 1:4-1:11 "'it''s'" # c
.b 2:4-2:16 "\"x\\\"y\\u4f60\""
.c 3:4-4:9 "'two\n  lines'"
`},
		{"blocks", "a: |\n  one\n\n  two\nb: >-\n    x\n    y\n\nc: 1\n", `
. 1:1-9:5 "a: |\n  one\n\n  two\nb: >-\n    x\n    y\n\nc: 1"
.a 1:4-4:6 "|\n  one\n\n  two"
.b 5:4-7:6 ">-\n    x\n    y"
.c 9:4-9:5 "1"
`},
		{"lists", "- a\n-\n- - b\n  - {}\n- []\n", `
. 1:1-5:5 "- a\n-\n- - b\n  - {}\n- []"
.[0] 1:3-1:4 "a"
.[1] 2:2-2:2 ""
.[2] 3:3-4:7 "- b\n  - {}"
.[2][0] 3:5-3:6 "b"
.[2][1] 4:5-4:7 "{}"
.[3] 5:3-5:5 "[]"
`},
		{"nothing", "a:\nb: ~\nc: null\n", `
. 1:1-3:8 "a:\nb: ~\nc: null"
.a 1:3-1:3 ""
.b 2:4-2:5 "~"
.c 3:4-3:8 "null"
`},
		{"anchors", "a: &s hello\nb: *s\nc: &m\n  x: 1\nd: *m\ne: [*s]\n", `
. 1:1-6:8 "a: &s hello\nb: *s\nc: &m\n  x: 1\nd: *m\ne: [*s]"
.a 1:7-1:12 "hello"
.b 1:7-1:12 "hello"
.c 4:3-4:7 "x: 1"
.c.x 4:6-4:7 "1"
.d 4:3-4:7 "x: 1"
.d.x 4:6-4:7 "1"
.e 6:4-6:8 "[*s]"
.e[0] 1:7-1:12 "hello"
`},
		{"flow over lines", "a: {x: 1, # one }\n  y: [2, 3,\n  ] }\nb: [c: d, e]\n", `
. 1:1-4:13 "a: {x: 1, # one }\n  y: [2, 3,\n  ] }\nb: [c: d, e]"
.a 1:4-3:6 "{x: 1, # one }\n  y: [2, 3,\n  ] }"
.a.x 1:8-1:9 "1"
.a.y 2:6-3:4 "[2, 3,\n  ]"
.a.y[0] 2:7-2:8 "2"
.a.y[1] 2:10-2:11 "3"
.b 4:4-4:13 "[c: d, e]"
.b[0] 4:5-4:9 "c: d"
.b[0].c 4:8-4:9 "d"
.b[1] 4:11-4:12 "e"
`},
		{"crlf and a mark", "\ufeffa: x\r\nb:\r\n  - |\r\n    t\r\n", `
. 1:1-4:6 "a: x\r\nb:\r\n  - |\r\n    t"
.a 1:4-1:5 "x"
.b 3:3-4:6 "- |\r\n    t"
.b[0] 3:5-4:6 "|\r\n    t"
`},
		{"plain over lines", "a: one\n  two\n\n  three # c\n", `
. 1:1-4:8 "a: one\n  two\n\n  three"
.a 1:4-4:8 "one\n  two\n\n  three" # c
`},
		{"lost to a comment", "assert: count(xs, # > 2)\n", `
. 1:1-1:18 "assert: count(xs,"
.assert 1:9-1:18 "count(xs," # > 2)
`},
		{"tags that are right", "a: !!str 12\nb: !!int 3\n", `
. 1:1-2:11 "a: !!str 12\nb: !!int 3"
.a 1:10-1:12 "12"
.b 2:10-2:11 "3"
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, ds := parse(tt.data)
			if n == nil || len(ds) > 0 {
				t.Fatalf("node %v, diagnostics %v", n, ds)
			}
			var b strings.Builder
			b.WriteByte('\n')
			outline(n.file, ".", n, &b)
			got := strings.ReplaceAll(strings.ReplaceAll(b.String(), "\n..", "\n."), "\n.[", "\n.[")
			if got != tt.want {
				t.Errorf("got%swant%s", got, tt.want)
			}
		})
	}
}

func TestPosIn(t *testing.T) {
	for _, tt := range []struct {
		data string
		want string // positions of the runes of the value and of its end
	}{
		{"a: xyz\n", "1:4 1:5 1:6 1:7"},
		{"a: 'x''y'\n", "1:5 1:6 1:8 1:9"},
		{"a: \"x\\ny\\u4f60z\"\n", "1:5 1:6 1:8 1:9 1:15 1:16"},
		{"a: \"x\\\n   y\"\n", "1:5 2:4 2:5"},
		{"a: x\n  y\n", "1:4 1:5 2:3 2:4"},
		{"a: x\n\n\n  y\n", "1:4 1:5 1:5 4:3 4:4"},
		{"a: |\n  司x\n    y\n", "2:3 2:4 2:5 3:3 3:4 3:5 3:6 3:6"},
		{"a: |-\n\n  x\n", "1:6 3:3 3:4"},
		{"a: |2\n   x\n", "2:3 2:4 2:5 2:5"},
		{"a: >\n  x\n  y\n\n  z\n", "2:3 2:4 3:3 3:4 5:3 5:4 5:4"},
		{"b: &n xy\na: *n\n", "1:7 1:8 1:9"},
	} {
		n, ds := parse(tt.data)
		if n == nil || len(ds) > 0 {
			t.Fatalf("%q: %v", tt.data, ds)
		}
		a := n.Get("a")
		var got []string
		for i := range len([]rune(a.Value)) + 1 {
			got = append(got, a.PosIn(i).String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%q: got %s, want %s", tt.data, s, tt.want)
		}
		if a.PosIn(-1) != a.PosIn(0) || a.PosIn(99).String() != got[len(got)-1] {
			t.Errorf("%q: offsets outside the value are not moved inside", tt.data)
		}
	}
}

func TestRefused(t *testing.T) {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	for _, tt := range []struct{ name, data, want string }{
		{"duplicate", "a: 1\nb: 2\n\"a\": 3\n", `3:1: error[IPC008]: the key "a" stands twice in one mapping`},
		{"merge", "a: &m {x: 1}\nb:\n  <<: *m\n", `3:3: error[IPC009]: the merge key << is not supported`},
		{"cycle", "a: &a [*a]\n", `1:8: error[IPC011]: *a stands inside the value that it repeats`},
		{"bomb", laughs, `5:10: error[IPC012]: with *a3, aliases repeat more than 10000 values`},
		{"deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), `1:65: error[IPC013]: lists and mappings are nested more than 64 deep`},
		{"tag", "a: !ready\n", `1:4: error[IPC014]: YAML takes !ready for a tag because of its leading !`},
		{"tag with text", "assert: !ready or x\n", `1:9: error[IPC014]: YAML takes !ready for a tag because of its leading !`},
		{"lone exclamation mark", "assert: ! ready\n", `1:9: error[IPC014]: YAML takes ! for a tag because of its leading !`},
		{"tag on a mapping", "a: !x {b: 1}\n", `1:4: error[IPC014]: YAML takes !x for a tag because of its leading !`},
		{"wrong standard tag", "a: !!int x\n", `1:4: error[IPC014]: the tag !!int does not fit its value`},
		{"unused anchor", "a: &b c\n", `1:4: warning[IPC019]: YAML takes &b for an anchor because of its leading &, and no alias uses it`},
		{"list as a key", "? [a]\n: b\n", `1:3: error[IPC015]: a list cannot be a key`},
		{"no key", "a: 1\n~: b\n", `2:1: error[IPC015]: a key is missing here`},
		{"empty", "", ` error[IPC004]: the file is empty`},
		{"only comments", "# x\n\n", ` error[IPC004]: the file is empty`},
		{"only a marker", "---\n", ` error[IPC004]: the file is empty`},
		{"two documents", "a: |\n  ---\n---\nb: 1\n", `3:1: error[IPC005]: a second document starts here`},
		{"marker at the end", "---\na: 1\n---\n", `3:1: error[IPC005]: a second document starts here`},
		{"too large", "# " + strings.Repeat("x", MaxSize), ` error[IPC001]: the file has 1048578 bytes, more than the 1048576 (1 MiB) of the largest scenario`},
		{"zero byte", "a: 1\nb: \x00\n", `2:4: error[IPC002]: the file has a zero byte, which no text has`},
		{"latin 1", "a: caf\xe9\n", `1:7: error[IPC002]: the byte 0xE9 is not UTF-8`},
		{"control character", "a: \x1b[0m\n", `1:4: error[IPC002]: the control character U+001B`},
		{"lone carriage return", "a: 1\rb: 2\n", `1:5: error[IPC002]: a carriage return without a line feed`},
		{"utf-16", "\xff\xfea\x00:\x00", ` error[IPC003]: the file is UTF-16, not UTF-8`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ds := parse(tt.data)
			if len(ds) == 0 {
				t.Fatal("nothing is wrong with it")
			}
			if got := strings.TrimPrefix(ds[0].Error(), "a.yaml:"); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if len(ds) > 1 && tt.name != "bomb" {
				t.Errorf("one mistake, but %d diagnostics: %v", len(ds), ds[1:])
			}
		})
	}
}

// What was refused is left out or stands in, so that the caller can go on.
func TestGoesOn(t *testing.T) {
	n, ds := parse("a: 1\na: 2\nassert: !ready or x\nc: &c [*c]\nd: 4\n")
	if n == nil || len(ds) != 3 {
		t.Fatalf("node %v, diagnostics %v", n, ds)
	}
	if v := n.Get("a").Value; v != "1" {
		t.Errorf("the first of two is not kept, but %q", v)
	}
	if a := n.Get("assert"); a.Value != "!ready or x" || !a.Bad || a.PosIn(10).String() != "3:19" {
		t.Errorf("the text with the tag is %q, bad %v, its end at %v", a.Value, a.Bad, a.PosIn(10))
	}
	if c := n.Get("c").Items[0]; !c.Bad || c.Kind != Null {
		t.Errorf("the cyclic alias is %+v", c)
	}
	if n.Get("d").Value != "4" || n.Get("e") != nil || (*Node)(nil).Get("x") != nil {
		t.Error("Get fails")
	}
	if n, ds := parse(strings.Repeat("a: 1\n", 500)); n == nil || len(ds) != maxMistakes+1 || ds[maxMistakes].Code != CodeTooMany {
		t.Errorf("%d diagnostics for 499 mistakes", len(ds))
	}
}

func TestData(t *testing.T) {
	n, ds := parse(`
a: [1, -2, 0x1F, 0o17, 0b11, 1.5, 1e3, true, False, null, ~]
b: {x: "1", y: '2', z: 12:30:45, d: 2020-01-01, s: !!str 0755, t: no}
c: |
  text
d:
`)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	got, err := n.Data()
	want := map[string]any{
		"a": []any{1, -2, 31, 15, 3, 1.5, 1000.0, true, false, nil, nil},
		"b": map[string]any{"x": "1", "y": "2", "z": "12:30:45", "d": "2020-01-01", "s": "0755", "t": "no"},
		"c": "text\n",
		"d": nil,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v\nwant %#v", got, err, want)
	}
	for _, v := range []string{"0755", "08", "-007", "1_000", "0x1_F", "9223372036854775808", "99999999999999999999", "-99999999999999999999", ".inf", "-.Inf", ".NaN"} {
		n, _ := parse("a: [x, " + v + "]\n")
		if d, err := n.Data(); err == nil {
			t.Errorf("%s is silently %v", v, d)
		} else if want := "a.yaml:1:8: error[IPC016]: " + v; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v", v, err)
		}
	}
}

func TestSurprise(t *testing.T) {
	for v, want := range map[string]string{
		"yes": "text here", "No": "text here", "on": "text here", "OFF": "text here",
		"0755": "the number 493", "08": "leading zero", "1_000": "the number 1000", "12:30:45": "base 60", "2020-01-01": "a date",
		"99999999999999999999": "does not fit", ".inf": "special number",
		"'yes'": "", "\"0755\"": "", "true": "", "12": "", "0": "", "0.5": "", "-1": "", "0x1F": "", "text": "", "a_b": "", "y": "", "!!str 012": "", "": "",
	} {
		n, ds := parse("a: " + v + "\n")
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		got := n.Get("a").Surprise()
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", v, got, want)
		}
	}
}
