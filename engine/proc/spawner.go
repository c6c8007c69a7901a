//go:build linux

package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	_ "ipcrun/engine/proc/stack" // whoever is started here begins with it
)

// Start describes a process to be started.
type Start struct {
	// Path is the executable; nothing is searched for in PATH.
	Path string
	// Args is the argument vector, Args[0] included. Empty means {Path}.
	Args []string
	// Env is the whole environment, as KEY=VALUE. Nothing is inherited.
	Env []string
	// Dir is the working directory; empty means the caller's.
	Dir string
	// Files maps descriptors: descriptor i of the child is the caller's
	// descriptor Files[i]. -1 leaves a hole. Whatever is not listed is closed.
	// The descriptors still belong to the caller and must stay open until the
	// call has returned.
	Files []int
	// Setsid makes the child the leader of a new session.
	Setsid bool
	// Ctty is a terminal's descriptor, or -1. Together with Setsid it is a
	// number in the child and becomes its controlling terminal; together with
	// Foreground it is a number in the caller.
	Ctty int
	// Setpgid gives the child a process group of its own.
	Setpgid bool
	// Foreground gives the child a process group of its own and makes it the
	// foreground group of the terminal Ctty, before the program is executed.
	// It cannot be combined with Setsid.
	Foreground bool
	// Fresh gives the child what a login shell would: no signal blocked, none
	// ignored. Fork only; the caller's own dispositions change accordingly.
	Fresh bool
	// Pdeathsig, if not zero, is sent to the child when the thread that forked
	// it ends.
	Pdeathsig syscall.Signal
	// Cloneflags are the namespaces that the child gets of its own, as
	// CLONE_NEWPID. The first process of a PID namespace is out of the
	// Lifeline's reach: give it a Pdeathsig.
	Cloneflags uintptr
	// UidMappings and GidMappings are those of a new user namespace.
	UidMappings, GidMappings []syscall.SysProcIDMap
	// AmbientCaps are the capabilities that the child keeps when the program
	// is executed, though it may not be root.
	AmbientCaps []uintptr
	// Credential, if not nil, is the user that the child becomes.
	Credential *syscall.Credential
}

// Spawner starts processes from one thread that lives as long as the Spawner
// and has all signals blocked. Its methods may be used from any goroutine;
// starts happen one after the other.
type Spawner struct {
	requests chan spawnRequest
	closing  chan struct{}
	done     chan struct{}
	once     sync.Once
}

type spawnRequest struct {
	start Start
	reply chan spawnReply
}

type spawnReply struct {
	pid, pidfd int
	err        error
}

// NewSpawner starts the thread.
func NewSpawner() (*Spawner, error) {
	s := &Spawner{
		requests: make(chan spawnRequest),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
	}
	ready := make(chan error)
	go s.serve(ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	return s, nil
}

// serve is the thread's whole life. It never unlocks, so that the thread,
// whose mask fits nobody else, ends with the goroutine.
func (s *Spawner) serve(ready chan<- error) {
	defer close(s.done)
	runtime.LockOSThread()
	if err := SetMask(AllSignals); err != nil {
		ready <- fmt.Errorf("spawner: block signals: %w", err)
		return
	}
	ready <- nil
	for {
		select {
		case r := <-s.requests:
			if r.start.Path == "" { // Await
				r.reply <- spawnReply{}
				continue
			}
			pid, pidfd, err := forkBlocked(r.start)
			r.reply <- spawnReply{pid, pidfd, err}
		case <-s.closing:
			return
		}
	}
}

// Start starts a process and returns its pid and a close-on-exec pidfd, which
// the caller owns. The child has all signals blocked. It blocks until the new
// program has been executed; an error means that there is no process.
func (s *Spawner) Start(start Start) (pid, pidfd int, err error) {
	reply := make(chan spawnReply, 1)
	select {
	case s.requests <- spawnRequest{start, reply}:
	case <-s.closing:
		return 0, -1, fmt.Errorf("start %s: spawner: %w", start.Path, os.ErrClosed)
	}
	r := <-reply
	return r.pid, r.pidfd, r.err
}

// Await waits until every start that was under way is over. What the caller has
// closed before is then open in none of the processes that were started.
func (s *Spawner) Await() {
	reply := make(chan spawnReply, 1)
	select {
	case s.requests <- spawnRequest{reply: reply}:
		<-reply
	case <-s.closing:
	}
}

// Close ends the thread. Children started with a Pdeathsig get it then.
// Close may be called more than once.
func (s *Spawner) Close() {
	s.once.Do(func() { close(s.closing) })
	<-s.done
}

// Fork does what Spawner.Start does, on the calling thread: an agent uses it
// so that the child is really its own. The goroutine should be locked to its
// thread, because a Pdeathsig follows that thread. All signals are blocked
// while it runs, and the thread's mask is what it was when it returns.
func Fork(start Start) (pid, pidfd int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mask := AllSignals
	if start.Fresh {
		mask = 0
		if err := stopIgnoring(); err != nil {
			return 0, -1, fmt.Errorf("start %s: %w", start.Path, err)
		}
	}
	old, err := swapMask(unix.SIG_SETMASK, mask)
	if err != nil {
		return 0, -1, fmt.Errorf("start %s: block signals: %w", start.Path, err)
	}
	pid, pidfd, err = forkBlocked(start)
	if rerr := SetMask(old); rerr != nil && err == nil {
		// Cannot happen with a valid mask; the child must not be lost over it.
		err = fmt.Errorf("start %s: restore signal mask: %w", start.Path, rerr)
	}
	return pid, pidfd, err
}

// forkBlocked starts a process from a thread that has all signals blocked.
func forkBlocked(start Start) (pid, pidfd int, err error) {
	if start.Setsid && start.Foreground {
		return 0, -1, fmt.Errorf("start %s: a new session and a foreground group exclude each other: %w", start.Path, unix.EINVAL)
	}
	if err := closeOnExec(); err != nil {
		return 0, -1, fmt.Errorf("start %s: mark descriptors close-on-exec: %w", start.Path, err)
	}
	args := start.Args
	if len(args) == 0 {
		args = []string{start.Path}
	}
	env := start.Env
	if env == nil {
		env = []string{} // nil would mean ours
	}
	files := make([]uintptr, len(start.Files))
	for i, fd := range start.Files {
		files[i] = uintptr(fd)
		if fd < 0 {
			files[i] = ^uintptr(0)
		}
	}
	pidfd = -1
	attr := &syscall.ProcAttr{
		Dir:   start.Dir,
		Env:   env,
		Files: files,
		Sys: &syscall.SysProcAttr{
			Setsid:     start.Setsid,
			Setctty:    start.Setsid && start.Ctty >= 0,
			Setpgid:    start.Setpgid,
			Foreground: start.Foreground,
			Ctty:       start.Ctty,
			Pdeathsig:  start.Pdeathsig,
			PidFD:      &pidfd,

			Cloneflags:  start.Cloneflags,
			UidMappings: start.UidMappings,
			GidMappings: start.GidMappings,
			AmbientCaps: start.AmbientCaps,
			Credential:  start.Credential,
		},
	}
	pid, err = syscall.ForkExec(start.Path, args, attr)
	if err != nil {
		return 0, -1, fmt.Errorf("start %s: %w", start.Path, err)
	}
	if pidfd < 0 {
		// The child has not been reaped, so its pid is still its own.
		if pidfd, err = OpenPidfd(pid); err != nil {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
			return 0, -1, fmt.Errorf("start %s: %w", start.Path, err)
		}
	}
	return pid, pidfd, nil
}

const closeRangeCloexec = 1 << 2

// closeOnExec marks every descriptor above standard error. Go opens its own
// that way, but what this process itself inherited (a shell's, a CI runner's)
// would go on into every child and keep pipes open there.
func closeOnExec() error {
	_, _, errno := unix.RawSyscall(unix.SYS_CLOSE_RANGE, 3, uintptr(^uint32(0)), closeRangeCloexec)
	switch errno {
	case 0:
		return nil
	case unix.ENOSYS, unix.EINVAL, unix.EPERM: // an old kernel, a strict seccomp filter
	default:
		return errno
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// Self is the path by which this program executes itself again. It prefers
// the process file system's link, which still works after the file has been
// replaced or deleted.
func Self() string {
	const link = "/proc/self/exe"
	if unix.Access(link, unix.X_OK) == nil {
		return link
	}
	if path, err := os.Executable(); err == nil {
		return path
	}
	return link
}
