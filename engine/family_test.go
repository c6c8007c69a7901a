package engine_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/engine"
	"ipcrun/engine/event"
)

// TestForkAndWait: the status that wait yields, the errors it ends with, and
// which processes a kill still reaches.
func TestForkAndWait(t *testing.T) {
	o := passes(t, `
name: x
processes:
  p:
    signals: {SIGCHLD: [{let: {chld: "${chld + 1}"}}]}
    steps:
      - let: {chld: 0}
      - {kill: exits, signal: SIGTERM, error: NoProcess}
      - {wait: exits, error: NoChild}
      - fork: exits
      - {fork: exits, error: Invalid}
      - {wait: exits, into: st}
      - assert: st.exit_code == 3 && st.exit_signal == nil && st.pid > 0
      - {wait: exits, error: NoChild}
      - {kill: exits, signal: SIGTERM, error: NoProcess}
      - fork: dies
      - kill: dies
        signal: SIGKILL
      - {wait: dies, into: st}
      - assert: st.exit_code == nil && st.exit_signal == "SIGKILL"
      - {wait: stranger, error: NoChild}
      - assert: chld >= 1 && chld <= 2
      - pause:
        timeout: 20ms
        error: Timeout
  exits: {parent: p, steps: [{exit: 259}]}
  dies: {parent: p, steps: [pause]}
  stranger: {steps: [{print: hi}]}
steps:
  - wait: p
  - assert: exits.exit_code == 3 && dies.exit_signal == "SIGKILL" && p.exit_code == 0
  - {kill: exits, error: NoProcess}
`)
	for _, p := range []struct{ name, how string }{{"exits", "exited 3"}, {"dies", "ended by SIGKILL"}, {"p", "exited 0"}} {
		if got := o.ended(p.name); got != p.how {
			t.Errorf("%s %s, want %s", p.name, got, p.how)
		}
	}
	reaped := o.of(event.Reaped, "p")
	if len(reaped) != 2 || reaped[0].Status.String() != "exited 3" || reaped[1].Status.String() != "ended by SIGKILL" {
		t.Errorf("%+v", reaped)
	}
}

// TestKillOfTheUnborn: from the script as well.
func TestKillOfTheUnborn(t *testing.T) {
	passes(t, `
name: x
processes:
  p: idle
  child: {parent: p, steps: [{exit: 4}]}
steps:
  - {kill: child, error: NoProcess}
  - assert: child.state == "unborn" && child.pid == 0 && child.started == nil
  - {in: p, fork: child}
  - eventually: child.state == "zombie"
  - {kill: child, signal: SIGTERM}
  - assert: child.exit_code == 4 && child.exit_signal == nil && p.children == ["child"] && child.ppid == p.pid
  - {in: p, kill: child, signal: SIGTERM}
  - {in: p, wait: child, into: st}
  - assert: child.state == "ended" && len(p.children) == 0 && child.ppid == nil
  - assert: p.vars.st.exit_code == 4 && p.vars.st.pid == child.pid
  - {kill: child, error: NoProcess}
  - {in: p, kill: child, signal: SIGTERM, error: NoProcess}
  - {in: p, wait: child, error: NoChild}
`)
}

// TestIgnoredSIGCHLD: the kernel reaps at once; there is no zombie, and no
// status for wait.
func TestIgnoredSIGCHLD(t *testing.T) {
	passes(t, `
name: x
processes:
  p: {idle: true, signals: {SIGCHLD: ignore}}
  child: {parent: p, steps: [{exit: 4}]}
steps:
  - {in: p, fork: child}
  - wait: child
  - assert: child.state == "ended" && len(p.children) == 0
  - {in: p, wait: child, error: NoChild}
`)
	// A wait that had begun before blocks until the child has gone.
	passes(t, `
name: x
primitives: {go: event}
processes:
  p: {signals: {SIGCHLD: ignore}, steps: [{wait: child, error: NoChild}, {print: over}]}
  child: {parent: p, steps: [{wait: go}, {exit: 4}]}
  q: idle
steps:
  - eventually: p.blocked_on == "child"
  - assert: p.lines == []
  - {in: q, set: go}
  - {expect: over, from: p}
`)
}

// TestOrphans: a child whose parent ends goes on, under another parent, and
// how it ends is still known.
func TestOrphans(t *testing.T) {
	o := passes(t, `
name: x
primitives: {go: event}
processes:
  p: {steps: [{exit: 1}]}
  child: {parent: p, steps: [{wait: go}, {print: alone}, {exit: 6}]}
  grandchild: {parent: child, steps: [{wait: go}, {repeat: forever, do: [pause]}], daemon: true}
  q: idle
steps:
  - wait: p
  - let: {parent: "${p.pid}"}
  - eventually: child.ppid != parent
  - assert: child.ppid > 0 && grandchild.ppid == child.pid
  - {in: q, set: go}
  - {expect: alone, from: child}
  - wait: child
  - assert: child.exit_code == 6
  - let: {former: "${child.pid}"}
  - eventually: grandchild.ppid != former
  - {kill: grandchild, signal: SIGKILL}
  - wait: grandchild
  - assert: grandchild.exit_signal == "SIGKILL"
`)
	if pid := o.of(event.Ended, "child")[0].Pid; pid == 0 {
		t.Error("the child has no pid in the log")
	}
}

// TestThreeGenerations: each forks the next and waits for it.
func TestThreeGenerations(t *testing.T) {
	o := passes(t, `
name: x
processes:
  a: {steps: [{fork: b}, {wait: b, into: st}, {exit: "${st.exit_code + 1}"}]}
  b: {parent: a, steps: [{fork: c}, {wait: c, into: st}, {exit: "${st.exit_code + 1}"}]}
  c: {parent: b, steps: [{exit: 7}]}
steps:
  - wait: a
  - assert: a.exit_code == 9 && c.ended < b.ended && b.ended < a.ended
`)
	if n := len(o.of(event.Ended, "")); n != 3 {
		t.Errorf("%d ends", n)
	}
}

// TestStopAndContinue: a stopped process does nothing until it is continued.
func TestStopAndContinue(t *testing.T) {
	passes(t, `
name: x
primitives: {n: {value: i}}
processes: {w: idle, x: idle}
steps:
  - {kill: w, signal: SIGSTOP}
  - eventually: w.state == "stopped"
  - {in: w, add: n, background: later}
  - {in: x, read: n}
  - {await: later, timeout: 60ms, error: Timeout}
  - assert: n.value == 0 && w.state == "stopped"
  - {kill: w, signal: SIGCONT}
  - await: later
  - assert: n.value == 1
  - eventually: w.state == "blocked" && w.blocked_on == "orders"
`)
}

// TestKillAll: the name of name[n] means each of them.
func TestKillAll(t *testing.T) {
	o := passes(t, `
name: x
processes:
  w[20]:
    signals: {SIGTERM: [{exit: "${index}"}]}
    steps: [{repeat: forever, do: [pause]}]
steps:
  - kill: w
  - wait: w
  - assert: all(w, .exit_signal == nil) && map(w, .exit_code) == 0..19
`)
	if n := len(o.of(event.Ended, "")); n != 20 {
		t.Errorf("%d ends", n)
	}
	o = passes(t, `
name: x
processes:
  w[20]: {steps: [{repeat: forever, do: [pause]}]}
steps:
  - kill: w
  - wait: w
  - assert: all(w, .exit_signal == "SIGTERM" && .exit_code == nil)
`)
	if n := len(o.of(event.Ended, "")); n != 20 {
		t.Errorf("%d ends", n)
	}
}

// TestEndsWithoutBeingAsked: processes that go on when the script has ended
// are waited for, daemons are ended.
func TestEndsWithoutBeingAsked(t *testing.T) {
	o := passes(t, `
name: x
processes:
  slow: {steps: [{sleep: 60ms}, {print: done}]}
  d: {daemon: true, steps: [{repeat: forever, do: [{sleep: 5ms}]}]}
steps: [{print: over}]
`)
	o.wantPrinted("slow", "done")
	if got := o.ended("d"); got != "ended by SIGKILL" {
		t.Errorf("the daemon %s", got)
	}
}

// sharing is a scenario of n processes that share a semaphore, which lets four
// of them in at a time, and a queue, from which each takes what one has put.
func sharing(n int) string {
	return strings.ReplaceAll(`
name: x
primitives: {slots: {semaphore: 4}, inside: {value: i}, jobs: queue}
processes:
  w[N]:
    steps:
      - acquire: slots
      - {add: inside, into: now}
      - assert: now >= 1 && now <= 4
      - {put: jobs, value: "${index}"}
      - {add: inside, value: -1}
      - release: slots
      - {get: jobs, into: got}
      - print: ${got}
steps:
  - wait: w
  - assert: slots.value == 4 && jobs.empty && inside.value == 0 && all(w, .exit_code == 0)
`, "N", strconv.Itoa(n))
}

// TestManyProcesses: a thousand processes, or a few hundred where time is short, share
// one semaphore and one queue. Nobody is let in too many, and every item is got once.
func TestManyProcesses(t *testing.T) {
	n := runs(300, 1000)
	// Some machines take a hundredth of a second for each.
	e, err := engine.New(engine.Options{Timeout: 5 * time.Minute, StepTimeout: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	o := runOn(t, e, load(t, sharing(n), nil))
	o.mustPass()
	got := map[string]bool{}
	for _, e := range o.of(event.Print, "") {
		text, _ := e.Value.(string)
		if i, err := strconv.Atoi(text); err != nil || i < 0 || i >= n || got[text] {
			t.Errorf("%s got %q, which was not put or was got before", e.Proc, text)
		}
		got[text] = true
	}
	if len(got) != n {
		t.Errorf("%d of %d items were got", len(got), n)
	}
	if left := o.of(event.Clean, ""); len(left) != 1 || left[0].Value != nil {
		t.Errorf("%+v", left)
	}
}
