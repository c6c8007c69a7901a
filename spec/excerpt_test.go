package spec_test

import (
	"bytes"
	"testing"

	"ipcrun/spec/diag"
)

// TestExcerpts holds whole messages as a student sees them: the caret stands
// under the mistake, behind wide characters and tabs as well.
func TestExcerpts(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"chinese", `
name: 司机
processes:
  司机: {steps: [{print: 老司机开车了, hnt: 系好安全带}]}
`, `x.yaml:4:32: error[IPC101]: print has no parameter "hnt"
    4 |   司机: {steps: [{print: 老司机开车了, hnt: 系好安全带}]}
      |                                        ^^^ did you mean "hint"?
`},
		{"chinese name", `
name: 司机
processes:
  司机: {steps: [{print: 老司机开车了}]}
steps:
  - {expect: 老司机开车了, from: 司及}
`, `x.yaml:6:28: error[IPC103]: nothing is called "司及"
    6 |   - {expect: 老司机开车了, from: 司及}
      |                                  ^^^^ did you mean "司机"?
`},
		{"tab before a value", "\nname: x\nprocesses:\n  a: {steps: [{print:\thi,\tsigal: 3}]}\n", `x.yaml:4:27: error[IPC101]: print has no parameter "sigal"
    4 |   a: {steps: [{print:   hi, sigal: 3}]}
      |                             ^^^^^
  It takes what any step may have: name, when, timeout, error, points, needs, visibility, hint,
  into, in, background.
`},
		{"condition in a block", `
name: x
processes:
  司机: {steps: [{print: hi}]}
steps:
  - assert: |
      len(司机.lines) == 1 &&
      司机.pidd > 0
`, `x.yaml:8:10: error[IPC110]: process 司机 has no field "pidd"
    8 |       司机.pidd > 0
      |            ^^^^ did you mean pid?
`},
		{"related place", `
name: x
primitives: {gate: lock}
processes:
  gate: {steps: [{print: hi}]}
`, `x.yaml:5:3: error[IPC104]: "gate" is declared twice
    5 |   gate: {steps: [{print: hi}]}
      |   ^^^^
  Processes, primitives and params share one namespace, so that a verb finds its meaning from its
  object.
  first declared here, as a lock: x.yaml:3:14
    3 | primitives: {gate: lock}
      |              ^^^^
`},
		{"escapes in quotes", `
name: x
processes:
  a: {steps: [{print: "a\tb\u8001 ${c}"}]}
`, `x.yaml:4:37: error[IPC110]: unknown name "c"
    4 |   a: {steps: [{print: "a\tb\u8001 ${c}"}]}
      |                                     ^ known here: a
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, l := load(test.text, nil)
			var b bytes.Buffer
			if err := diag.Write(&b, l.All(), diag.Style{}); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
