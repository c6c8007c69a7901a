package engine_test

import (
	"fmt"
	"testing"

	"ipcrun/engine/event"
)

// TestWhatWasMeantStays: what went to the program that a shell ran belongs to its name
// when that has ended, although the name means the shell by then.
func TestWhatWasMeantStays(t *testing.T) {
	const script = `
import os, signal, sys
def again(*_): os.kill(os.getpid(), signal.SIGUSR2)
signal.signal(signal.SIGUSR1, again)
signal.signal(signal.SIGUSR2, lambda *_: sys.exit(5))
print("two", flush=True)
while True: signal.pause()
`
	o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  x: {run: [sh, -c, '"$0" "$1"; echo over; read line; exit 3', %s, %s], observe: true}
steps:
  - {expect: two, from: x}
  - eventually: x.blocked_on == "signal"
  - assert: '"SIGUSR2" in x.catches'
  - {kill: x, signal: SIGUSR1}
  - {expect: over, from: x}
  - eventually: x.argv[0] endsWith "sh"
  - assert: signals("script", "x") == ["SIGUSR1"]
  - assert: signals("x", "x") == ["SIGUSR2"]
  - {type: "", to: x}
  - wait: x
  - assert: x.exit_code == 3
  - assert: signals("script", "x") == ["SIGUSR1"]
  - assert: signals("x", "x") == ["SIGUSR2"]
`, python(t), program(t, "again.py", script)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	var got []string
	for _, e := range o.of(event.Got, "x") {
		if e.Signal == "SIGUSR1" || e.Signal == "SIGUSR2" {
			got = append(got, e.Signal+" from "+e.Peer)
		}
	}
	if len(got) != 2 || got[0] != "SIGUSR1 from script" || got[1] != "SIGUSR2 from x" {
		t.Errorf("%v", got)
	}
}

// TestGrandchildOutlivesChild: a child that ends before the grandchild stays who it is
// where the scenario declares both.
func TestGrandchildOutlivesChild(t *testing.T) {
	const script = `
import os, signal
kid = os.fork()
if kid == 0:
    if os.fork() == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True: signal.pause()
    os._exit(5)
os.waitpid(kid, 0)
print("waited", flush=True)
signal.pause()
`
	o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  x: {run: [%s, %s], observe: true}
  y: {parent: x}
  z: {parent: y}
steps:
  - {expect: waited, from: x}
  - wait: y
  - eventually: z.blocked_on == "signal"
  - assert: y.exit_code == 5 and y.state == "ended" and z.pid != y.pid and z.exit_code == nil
  - {kill: z, signal: SIGKILL}
  - wait: z
  - assert: y.exit_code == 5 and z.exit_signal == "SIGKILL"
  - {kill: x, signal: SIGKILL}
  - wait: x
`, python(t), program(t, "outlives.py", script)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	for _, name := range []string{"y", "z"} {
		if n := len(o.of(event.Ended, name)); n != 1 {
			t.Errorf("%d ends of %s\n%s", n, name, o.dump())
		}
	}
}
