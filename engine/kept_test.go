package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestKeptAway: who waits for the end of a pipe that it could write to itself is told
// so, and nobody who could not.
func TestKeptAway(t *testing.T) {
	const said = "whose write end it has open itself"
	for closes, want := range map[string]bool{"": true, "os.close(w); ": false} {
		p := program(t, "reads.py", `
import os
r, w = os.pipe()
if os.fork() == 0:
    os.read(os.open("/dev/tty", os.O_RDONLY), 1)
    os._exit(0)
`+closes+`print("reads", flush=True)
os.read(r, 1)
`)
		o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s], terminal: true}
steps:
  - {expect: reads, from: p}
  - eventually: hasPrefix(p.blocked_on, "pipe:")
  - {eventually: p.ended != nil, timeout: 300ms}
`, python(t), p))
		if log := o.dump(); strings.Contains(log, said) != want {
			t.Errorf("%q: %s", closes, log)
		}
	}
}
