package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// edit FROM TO REGEX TEXT copies a file with every match replaced; it fails if
// there is none, so that no test passes because its edit went missing.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: edit FROM TO REGEX TEXT")
	}
	from := ts.ReadFile(args[0])
	re := regexp.MustCompile("(?m)" + args[2])
	if !re.MatchString(from) {
		ts.Fatalf("%s has no match of %s", args[0], args[2])
	}
	text := re.ReplaceAllString(from, strings.ReplaceAll(args[3], `\n`, "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o666))
}

// patient is the variable that multiplies the limits, for a command that is not run
// by the script itself.
func patient(ts *testscript.TestScript) string {
	const name = "IPCRUN_TIMEOUT_SCALE"
	return name + "=" + ts.Getenv(name)
}

// code N ARGS... runs ipcrun and checks its exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: code N ARGS...")
	}
	err = ts.Exec("ipcrun", args[1:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("ipcrun %s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// big FILE MIB writes a large file of text.
func big(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	if neg || err != nil {
		ts.Fatalf("usage: big FILE MIB")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("# nothing but text, "), n<<20/20), 0o666))
}

// interrupt SIGNAL N ARGS... runs ipcrun, sends it the signal as soon as it has
// started a process, and checks the exit code.
func interruptIt(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[1])
	sig, known := map[string]syscall.Signal{"INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "TERM": syscall.SIGTERM}[args[0]]
	if neg || err != nil || !known {
		ts.Fatalf("usage: interrupt INT|QUIT|TERM N ARGS...")
	}
	path, err := exec.LookPath(ts.Getenv("UNDER_TEST"))
	ts.Check(err)
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), patient(ts))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for started := false; !started; {
		select {
		case <-ended:
			ts.Fatalf("it has ended before the signal: %s", out.String())
		case <-look.C:
			pid := strconv.Itoa(cmd.Process.Pid)
			tasks, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
			for _, t := range tasks {
				data, _ := os.ReadFile(t)
				started = started || len(bytes.TrimSpace(data)) > 0
			}
		}
	}
	ts.Check(cmd.Process.Signal(sig))
	<-ended
	ts.Logf("%s", out.String())
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	for _, text := range []string{"interrupted", "SIG" + args[0], "1 scenario"} {
		if !strings.Contains(out.String(), text) {
			ts.Fatalf("the report does not say %q", text)
		}
	}
}
