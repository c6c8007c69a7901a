package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
)

// driver is the exercise of the driver and the conductor, for a program that
// somebody else wrote.
const driver = `
name: driver and conductor
processes:
  driver: {run: %s, cwd: %s}
  conductor: {parent: driver}
steps:
  - eventually: '"SIGUSR1" in driver.catches && "SIGUSR2" in driver.catches && "SIGTSTP" in driver.catches'
  - eventually: '"SIGUSR1" in conductor.catches && "SIGINT" in conductor.catches && "SIGQUIT" in conductor.catches'
  - assert: '"SIGINT" in driver.ignores && "SIGQUIT" in driver.ignores && "SIGTSTP" in conductor.ignores'
  - press: ctrl-c
  - {expect: 老司机开车了, from: driver}
  - press: ctrl-\
  - {expect: 系好安全带，小心甩出去, from: driver}
  - eventually: driver.blocked_on == "conductor" && conductor.blocked_on == "signal"
  - assert: conductor.ppid == driver.pid && driver.children == ["conductor"]
  - press: ctrl-z
  - {expect: 到站了，下车吧, from: conductor}
  - wait: driver
  - assert: conductor.ended < driver.ended && driver.lines[len(driver.lines) - 1] == "driver off"
  - assert: conductor.exit_code == 0 && driver.exit_code == 0
`

// solution is a program under testdata/driver, its command as a list.
func solution(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("testdata/driver/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".py") {
		return python(t) + ", " + path
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, strings.TrimSuffix(name, ".c"), string(text))
}

// TestDriverOfSomebodyElse: three solutions, none of which knows of us.
func TestDriverOfSomebodyElse(t *testing.T) {
	for _, name := range []string{"fork.py", "processes.py", "driver.c"} {
		t.Run(name, func(t *testing.T) {
			command := solution(t, name)
			for range runs(2, 200) {
				o := programPasses(t, fmt.Sprintf(driver, "["+command+"]", "."))
				o.wantPrinted("driver", "老司机开车了", "系好安全带，小心甩出去", "到站了，下车吧", "driver off")
			}
		})
	}
}

// TestDriverObserved: as the exercise wants it, who has sent what included, and
// nothing is left.
func TestDriverObserved(t *testing.T) {
	c := solution(t, "driver.c")
	text := fmt.Sprintf(driver, "["+c+"], observe: true", ".") + `
  - assert: signals("conductor", "driver") == ["SIGUSR1", "SIGUSR2"]
  - assert: signals("driver", "conductor") == ["SIGUSR1"]
  - assert: 'filter(signals("kernel", "driver"), # != "SIGCHLD") == ["SIGINT", "SIGQUIT", "SIGTSTP"]'
finally: [no_zombies, no_orphans, no_leaked_ipc]
`
	for range runs(2, 200) {
		o := runProgram(t, text)
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
	}
}

// TestDriverThroughWrappers: the names mean the same whatever stands around the
// program, by exec or by fork. The wrappers themselves die of the keys or are
// stopped by them.
func TestDriverThroughWrappers(t *testing.T) {
	c := solution(t, "driver.c")
	for _, run := range []string{
		`"` + c + `; true"`,
		`"true && exec ` + c + `"`,
		`[sh, -c, "sh -c '` + c + `; true'; true"]`,
		`[env, A=1, nice, timeout, --foreground, "20", ` + c + `]`,
		`[stdbuf, -o0, ` + c + `]`,
	} {
		for range runs(1, 50) {
			programPasses(t, fmt.Sprintf(driver, run, filepath.Dir(c)))
		}
	}
}

// forks is a C program that forks children as its arguments say, one after the
// other: each catches the signal of its number, prints a line when it gets it and
// ends with that number as its exit code. A number with a plus has a child of its own.
const forks = `
import os, signal, sys
def child(n, more):
    def end(*_):
        os.write(1, b"child %d\n" % n)
        os._exit(n)
    if more and os.fork() == 0:
        child(n + 1, False)
    signal.signal(n, end)
    while True:
        signal.pause()
for a in sys.argv[1:]:
    if os.fork() == 0:
        child(int(a.rstrip("+")), "+" in a)
for _ in sys.argv[1:]:
    os.wait()
`

// TestFoundByMatch: which of several children a name means.
func TestFoundByMatch(t *testing.T) {
	p := program(t, "forks.py", forks)
	programPasses(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, "10", "12", "40"]}
  second: {parent: p, match: {order: 2}}
  third: {parent: p, match: {when: '"SIGRTMIN+6" in catches'}}
  first: {parent: p}
steps:
  - eventually: '"SIGUSR1" in first.catches && "SIGUSR2" in second.catches && "SIGRTMIN+6" in third.catches'
  - eventually: all([first, second, third], .blocked_on == "signal")
  - kill: second
    signal: SIGUSR2
  - {expect: child 12, from: second}
  - wait: second
  - {kill: third, signal: SIGRTMIN+6}
  - {kill: first, signal: SIGUSR1}
  - wait: p
  - assert: first.exit_code == 10 && second.exit_code == 12 && third.exit_code == 40 && p.exit_code == 0
`, python(t), p))
	programPasses(t, `
name: x
processes:
  p: {run: "sleep 98 & sleep 99 & wait"}
  first: {parent: p, match: sleep 98}
  other: {parent: p, match: {argv: {regex: "^sleep .9$"}, when: blocked_on == "time"}}
steps:
  - {kill: other, signal: SIGUSR1}
  - wait: other
  - eventually: other.exit_signal == "SIGUSR1" && first.state == "blocked" && first.argv == ["sleep", "98"]
  - {kill: first, signal: SIGTERM}
  - wait: p
  - assert: first.exit_signal == "SIGTERM" && p.exit_code == 0 && p.argv == []
`)
}

// TestFoundInOrder: name[n] has them in the order of forking, and a grandchild is
// found below its parent.
func TestFoundInOrder(t *testing.T) {
	p := program(t, "forks.py", forks)
	programPasses(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, "34", "35", "36"]}
  kid[3]: {parent: p}
steps:
  - eventually: all(kid, len(.catches) > 1 && .blocked_on == "signal")
  - {kill: "kid[1]", signal: "35"}
  - wait: kid[1]
  - {kill: "kid[0]", signal: "34"}
  - {kill: "kid[2]", signal: "36"}
  - wait: kid
  - assert: map(kid, .exit_code) == [34, 35, 36]
`, python(t), p))
	o := programPasses(t, fmt.Sprintf(`
name: x
processes:
  grandchild: {parent: child}
  p: {run: [%s, %s, "34+"]}
  child: {parent: p}
steps:
  - eventually: '"SIGRTMIN+1" in grandchild.catches && "SIGRTMIN" in child.catches'
  - eventually: grandchild.blocked_on == "signal" && child.blocked_on == "signal"
  - assert: grandchild.ppid == child.pid && child.ppid == p.pid && child.children == ["grandchild"]
  - {kill: grandchild, signal: "35"}
  - wait: grandchild
  - eventually: grandchild.state == "zombie"
  - assert: child.children == ["grandchild"] && grandchild.exit_code == 35
  - {kill: child, signal: "34"}
  - wait: p
`, python(t), p))
	if got := o.ended("grandchild"); got != "exited 35" {
		t.Errorf("the grandchild %s", got)
	}
}

// TestFoundInDoubt: two at once are named, and none is taken.
func TestFoundInDoubt(t *testing.T) {
	p := program(t, "forks.py", forks)
	o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, "10", "12"]}
  child: {parent: p}
steps:
  - wait: child
`, python(t), p))
	o.decided(event.Failed, "fail", 7, `p has forked 2 processes, and each could be child: \d+ \(.*forks.py 10 12\); \d+ \(.*\)\. Say which with match:`)
}

// TestFoundNobody: a program that forks nobody, or somebody else.
func TestFoundNobody(t *testing.T) {
	o := runProgram(t, `
name: x
processes:
  p: {run: "exit 3"}
  child: {parent: p}
steps:
  - wait: child
`)
	o.decided(event.Failed, "fail", 7, "p was not seen to fork any process, so nobody is child")
	o = runProgram(t, `
name: x
processes:
  p: {run: "sleep 1 & wait"}
  child: {parent: p, match: dog}
steps:
  - {kill: child, signal: SIGUSR1}
`)
	o.decided(event.Failed, "fail", 7, `nobody that p has forked is what match: of child says: \d+ \(.*; it has ended\)`)
}

// TestHelpersAreNotFound: a shim that runs dozens of short processes before it
// executes what it is there for.
func TestHelpersAreNotFound(t *testing.T) {
	needs(t, "bash")
	p := program(t, "forks.py", forks)
	shim := program(t, "python3", `#!/usr/bin/env bash
for i in 1 2 3 4 5 6 7 8 9 10; do
  a="$(cat /proc/self/stat | cut -d' ' -f1)"
  b="$(bash -c 'echo $(true)')"
done
exec `+python(t)+` "$@"
`)
	for i := range runs(2, 50) {
		o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, "10"], observe: %t}
  child: {parent: p}
steps:
  - eventually: '"SIGUSR1" in child.catches && child.blocked_on == "signal"'
  - {kill: child, signal: SIGUSR1}
  - wait: p
  - assert: child.exit_code == 10 && child.ended < p.ended
`, shim, p, i%2 == 1))
		if o.Verdict.Result == event.Skip {
			continue // nobody may be observed here
		}
		o.mustPass()
		if n := len(o.of(event.Forked, "")); n != 2 {
			t.Fatalf("%d processes got a name\n%s", n, o.dump())
		}
	}
}

// TestMasksSayWhatIsWrong: a driver that forgets SIGINT is told so before any key is
// pressed, and which way it dies of the key.
func TestMasksSayWhatIsWrong(t *testing.T) {
	p := program(t, "driver.py", `
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, lambda *_: None)
conductor = os.fork()
while True:
    signal.pause()
`)
	scenario := fmt.Sprintf(`
name: x
processes:
  driver: {run: [%s, %s]}
  conductor: {parent: driver}
steps:
  - eventually: conductor.blocked_on == "signal" && driver.blocked_on == "signal"
`, python(t), p)
	o := runProgram(t, scenario+`  - {eventually: '"SIGINT" in driver.ignores && "SIGQUIT" in conductor.ignores', timeout: 100ms}`)
	o.decided(event.Failed, "fail", 8, `driver does not ignore SIGINT: the signal would end it; conductor does not ignore SIGQUIT: it handles it`)
	o = runProgram(t, scenario+`  - assert: '"SIGTSTP" in driver.catches || "SIGCHLD" in driver.catches'`)
	o.decided(event.Failed, "fail", 8, `driver does not handle SIGTSTP: the signal would stop it; driver does not handle SIGCHLD: nothing happens when it comes`)
	// What is blocked, or waited for, ends nobody.
	w := program(t, "waits.py", `
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGQUIT, signal.SIGUSR1])
conductor = os.fork()
while True:
    signal.sigwait([signal.SIGUSR1])
`)
	o = runProgram(t, strings.Replace(scenario, p, w, 1)+`  - {eventually: '"SIGQUIT" in driver.ignores && "SIGUSR1" in driver.catches', timeout: 100ms}`)
	o.decided(event.Failed, "fail", 8, `driver does not ignore SIGQUIT: it has it blocked; driver does not handle SIGUSR1: it waits for it in sigwait, which takes it unseen`)
	o = runProgram(t, scenario+`
  - press: ctrl-c
  - {expect: still here, from: driver}`)
	o.decided(event.Failed, "fail", 10, `driver was ended by SIGINT: ctrl-c sends it to the whole foreground group, and driver neither handles nor ignores it`)
	// The default limit of the last step ends the run.
	e, err := engine.New(engine.Options{StepTimeout: 10 * time.Millisecond, Timeout: 2 * patience()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	patiently := strings.Replace(scenario, `- eventually: conductor.blocked_on == "signal" && driver.blocked_on == "signal"`,
		`- {eventually: conductor.blocked_on == "signal" && driver.blocked_on == "signal", timeout: 100s}`, 1)
	o = runOn(t, e, load(t, patiently+"  - eventually: driver.ended != nil\n", nil))
	o.decided(event.Timeout, "timeout", 8, `driver","on":"signal","since":0,"why":"it is in pause: it waits for a signal"`)
}

// TestWhatProgramsWaitFor: in the words of an explanation, as far as the kernel tells.
func TestWhatProgramsWaitFor(t *testing.T) {
	p := program(t, "waits.py", `
import os, signal, sys, time, fcntl, select
what = sys.argv[1]
r, w = os.pipe()
if what == "child":
    if os.fork() == 0: signal.pause()
    os.wait()
if what == "time": time.sleep(1000)
if what == "read": os.read(r, 1)
if what == "poll": select.select([r], [], [])
if what == "poll alone":
    p = select.poll(); p.register(r, select.POLLIN); p.poll()
if what == "epoll":
    p = select.epoll(); p.register(0, select.EPOLLIN); p.register(r, select.EPOLLIN); p.poll()
if what == "terminal": input()
if what == "write":
    while True: os.write(w, bytes(4096))
if what == "lock":
    f, g = open(sys.argv[0]), open(sys.argv[0])
    fcntl.flock(f, fcntl.LOCK_EX)
    fcntl.flock(g, fcntl.LOCK_EX)
if what == "fifo":
    os.mkfifo("/tmp/fifo")
    open("/tmp/fifo")
`)
	for what, on := range map[string]string{
		"child": `"kid"`, "time": `"time"`, "read": `"pipe:"`, "poll": `"pipe:"`, "poll alone": `"pipe:"`, "epoll": `"terminal and pipe:"`, "write": `"pipe:"`, "terminal": `"terminal"`,
		"lock": `"/"`, "fifo": `"open"`,
	} {
		o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, "%s"]}
  kid: {parent: p}
steps:
  - eventually: p.blocked_on startsWith %s && p.state == "blocked"
  - assert: 'p.descriptors["0"] == "terminal" && len(p.descriptors) == p.fds && p.argv[2] == "%s"'
  - {eventually: p.state == "running", timeout: 1ms}
`, python(t), p, what, on, what))
		o.decided(event.Failed, "fail", 9, "its timeout passed")
	}
}

// TestWhoPolls: whoever waits for any of several descriptors is said to poll them,
// and where it keeps the end away itself, that.
func TestWhoPolls(t *testing.T) {
	for code, why := range map[string]string{
		"import os, select; r, w = os.pipe(); os.close(w) if os.fork() else None; select.select([r], [], [])":                                                              `it polls pipe:\[\d+\], and nothing is there`,
		"import os, select; r, w = os.pipe(); p = select.epoll(); p.register(r, select.EPOLLIN); p.poll()":                                                                 `it polls pipe:\[\d+\], whose write end it has open itself`,
		"import os, select\nr, w = os.pipe(); os.set_blocking(w, False)\ntry:\n  while True: os.write(w, bytes(4096))\nexcept BlockingIOError: select.select([], [w], [])": `it polls pipe:\[\d+\], and there is no room`,
	} {
		// The default limit of the last step ends the run, and says what p does.
		e, err := engine.New(engine.Options{StepTimeout: 10 * time.Millisecond, StepTimeoutSetBy: "--step-timeout", Timeout: 2 * patience()})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		o := runOn(t, e, load(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, -c, %q]}
steps:
  - {eventually: p.blocked_on startsWith "pipe:", timeout: 50s}
  - eventually: p.state == "ended"
`, python(t), code), nil))
		f, _ := json.Marshal(o.cause())
		if !regexp.MustCompile(why).Match(f) {
			t.Errorf("%s: %s", why, f)
		}
	}
}
