//go:build linux

package supervisor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
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
	program  Program
	files    []int            // of the program
	outside  *sandbox.Outside // nil: its numbers are the same here as there
	pid      int              // of the program, here
	outer    int              // and there, where the engine is
	started  bool
	told     atomic.Bool // that there are too many processes
	lifeline int
	// life is held while something is started, and for good once this process
	// is about to end: nothing must be started then.
	life   sync.Mutex
	mu     sync.Mutex // guards untold, and writing it
	untold []byte     // reports on their way
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
	if err == nil {
		err = proc.BecomeSubreaper()
	}
	if err == nil {
		err = readOrder(&s.program)
	}
	if err == nil {
		s.outside, err = openOutside(&s.program)
	}
	if err != nil {
		die(err.Error())
	}
	go s.watchLifeline()
	if err := s.program.Box.Furnish(); err != nil {
		s.tell(&Report{Kind: Failed, Text: "its box: " + err.Error()})
		s.stay()
	}
	for i := range files {
		s.files = append(s.files, fdProgram+i)
	}
	spareThreads()
	if s.program.Observe {
		err = s.observe()
	} else if err = s.start(-1); err == nil {
		s.began()
		s.reap()
	}
	switch {
	case err != nil && !s.started:
		s.tell(&Report{Kind: Failed, Text: err.Error()})
	case err != nil:
		die(err.Error())
	default:
		s.alone()
	}
	s.stay()
}

// spare is how many threads are made before the program is started. One that
// forks without end uses up the numbers of its namespace, or the processes of its
// user; whoever gets no thread then cannot end it, and a runtime that gets none
// crashes.
const spare = 16

func spareThreads() {
	var here, done sync.WaitGroup
	here.Add(spare)
	done.Add(1)
	for range spare {
		go func() {
			runtime.LockOSThread() // no two of them on one thread
			here.Done()
			done.Wait()
			runtime.UnlockOSThread()
		}()
	}
	here.Wait()
	done.Done()
}

// stay: the leader of a terminal's session must not end before the engine has
// read what came out of it.
func (s *supervisor) stay() {
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
// that this process holds for it. gate is that of an observer, or -1.
func (s *supervisor) start(gate int) error {
	s.life.Lock()
	defer s.life.Unlock()
	p := &s.program
	c := proc.Start{Path: p.Path, Args: p.Argv, Env: p.Env, Dir: p.Dir, Files: s.files, Ctty: -1}
	if p.Terminal {
		c.Foreground, c.Ctty = true, s.files[1]
	} else {
		c.Setpgid = true
	}
	if p.Box.Filtered { // the numbers are the same inside and outside then
		p.Box.Spare = []int{unix.Getpid(), unix.Getppid()}
	}
	pid, pidfd, err := p.Box.Start(c, gate)
	if err != nil {
		return err
	}
	s.pid, s.outer = pid, pid
	if s.outside != nil {
		s.outer, err = s.outside.Pid(pidfd)
	}
	_ = unix.Close(pidfd)
	// An end that this process kept open would keep the end of file away.
	for i, fd := range s.files {
		if !p.Terminal || i != 1 { // the terminal of the session
			_ = unix.Close(fd)
		}
	}
	return err
}

// began tells that the program runs.
func (s *supervisor) began() {
	s.started = true
	s.tell(&Report{Kind: Started, Pid: s.outer})
	if most := s.program.Box.Limits.Processes; most > 0 {
		go s.count()
	}
}

// reap takes the status of whatever becomes a child of this process, the
// program first of all, until there is nobody left.
func (s *supervisor) reap() {
	for {
		pid, err := proc.PeekEnded()
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return // no child is left, and none can come any more
		}
		// Its number outside is known until it is reaped.
		r := Report{Kind: Ended, Pid: s.number(pid)}
		if pid == s.pid {
			r.Data = appendPids(nil, s.living())
		}
		var raw syscall.WaitStatus
		var used syscall.Rusage
		for {
			if _, err = syscall.Wait4(pid, &raw, 0, &used); err != unix.EINTR {
				break
			}
		}
		if r.Status = uint32(raw); r.Pid != 0 && err == nil {
			if pid == s.pid {
				s.used(raw, used.Utime.Nano()+used.Stime.Nano(), used.Maxrss<<10)
			}
			s.tell(&r)
		}
	}
}

// used tells what the program has used, and which limit it was that ended it, if any
// did.
func (s *supervisor) used(raw syscall.WaitStatus, cpu, peak int64) {
	s.tell(&Report{Kind: Used, Pid: s.outer, Data: appendUsage(nil, cpu, peak)})
	if !raw.Signaled() {
		return
	}
	if why := s.program.Box.Limits.Why(raw.Signal(), time.Duration(cpu), peak); why != "" {
		s.tell(&Report{Kind: Exceeded, Text: why})
	}
}

// alone tells that nobody is left, and what they have left behind.
func (s *supervisor) alone() {
	if s.program.Box.Spaces.Has(sandbox.IPC) {
		if list, err := sandbox.Objects(); err == nil {
			if b, err := json.Marshal(list); err == nil {
				s.tell(&Report{Kind: Left, Data: b})
			}
		}
	}
	s.tell(&Report{Kind: Alone})
}

// countEvery is how often the processes of a program are counted: a fork bomb
// makes some hundreds in that time, and the kernel stops it a little later.
const countEvery = 20 * time.Millisecond

// count holds the program to its number of processes, which is a limit that the
// kernel knows only for users as a whole.
func (s *supervisor) count() {
	// Among hundreds that fork this thread would seldom have its turn. Only root
	// may say so, and only for root the kernel keeps no such limit.
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	for range time.Tick(countEvery) {
		if s.tooMany() {
			for !s.endTree() { // on a machine that has much else to do it takes a while
			}
			return
		}
	}
}

// tooMany reports, once, that the program has more processes than it may have.
func (s *supervisor) tooMany() bool {
	most := s.program.Box.Limits.Processes
	u, err := sandbox.Measure(unix.Getpid(), most)
	if err != nil || most == 0 {
		return false
	}
	why := u.Over(sandbox.Limits{Processes: most})
	if why != "" && !s.told.Swap(true) {
		s.tell(&Report{Kind: Exceeded, Text: why})
	}
	return why != ""
}

// number is the number outside of a process that lives or was not reaped yet, 0 if
// it is not to be had.
func (s *supervisor) number(pid int) int {
	switch {
	case pid == s.pid:
		return s.outer
	case s.outside == nil:
		return pid
	}
	fd, err := proc.OpenPidfd(pid)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, err := s.outside.Pid(fd)
	if err != nil {
		return 0
	}
	return n
}

// living lists the processes below this one, the program left out, by their numbers
// outside: those that have not ended, and with a minus sign those that have.
func (s *supervisor) living() []int {
	// Whose parent ends while the tree is read may be missing in it.
	var tree []int
	for range 8 {
		before := tree
		var err error
		if tree, err = proc.Tree(unix.Getpid()); err != nil {
			return nil
		}
		if slices.Equal(tree, before) {
			break
		}
	}
	var out []int
	for _, pid := range tree {
		f, err := proc.ReadFacts(pid)
		if err != nil || f.State == 'X' || pid == s.pid {
			continue
		}
		n := s.number(pid)
		switch {
		case n == 0:
		case f.State == 'Z':
			out = append(out, -n)
		default:
			out = append(out, n)
		}
	}
	return out
}

// tell sends a report to the engine, at once or with those that follow it (see
// flush). It blocks while the engine does not read.
func (s *supervisor) tell(r *Report) {
	if r.At == 0 {
		r.At = arena.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.untold = r.Append(s.untold)
	if r.Kind != Noticed || len(s.untold) > 32<<10 {
		s.send()
	}
}

// flush sends the reports that tell has kept.
func (s *supervisor) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send()
}

// send is called with mu held.
func (s *supervisor) send() {
	b := s.untold
	for len(b) > 0 {
		n, err := unix.Write(fdReport, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			break // the engine is gone, and so is everything soon
		}
		b = b[n:]
	}
	s.untold = s.untold[:0]
}

// watchLifeline ends the tree below this process, and then this process, when
// the engine is gone or wants it so.
func (s *supervisor) watchLifeline() {
	proc.AwaitCut(s.lifeline)
	s.life.Lock()
	s.tooMany() // what has grown since the last count
	s.endTree()
	s.flush()
	unix.Exit(0)
}

// patience bounds how long the end of a tree may take.
const patience = 4 * time.Second

// endTree ends everybody below this process, whatever they do meanwhile. It reports
// whether nobody is left.
func (s *supervisor) endTree() bool {
	_, left := sandbox.KillTree(sandbox.Hunt{Root: unix.Getpid(), Until: time.Now().Add(patience)})
	return len(left) == 0
}
