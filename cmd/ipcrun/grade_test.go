package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"ipcrun/cmd/ipcrun/internal/grade"
)

// resultsIn reads the results of a folder, by file name. What differs from one
// run to the next and says nothing of the submission is left out.
func resultsIn(ts *testscript.TestScript, dir string) map[string]string {
	out := map[string]string{}
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(dir), "*.json"))
	ts.Check(err)
	for _, f := range files {
		var r grade.Result
		dec := json.NewDecoder(strings.NewReader(ts.ReadFile(f)))
		dec.DisallowUnknownFields()
		ts.Check(dec.Decode(&r))
		r.Started, r.Duration = "", 0
		for i := range r.Processes {
			r.Processes[i].Pid, r.Processes[i].Resources = 0, nil
		}
		data, err := json.MarshalIndent(r, "", "  ")
		ts.Check(err)
		out[filepath.Base(f)] = string(data)
	}
	if len(out) == 0 {
		ts.Fatalf("there is no result in %s", dir)
	}
	return out
}

// resultsAreValid holds every result that is anywhere in a folder against the schema.
func resultsAreValid(t *testing.T, dir string) {
	text, err := grade.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("result.json")
	if err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" || d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte(grade.Schema)) || bytes.Contains(data, []byte("json-schema.org")) {
			return nil
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", path, err, data)
		}
		return nil
	})
}

// same DIR DIR compares the results in two folders.
func same(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same DIR DIR")
	}
	a, b := resultsIn(ts, args[0]), resultsIn(ts, args[1])
	for name := range a {
		if a[name] != b[name] {
			ts.Fatalf("%s differs:\n%s\n%s", name, a[name], b[name])
		}
	}
	if len(a) != len(b) {
		ts.Fatalf("%d results and %d", len(a), len(b))
	}
}

// unseen DIR TEXT... checks that no result of a folder has a text.
func unseen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: unseen DIR TEXT...")
	}
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("there is no result in %s", args[0])
	}
	for _, f := range files {
		data := ts.ReadFile(f)
		for _, text := range args[1:] {
			if strings.Contains(data, text) {
				ts.Fatalf("%s says %q:\n%s", f, text, data)
			}
		}
	}
}

// cut SIGNAL N FILE ARGS... runs ipcrun, sends it the signal as soon as FILE, a
// result, says that a check has passed, checks the exit code, and that nothing is
// left of what ipcrun had in its own directories.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[1])
	sig, known := map[string]syscall.Signal{"INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[0]]
	if neg || err != nil || !known {
		ts.Fatalf("usage: cut INT|KILL N FILE ARGS...")
	}
	path, err := exec.LookPath(ts.Getenv("UNDER_TEST"))
	ts.Check(err)
	tmp := ts.MkAbs("own-tmp")
	ts.Check(os.MkdirAll(tmp, 0o777))
	ts.Check(os.RemoveAll(ts.MkAbs(args[2])))
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, patient(ts))
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
	for passed := false; !passed; {
		select {
		case <-ended:
			ts.Fatalf("it has ended before the signal: %s", out.String())
		case <-look.C:
			data, _ := os.ReadFile(ts.MkAbs(args[2]))
			passed = bytes.Contains(data, []byte(`"result": "pass"`))
		}
	}
	ts.Check(cmd.Process.Signal(sig))
	<-ended
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d: %s", got, want, out.String())
	}
	// Whoever tidies up after a kill needs a moment.
	for until := time.Now().Add(20 * time.Second); ; {
		left, err := os.ReadDir(tmp)
		ts.Check(err)
		if len(left) == 0 {
			break
		}
		if time.Now().After(until) {
			ts.Fatalf("%s is left", left[0].Name())
		}
		<-look.C
	}
	stdout, err := os.Create(ts.MkAbs("stdout-of-cut"))
	ts.Check(err)
	_, err = stdout.Write(out.Bytes())
	ts.Check(err)
	ts.Check(stdout.Close())
}
