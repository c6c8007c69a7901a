package engine_test

import (
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestPrintWithoutEnd: a process of ours prints as much as it may and no more, and so
// does the script.
func TestPrintWithoutEnd(t *testing.T) {
	printed := func(o *outcome, proc string) (bytes int) {
		for _, line := range o.printed(proc) {
			bytes += len(line) + 1
		}
		return bytes
	}
	o := run(t, `
name: x
processes:
  a:
    steps: [{repeat: forever, do: [{print: "`+strings.Repeat("x", 1023)+`"}]}]
steps: [{wait: a}]
`)
	o.decided(event.Failed, "fail", 5, `more than 1048576 bytes, which is its limit \(limits: output:\)`)
	if n := printed(o, "a"); n != 1<<20 {
		t.Errorf("it has printed %d bytes", n)
	}
	o = run(t, `
name: x
processes: {a: idle}
steps: [{repeat: forever, do: [{print: "`+strings.Repeat("x", 1023)+`"}]}]
`)
	o.decided(event.Failed, "fail", 4, `more than 1048576 bytes, which is the limit of a script`)

	// Each has a limit of its own, its handlers included, and what is one too many is
	// not printed.
	o = run(t, `
name: x
primitives: {crew: {pool: 1}}
tasks:
  say: [{print: "`+strings.Repeat("x", 1099)+`"}]
processes:
  a:
    limits: {output: 1KiB}
    signals: {SIGUSR1: [{print: "`+strings.Repeat("y", 511)+`"}]}
    steps:
      - {fork: b}
      - {print: "`+strings.Repeat("x", 511)+`"}
      - {raise: SIGUSR1}
      - {print: "", error: TooMuch}
      - {wait: b}
      - {apply: crew, task: say}
  b: {parent: a, steps: [{print: "`+strings.Repeat("x", 1099)+`"}]}
steps:
  - wait: a
  - assert: len(a.lines) == 2 and len(b.lines) == 1 and a.exit_code == 0
`)
	o.mustPass()
}
