//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"fmt"
	"testing"
)

// TestPrints: who writes what to the standard streams, and nothing of what goes
// elsewhere through the same descriptors.
func TestPrints(t *testing.T) {
	var out bytes.Buffer
	x := watchIO(t, Options{Prints: true}, nil, &out, "sh", "-c",
		`echo one; sh -c 'echo two; true'; echo three | cat; echo four >/dev/null; echo five >&2; printf "%s\n" six
		python3() { `+python(t)+` "$@"; }; python3 -c 'import os; os.dup2(1, 7); os.write(7, b"seven\n"); os.write(os.open("/dev/null", os.O_WRONLY), b"eight\n")'`)
	events := x.end()
	consistent(t, events)
	var got string
	for _, e := range of(events, Print) {
		who := "another"
		if e.Pid == x.root {
			who = "root"
		}
		got += fmt.Sprintf("%s %d %s", who, e.Fd, e.Text)
	}
	const want = "root 1 one\nanother 1 two\nanother 1 three\nroot 2 five\nroot 1 six\nanother 1 seven\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if out.String() != "one\ntwo\nthree\nsix\nseven\n" {
		t.Errorf("printed %q", out.String())
	}
}

// TestPrintsInPieces: a writev is one print, and a long one is told of as far as it
// is of use.
func TestPrintsInPieces(t *testing.T) {
	var out bytes.Buffer
	x := watchIO(t, Options{Prints: true}, nil, &out, python(t), "-c",
		`import os; os.writev(1, [b"a", b"", b"line\n"]); os.write(1, b"x" * 100000)`)
	prints := of(x.end(), Print)
	if len(prints) < 2 || prints[0].Text != "aline\n" || len(prints[1].Text) != maxPrinted || out.Len() != 100006 {
		t.Errorf("%d prints, %d bytes", len(prints), out.Len())
	}
}
