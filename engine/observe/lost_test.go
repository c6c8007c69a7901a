//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// lost is what an observed lost.c has lost: by whom, how that one ended, to where it
// would have gone, and the text.
func lost(t *testing.T, o Options, argv ...string) string {
	t.Helper()
	var out bytes.Buffer
	x := watchIO(t, o, nil, &out, argv...)
	events := x.end()
	consistent(t, events)
	var list []string
	for i, e := range events {
		if e.Kind != Lost {
			continue
		}
		who := "child"
		if e.Pid == x.root {
			who = "root"
		}
		list = append(list, fmt.Sprintf("%s %v %d %q", who, proc.DecodeStatus(e.Status), e.Fd, e.Text))
		for _, end := range events[i:] {
			if end.Kind == Exit && end.Pid == e.Pid && end.Status&0xff7f != e.Status&0xff7f {
				t.Errorf("%v: lost by one that ended %v, and it was %v", argv, proc.DecodeStatus(e.Status), proc.DecodeStatus(end.Status))
			}
		}
	}
	return strings.Join(list, ", ")
}

var losses = []struct{ how, want string }{
	{"killed", `root SIGTERM 1 "pending\n"`},
	{"SIGKILL", `root SIGKILL 1 "pending\n"`},
	{"_exit", `root exit 3 1 "pending\n"`},
	{"exit", ""},
	{"flush", ""},
	{"vfork", ""},
	{"spawn", `child SIGTERM 1 "pending\n"`},
	{"copy", ""},
	{"both", `root SIGTERM 1 "pending\n"`},
	{"child", `child SIGTERM 1 "after"`},
	{"errors", `root exit 1 2 "an error"`},
	{"elsewhere", ""},
	{"threads", `root SIGTERM 1 "pending\n"`},
	{"thread", ""},
	{"again", `root SIGTERM 1 "pending\nand more"`},
}

// TestLost: what stands in the buffer of who ends is told of just where it is lost.
func TestLost(t *testing.T) {
	p := compiled(t, "lost")
	for _, x := range losses {
		if got := lost(t, Options{Prints: true}, p, x.how); got != x.want {
			t.Errorf("%s: %s; want %s", x.how, got, x.want)
		}
	}
	if got := lost(t, Options{Calls: true}, p, "killed"); got != losses[0].want {
		t.Errorf("with the calls: %s", got)
	}
	if got := lost(t, Options{}, p, "killed"); got != "" {
		t.Errorf("without: %s", got)
	}
	if got := lost(t, Options{Prints: true}, p, "full"); !strings.HasPrefix(got, `root SIGKILL 1 "0123`) || strings.Count(got, "0123") >= 300 {
		t.Errorf("full: %s", got)
	}
}

// TestLostWhileWriting: of what somebody was about to write when the end came it
// cannot be said that it was not written.
func TestLostWhileWriting(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	x := watchIO(t, Options{Prints: true}, nil, w, compiled(t, "lost"), "inside")
	x.until("it writes its buffer", func(e *Event) bool { return e.Kind == Print && e.Text == "pending\n" })
	if err := unix.Kill(x.root, unix.SIGALRM); err != nil {
		t.Fatal(err)
	}
	events := x.end()
	prints := of(events, Print)
	if n := len(prints); n == 0 || prints[n-1].Text != "pending\n" {
		t.Errorf("it did not write its buffer\n%s", x.tail())
	}
	if exit := events[len(events)-1]; exit.Status != uint32(unix.SIGALRM) || len(of(events, Lost)) > 0 {
		t.Errorf("%v\n%s", of(events, Lost), x.tail())
	}
}

// TestLostInAStaticProgram: there the C library's variables are the program's.
func TestLostInAStaticProgram(t *testing.T) {
	compiled(t, "lost") // makes the directory, or skips
	p := filepath.Join(programs.dir, "lost-static")
	if out, err := exec.Command("gcc", "-static", "-pthread", "-o", p, "testdata/lost.c").CombinedOutput(); err != nil {
		t.Skipf("no static C library: %v\n%s", err, out)
	}
	for _, x := range losses[:4] {
		if got := lost(t, Options{Prints: true}, p, x.how); got != x.want {
			t.Errorf("%s: %s; want %s", x.how, got, x.want)
		}
	}
}

// TestWholeRunes: a text that is cut does not end within a character.
func TestWholeRunes(t *testing.T) {
	for text, want := range map[string]int{"": 0, "ab": 2, "a\xe5\xae": 1, "a安": 4, "\xff": 1, "\x80\x80\x80\x80": 4, "安\xf0\x9f\x98": 3} {
		if n := wholeRunes([]byte(text)); n != want {
			t.Errorf("%q: %d, want %d", text, n, want)
		}
	}
}
