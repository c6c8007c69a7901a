//go:build linux

package prims

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipcrun/prims/named"
)

// What the tests of the kinds have in common whose instances have a name in the
// system: the other end is a program in C that knows the name and nothing else.

// compileC makes a program of C source. Without a compiler the test is skipped.
func compileC(t testing.TB, source string) string {
	t.Helper()
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc on this machine to compile the other end with")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "peer.c")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(cc, "-O1", "-Wall", "-o", filepath.Join(dir, "peer"), file, "-lpthread", "-lrt").CombinedOutput()
	if err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return filepath.Join(dir, "peer")
}

// peer is a running program in C.
type peer struct {
	t   testing.TB
	cmd *exec.Cmd
	out strings.Builder
}

func startC(t testing.TB, program string, args ...string) *peer {
	t.Helper()
	p := &peer{t: t, cmd: exec.Command(program, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// ends waits for its end and returns what it printed.
func (p *peer) ends() string {
	p.t.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the program in C: %v\n%s", err, p.out.String())
	}
	return p.out.String()
}

// testName is a name for the system that only this test has, and that is fixed
// as far as the declaration knows.
func testName(t testing.TB) string {
	return "/ipcrun-test-" + strconv.Itoa(os.Getpid()) + "-" + strings.NewReplacer("/", "-", " ", "-", ":", "").Replace(t.Name())
}

func withName(name string) Args { return Args{Fields: map[string]any{"name": name}} }

// TestNameTaken: an object that is there already is named in the error and left
// alone.
func TestNameTaken(t *testing.T) {
	for kind, args := range nameable(t) {
		t.Run(kind, func(t *testing.T) {
			d := Get(kind)
			create := func() (*Creation, *named.Ledger, error) {
				l := named.NewLedger("taken-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(int(crews.Add(1))), nil)
				c := &Creation{Name: "jobs", Args: args, Mem: make([]byte, d.ArenaSize(args)), System: l}
				err := d.Create(c)
				for _, f := range c.Files {
					f.Close()
				}
				return c, l, err
			}
			_, first, err := create()
			if err != nil {
				t.Fatal(err)
			}
			_, second, err := create()
			name := givenName(args)
			if err == nil || !strings.Contains(err.Error(), "jobs: there is a") || !strings.Contains(err.Error(), name) {
				t.Errorf("%v", err)
			}
			if left := second.Sweep(); len(left) > 0 {
				t.Errorf("left %v", left)
			}
			if _, third, err := create(); err == nil {
				t.Error("the second one took the first one's object away")
				third.Sweep()
			}
			if left := first.Sweep(); len(left) > 0 {
				t.Errorf("left %v", left)
			}
			_, fourth, err := create()
			if err != nil {
				t.Errorf("after the first is gone: %v", err)
			}
			fourth.Sweep()
		})
	}
}

// nameable are declarations of all kinds that have a name in the system.
func nameable(t *testing.T) map[string]Args {
	out := map[string]Args{}
	for _, d := range All() {
		if d.Named != "name" {
			continue
		}
		a := withName(testName(t) + "-" + d.Name)
		if _, err := os.Stat("/dev/shm"); errors.Is(err, fs.ErrNotExist) {
			t.Skip("this machine has no /dev/shm")
		}
		if d.Main != nil && d.Main.Required {
			a.Main = d.Main.Example
		}
		if strings.Contains(d.Fields[len(d.Fields)-1].Doc, "path") {
			a.Fields["name"] = filepath.Join(t.TempDir(), "jobs")
		}
		out[d.Name] = a
	}
	return out
}

// TestAddress: who is told the address finds the object, also one whose name is
// the run's own.
func TestAddress(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for kind, args := range nameable(t) {
		for _, own := range []bool{false, true} {
			if own {
				args = Args{Main: args.Main}
			}
			c := newCrew(t, kind, args, 0)
			got := c.d.Address(c.handle)
			if f := c.d.Facts(c.handle, names{}); f["name"] != got {
				t.Errorf("%s: the fact is %v, the address %s", kind, f["name"], got)
			}
			if want := givenName(args); want != "" && got != want || got == "" || got[0] != '/' {
				t.Errorf("%s: the address is %q, declared was %q", kind, got, want)
			}
		}
	}
}
