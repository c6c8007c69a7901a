//go:build linux

package supervisor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
)

func init() {
	if len(os.Args) != 2 || os.Args[0] != name {
		return
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		die("bad arguments")
	}
	supervise(n)
}

// supervisor is the state of this process.
type supervisor struct {
	lifeline int
	// life is held while something is started, and for good once this process
	// is about to end: nothing must be started then.
	life sync.Mutex
	mu   sync.Mutex // guards writing reports
}

func die(text string) {
	os.Stderr.WriteString("ipcrun supervisor: " + text + "\n")
	os.Exit(111)
}

// supervise does not return.
func supervise(files int) {
	s := &supervisor{}
	for fd := fdLifeline; fd < fdProgram+files; fd++ {
		unix.CloseOnExec(fd)
	}
	runtime.LockOSThread()
	err := proc.Deafen()
	if err == nil {
		s.lifeline, err = proc.WatchLifeline(fdLifeline)
	}
	if err != nil {
		die(err.Error())
	}
	var p Program
	if err := readOrder(&p); err != nil {
		die(err.Error())
	}
	if err := proc.BecomeSubreaper(); err != nil {
		die(err.Error())
	}
	go s.watchLifeline()
	s.life.Lock()
	pid, err := s.start(&p, files)
	s.life.Unlock()
	if err != nil {
		s.tell(&Report{Kind: Failed, Text: err.Error()})
	} else {
		s.tell(&Report{Kind: Started, Pid: pid})
		s.reap(pid)
		s.tell(&Report{Kind: Alone})
	}
	// The leader of a terminal's session must not end before the engine has read
	// what came out of it.
	for {
		_ = unix.Pause()
	}
}

func readOrder(p *Program) error {
	order := os.NewFile(fdOrder, "order")
	defer order.Close()
	b, err := io.ReadAll(io.NewSectionReader(order, 0, 1<<24))
	if err != nil {
		return fmt.Errorf("its order: %w", err)
	}
	if err := json.Unmarshal(b, p); err != nil {
		return fmt.Errorf("its order: %w", err)
	}
	return nil
}

// start starts the program in a process group of its own, with the descriptors
// that this process holds for it.
func (s *supervisor) start(p *Program, files int) (pid int, err error) {
	c := proc.Start{Path: p.Path, Args: p.Argv, Env: p.Env, Dir: p.Dir, Ctty: -1, Fresh: true}
	for i := range files {
		c.Files = append(c.Files, fdProgram+i)
	}
	if p.Terminal {
		c.Foreground, c.Ctty = true, fdProgram+1
	} else {
		c.Setpgid = true
	}
	pid, pidfd, err := proc.Fork(c)
	if err != nil {
		return 0, err
	}
	_ = unix.Close(pidfd)
	// An end that this process kept open would keep the end of file away.
	for i := range files {
		if !p.Terminal || i != 1 { // the terminal of the session
			_ = unix.Close(fdProgram + i)
		}
	}
	return pid, nil
}

// reap takes the status of whatever becomes a child of this process, the
// program first of all, until there is nobody left.
func (s *supervisor) reap(program int) {
	for {
		var raw syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &raw, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return // no child is left, and none can come any more
		case pid == program:
			s.tell(&Report{Kind: Ended, Pid: pid, Status: uint32(raw)})
		}
	}
}

// tell sends a report to the engine. It blocks while the engine does not read.
func (s *supervisor) tell(r *Report) {
	if r.At == 0 {
		r.At = arena.Now()
	}
	b := r.Append(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(b) > 0 {
		n, err := unix.Write(fdReport, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return // the engine is gone, and so is everything soon
		}
		b = b[n:]
	}
}

// watchLifeline ends the tree below this process, and then this process, when
// the engine is gone or wants it so.
func (s *supervisor) watchLifeline() {
	proc.AwaitCut(s.lifeline)
	s.life.Lock()
	killBelow(unix.Getpid(), patience)
	unix.Exit(0)
}

// patience bounds how long the end of a tree may take.
const patience = 4 * time.Second

// killBelow ends all descendants of a process, whatever they do meanwhile. What
// is stopped forks no more, so each sweep stops everybody before it kills them.
// Somebody else reaps them.
func killBelow(pid int, within time.Duration) {
	for until := time.Now().Add(within); time.Now().Before(until); {
		tree, err := proc.Tree(pid)
		if err != nil || len(tree) == 0 {
			return
		}
		for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGKILL} {
			for _, p := range tree {
				_ = unix.Kill(p, sig)
			}
		}
		runtime.Gosched()
	}
}
