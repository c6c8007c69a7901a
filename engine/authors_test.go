package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"ipcrun/engine/event"
)

// whoPrints forks a child; both print to one terminal, each when it is told to.
const whoPrints = `
import os, signal
def on(s, text):
    signal.signal(s, lambda *_: os.write(1, text))
on(signal.SIGUSR1, b"same\n")
pid = os.fork()
if pid == 0:
    on(signal.SIGUSR2, b"mi")
    on(signal.SIGHUP, b"ne\nrest")
    on(signal.SIGTERM, b"")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
else:
    on(signal.SIGUSR2, b"the parent's\n")
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(pid, 15), os.wait(), print("bye", flush=True), os._exit(0)))
while True:
    signal.pause()
`

// TestWhoPrints: a line is of the process that wrote it, though it came out of the
// same terminal or pipe as all others.
func TestWhoPrints(t *testing.T) {
	p := program(t, "who.py", whoPrints)
	for _, terminal := range []bool{true, false} {
		programPasses(t, fmt.Sprintf(`
name: x
processes:
  parent: {run: [%s, %s], terminal: %v, observe: true}
  child: {parent: parent}
steps:
  - eventually: '"SIGHUP" in child.catches && "SIGTERM" in parent.catches && child.blocked_on == "signal" && parent.blocked_on == "signal"'
  - {kill: child, signal: SIGUSR1}
  - {expect: same, from: child}
  - {kill: parent, signal: SIGUSR2}
  - {expect: "the parent's", from: parent}
  - {kill: child, signal: SIGUSR2}
  - {expect: mi, from: child}
  - {kill: child, signal: SIGHUP}
  - {expect: rest, from: child}
  - {kill: parent, signal: SIGTERM}
  - {wait: parent}
  - assert: child.lines == ["same", "mine", "restbye"]
  - assert: parent.lines == ["the parent's"]
`, python(t), p, terminal))
	}
}

// TestPrintedBeforeFound: a line is its writer's, and the fork is when it was, also
// where the name is found later.
func TestPrintedBeforeFound(t *testing.T) {
	o := runProgram(t, fmt.Sprintf(`
name: a name that is found late
processes:
  program: {run: [%s, %s], observe: true}
  child: {parent: program, match: {when: '"SIGUSR2" in catches'}}
steps:
  - {expect: early, from: child}
  - {kill: child, signal: SIGHUP}
  - {expect: late, from: child}
  - wait: program
`, python(t), program(t, "late.py", `
import os, signal
if os.fork() == 0:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    print("early")
    signal.signal(signal.SIGUSR2, lambda *_: None)
    signal.sigwait([signal.SIGHUP])
    print("late")
    os._exit(0)
os.wait()
`)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	var seen []string
	for _, e := range o.Events {
		switch event.KindOf(e.Type) {
		case event.Forked:
			seen = append(seen, "fork of "+e.Object)
		case event.Print:
			seen = append(seen, fmt.Sprint(e.Proc, ": ", e.Value))
		}
	}
	if got, want := strings.Join(seen, ", "), "fork of program, fork of child, child: early, child: late"; got != want {
		t.Errorf("the log says\n%s\nand not\n%s", got, want)
	}
}

// TestQuickFamily: of a program that is over before it was looked at, an observer has
// seen everything.
func TestQuickFamily(t *testing.T) {
	binary := compiled(t, "quick", `
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
	if (fork() == 0) {
		write(1, "child\n", 6);
		_exit(3);
	}
	wait(NULL);
	write(1, "parent\n", 7);
}
`)
	for range 10 {
		o := runProgram(t, fmt.Sprintf(`
name: over at once
processes:
  parent: {run: [%s], observe: true}
  child: {parent: parent}
steps:
  - {expect: child, from: child}
  - {expect: parent, from: parent}
  - wait: parent
  - assert: child.exit_code == 3 && child.ended < parent.ended && child.lines == ["child"] && parent.lines == ["parent"]
`, binary))
		if o.Verdict.Result == event.Skip {
			t.Skip(o.causeText())
		}
		o.mustPass()
	}
}

// TestWrongProcessPrints: a line of the wrong process is not the line.
func TestWrongProcessPrints(t *testing.T) {
	p := program(t, "who.py", whoPrints)
	o := runProgram(t, fmt.Sprintf(`
name: x
processes:
  parent: {run: [%s, %s], observe: true}
  child: {parent: parent}
steps:
  - eventually: '"SIGHUP" in child.catches && "SIGTERM" in parent.catches && child.blocked_on == "signal" && parent.blocked_on == "signal"'
  - {kill: parent, signal: SIGUSR1}
  - {expect: same, from: parent}
  - {kill: parent, signal: SIGTERM}
  - {expect: same, from: child, timeout: 20s}
`, python(t), p))
	log := o.causeText() + o.dump()
	if !strings.Contains(log, "printed by parent, and not by child") {
		t.Errorf("%s: %s", o.Verdict.Result, log)
	}
}

// TestLostInABuffer: what a killed program had in its stdio buffer is on record, of
// the process that had it, before its end.
func TestLostInABuffer(t *testing.T) {
	o := runProgram(t, fmt.Sprintf(`
name: a text that is never written
processes:
  p: {run: [%s, %s], terminal: false, observe: true}
  child: {parent: p}
steps:
  - wait: p
  - assert: p.exit_code == 0 && p.output == ""
`, python(t), program(t, "lost.py", `
import ctypes, os, signal
libc = ctypes.CDLL("libc.so.6")
pid = os.fork()
if pid == 0:
    libc.printf(b"never written")
    os.kill(os.getpid(), signal.SIGTERM)
os.waitpid(pid, 0)
`)))
	if o.Verdict.Result == event.Skip {
		t.Skip(o.causeText())
	}
	o.mustPass()
	list, ends := o.of(event.Lost, ""), o.of(event.Ended, "child")
	if len(list) != 1 || len(ends) != 1 {
		t.Fatalf("%d lost, %d ends\n%s", len(list), len(ends), o.dump())
	}
	if e := list[0]; e.Proc != "child" || e.Pid != ends[0].Pid || e.Value != "never written" || e.Stream != "" ||
		e.Status == nil || e.Status.Signal != "SIGTERM" || e.At > ends[0].At {
		t.Errorf("%+v\n%s", e, o.dump())
	}
}
