//go:build linux

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcrun/engine/observe"
	"ipcrun/engine/proc"
)

// The stage is the process that becomes the program: it has its number, its
// parent, its group and its descriptors. What a program is not to have it gives
// up on its behalf, and then it executes it.

// StageName is what the argument vector of a stage begins with, which its observer
// has to know (observe.Options).
const StageName = "ipcrun-stage"

// order is what a stage is told.
type order struct {
	Box  Box
	Path string
	Args []string
	Env  []string
	Dir  string
}

// StartError is why a program could not be started. Nothing runs then.
type StartError struct {
	Path string
	// Step is what was being done: "execute", "change to DIR", ...
	Step string
	Err  syscall.Errno
	Why  string // in words, for whoever wrote the program
}

func (e *StartError) Error() string { return e.Why }

// Unwrap makes errors.Is(err, fs.ErrNotExist) and its like work.
func (e *StartError) Unwrap() error { return e.Err }

// Start starts a program in the box. It is proc.Fork but for what the box adds:
// the child has no signal blocked and none ignored, and what it may do is
// limited. It blocks until the program has been executed; a *StartError says
// precisely why it could not be. Path is absolute, or relative to Dir.
//
// gate, if not negative, is that of an observer (observe.Run), which says then why
// the program could not be started: Start does not block.
//
// Call it on the thread that lives as long as the program shall, in the process
// that has furnished the box.
func (b *Box) Start(c proc.Start, gate int) (pid, pidfd int, err error) {
	args := c.Args
	if len(args) == 0 {
		args = []string{c.Path}
	}
	text, err := json.Marshal(order{Box: *b, Path: c.Path, Args: args, Env: c.Env, Dir: c.Dir})
	if err != nil {
		return 0, -1, fmt.Errorf("start %s: %w", c.Path, err)
	}
	told, err := unix.MemfdCreate(StageName, unix.MFD_CLOEXEC)
	if err != nil {
		return 0, -1, fmt.Errorf("start %s: memfd: %w", c.Path, err)
	}
	defer unix.Close(told)
	if n, err := unix.Pwrite(told, text, 0); err != nil || n != len(text) {
		return 0, -1, fmt.Errorf("start %s: order: %w", c.Path, orElse(err, io.ErrShortWrite))
	}
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return 0, -1, fmt.Errorf("start %s: pipe: %w", c.Path, err)
	}
	defer unix.Close(p[0])
	n := len(c.Files)
	stage := c
	stage.Path, stage.Args, stage.Dir = proc.Self(), []string{StageName, strconv.Itoa(n)}, ""
	if gate >= 0 {
		stage.Args = append(stage.Args, "observed")
	}
	stage.Env = []string{"GOMAXPROCS=1", "GOGC=off"}
	stage.Files = append(append([]int{}, c.Files...), told, p[1], gate)
	pid, pidfd, err = proc.Fork(stage)
	unix.Close(p[1])
	if err != nil {
		return 0, -1, err
	}
	if gate >= 0 {
		return pid, pidfd, nil
	}
	said, err := io.ReadAll(readerOf(p[0]))
	if err == nil && len(said) == 0 {
		return pid, pidfd, nil
	}
	failed := &StartError{Path: c.Path, Step: "start", Err: unix.EIO, Why: fmt.Sprintf("start %s: the stage said %.200q (%v)", c.Path, said, err)}
	_ = json.Unmarshal(said, failed)
	_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	unix.Close(pidfd)
	return 0, -1, failed
}

// readerOf reads a descriptor that belongs to somebody else.
type readerOf int

func (r readerOf) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(r), b)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// runStage is the life of a stage until it is the program. fd is the first
// descriptor that the program is not to have.
func runStage(args []string) {
	runtime.LockOSThread()
	// Between the limits and the exec the kernel may refuse any more memory, which the
	// profile of a process that is profiled asks for on the way.
	runtime.MemProfileRate = 0
	fd, err := strconv.Atoi(args[0])
	if err != nil {
		os.Exit(111)
	}
	unix.CloseOnExec(fd)
	unix.CloseOnExec(fd + 1)
	gate := -1
	if len(args) > 1 {
		gate = fd + 2
		unix.CloseOnExec(gate)
	}
	var o order
	fail := func(step string, err error, why string) {
		e := StartError{Path: o.Path, Step: step, Err: errnoOf(err), Why: why}
		if why == "" {
			e.Why = fmt.Sprintf("%s: %s: %v", o.Path, step, err)
		}
		if gate >= 0 {
			observe.Fail(gate, step, errors.New(e.Why))
			os.Exit(111)
		}
		text, _ := json.Marshal(e)
		_, _ = unix.Write(fd+1, text)
		os.Exit(111)
	}
	text, err := io.ReadAll(readerOf(fd)) // the position is shared, and at the start
	if err != nil {
		fail("read the order", err, "")
	}
	if err := json.Unmarshal(text, &o); err != nil {
		fail("read the order", err, "")
	}
	if o.Dir != "" {
		if err := unix.Chdir(o.Dir); err != nil {
			fail("change to "+o.Dir, err, explainDir(o.Dir, err))
		}
	}
	if step, err := o.Box.shut(); err != nil {
		fail(step, err, o.Box.explainShut(o.Path, step, err))
	}
	if o.Box.Umask >= 0 {
		unix.Umask(o.Box.Umask)
	}
	if step, err := o.Box.Limits.impose(o.Box.Spaces.Has(User)); err != nil {
		fail(step, err, "")
	}
	if gate >= 0 {
		// Traced from here on; the exec is the first thing that is seen.
		if err := observe.Enter(gate); err != nil {
			os.Exit(111)
		}
	}
	if err := freshSignals(); err != nil {
		fail("reset the signals", err, "")
	}
	err = syscall.Exec(o.Path, o.Args, o.Env)
	fail("execute", err, explainExec(o.Path, err))
}

// beNice is the step that sets the nice value.
const beNice = "be nice"

// explainShut says why a step of shut failed, "" where the kernel's word says it.
func (b *Box) explainShut(path, step string, err error) string {
	if now, nerr := proc.Nice(); step == beNice && nerr == nil && err == unix.EACCES {
		return path + ": " + proc.RefusedNice(now, now+b.Nice)
	}
	return ""
}

// shut takes away what the program is not to have.
func (b *Box) shut() (step string, err error) {
	if b.Nice != 0 {
		now, err := proc.Nice()
		if err == nil {
			err = unix.Setpriority(unix.PRIO_PROCESS, 0, now+b.Nice)
		}
		if err != nil {
			return beNice, err
		}
	}
	if err := dropCapabilities(); err != nil {
		return "give up capabilities", err
	}
	if b.Landlock {
		if err := b.lock(); err != nil {
			return "landlock", err
		}
	}
	if b.Filtered {
		if err := b.filter(); err != nil {
			return "filter signals", err
		}
	}
	return "", nil
}

// freshSignals gives the program what a login shell would: nothing ignored and
// nothing blocked.
func freshSignals() error {
	for sig := 1; sig <= 64; sig++ {
		if sig == int(unix.SIGKILL) || sig == int(unix.SIGSTOP) {
			continue
		}
		if err := proc.Sigaction(sig, proc.Default); err != nil {
			return err
		}
	}
	return proc.SetMask(0)
}

// makeTarget makes a place to mount something at.
func makeTarget(path string, dir bool) error {
	if dir {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}
