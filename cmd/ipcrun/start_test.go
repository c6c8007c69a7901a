package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/python"
)

// underAttack is a program whose signals come by keys and by kill; a shell cannot
// trap what was ignored when it started, and an ignored hang-up would be told.
const underAttack = `name: judged the same
processes:
  p:
    run:
      - bash
      - -c
      - |
        trap 'echo interrupted' INT
        trap 'echo hung up' HUP
        grep -E '^Sig(Blk|Ign)' /proc/self/status
        echo ready
        while :; do read -r line; [ "$line" = end ] && kill -TERM $$; done
  d:
    signals: {SIGUSR1: [{print: usr1}]}
    steps: [{print: up}, pause, {kill: d, signal: SIGQUIT}]
steps:
  - {expect: ready, from: p}
  - {expect: up, from: d}
  - {press: ctrl-c, on: p}
  - {expect: interrupted, from: p}
  - eventually: p.blocked_on == "terminal"   # a shell misses a signal between its look for one and its read
  - {kill: p, signal: SIGHUP}
  - {expect: hung up, from: p}
  - eventually: d.blocked_on == "signal"
  - {kill: d, signal: SIGUSR1}
  - {type: end, to: p}
  - wait: p
  - wait: d
  - assert: p.exit_signal == "SIGTERM" and d.exit_signal == "SIGQUIT" and d.lines == ["up", "usr1"]
  - assert: WANTED
`

// deafened COMMAND... executes a command with every signal blocked.
func deafened() {
	runtime.LockOSThread()
	err := proc.SetMask(^uint64(0))
	if err == nil {
		var path string
		if path, err = exec.LookPath(os.Args[1]); err == nil {
			err = syscall.Exec(path, os.Args[1:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "deafened:", err)
	os.Exit(99)
}

// TestStartedAnyhow: whoever starts ipcrun, and whatever that one has ignored or
// blocked, a program does and gets the same, and is judged the same: when it
// passes and when it fails.
func TestStartedAnyhow(t *testing.T) {
	python.First()
	t.Setenv("IPCRUN_TIMEOUT_SCALE", patience)
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skipf("no bash on this machine: %v", err)
	}
	dir := t.TempDir()
	for name, wanted := range map[string]string{"pass": `'"hung up" in p.lines'`, "fail": `'"never" in p.lines'`} {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(strings.Replace(underAttack, "WANTED", wanted, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := "ipcrun run --format json pass.yaml fail.yaml"
	behind := func(command string) string { return "{ " + command + "; } & wait $!" }
	ways := []struct {
		name     string
		args     []string
		terminal bool
	}{
		{"pipe", []string{"sh", "-c", run}, false},
		{"terminal", []string{"sh", "-c", run + " > out"}, true},
		{"background", []string{"sh", "-c", behind(run)}, false},
		{"background on a terminal", []string{"sh", "-c", behind(run + " > out")}, true},
		{"nohup", []string{"sh", "-c", "nohup " + run + " 2>&1"}, false},
		{"everything ignored", []string{"sh", "-c", "for s in 1 2 3 6 10 12 13 14 15 17 18 20 21 22 34 64; do trap '' $s; done; exec " + run}, false},
		{"everything blocked", []string{"deafened", "sh", "-c", run}, false},
		{"session of its own", []string{"setsid", "-w", "sh", "-c", run}, false},
	}
	var want string
	for _, w := range ways {
		if _, err := exec.LookPath(w.args[0]); err != nil {
			t.Logf("%s: left out: %v", w.name, err)
			continue
		}
		cmd := exec.Command(w.args[0], w.args[1:]...)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stdout = &out
		var done func()
		if w.terminal {
			done = onTerminal(t, cmd)
		}
		err := cmd.Run()
		if done != nil {
			done()
			b, rerr := os.ReadFile(filepath.Join(dir, "out"))
			if rerr != nil {
				t.Fatal(rerr)
			}
			out.Write(b)
		}
		var exit *exec.ExitError
		code := 0
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("exit code %d\n%s", code, whatHappened(t, out.String()))
		switch {
		case want == "":
			want = got
			for _, s := range []string{"exit code 1\n", "p prints interrupted", "p prints hung up", "p ended by SIGTERM", "d ended by SIGQUIT", "d prints usr1", "p prints SigBlk:\t0000000000000000", "p prints SigIgn:\t0000000000000000"} {
				if !strings.Contains(got, s) {
					t.Fatalf("%s: no %q in\n%s", w.name, s, got)
				}
			}
		case got != want:
			t.Errorf("%s:\n%s\nbut %s:\n%s", w.name, got, ways[0].name, want)
		}
	}
}

// onTerminal gives a command a terminal for its input and its session.
func onTerminal(t *testing.T, cmd *exec.Cmd) (done func()) {
	t.Helper()
	tty, err := proc.OpenTerminal(24, 80)
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", tty.Slave()), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return func() {
		slave.Close()
		if err := tty.Close(); err != nil {
			t.Error(err)
		}
	}
}

// whatHappened is what processes did, each by itself, and the verdicts.
func whatHappened(t *testing.T, log string) string {
	t.Helper()
	of := map[string][]string{}
	dec := json.NewDecoder(strings.NewReader(log))
	for {
		var e event.Event
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, log)
		}
		switch event.KindOf(e.Type) {
		case event.Print:
			of[e.Proc] = append(of[e.Proc], fmt.Sprintf("%s prints %v", e.Proc, e.Value))
		case event.Ended:
			of[e.Proc] = append(of[e.Proc], e.Proc+" "+e.Status.String())
		case event.Checked, event.Fail:
			of["script"] = append(of["script"], fmt.Sprintf("line %d: %s %+v", e.Line, e.Error, e.Check != nil && e.Error == ""))
		}
	}
	return strings.Join(of["p"], "\n") + "\n" + strings.Join(of["d"], "\n") + "\n" + strings.Join(of["script"], "\n")
}
