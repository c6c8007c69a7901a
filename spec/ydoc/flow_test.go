package ydoc

import (
	"testing"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// TestFlow: what breaks a {…} or […] is named where it stands, not where the
// bracket opens.
func TestFlow(t *testing.T) {
	for _, test := range []struct{ text, want, hint string }{
		{"a: {b: fork[0]}\n", `x.yaml:1:8: error[IPC006]: text with a bracket in it needs quotes here`, `write "fork[0]"`},
		{"a: {fork[(index + 1) % 5]: lock}\n", `x.yaml:1:5: error[IPC006]: text with a bracket in it needs quotes here`, `write "fork[(index + 1) % 5]"`},
		{"a: {when: fork[0].holder == \"\", b: 1}\n", `x.yaml:1:11: error[IPC006]: text with a bracket in it needs quotes here`, `write 'fork[0].holder == ""'`},
		{"a: {b: ${c}}\n", `x.yaml:1:8: error[IPC006]: text with a bracket in it needs quotes here`, `write "${c}"`},
		{"a: {b: \"c, d: e}\nf: g\n", `x.yaml:1:8: error[IPC017]: this " is never closed`, ""},
		{"a: [b, 'c]\n", `x.yaml:1:8: error[IPC017]: this ' is never closed`, ""},
		{"a: {b: it's, c: d e: f}\n", `x.yaml:1:4: error[IPC006]: this {…} is not a valid list or mapping`, `quote the whole value: "{b: it's, c: d e: f}"`},
		{"a: [{print: child: done}]\n", `x.yaml:1:13: error[IPC006]: text with a colon in it needs quotes here`, `write "child: done"`},
		{"a: {b: \"x\", c: d: e: it's, f: g}\n", `x.yaml:1:16: error[IPC006]: text with a colon in it needs quotes here`, `write "d: e: it's"`},
		{"a: {b: c,\n  d: row[1]} # '\n", `x.yaml:2:6: error[IPC006]: text with a bracket in it needs quotes here`, `write "row[1]"`},
	} {
		l := &diag.List{}
		Parse(source.New("x.yaml", []byte(test.text)), l)
		if len(l.All()) != 1 {
			t.Errorf("%q: %v", test.text, l.Err())
			continue
		}
		d := l.All()[0]
		if d.Error() != test.want || d.Hint != test.hint {
			t.Errorf("%q:\ngot  %s | %s\nwant %s | %s", test.text, d.Error(), d.Hint, test.want, test.hint)
		}
	}
}
