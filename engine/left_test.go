package engine_test

import (
	"fmt"
	"testing"
	"time"

	"ipcrun/engine/event"
)

// leaves is a program that leaves what its arguments name behind.
const leaves = `
import os, signal, sys, time
what = sys.argv[1]
if what in ("zombie", "unwaited"):
    if os.fork() == 0:
        os._exit(0)
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    print("now", flush=True)
    if what == "zombie":
        signal.pause()
if what == "waits":
    if os.fork() == 0:
        time.sleep(0.1)
        os._exit(0)
    print("now", flush=True)
    os.wait()
    signal.pause()
if what == "orphan":
    if os.fork() == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True:
            time.sleep(1000)
if what == "spinner":
    if os.fork() == 0:
        while True:
            pass
if what == "short":
    if os.fork() == 0:
        x = sum(range(300000))
        os._exit(0)
if what == "late":
    import ctypes
    libc = ctypes.CDLL(None)
    q = libc.msgget(0x1234, 0o1600)
    if os.fork() == 0:
        time.sleep(0.3)
        libc.msgctl(q, 0, None)
        os._exit(0)
if what == "stays":
    if os.fork() == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pause()
if what == "queue":
    import ctypes
    print(ctypes.CDLL(None).msgget(0x1234, 0o1600))
`

// TestLeftBehind: each check holds where it should, and fails where somebody or
// something is left, whom it names.
func TestLeftBehind(t *testing.T) {
	p := program(t, "leaves.py", leaves)
	scenario := func(what, steps string) *outcome {
		return runProgram(t, fmt.Sprintf(`
name: x
processes:
  p: {run: [%s, %s, %s], daemon: true}
  kid: {parent: p, daemon: true}
`, python(t), p, what)+steps)
	}
	o := scenario("zombie", "steps: [{expect: now, from: p}, no_zombies]\n")
	o.decided(event.Failed, "fail", 6, `kid \(\d+\)","value":"python\S* …/leaves.py zombie, a zombie; its parent is p \(\d+\), which has not waited for it`)
	o = scenario("zombie", "steps:\n  - {expect: now, from: p}\n  - {no_zombies: , of: p}\n")
	o.decided(event.Failed, "fail", 8, `no child of p has ended without being waited for`)
	scenario("zombie", "steps: [{expect: now, from: p}, {no_zombies: , of: kid}, {no_zombies: , error: AssertionFailed}]\n").mustPass()
	o = scenario("unwaited", "steps: [{wait: p}]\nfinally: [no_zombies]\n")
	o.decided(event.Failed, "fail", 7, `a zombie when p ended, which never waited for it`)
	scenario("waits", "steps: [{expect: now, from: p}, no_zombies, {eventually: len(p.children) == 0}, no_zombies, no_orphans]\nfinally: [no_zombies, no_orphans]\n").mustPass()

	o = scenario("orphan", "steps: [{wait: p}, no_orphans]\n")
	o.decided(event.Failed, "fail", 6, `kid \(\d+\)","value":"python\S* …/leaves.py orphan, whose parent python\S*( …/leaves.py orphan)? has ended; it sleeps`)
	o = scenario("orphan", "steps: [{wait: p}]\nfinally: [no_orphans]\n")
	o.decided(event.Failed, "fail", 7, `whose parent .* has ended; it sleeps`)
	o = scenario("spinner", "steps: [{wait: p}, {no_orphans: , of: p}]\n")
	o.decided(event.Failed, "fail", 6, `whose parent .* has ended; running`)
	scenario("short", "steps: [{wait: p}, no_orphans]\n").mustPass()

	o = scenario("queue", "steps: [{wait: p}, no_leaked_ipc]\n")
	o.decided(event.Failed, "fail", 6, `System V queue key 0x1234.*left by p`)
	o = scenario("queue", "steps: [{wait: p}]\nfinally: [no_leaked_ipc]\n")
	o.decided(event.Failed, "fail", 7, `System V queue key 0x1234`)
	// It waits for whoever may still remove something, and says who they are when a
	// limit is over.
	scenario("late", "steps: [{wait: p}, no_leaked_ipc]\n").mustPass()
	scenario("late", "steps: [{wait: p}]\nfinally: [no_leaked_ipc]\n").mustPass()
	const lives = `kid \(\d+\)","value":"python\S* …/leaves.py stays, of the tree of p, which still lives, so what is left at its end cannot be told; it is in pause`
	o = scenario("stays", "timeout: 3s\nsteps: [{wait: p}, no_leaked_ipc]\n")
	o.decided(event.Failed, "fail", 7, lives)
	// With a timeout of its own it waits no longer than that.
	o = scenario("stays", "steps: [{wait: p}, {no_leaked_ipc: , timeout: 50ms}]\n")
	o.decided(event.Failed, "fail", 6, lives)
	if ends := o.of(event.Ended, "p"); len(ends) == 0 || o.cause().At-ends[0].At > int64(4*time.Second) {
		t.Errorf("a timeout of 50ms, and it failed only at %v", time.Duration(o.cause().At))
	}
	scenario("late", "steps: [{wait: p}, {no_leaked_ipc: , timeout: 4s}]\n").mustPass()
	scenario("short", "steps: [{wait: p}, no_leaked_ipc]\nfinally: [no_leaked_ipc]\n").mustPass()
}

// TestLeftBehindByDeclared: the same of processes that ipcrun scripts.
func TestLeftBehindByDeclared(t *testing.T) {
	o := run(t, `
name: x
processes:
  p: {steps: [{fork: c}, pause], daemon: true}
  c: {parent: p, steps: [{exit: 1}]}
steps:
  - wait: c
  - {no_zombies: , of: p}
`)
	o.decided(event.Failed, "fail", 8, `c \(\d+\)","value":"c, a zombie; its parent is p`)
	o = run(t, `
name: x
processes:
  p: {steps: [{fork: c}]}
  c: {parent: p, steps: [pause], daemon: true}
steps:
  - wait: p
  - no_orphans
`)
	o.decided(event.Failed, "fail", 8, `c \(\d+\)","value":"c, whose parent p has ended`)
	passes(t, `
name: x
processes:
  p: {steps: [{fork: c}, {wait: c}]}
  c: {parent: p, steps: [{print: hi}]}
steps:
  - wait: p
  - no_orphans
  - no_zombies
finally: [no_orphans, no_zombies]
`)
}

// TestReapedAreNoZombies: between the end of a child and its parent's wait, which is
// under way, nothing is left behind.
func TestReapedAreNoZombies(t *testing.T) {
	for range 20 {
		passes(t, `
name: x
processes:
  boss:
    signals:
      SIGTERM: [{kill: worker, signal: SIGTERM}, {wait: worker}, {exit: 0}]
    steps: [{fork: worker}, pause]
  worker[2]:
    parent: boss
    steps: [pause]
steps:
  - eventually: all(worker, .blocked_on == "signal") && boss.blocked_on == "signal"
  - {kill: boss, signal: SIGTERM}
  - eventually: all(worker, .ended != nil)
  - {no_zombies: , of: boss}
`)
	}
}
