//go:build linux && (amd64 || arm64)

package observe

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Options say what is observed.
type Options struct {
	// Calls: the system calls of interprocess communication too. The program
	// then stops at each of them, and at no other.
	Calls bool
	// Prints: who writes what to the standard streams that the program was started
	// with, by write or writev to descriptors 1 and 2. The program stops before
	// each.
	Prints bool
	// Stage is what the argument vector of the caller's own stage begins with, "" if
	// start forks the one that Command describes.
	Stage string
	// Idle, if not nil, is called whenever Run has told all that it knows and is
	// about to wait: the moment to pass on events that sink has gathered.
	Idle func()
}

// Run starts a program and watches it and all its descendants until no child of
// this process is left. It reaps every child of this process, whoever forked it:
// the process should do nothing else, and be a subreaper, so that orphans come to
// it.
//
// start forks the stage that Command describes; gate is the descriptor to hand
// to it, which belongs to Run. It runs on the calling goroutine, which is locked
// to its thread meanwhile. So does sink, with every event, the first of which is
// the Exec of the program itself (unless a signal comes before it); it may keep
// the event. While sink blocks, the programs wait at their next event. Begin
// events come from another goroutine, but never two events at once.
//
// The error is a *Refused if the kernel does not let us trace, and start's own or
// that of the program's exec if there is no program. Then no process is left.
func Run(o Options, start func(gate int) (pid int, err error), sink func(*Event)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ours, theirs, err := gate()
	if err != nil {
		return err
	}
	defer unix.Close(ours)
	root, err := start(theirs)
	_ = unix.Close(theirs)
	if err != nil {
		return err
	}
	if err := seize(root, o.tracing()); err != nil {
		_ = unix.Kill(root, unix.SIGKILL)
		_, _ = unix.Wait4(root, nil, unix.WALL, nil)
		return err
	}
	t := &tracer{options: o, sink: sink, root: root, gate: ours,
		threads: map[int]*thread{}, processes: map[int]*process{}, early: map[int]bool{}}
	t.add(root, root).process.staged = true
	if err := openGate(ours, o); err != nil {
		_ = unix.Kill(root, unix.SIGKILL)
		t.failed = err
	}
	if o.Calls {
		t.bell = make(chan struct{}, 1)
		go t.ring()
	}
	t.mu.Lock()
	t.loop()
	t.mu.Unlock()
	if o.Calls {
		close(t.bell)
	}
	return t.failed
}

// tracing is what every tracee stops at.
func (o *Options) tracing() uintptr {
	if o.keepsBuffers() {
		return options | unix.PTRACE_O_TRACEEXIT
	}
	return options
}

// seize makes the stage, which waits at its gate, a tracee without stopping it.
func seize(pid int, options uintptr) error {
	if errno := ptrace(unix.PTRACE_SEIZE, pid, 0, options); errno != 0 {
		return refused("ptrace", errno, pid)
	}
	return nil
}

// tracer is the state of Run.
type tracer struct {
	options Options
	sink    func(*Event)
	root    int   // the program's first process
	gate    int   // where its stage says why it could not go on
	failed  error // what it said
	// standard is what the program's standard output and error lead to.
	standard [2]string
	at       int64 // when the present stop was reported

	threads   map[int]*thread
	processes map[int]*process
	// early holds threads whose first stop was reported before their parent's
	// fork was. They may even end before it.
	early   map[int]bool
	fresh   bool       // there are events since Idle was called
	mu      sync.Mutex // held except while the tracer waits
	began   []*call    // those that may wait and have not been told of
	ringing bool       // the bell is about to look at them
	bell    chan struct{}
	// told holds processes whose end was told. If their parent ends without
	// having waited for them, they are reported once more, as our own children.
	told pids
}

// process is a tracee as seen by users.
type process struct {
	pid     int
	threads int  // how many live
	waiting int  // how many of them are in the present stop
	stops   int  // how many stops are over
	signal  int  // what stops them
	stopped bool // all of them are in it
	staged  bool // it is our own stage still
	stray   bool // a SIGURG of our stage is on its way
	files   *files
	killer  *call // who is about to kill it, or has

	// Of what may be lost in its buffers, see exiting.
	exiting   int        // how many threads are about to end
	shares    bool       // others have, or may have, the same memory
	buffers   [2]uint64  // where stdio has its variables, 0: nobody has looked
	inherited [2]string  // what was in them when it was forked
	writing   [2]writing // what it wrote last, by itself
}

// thread is a tracee as seen by the kernel.
type thread struct {
	tid int
	*process
	joined int // the stop that it is or was in last, counted from 1
	call   *call
	// exiting: it is about to end.
	exiting bool
	// reentering: it is on its way into a system call once more, and all its
	// signals are blocked; mask is what it blocks itself.
	reentering bool
	mask       kernelMask
}

// inStop reports whether the thread is in its process's present stop.
func (th *thread) inStop() bool { return th.joined == th.stops+1 }

// loop deals with one stop after the other.
func (t *tracer) loop() {
	for {
		var status uint32
		var used unix.Rusage
		var tid int
		var errno unix.Errno
		if t.fresh {
			// Only with something to pass on it matters that nobody has news.
			tid, errno = wait(-1, &status, unix.WNOHANG, &used)
		}
		if tid == 0 && errno == 0 {
			t.idle()
			t.mu.Unlock()
			tid, errno = wait(-1, &status, 0, &used)
			t.mu.Lock()
		}
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return // ECHILD: nobody is left, and nobody can come any more
		}
		t.at = now()
		if status&0x7f != 0x7f {
			t.ended(tid, status, &used)
			continue
		}
		th := t.threads[tid]
		if th == nil {
			th = t.adopt(tid)
		}
		t.stop(th, int(status>>8&0xff), int(status>>16))
	}
}

// idle is for when nobody has news.
func (t *tracer) idle() {
	if len(t.began) > 0 && !t.ringing {
		t.ringing = true
		t.bell <- struct{}{}
	}
	if t.fresh && t.options.Idle != nil {
		t.options.Idle()
	}
	t.fresh = false
}

// stop deals with the stop of a thread and ends it.
func (t *tracer) stop(th *thread, signal, event int) {
	if th.reentering && t.reentered(th, signal, event) {
		return
	}
	switch event {
	case unix.PTRACE_EVENT_FORK:
		t.forked(th, ByFork)
	case unix.PTRACE_EVENT_VFORK:
		t.forked(th, ByVfork)
	case unix.PTRACE_EVENT_CLONE:
		t.forked(th, ByClone)
	case unix.PTRACE_EVENT_EXEC:
		t.executed(th)
	case unix.PTRACE_EVENT_STOP:
		// Of a stopped group the signal that stopped it, else SIGTRAP: a new
		// thread begins, or the group's stop is over.
		if signal != int(unix.SIGTRAP) {
			t.groupStop(th, signal)
			leaveStopped(th.tid)
			return
		}
		t.goOn(th)
	case unix.PTRACE_EVENT_EXIT:
		t.exiting(th)
	case unix.PTRACE_EVENT_SECCOMP:
		t.entered(th)
		return
	case 0:
		if signal == int(unix.SIGTRAP)|0x80 {
			t.returned(th)
		} else {
			t.delivered(th, signal)
		}
		return
	}
	resume(th.tid, 0)
}

// tell passes an event of a process on, unless it is our own stage's.
func (t *tracer) tell(p *process, e Event) {
	if p != nil && p.staged {
		return
	}
	e.At = t.at
	t.pass(&e)
}

// pass passes an event on.
func (t *tracer) pass(e *Event) {
	t.fresh = t.options.Idle != nil
	t.sink(e)
}

// add takes a thread in, and its process with the first one.
func (t *tracer) add(pid, tid int) *thread {
	p := t.processes[pid]
	if p == nil {
		t.told.remove(pid)
		p = &process{pid: pid, files: new(files)}
		t.processes[pid] = p
	}
	p.threads++
	th := &thread{tid: tid, process: p}
	t.threads[tid] = th
	return th
}

// forked takes in what a thread has forked. Its first stop may have been
// reported before.
func (t *tracer) forked(th *thread, way Way) {
	child, ok := eventMessage(th.tid)
	if !ok {
		return // killed meanwhile; the child is adopted at its first stop
	}
	known := t.threads[child] != nil || t.early[child]
	delete(t.early, child)
	switch {
	case known:
		if c := t.threads[child]; c != nil && c.process != th.process && c.shares {
			c.process.shares = false // that was said when nobody knew its parent, and it has not executed anything
			t.inherit(th, c.process, way)
		}
	case isThread(th.pid, child):
		t.add(th.pid, child)
	default:
		c := t.add(child, child)
		c.staged = th.staged
		if t.options.Calls && sharesFiles(th.pid, child) {
			c.files = th.files
		}
		t.inherit(th, c.process, way)
		t.tell(th.process, Event{Kind: Fork, Pid: th.pid, Child: child, Way: way})
	}
}

// adopt takes in a thread that stops before its parent's fork is reported, or
// whose parent was killed before it could report it.
func (t *tracer) adopt(tid int) *thread {
	t.early[tid] = true
	pid, ppid := family(tid)
	if pid != tid && t.processes[pid] != nil {
		return t.add(pid, tid)
	}
	th := t.add(tid, tid)
	th.shares = true // as far as we know yet
	parent := t.processes[ppid]
	if parent == nil {
		ppid = 0
	} else {
		th.staged = parent.staged
	}
	t.tell(th.process, Event{Kind: Fork, Pid: ppid, Child: tid, Way: ByFork})
	return th
}

// executed notes that a process runs another program. All other threads are gone
// then; the one that called exec has taken the number of the first.
func (t *tracer) executed(th *thread) {
	p := th.process
	if former, ok := eventMessage(th.tid); ok && former != th.tid {
		delete(t.threads, former)
	}
	p.threads, p.waiting, p.stopped = 1, 0, false
	p.stops++
	p.files = new(files)
	p.exiting, p.shares, p.buffers, p.inherited, p.writing = 0, false, [2]uint64{}, [2]string{}, [2]writing{}
	th.call, th.exiting = nil, false
	exe, argv := program(p.pid)
	if p.staged && len(argv) > 0 && (argv[0] == stageName || argv[0] == t.options.Stage) {
		return // it was seized in the middle of becoming the stage
	}
	if p.staged {
		// What the runtime of our stage sent itself last is not for the program.
		p.stray = pending(p.pid)>>(unix.SIGURG-1)&1 == 1
	}
	if p.staged && p.pid == t.root && t.options.keepsBuffers() {
		t.streams(p.pid)
	}
	p.staged = false
	t.tell(p, Event{Kind: Exec, Pid: p.pid, Exe: exe, Argv: argv})
}

// groupStop notes that a thread has joined the stop of its process.
func (t *tracer) groupStop(th *thread, signal int) {
	if th.inStop() {
		return
	}
	th.joined = th.stops + 1
	th.waiting++
	th.signal = signal
	t.allStopped(th.process)
}

// allStopped tells of a stop once the last thread has joined it. A first thread
// that has ended before the others stays in the count and cannot join.
func (t *tracer) allStopped(p *process) {
	if p.stopped || p.waiting == 0 || p.waiting < p.threads-1 {
		return
	}
	if p.waiting == p.threads-1 {
		first := t.threads[p.pid]
		if first == nil || first.inStop() || !isZombie(p.pid) {
			return
		}
	}
	p.stopped = true
	t.tell(p, Event{Kind: Stop, Pid: p.pid, Signal: p.signal})
}

// goOn notes that a thread has left the stop of its process, if it was in one.
// With the first to leave it the stop is over.
func (t *tracer) goOn(th *thread) {
	if !th.inStop() {
		return
	}
	p := th.process
	p.stops++
	p.waiting = 0
	if p.stopped {
		p.stopped = false
		t.tell(p, Event{Kind: Continue, Pid: p.pid})
	}
}

// ended notes the end of a thread. That of a process's first thread is reported
// when all others are gone, and is the end of the process.
func (t *tracer) ended(tid int, status uint32, used *unix.Rusage) {
	th := t.threads[tid]
	if th == nil {
		if !t.told.has(tid) {
			// Killed before its first stop and before its parent's; or one that
			// was cloned so that nobody traces it, and became an orphan.
			t.told.add(tid)
			t.tell(nil, Event{Kind: Fork, Child: tid, Way: ByFork})
			t.tell(nil, Event{Kind: Exit, Pid: tid, Status: status})
		}
		return
	}
	delete(t.threads, tid)
	th.call = nil
	p := th.process
	if tid != p.pid {
		p.threads--
		if th.exiting {
			p.exiting--
		}
		if th.inStop() {
			p.waiting--
		}
		t.allStopped(p) // the others may have waited for this one
		return
	}
	delete(t.processes, p.pid)
	t.told.add(p.pid)
	if p.staged && p.pid == t.root {
		p.staged = false
		if t.failed == nil {
			t.failed = failure(t.gate)
		}
		if t.failed != nil {
			return
		}
	}
	if status&0x7f == uint32(unix.SIGKILL) {
		// The only signal that no stop announces.
		e := Event{Kind: Signal, Pid: p.pid, Tid: p.pid, Signal: int(unix.SIGKILL), Disposition: Default}
		if p.killer != nil {
			e.Code, e.Sender, e.Uid = FromKill, p.killer.th.pid, p.killer.uid
		}
		t.tell(p, e)
	}
	t.tell(p, Event{Kind: Exit, Pid: p.pid, Status: status, CPU: used.Utime.Nano() + used.Stime.Nano(), Peak: used.Maxrss << 10})
}

// pids is a set of process numbers. It stays small: the kernel uses them again.
type pids []uint64

func (s pids) has(pid int) bool { return pid>>6 < len(s) && s[pid>>6]>>(pid&63)&1 == 1 }

func (s *pids) add(pid int) {
	if need := pid>>6 + 1; need > len(*s) {
		*s = append(*s, make([]uint64, need-len(*s))...)
	}
	(*s)[pid>>6] |= 1 << (pid & 63)
}

func (s pids) remove(pid int) {
	if pid>>6 < len(s) {
		s[pid>>6] &^= 1 << (pid & 63)
	}
}

// Refused is the error where the kernel does not let us observe.
type Refused struct {
	Call   string // the system call: "ptrace", "seccomp"
	Reason string // in words, a sentence without its full stop
	Err    error
}

func (r *Refused) Error() string { return r.Reason }

// Unwrap is the kernel's own error.
func (r *Refused) Unwrap() error { return r.Err }

// IsRefused reports whether an error says that the kernel does not let us
// observe, so that a run should be skipped and not failed.
func IsRefused(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}

func refused(call string, err error, tracee int) error {
	return &Refused{Call: call, Reason: reason(call, err, tracee), Err: fmt.Errorf("%s: %w", call, err)}
}
