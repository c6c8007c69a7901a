package engine_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"ipcrun/engine/event"
)

const driverProgram = `
import os, signal, sys
parent = os.getpid()
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, lambda s, f: print("one"))
signal.signal(signal.SIGUSR2, lambda s, f: print("two"))
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda s, f: os.kill(parent, signal.SIGUSR1))
    signal.signal(signal.SIGQUIT, lambda s, f: os.kill(parent, signal.SIGUSR2))
    def down(s, f):
        print("off"); sys.exit(0)
    signal.signal(signal.SIGUSR1, down)
    print("ready")
    while True: signal.pause()
signal.signal(signal.SIGTSTP, lambda s, f: os.kill(pid, signal.SIGUSR1))
os.waitpid(pid, 0)
`

// TestObservedSignals: every signal of a program is seen with its sender, those
// that it ignores included.
func TestObservedSignals(t *testing.T) {
	o := runProgram(t, fmt.Sprintf(`
name: seen from outside
processes:
  driver: {run: [%s, %s], observe: true}
steps:
  - {expect: ready, from: driver}
  - eventually: '"SIGTSTP" in driver.catches'
  - press: ctrl-c
  - {expect: one, from: driver}
  - press: ctrl-\
  - {expect: two, from: driver}
  - {kill: driver, signal: SIGUSR2}
  - {expect: two, from: driver}
  - press: ctrl-z
  - {expect: "off", from: driver}
  - wait: driver
  - assert: 'filter(signals("kernel", "driver"), # != "SIGCHLD") == ["SIGINT", "SIGQUIT", "SIGTSTP"]'
  - assert: signals("script", "driver") == ["SIGUSR2"]
`, python(t), program(t, "driver.py", driverProgram)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	var senders []string
	for _, e := range o.of(event.Got, "driver") {
		if e.Signal == "SIGUSR1" || e.Signal == "SIGINT" {
			senders = append(senders, e.Signal+" "+e.Code+" "+e.Detail)
		}
	}
	if len(senders) != 2 || senders[0] != "SIGINT kernel ignored" || senders[1] != "SIGUSR1 user caught" {
		t.Errorf("%v", senders)
	}
}

// TestObservedOnTheWay: a signal whose process has said its line and has yet to get
// there is waited for before the script is told what went where; one that is held
// back, and what a process that computes without end may yet do, is not.
func TestObservedOnTheWay(t *testing.T) {
	const script = `
import os, signal, sys, time
me, seconds, then = os.getpid(), float(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGUSR2, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
print("about to", flush=True)
until = time.process_time() + seconds
while time.process_time() < until: pass
os.kill(me, signal.SIGUSR2)
if then == "let in": signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
while True: signal.pause()
`
	for _, c := range []struct{ seconds, then, want string }{
		{"0.02", "let in", `["SIGUSR2"]`},
		{"0.02", "hold back", `[]`},
		{"1000", "let in", `[]`},
	} {
		o := runProgram(t, fmt.Sprintf(`
name: on its way
processes:
  sender: {run: [%s, %s, "%s", %s], observe: true}
steps:
  - {expect: about to, from: sender}
  - assert: signals("sender", "sender") == %s
  - {kill: sender, signal: SIGKILL}
  - wait: sender
`, python(t), program(t, "sender.py", script), c.seconds, c.then, c.want))
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
	}
}

// TestObservedMeetings: how two programs meet by a name, and who polls what, stands
// in the timeline as it was called.
func TestObservedMeetings(t *testing.T) {
	o := runProgram(t, fmt.Sprintf(`
name: they meet
processes:
  p: {run: [%s, %s], observe: ipc}
steps:
  - wait: p
  - assert: p.exit_code == 0
`, python(t), program(t, "meets.py", `
import os, select, socket
os.chdir("/tmp")
os.mkfifo("line")
pid = os.fork()
if pid == 0:
    with open("line", "w") as f: f.write("x")
    door = socket.socket(socket.AF_UNIX); door.bind("door"); door.listen(); door.accept()
    os._exit(0)
with open("line") as f: f.read()
client = socket.socket(socket.AF_UNIX)
while client.connect_ex("door"): pass
p = select.poll(); p.register(client, select.POLLIN); p.poll()
os.wait()
os.unlink("line"); os.unlink("door")
`)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	var calls strings.Builder
	for _, e := range o.Events {
		if e.Type == event.Called.String() {
			fmt.Fprintln(&calls, e.Detail)
		}
	}
	for _, want := range []string{
		`mknod(at)?\(path line, mode 0666\) = 0`, `open(at)?\(path line, flags O_RDONLY\) = \d+`, `open(at)?\(path line, flags O_WRONLY\) = \d+`,
		`bind\(fd socket:\[\d+\], address door\) = 0`, `connect\(fd socket:\[\d+\], address door\) = 0`,
		`accept4?\(fd socket:\[\d+\]\) = \d+ \[connection socket:\[\d+\]\]`,
		`poll\(fds socket:\[\d+\] in, timeout none\) = 1 \[ready socket:\[\d+\] in hangup\]`,
	} {
		if !regexp.MustCompile("(?m)^p?" + want + "$").MatchString(calls.String()) {
			t.Errorf("no %s in\n%s", want, calls.String())
		}
	}
}

// TestProgramInItsBox: what its box was promised to be: limits, a mask, a nice
// value, and files that nobody finds afterwards.
func TestProgramInItsBox(t *testing.T) {
	o := programPasses(t, `
name: in its box
processes:
  p: {run: 'echo $$; echo x >/dev/shm/left; echo y > /tmp/left; (echo z > ./left) 2>/dev/null || echo refused; umask; ulimit -n; nice', limits: {files: 50}, umask: "077", nice: 5}
steps:
  - wait: p
  - assert: p.exit_code == 0 && p.pid != 0
`)
	lines := o.printed("p")
	if len(lines) < 4 || lines[len(lines)-1] != "5" || lines[len(lines)-2] != "50" || lines[len(lines)-3] != "0077" {
		t.Errorf("%q", lines)
	}
}

// TestForkBomb: a program that forks wildly is ended, and named.
func TestForkBomb(t *testing.T) {
	o := runProgram(t, `
name: a bomb
processes:
  bomb: {run: 'b() { b & b & sleep 3; wait; }; b', limits: {processes: 30}}
steps:
  - wait: bomb
  - assert: bomb.exit_code == 0
`)
	for _, e := range o.Events {
		if e.Type == "limit" && e.Object == "bomb" {
			return
		}
		// In a user namespace the kernel itself keeps the limit, and the shell says so.
		if text, _ := e.Value.(string); e.Type == "print" && os.Getuid() != 0 && strings.Contains(text, "Cannot fork") {
			return
		}
	}
	t.Errorf("nothing says that it was ended\n%s", o.dump())
}
