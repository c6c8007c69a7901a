//go:build linux

package sandbox

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// How the tests contain a program is how the engine does it, in small:
//
//  1. The test, which is the engine, fits a box and starts the helper
//     "supervisor" in it.
//  2. The helper furnishes the box, starts the program and says what becomes
//     of it, one line of JSON each, and what objects there are at the end.
//  3. The test ends the tree below the helper, and then the helper.

// said is what the supervisor says.
type said struct {
	Failed  string `json:",omitempty"`
	Step    string `json:",omitempty"`
	Errno   int    `json:",omitempty"`
	Inner   int    `json:",omitempty"`
	Outer   int    `json:",omitempty"`
	Status  uint32 `json:",omitempty"`
	Ended   bool   `json:",omitempty"`
	CPU     time.Duration
	Peak    int64
	Objects []Object `json:",omitempty"`
}

// task is what the supervisor is told.
type task struct {
	Box    Box
	Argv   []string
	Dir    string
	Refuse []string
}

const (
	fdSaid  = 3
	fdAsked = 4 // its end: objects, please
)

func init() {
	registerHelper("supervisor", func(args []string) {
		say := func(s said) {
			text, _ := json.Marshal(s)
			if _, err := unix.Write(fdSaid, append(text, '\n')); err != nil {
				os.Exit(98)
			}
		}
		check := func(err error) {
			if err != nil {
				say(said{Failed: err.Error()})
				os.Exit(1)
			}
		}
		unix.CloseOnExec(fdSaid)
		unix.CloseOnExec(fdAsked)
		var t task
		check(json.Unmarshal([]byte(args[0]), &t))
		check(proc.BecomeSubreaper())
		outside, err := OpenOutside()
		check(err)
		check(t.Box.Furnish())
		if t.Box.Filtered {
			t.Box.Spare = []int{unix.Getpid(), unix.Getppid()}
		}
		pid, pidfd, err := t.Box.Start(proc.Start{Path: t.Argv[0], Args: t.Argv, Dir: t.Dir, Env: []string{"PATH=/usr/bin:/bin", "IPCRUN_ZOO=1"},
			Files: []int{0, 1, 2}, Ctty: -1, Setpgid: true, Pdeathsig: unix.SIGKILL}, -1)
		if e, ok := errors.AsType[*StartError](err); ok {
			say(said{Failed: e.Error(), Step: e.Step, Errno: int(e.Err)})
			os.Exit(1)
		}
		check(err)
		outer, err := outside.Pid(pidfd)
		check(err)
		say(said{Inner: pid, Outer: outer})
		go func() {
			var ws syscall.WaitStatus
			var ru syscall.Rusage
			for {
				got, err := syscall.Wait4(-1, &ws, 0, &ru)
				if got == pid {
					say(said{Ended: true, Status: uint32(ws), Peak: ru.Maxrss << 10,
						CPU: time.Duration(syscall.TimevalToNsec(ru.Utime) + syscall.TimevalToNsec(ru.Stime))})
				}
				if err != nil && err != unix.EINTR {
					return
				}
			}
		}()
		buf := make([]byte, 1)
		for {
			if n, err := unix.Read(fdAsked, buf); err == nil && n == 0 {
				break
			}
		}
		objects, err := Objects()
		check(err)
		say(said{Objects: objects})
		for {
			_ = unix.Pause()
		}
	})
}

// contained is a program in a box, as the engine sees it.
type contained struct {
	t          *testing.T
	box        Box
	supervisor int
	pidfd      int
	out        *bufio.Reader // what the program prints
	outEnd     *os.File
	saying     *bufio.Scanner
	sayingEnd  *os.File
	asking     *os.File
	over       bool
	started    said
}

// wholeBox is everything that a program can be given.
func wholeBox() Box {
	return Box{Spaces: PID | IPC | Mount | Network, Shm: true, Tmp: true, Confined: true, Umask: -1}
}

// contain starts a program. What it cannot be started for is the second result.
func contain(t *testing.T, m *Machine, want Box, dir string, argv ...string) (*contained, *said) {
	t.Helper()
	want.Writable = append(want.Writable, dir)
	want.Visible = append(want.Visible, filepath.Dir(zoo(t)), filepath.Dir(dir))
	box, _ := m.Fit(want)
	text, err := json.Marshal(task{Box: box, Argv: argv, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	outR, outW := pipe(t)
	saidR, saidW := pipe(t)
	askR, askW := pipe(t)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	start := proc.Start{Path: proc.Self(), Args: []string{"supervisor", string(text)}, Env: append(os.Environ(), helperEnv+"=supervisor"),
		Files: []int{int(null.Fd()), int(outW.Fd()), 2, int(saidW.Fd()), int(askR.Fd())}, Setsid: true, Ctty: -1}
	box.Enclose(&start)
	start.Pdeathsig = 0 // goroutines of tests change threads
	pid, pidfd, err := proc.Fork(start)
	for _, f := range []*os.File{outW, saidW, askR, null} {
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	c := &contained{t: t, box: box, supervisor: pid, pidfd: pidfd, out: bufio.NewReader(outR), outEnd: outR,
		saying: bufio.NewScanner(saidR), sayingEnd: saidR, asking: askW}
	t.Cleanup(c.end)
	s := c.next()
	if s.Failed != "" {
		return c, &s
	}
	c.started = s
	return c, nil
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (c *contained) next() said {
	c.t.Helper()
	_ = c.sayingEnd.SetReadDeadline(time.Now().Add(longest()))
	if !c.saying.Scan() {
		c.t.Fatalf("the supervisor says no more: %v", c.saying.Err())
	}
	var s said
	if err := json.Unmarshal(c.saying.Bytes(), &s); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// line is the next line of the program.
func (c *contained) line() string {
	c.t.Helper()
	_ = c.outEnd.SetReadDeadline(time.Now().Add(longest()))
	text, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the program says no more: %q, %v", text, err)
	}
	return strings.TrimSuffix(text, "\n")
}

// ended waits for the program's end.
func (c *contained) ended() (syscall.WaitStatus, said) {
	c.t.Helper()
	s := c.next()
	if !s.Ended {
		c.t.Fatalf("%+v", s)
	}
	return syscall.WaitStatus(s.Status), s
}

// objects are those of the box.
func (c *contained) objects() []Object {
	c.t.Helper()
	c.asking.Close()
	return c.next().Objects
}

// end ends everything. Nothing may be left, whatever the program was.
func (c *contained) end() {
	if c.over {
		return
	}
	c.over = true
	c.t.Helper()
	_, left := KillTree(Hunt{Root: c.supervisor, Until: time.Now().Add(longest())})
	if len(left) > 0 {
		c.t.Errorf("still alive: %v", left)
	}
	_ = unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0)
	for {
		if _, err := unix.Wait4(c.supervisor, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	c.forget()
	// Orphans of the supervisor come to this process, and have been killed.
	for until := time.Now().Add(longest()); time.Now().Before(until); {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if pid == 0 {
			time.Sleep(time.Millisecond) // one is being ended
		} else if err == unix.ECHILD {
			break
		}
	}
	tree, err := proc.Tree(os.Getpid())
	if err != nil {
		c.t.Error(err)
	}
	for _, pid := range tree {
		f, err := proc.ReadFacts(pid)
		c.t.Errorf("process %d is left: %+v, %v", pid, f, err)
	}
}

// forget gives up what this process holds of it.
func (c *contained) forget() {
	c.over = true
	unix.Close(c.pidfd)
	c.outEnd.Close()
	c.sayingEnd.Close()
	c.asking.Close()
}

var zooDir string

// zoo is the path of the programs that do not behave.
var buildZoo = sync.OnceValues(func() (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", err
	}
	if zooDir, err = os.MkdirTemp("", "sandbox-zoo"); err != nil {
		return "", err
	}
	path := filepath.Join(zooDir, "zoo")
	out, err := exec.Command(gcc, "-w", "-O1", "-o", path, "testdata/zoo.c", "-lrt", "-lpthread").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%v: %s", err, out)
	}
	return path, nil
})

func zoo(t *testing.T) string {
	t.Helper()
	path, err := buildZoo()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("the programs are written in C, and there is no gcc")
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// machines are this one and poorer ones, whose refusals are simulated by not
// being asked for; TestProbeRefused shows that they are found.
func machines(t *testing.T) map[string]*Machine {
	t.Helper()
	out := map[string]*Machine{"as it is": Here()}
	add := func(name, things string) { out[name] = probeRefused(t, things) }
	if Here().Filter {
		add("without namespaces", "namespaces")
		add("without landlock", "landlock")
		add("with nothing", "namespaces,landlock,seccomp")
	}
	return out
}

// each runs a test on every machine.
func each(t *testing.T, f func(t *testing.T, m *Machine)) {
	for name, m := range machines(t) {
		t.Run(name, func(t *testing.T) { f(t, m) })
	}
}

// TestStartFails: what cannot be started is told precisely.
func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	elf := func(machine byte) string {
		b := make([]byte, 64)
		copy(b, "\x7fELF\x02\x01\x01")
		b[16], b[18], b[20], b[52] = 2, machine, 1, 64
		return string(b)
	}
	loaded := func(loader string) string {
		head := []byte(elf(map[string]byte{"amd64": 62, "arm64": 183}[runtime.GOARCH]))
		head[32], head[54], head[56] = 64, 56, 1
		p := make([]byte, 56)
		p[0], p[8], p[32], p[40] = 3, 120, byte(len(loader)), byte(len(loader))
		return string(head) + string(p) + loader
	}
	for _, test := range []struct {
		name, path, dir, want string
		errno                 syscall.Errno
	}{
		{"nothing", dir + "/nothing", dir, "there is no file " + dir + "/nothing", unix.ENOENT},
		{"directory", dir, dir, dir + " is a directory", unix.EACCES},
		{"not executable", write("plain.py", "print(1)\n", 0o644), dir, dir + "/plain.py is not executable: name its interpreter in run, or chmod +x", unix.EACCES},
		{"no interpreter", write("a.py", "#!/usr/bin/pyton3 -u\n", 0o755), dir, dir + "/a.py: there is no /usr/bin/pyton3, which its first line names as its interpreter", unix.ENOENT},
		{"windows", write("w.sh", "#!/bin/sh\r\necho\r\n", 0o755), dir, dir + `/w.sh: there is no /bin/sh\r, which its first line names as its interpreter: its lines end as on Windows`, unix.ENOENT},
		{"no first line", write("n.sh", "echo hello\n", 0o755), dir, dir + "/n.sh is neither a program nor a script with #! in its first line: name its interpreter in run", unix.ENOEXEC},
		{"empty", write("e", "", 0o755), dir, dir + "/e is empty", unix.ENOEXEC},
		{"other machine", write("m", elf(243), 0o755), dir, "", unix.ENOEXEC},
		{"no loader", write("l", loaded("/lib/ld-musl-x86_64.so.1\x00"), 0o755), dir, dir + "/l: there is no /lib/ld-musl-x86_64.so.1, which it needs to be loaded: it was built for another system", unix.ENOENT},
		{"no directory", "/bin/true", dir + "/gone", "there is no directory " + dir + "/gone", unix.ENOENT},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := Box{Umask: -1}
			_, _, err := b.Start(proc.Start{Path: test.path, Dir: test.dir, Files: []int{0, 1, 2}, Ctty: -1}, -1)
			var e *StartError
			switch {
			case !errors.As(err, &e):
				t.Fatalf("%v", err)
			case test.want == "" && !strings.Contains(e.Error(), "was built for another machine (riscv)"), test.want != "" && e.Error() != test.want:
				t.Errorf("it says  %s\ninstead of  %s", e, test.want)
			case !errors.Is(err, test.errno):
				t.Errorf("%v instead of %v", e.Err, test.errno)
			}
		})
	}
}

// TestBox: what a program sees and may do in a box of each machine.
func TestBox(t *testing.T) {
	each(t, func(t *testing.T, m *Machine) {
		dir := work(t)
		outer := filepath.Join(filepath.Dir(dir), "outer")
		probe := fmt.Sprintf(`
echo "pid $$ $(readlink /proc/self)"
echo "shm $(ls /dev/shm | wc -l)"
touch %s 2>/dev/null && echo "wrote outside" || echo "outside refused"
touch inside && echo "wrote inside" || echo "inside refused"
touch /tmp/zoo-$$ 2>/dev/null && echo "wrote /tmp" || echo "/tmp refused"
echo "umask $(umask)"; ulimit -n; ulimit -c
exec %s privileged`, outer, zoo(t))
		if m.Spaces.Has(PID) || m.Landlock >= scopeVersion || m.Filter {
			probe += " trace"
		}
		mark := filepath.Join(shmDir, fmt.Sprintf("ipcrun-box-%d", os.Getpid()))
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(mark)
		want := wholeBox()
		want.Umask, want.Limits.Files = 0o27, 100
		c, failed := contain(t, m, want, dir, "/bin/sh", "-c", probe)
		if failed != nil {
			t.Fatal(failed.Failed)
		}
		var lines []string
		for range 12 {
			lines = append(lines, c.line())
		}
		if st, _ := c.ended(); st.ExitStatus() != 0 {
			t.Errorf("%v", st)
		}
		text := strings.Join(lines, "\n")
		has := func(what string, want bool) {
			t.Helper()
			if strings.Contains(text, what) != want {
				t.Errorf("it says %q: %v\n%s", what, !want, text)
			}
		}
		pids := strings.Fields(lines[0])
		if own := c.box.Spaces.Has(PID); own != (c.started.Inner < 20 && c.started.Inner != c.started.Outer) || own && pids[1] != fmt.Sprint(c.started.Inner) {
			t.Errorf("numbers: %+v, in %v; %s", c.started, c.box.Spaces, lines[0])
		}
		has("shm 0", c.box.Shm)
		has("outside refused", c.box.Confined)
		if !c.box.Confined {
			os.Remove(outer)
		}
		has("wrote inside", true)
		has("wrote /tmp", c.box.Tmp || !c.box.Confined)
		if !c.box.Tmp && !c.box.Confined {
			os.Remove(fmt.Sprintf("/tmp/zoo-%d", c.started.Inner))
		}
		has("umask 0027", true)
		has("\n100\n0\n", true)
		has("mount: Operation not permitted", true)
		has("umount: Operation not permitted", true)
		has("raise: Operation not permitted", true)
		if c.box.Spaces.Has(PID) || c.box.Scoped || c.box.Filtered {
			has("trace: done", false)
		}
	})
}

// work is a directory for a program, in one of the test's.
func work(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPids: the number that a process has inside is known outside.
func TestPids(t *testing.T) {
	c, failed := contain(t, Here(), wholeBox(), work(t), zoo(t), "deaf")
	if failed != nil {
		t.Fatal(failed.Failed)
	}
	c.line()
	if inner, err := InnerPid(c.started.Outer); err != nil || inner != c.started.Inner {
		t.Errorf("inside it is %d, not %d: %v", c.started.Inner, inner, err)
	}
	if !marked(c.started.Outer, "IPCRUN_ZOO=1") || marked(c.started.Outer, "IPCRUN_ZOO=") || marked(c.supervisor, "IPCRUN_ZOO=1") {
		t.Error("who is marked is not seen, or somebody else is")
	}
}

// The names and the first of the keys of what the zoo's program leaves. Where nothing
// keeps them apart, other tests that run at this moment have theirs.
var (
	zooNames = fmt.Sprintf("ipcrun-box-%d", os.Getpid())
	zooKey   = 0x1d000000 + 4*os.Getpid()
)

// ofZoo: it is one of these.
func ofZoo(o Object) bool {
	return int(o.Key) >= zooKey && int(o.Key) <= zooKey+2 || strings.HasPrefix(o.Name, "/"+zooNames+"-")
}

// TestLeaks: what a program leaves is found, in its own box and outside.
func TestLeaks(t *testing.T) {
	each(t, func(t *testing.T, m *Machine) {
		before, err := Objects()
		if err != nil {
			t.Fatal(err)
		}
		c, failed := contain(t, m, wholeBox(), work(t), zoo(t), "objects", zooNames, fmt.Sprint(zooKey))
		if failed != nil {
			t.Fatal(failed.Failed)
		}
		if !c.box.Spaces.Has(IPC) {
			defer func() {
				if all, err := Objects(); err == nil {
					removeZooObjects(all)
				}
			}()
		}
		want := []string{"POSIX message queue /" + zooNames + "-queue", "POSIX semaphore /" + zooNames + "-semaphore", "POSIX shared memory /" + zooNames + "-memory",
			fmt.Sprintf("System V queue key 0x%x", zooKey), fmt.Sprintf("System V semaphore set key 0x%x", zooKey+1), fmt.Sprintf("System V shared memory key 0x%x", zooKey+2)}
		if hidden := !c.box.Spaces.Has(IPC) && os.Getuid() != 0 && !mounted(mqueueDir, mqueueMagic); hidden {
			want = want[1:] // nobody but root sees queues then
		}
		if text := c.line(); text != "done" && !(text == "mq_open: Permission denied; done" && c.box.Landlock && len(want) == 5) {
			t.Fatal(text)
		}
		c.ended()
		inside := c.objects()
		var left []string
		root := c.supervisor
		if c.box.Spaces.Has(IPC) {
			before, root = nil, 0
		}
		for _, o := range Leaks(before, inside, os.Getuid(), root) {
			if ofZoo(o) {
				name, _, _ := strings.Cut(o.String(), " id ")
				left = append(left, name)
			}
		}
		if !slices.Equal(left, want) {
			t.Errorf("left: %q\n%+v", left, inside)
		}
		c.end()
		if !c.box.Spaces.Has(IPC) {
			return
		}
		after, err := Objects()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range Leaks(nil, after, os.Getuid(), 0) {
			if ofZoo(o) {
				t.Errorf("%s is there outside", o)
			}
		}
	})
}

func removeZooObjects(all []Object) {
	for _, o := range all {
		switch {
		case !ofZoo(o) || o.Key == 0:
		case o.Kind == sysvQueue:
			_, _, _ = unix.Syscall(unix.SYS_MSGCTL, uintptr(o.ID), unix.IPC_RMID, 0)
		case o.Kind == sysvSemaphores:
			_, _, _ = unix.Syscall6(unix.SYS_SEMCTL, uintptr(o.ID), 0, unix.IPC_RMID, 0, 0, 0)
		case o.Kind == sysvMemory:
			_, _ = unix.SysvShmCtl(int(o.ID), unix.IPC_RMID, nil)
		}
	}
	_ = os.Remove(shmDir + "/" + zooNames + "-memory")
	_ = os.Remove(shmDir + "/sem." + zooNames + "-semaphore")
	name, _ := unix.BytePtrFromString(zooNames + "-queue")
	unlinkQueue(name)
}
