package engine_test

import (
	"fmt"
	"testing"
)

// TestLastWords: into a pipe a program's library keeps lines back, loses them
// when it ends in haste, and prints them twice after a fork; on a terminal, which
// a program has unless the file says otherwise, each line is out at once.
func TestLastWords(t *testing.T) {
	programPasses(t, fmt.Sprintf(`
name: last words
processes:
  said: {run: [%[1]s, -c, &haste "import os; print('last words'); os._exit(0)"]}
  lost: {run: [%[1]s, -c, *haste], terminal: false}
  once: {run: [%[1]s, -c, &forks "import os; print('once'); os.fork() or os._exit(os.sys.stdout.flush() or 0); os.wait()"]}
  twice: {run: [%[1]s, -c, *forks], terminal: false}
steps:
  - wait: said
  - wait: lost
  - wait: once
  - wait: twice
  - assert: said.output == "last words\n" and lost.output == ""
  - assert: once.output == "once\n" and twice.output == "once\nonce\n"
`, python(t)))
}

// TestLongestLine: a terminal takes a line of 4,095 bytes; a longer one, of which
// it would drop the rest, is not typed.
func TestLongestLine(t *testing.T) {
	programPasses(t, `
name: a long line
processes:
  reads: {run: 'head -n 1 | tr -d "\n" | wc -c'}
steps:
  - let: {line: '${join(map(1..500, "0123456789"))}'}
  - {type: "${line}", to: reads, error: Invalid}
  - {type: "${line[:4095]}", to: reads}
  - wait: reads
  - assert: reads.lines == ["4095"]
`)
}
