package engine_test

import (
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/proc"
)

// TestHeld: what a declaration has the kernel hold of a process is there before
// the script begins, and children that say nothing else have it from their
// parents, those that are forked later as well.
func TestHeld(t *testing.T) {
	// Whoever is nice comes last where others want the processors too.
	const text = `
name: x
timeout: 100s
primitives: {leave: event}
processes:
  top:
    nice: 12
    umask: "077"
    limits: {cpu: 50s}
    steps: [{fork: late}, {wait: leave}, {wait: heir}, {wait: late}, {wait: other}]
  heir: {parent: top, steps: [{wait: leave}]}
  late: {parent: top, steps: [{wait: leave}]}
  other: {parent: top, nice: 17, umask: "027", limits: {cpu: 1500ms}, steps: [{wait: leave}, {wait: grandchild}]}
  grandchild: {parent: other, steps: [{wait: leave}]}
  helper: {idle: true, nice: 13}
  free: {terminal: true, umask: "000", steps: [{wait: leave}]}
steps:
  - eventually: late.state == "blocked"
  - assert: top.nice == 12 and heir.nice == 12 and late.nice == 12 and other.nice == 17 and grandchild.nice == 17 and helper.nice == 13
  - assert: top.umask == "077" and heir.umask == "077" and late.umask == "077" and other.umask == "027" and grandchild.umask == "027" and free.umask == "000"
  - assert: top.limits.cpu.soft == 50 and top.limits.cpu.hard == 51 and heir.limits.cpu == top.limits.cpu and late.limits.cpu.hard == 51
  - assert: other.limits.cpu.soft == 2 and other.limits.cpu.hard == 3 and grandchild.limits.cpu.soft == 2
  - assert: helper.limits.cpu.soft != 50 and len(helper.limits) == 5
  - {in: helper, set: leave}
  - wait: top
  - assert: heir.nice == nil and heir.umask == nil and heir.limits == {}
`
	o := passes(t, text)
	set := o.of(event.Held, "other")
	if len(set) != 1 {
		t.Fatalf("%+v", set)
	}
	if v, _ := set[0].Value.(map[string]any); v["nice"] != 17 || v["cpu"] != 2 || v["umask"] != "027" {
		t.Errorf("%v", v)
	}
	run(t, edit(t, text, "heir.nice == 12", "heir.nice == 11")).decided(event.Failed, "fail", lineOf(t, text, "heir.nice == 12"), `heir.nice == 11`)
	run(t, edit(t, text, `late.umask == "077"`, `late.umask == "022"`)).decided(event.Failed, "fail", lineOf(t, text, "late.umask"), `"text":"late.umask`)
	run(t, edit(t, text, "late.limits.cpu.hard == 51", "late.limits.cpu.hard == 50")).decided(event.Failed, "fail", lineOf(t, text, "late.limits"), `late.limits.cpu.hard`)
}

// TestNiceThreads: all threads of a process have its nice value, not only the one
// that has asked for it. The watcher of signals makes it more than a few.
func TestNiceThreads(t *testing.T) {
	programPasses(t, `
name: x
processes:
  a:
    nice: 14
    signals: {SIGUSR1: [{print: heard}], SIGUSR2: [{exit: 0}]}
    steps: [{repeat: forever, do: [pause]}]
  looks:
    run: 'read pid; for t in /proc/$pid/task/*; do cut -d" " -f19 $t/stat; done'
    contain: false
steps:
  - {kill: a, signal: SIGUSR1}
  - {expect: heard, from: a}
  - {type: "${a.pid}", to: looks}
  - wait: looks
  - {kill: a, signal: SIGUSR2}
  - wait: a
  - assert: 'len(looks.lines) > 2 and all(looks.lines, # == "14")'
`)
}

// TestProcessorTime: SIGXCPU comes when the time of the limit is used up, and does
// what the process says; SIGKILL comes to those that go on.
func TestProcessorTime(t *testing.T) {
	// They use a second or two of processor time each, which takes a loaded machine
	// much longer.
	e, err := engine.New(engine.Options{Timeout: 5 * patience(), StepTimeout: 5 * patience()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const text = `
name: x
processes:
  dies: {limits: {cpu: 1s}, steps: [{repeat: forever, do: [{let: {x: 1}}]}]}
  heir: {parent: stops, steps: [{repeat: forever, do: [{let: {x: 1}}]}]}
  stops:
    limits: {cpu: 1s}
    signals: {SIGXCPU: [{print: enough}, {wait: heir}, {exit: 3}]}
    steps: [{repeat: forever, do: [{let: {x: 1}}]}]
  stays: {limits: {cpu: 1s}, signals: {SIGXCPU: ignore}, steps: [{repeat: forever, do: [{let: {x: 1}}]}]}
steps:
  - wait: dies
  - wait: stops
  - wait: stays
  - assert: dies.exit_signal == "SIGXCPU" and heir.exit_signal == "SIGXCPU" and stops.exit_code == 3 and stays.exit_signal == "SIGKILL"
  - assert: signals("kernel", "stops") == ["SIGXCPU"]
`
	o := runOn(t, e, load(t, text, nil))
	o.mustPass()
	for _, name := range []string{"dies", "stops", "stays"} {
		for _, end := range o.of(event.Ended, name) {
			if end.At < int64(time.Second) {
				t.Errorf("%s ended after %v: its second cannot have been over", name, time.Duration(end.At))
			}
		}
	}
}

// mayLower tries whether this process may have a lower nice value.
func mayLower(t *testing.T) bool {
	t.Helper()
	err := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		n, e := proc.Nice()
		if e == nil {
			e = unix.Setpriority(unix.PRIO_PROCESS, 0, n-1)
		}
		err <- e
	}()
	return <-err == nil
}

// mayRaise tries whether a process may raise a hard limit.
func mayRaise(t *testing.T) bool {
	t.Helper()
	return exec.Command("/bin/sh", "-c", "ulimit -t 50 && ulimit -Ht 60").Run() == nil
}

// TestRefused: what the kernel refuses to this user fails the process before its
// first step, at the line that asks for it; where the kernel does not refuse it,
// it is so.
func TestRefused(t *testing.T) {
	const lower = `
name: x
processes:
  a: {nice: 15, steps: [{wait: b}]}
  b:
    parent: a
    nice: 14
    steps: [{print: hi}]
steps:
  - {expect: hi, from: b}
  - assert: b.nice == 14 or b.nice == nil
`
	const higher = `
name: x
processes:
  a: {limits: {cpu: 50s}, steps: [{wait: b}]}
  b:
    parent: a
    limits:
      cpu: 60s
    steps: [{print: hi}]
steps:
  - {expect: hi, from: b}
  - assert: b.limits == {} or b.limits.cpu.hard == 61
`
	for _, tt := range []struct {
		name, text, at, says string
		may                  bool
	}{
		{"nice", lower, "nice: 14", `"error":"Permission".*its nice value is 15, and the kernel refuses 14: .*CAP_SYS_NICE`, mayLower(t)},
		{"limits", higher, "cpu: 60s", `"error":"Permission".*its hard limit of processor time is 51 s, .* refuses 61 s: .*CAP_SYS_RESOURCE`, mayRaise(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := run(t, tt.text)
			if tt.may {
				o.mustPass()
				return
			}
			o.decided(event.Failed, "fail", lineOf(t, tt.text, tt.at), tt.says)
			if end := o.ended("b"); end != "exited 1" {
				t.Errorf("b %s", end)
			}
			if got := o.printed("b"); len(got) > 0 {
				t.Errorf("it went on: %q", got)
			}
		})
	}
}

// TestHeldOfPrograms: the same facts of a program, and a nice value that it cannot
// have.
func TestHeldOfPrograms(t *testing.T) {
	programPasses(t, `
name: x
processes:
  p: {run: "echo on; sleep 20; true", nice: 11, umask: "027", limits: {cpu: 7s, files: 60, output: 64KiB, memory: 1GiB}, daemon: true}
steps:
  - {expect: on, from: p}
  - assert: p.nice == 11 and p.umask == "027" and p.limits.cpu.soft == 7 and p.limits.files.hard == 60
  - assert: p.limits.output.soft == 65536 and p.limits.memory.soft == 1073741824
`)
	if mayLower(t) {
		return
	}
	text := `
name: x
processes:
  p: {run: [true], nice: -3} # here
steps:
  - wait: p
  - assert: p.exit_code == 0
`
	o := runProgram(t, text)
	o.decided(event.Error, "error", lineOf(t, text, "# here"), `its nice value is -?\d+, and the kernel refuses -3: .*CAP_SYS_NICE`)
}
