package engine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ipcrun/engine/event"
	interpreter "ipcrun/engine/proc/python"
)

// runProgram runs a scenario with programs in it.
func runProgram(t testing.TB, text string) *outcome {
	t.Helper()
	return run(t, text)
}

// programPasses runs one that must pass.
func programPasses(t testing.TB, text string) *outcome {
	t.Helper()
	o := runProgram(t, text)
	o.mustPass()
	return o
}

// python is the interpreter itself, and not what a version manager has put in
// its place.
func python(t testing.TB) string {
	t.Helper()
	path, err := interpreter.Itself()
	if err != nil {
		t.Skip(err)
	}
	return path
}

// needs skips a test that is about a program which this machine does not have.
func needs(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s on this machine", program)
	}
}

// TestProgramOnATerminal: every byte a program prints is kept, and what it reads
// is what was typed.
func TestProgramOnATerminal(t *testing.T) {
	o := programPasses(t, `
name: a program on a terminal
processes:
  sum: {run: 'printf "two numbers? "; read a b; printf "%s\r\n" "$((a + b))"; printf end; exit 3'}
steps:
  - {expect: "two numbers? ", from: sum}
  - {type: 3 4, to: sum}
  - {expect: {regex: "^7\r$"}, from: sum}
  - wait: sum
  - assert: sum.output == "two numbers? 7\r\nend" && sum.exit_code == 3 && sum.exit_signal == nil
`)
	o.wantPrinted("sum", "two numbers? 7\r", "end")
}

// TestProgramBehindPipes: the streams are apart, input ends, and nothing of it
// is a terminal.
func TestProgramBehindPipes(t *testing.T) {
	programPasses(t, `
name: a program behind pipes
processes:
  sorter: {run: 'test -t 0 || echo no terminal >&2; sort', terminal: false}
  fixed: {run: [cat], stdin: "one\ntwo"}
steps:
  - {type: pear, to: sorter}
  - {type: apple, to: sorter, enter: false}
  - close_stdin: sorter
  - {expect: {all: [pear, apple]}, from: sorter, within: 50s}
  - wait: sorter
  - wait: fixed
  - assert: sorter.output == "apple\npear\n" && sorter.errors == "no terminal\n" && fixed.output == "one\ntwo"
`)
}

// TestProgramIsAsFromALoginShell: whatever ipcrun itself ignores or blocks.
func TestProgramIsAsFromALoginShell(t *testing.T) {
	programPasses(t, fmt.Sprintf(`
name: nothing ignored, nothing blocked
processes:
  env: {run: [env], env: {A: "1"}}
  p:
    run:
      - %s
      - -c
      - |
        import os, signal, sys
        mine = [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]
        print("ignored", [int(n) for n in mine if n not in (signal.SIGPIPE, signal.SIGXFSZ)])
        print("blocked", list(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
        print("leads", os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid(), os.tcgetpgrp(1) == os.getpid())
        print("fds", sorted(int(f) for f in os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")))
steps:
  - wait: p
  - wait: env
  - assert: p.lines == ["ignored []", "blocked []", "leads False True True", "fds [0, 1, 2] 4"]
  - assert: map(env.lines, split(#, "=")[0]) == ["A", "HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH", "TERM"]
`, python(t)))
}

// TestProgramThatIsNotThere says so, with the place in the file and the nearest that
// is there.
func TestProgramThatIsNotThere(t *testing.T) {
	here := t.TempDir()
	for _, name := range []string{"driver.sh", "crlf.sh"} {
		if err := os.WriteFile(filepath.Join(here, name), []byte("#!/bin/sh\r\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		run, files string
		line, col  int
		says       string
	}{
		{"[no-such-program-anywhere]", "", 4, 10, `no program no-such-program-anywhere in PATH`},
		{"[./nothing.py]", "", 4, 10, `there is no file .*/nothing.py"`},
		{"[./drivr.sh]", "", 4, 10, `there is no file .*/drivr.sh; did you mean .*driver.sh`},
		{"[/]", "", 4, 10, `/ is a directory`},
		{"[/etc/passwd]", "", 4, 10, `/etc/passwd is not executable`},
		{"[./crlf.sh]", "", 4, 10, `its lines end as on Windows`},
		{"[./driver.sh]", "[drivr.sh]", 5, 12, `files: there is no .*/drivr.sh; did you mean .*driver.sh`},
		{"[./driver.sh]", "[crlf.sh]", 4, 10, `run: ./driver.sh is beside the scenario, and not among the copies`},
	} {
		text := "name: n\nprocesses:\n  p:\n    run: " + c.run + "\n"
		if c.files != "" {
			text += "    files: " + c.files + "\n"
		}
		sc := load(t, text+"steps:\n  - wait: p\n  - assert: p.exit_code == 0\n", nil)
		sc.File.Name = filepath.Join(here, "n.yaml")
		o := runOn(t, shared, sc)
		o.decided(event.Error, "error", c.line, c.says)
		if e := o.cause(); e.Col != c.col {
			t.Errorf("%s: in column %d, want %d", c.run, e.Col, c.col)
		}
	}
}

// TestProgramThatPrintsWithoutEnd is ended, and told so.
func TestProgramThatPrintsWithoutEnd(t *testing.T) {
	o := runProgram(t, `
name: n
processes:
  p: {run: "yes", limits: {output: 64KiB}}
steps:
  - wait: p
  - assert: p.exit_signal == "SIGKILL" && len(p.output) == 65536
`)
	o.mustPass()
	found := false
	for _, e := range o.Events {
		found = found || e.Type == "limit" && e.Object == "p"
	}
	if !found {
		t.Error("nothing says that it was ended")
	}
}
