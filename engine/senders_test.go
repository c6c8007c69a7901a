package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// TestSendersThatHaveEnded: who sent a signal and has ended before it arrives is its
// sender all the same, and never the script.
func TestSendersThatHaveEnded(t *testing.T) {
	const late = `
import os, signal
signal.signal(signal.SIGUSR1, lambda *_: print("got it"))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
pid = os.fork()
if pid == 0:
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
os.waitpid(pid, 0)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
`
	for _, observe := range []string{"true", "ipc"} {
		o := runProgram(t, fmt.Sprintf(`
name: a sender that has ended
processes:
  late: {run: [%s, %s], observe: %s}
  child: {parent: late}
steps:
  - {expect: got it, from: late}
  - wait: late
  - assert: signals("child", "late") == ["SIGUSR1"] && signals("script", "late") == []
`, python(t), program(t, "late.py", late), observe))
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
	}
}

// TestWhoKills: the kernel keeps nobody's name for SIGKILL. What the script sends is
// known, what a system call was seen to send as well, and nothing is the kernel's.
func TestWhoKills(t *testing.T) {
	const killer = `
import os, signal
pid = os.fork()
if pid == 0:
    while True: signal.pause()
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
`
	for observe, want := range map[string]string{"true": `[]`, "ipc": `["SIGKILL"]`} {
		o := runProgram(t, fmt.Sprintf(`
name: who kills
processes:
  killer: {run: [%s, %s], observe: %s}
  child: {parent: killer}
steps:
  - wait: killer
  - assert: child.exit_signal == "SIGKILL"
  - assert: signals("kernel", "child") == [] && signals("script", "child") == []
  - assert: signals("killer", "child") == %s
`, python(t), program(t, "killer.py", killer), observe, want))
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
		for _, e := range o.of(event.Got, "child") {
			if e.Signal == "SIGKILL" && (observe == "true") != (e.Peer == "unknown") {
				t.Errorf("observe: %s: SIGKILL from %q", observe, e.Peer)
			}
		}

		o = runProgram(t, strings.ReplaceAll(`
name: the script kills
processes:
  victim: {run: [sleep, "1000"], observe: HOW}
steps:
  - eventually: victim.blocked_on == "time"
  - {kill: victim, signal: SIGKILL}
  - wait: victim
  - assert: signals("script", "victim") == ["SIGKILL"] && signals("kernel", "victim") == []
`, "HOW", observe))
		o.mustPass()
	}
}

// TestStoppedIsFound: under an observer, too, a child that stops itself is who it is,
// and stopped.
func TestStoppedIsFound(t *testing.T) {
	const parent = `
import os, signal
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(9)
os.waitpid(pid, os.WUNTRACED)
print("it has stopped", flush=True)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`
	for _, observe := range []string{"false", "true"} {
		o := runProgram(t, fmt.Sprintf(`
name: stopped
processes:
  parent: {run: [%s, %s], observe: %s}
  child: {parent: parent}
steps:
  - {expect: it has stopped, from: parent}
  - eventually: child.state == "stopped"
  - {kill: child, signal: SIGCONT}
  - {expect: "9", from: parent}
  - assert: child.exit_code == 9
`, python(t), program(t, "parent.py", parent), observe))
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
	}
}

// TestKeysOfSeveralBytes: what one key sends is there at once, for who reads it in one
// go, and so is a character.
func TestKeysOfSeveralBytes(t *testing.T) {
	const raw = `
import os, sys, termios, tty
tty.setraw(0, termios.TCSANOW)
print("raw\r", flush=True)
for _ in range(4):
    print(os.read(0, 16).hex() + "\r", flush=True)
`
	o := runProgram(t, fmt.Sprintf(`
name: keys
processes:
  raw: {run: [%s, %s]}
steps:
  - {expect: raw, from: raw}
  - {press: up, on: raw}
  - {expect: 1b5b41, from: raw}
  - {type: "\e[15~", to: raw, enter: false}
  - {expect: 1b5b31357e, from: raw}
  - {type: 车, to: raw, enter: false}
  - {expect: e8bda6, from: raw}
  - {type: "\eOP", to: raw, enter: false}
  - {expect: 1b4f50, from: raw}
`, python(t), program(t, "raw.py", raw)))
	o.mustPass()
}
