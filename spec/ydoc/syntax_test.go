package ydoc

import (
	"strings"
	"testing"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

var broken = []struct {
	name, data, want string
}{
	{"two colons", "a: b: c\n", `1:5: error[IPC006]: a second ": " on one line`},
	{"at sign", "x: @y\n", `1:4: error[IPC006]: a value cannot start with @`},
	{"backtick", "a: 1\nx: `y`\n", "2:4: error[IPC006]: a value cannot start with `"},
	{"unknown alias", "a: 1\nb: *gone\n", `2:4: error[IPC010]: there is no anchor &gone before this`},
	{"bad escape", "a: 1\nx: \"two\\ words\\q\"\n", `2:15: error[IPC006]: unknown escape \q in double quotes`},
	{"bad hex escape", "x: \"\\xZZ\"\n", `1:5: error[IPC006]: unknown escape \x in double quotes`},
	{"flow never closed", "a: 1\nb: [1, 2\nc: 3\n", `2:4: error[IPC017]: this [ is never closed`},
	{"flow map never closed", "a: 1\nb: {x: 1\nc: 3\nd: 4\n", `2:4: error[IPC017]: this { is never closed`},
	{"quote never closed", "a: 1\nb: \"abc\nc: 3\n", `2:4: error[IPC017]: this " is not closed where it should be`},
	{"quote closed by a later one", "a: 1\nb: \"abc\nc: \"def\"\n", `2:4: error[IPC017]: this " is not closed where it should be`},
	{"bad dedent", "steps:\n    - a: 1\n  - b: 2\n", `3:3: error[IPC006]: this item is not in the column of its list`},
	{"bad dedent of a key", "steps:\n    a: 1\n  b: 2\n", `3:3: error[IPC006]: this line is not indented like its neighbours`},
	{"quote inside quotes", "a: 1\nb: 'it's'\n", `2:8: error[IPC006]: text after the closing quote`},
	{"tab", "a:\n\tb: 1\n", `2:1: error[IPC007]: a tab in the indentation`},
	{"tab after spaces", "a:\n  b: 1\n  \tc: 1\n", `3:3: error[IPC007]: a tab in the indentation`},
	{"ternary", "steps:\n  - assert: a ? 1 : 2\n", `2:19: error[IPC006]: a second ": " on one line`},
	{"map in expression", "assert: m == {a: 1}\n", `1:16: error[IPC006]: a second ": " on one line`},
	{"quoted colon", "assert: a == 'b: c'\n", `1:16: error[IPC006]: a second ": " on one line`},
	{"leading string", "assert: \"x\" == y\n", `1:13: error[IPC006]: text after the closing quote`},
	{"leading single", "- assert: 'x' in y\n", `1:15: error[IPC006]: text after the closing quote`},
	{"leading list", "assert: [1] == x\n", `1:13: error[IPC006]: text after the closing ]`},
	{"leading map", "assert: {a} == x\n", `1:13: error[IPC006]: text after the closing }`},
	{"percent", "assert: %x\n", `1:9: error[IPC006]: a value cannot start with %`},
	{"star", "assert: * 2\n", `1:9: error[IPC006]: a value cannot start with *`},
	{"pipe", "assert: | x\n", `1:11: error[IPC006]: text on the line of | or >`},
	{"greater", "assert: > 3\n", `1:11: error[IPC006]: text on the line of | or >`},
	{"dash", "assert: - x\n", `1:9: error[IPC006]: a list cannot start here`},
	{"bang bang", "assert: !(a && b)\n", `1:9: error[IPC014]: a value cannot start with !`},
	{"ampersands", "assert: && b\n", `1:9: error[IPC006]: a value cannot start with &`},
	{"no colon", "a: 1\nbogus\nc: 2\n", `2:1: error[IPC006]: a key without a colon`},
	{"full-width colon", "a: 1\n名字：老司机\nc: 2\n", `2:1: error[IPC006]: a key without a colon`},
	{"no space after colon", "a: 1\nkey:value\nc: 2\n", `2:1: error[IPC006]: a key without a colon`},
	{"key below a value", "a: foo\n  b: 2\n", `2:4: error[IPC006]: a key where none can be`},
	{"full-width colon behind a key", "a:\n  甲：\n    steps:\n      - b: c\n", `2:3: error[IPC006]: a key without a colon`},
	{"full-width colon on the first line", "名字： 司机\n# soon\n\nprocesses:\n  b: c\n", `1:1: error[IPC006]: a key without a colon`},
	{"key without a colon above", "a:\n  - worker\n    steps: 1\n", `2:5: error[IPC006]: a key without a colon`},
	{"dash without a blank", "a:\n  - b: 1\n  -c: 2\n", `3:3: error[IPC006]: this dash starts no item`},
	{"item among keys", "a: 1\n- b\n", `2:1: error[IPC006]: this item is not in the column of its list`},
	{"key among items", "- a\nb: 1\n", `2:1: error[IPC006]: a list goes on with something that is no item`},
	{"closer alone", "a: ]\n", `1:4: error[IPC006]: this ] closes nothing`},
	{"missing comma", "a: [1 2, {b: 1 c: 2}]\n", `1:4: error[IPC006]: this […] is not a valid list or mapping`},
	{"colon in flow", "a: {b: c: d}\n", `1:8: error[IPC006]: text with a colon in it needs quotes here`},
	{"directive", "%FOO\na: 1\n", `1:1: error[IPC006]: a line that starts with % is a directive to YAML`},
	{"crlf", "a: 1\r\nb: c: d\r\n", `2:5: error[IPC006]: a second ": " on one line`},
	{"mark", "\ufeffa: b: c\n", `1:5: error[IPC006]: a second ": " on one line`},
	{"chinese", "名字: 老司机: 开车\n", `1:8: error[IPC006]: a second ": " on one line`},
	{"end of file", "a: \"", `1:4: error[IPC017]: this " is not closed where it should be`},
	{"second document is broken", "a: 1\n---\nb: c: d\n", `3:5: error[IPC006]: a second ": " on one line`},
}

func parse(data string) (*Node, []*diag.Diagnostic) {
	var l diag.List
	n := Parse(source.New("a.yaml", []byte(data)), &l)
	return n, l.All()
}

func TestBroken(t *testing.T) {
	for _, tt := range broken {
		t.Run(tt.name, func(t *testing.T) {
			n, ds := parse(tt.data)
			if n != nil || len(ds) != 1 {
				t.Fatalf("%d diagnostics and node %v, want one and none", len(ds), n)
			}
			got := strings.TrimPrefix(ds[0].Error(), "a.yaml:")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The replacement that goes with a mistake must mend it.
func TestFixes(t *testing.T) {
	for _, tt := range []struct{ data, want string }{
		{"- assert: a ? 1 : 2\n", "- assert: 'a ? 1 : 2'\n"},
		{"b: 'it's'\n", "b: 'it''s'\n"},
		{"- assert: 'x' in y\n", "- assert: \"'x' in y\"\n"},
		{"assert: \"x\" == y\n", "assert: '\"x\" == y'\n"},
		{"assert: \"x\" == 'y'\n", "assert: '\"x\" == ''y'''\n"},
		{"assert: [1] == x\n", "assert: '[1] == x'\n"},
		{"assert: !ready\n", "assert: '!ready'\n"},
		{"x: @y\n", "x: '@y'\n"},
		{"a: 'x'== 'y'\n", "a: \"'x'== 'y'\"\n"},
		{"a: 1\n名字：老司机\n", "a: 1\n名字: 老司机\n"},
		{"a:\n  甲：\n    b: 1\n", "a:\n  甲:\n    b: 1\n"},
		{"名字：司机\nb: 1\n", "名字: 司机\nb: 1\n"},
		{"a: {print: 你好， sleep: 1s}\n", "a: {print: 你好, sleep: 1s}\n"},
		{"a: 1\nkey:value\n", "a: 1\nkey: value\n"},
		{"名字: 老司机: 开车\n", "名字: '老司机: 开车'\n"},
	} {
		_, ds := parse(tt.data)
		if len(ds) != 1 || ds[0].Fix == nil {
			t.Errorf("%q: no fix in %v", tt.data, ds)
			continue
		}
		f, fix := ds[0].File, ds[0].Fix
		got := tt.data[:f.Offset(fix.Span.Start)] + fix.Text + tt.data[f.Offset(fix.Span.End):]
		if got != tt.want {
			t.Errorf("%q: mended to %q, want %q", tt.data, got, tt.want)
		}
		if n, ds := parse(got); n == nil || len(ds) > 0 {
			t.Errorf("%q: still wrong: %v", got, ds)
		}
	}
}

func TestBrokenLarge(t *testing.T) {
	for _, lines := range []int{300, 5_000} {
		_, ds := parse(strings.Repeat("- print: hello\n", lines) + "- a: b: c\n" + strings.Repeat("- print: hello\n", 300))
		if len(ds) != 1 || ds[0].Span.Start != (source.Pos{Line: lines + 1, Col: 7}) {
			t.Errorf("in line %d: %v", lines+1, ds)
		}
	}
}
