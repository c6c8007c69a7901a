//go:build linux && (amd64 || arm64)

package observe

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// call is a system call that a thread is in.
type call struct {
	th    *thread
	spec  *spec
	raw   [6]uint64
	args  []Arg
	began int64
	// silent: it is followed to its end only to forget descriptors.
	silent bool
	uid    uint32 // of a killer
	// interrupted is how the kernel means to go on with the call after a
	// signal, one of its private errors; 0 while the thread is in the call.
	interrupted unix.Errno
}

// The kernel's private errors, which programs never see.
const (
	erestartsys          = unix.Errno(512) // begins again, unless a handler without SA_RESTART runs
	erestartnointr       = unix.Errno(513) // begins again
	erestartnohand       = unix.Errno(514) // begins again, unless a handler runs
	erestartRestartblock = unix.Errno(516) // goes on, unless a handler runs
)

// entered deals with a stop at the filter: a call of the table is about to begin.
func (t *tracer) entered(th *thread) {
	var i callInfo
	if errno := i.read(th.tid); errno != 0 {
		resume(th.tid, 0)
		return
	}
	t.printed(th, &i)
	if !t.options.Calls {
		resume(th.tid, 0)
		return
	}
	if c := th.call; c != nil {
		if c.interrupted != 0 && (i.nr == uint64(c.spec.nr) && i.args == c.raw || i.nr == unix.SYS_RESTART_SYSCALL) {
			c.interrupted = 0 // the same call goes on
			resumeToExit(th.tid)
			return
		}
		t.drop(c)
	}
	var s *spec
	if n := byNumber(); i.nr < uint64(len(n)) {
		s = n[i.nr]
	}
	if s == nil || th.staged || s.nr == unix.SYS_RESTART_SYSCALL {
		resume(th.tid, 0)
		return
	}
	c := &call{th: th, spec: s, raw: i.args, began: t.at}
	told := true
	if s.onObject {
		told = th.files.object(th.pid, int(int32(i.args[0]))) != ""
	}
	if told {
		c.args, told = t.arguments(c)
	}
	if s.forgets != nil {
		s.forgets(th.files, &i.args)
		// Another thread may look the descriptor up before it is gone.
		if !told && th.threads > 1 {
			th.call = c
			c.silent = true
			resumeToExit(th.tid)
			return
		}
	}
	if !told {
		resume(th.tid, 0)
		return
	}
	t.noteKill(c, true)
	th.call = c
	if c.spec.blocks {
		if len(t.began) > 64+2*len(t.threads) {
			t.began = slices.DeleteFunc(t.began, func(c *call) bool { return c.th.call != c })
		}
		t.began = append(t.began, c)
	}
	resumeToExit(th.tid)
}

// returned deals with the stop at the end of a call.
func (t *tracer) returned(th *thread) {
	c := th.call
	var i callInfo
	if c == nil || i.read(th.tid) != 0 {
		resume(th.tid, 0)
		return
	}
	result, failed := i.result()
	if failed {
		switch errno := unix.Errno(-result); errno {
		case erestartsys, erestartnointr, erestartnohand, erestartRestartblock:
			// A signal, or a stop, comes first; see delivered.
			c.interrupted = errno
			resume(th.tid, 0)
			return
		}
	}
	th.call = nil
	if c.spec.forgets != nil {
		c.spec.forgets(th.files, &c.raw)
	}
	t.tellCall(c, result, failed)
	resume(th.tid, 0)
}

func (t *tracer) tellCall(c *call, result int64, failed bool) {
	if c.silent {
		return
	}
	s := &SystemCall{Name: c.spec.name, Args: c.args, Result: result, Duration: t.at - c.began}
	if failed {
		s.Result, s.Error = -1, errorName(unix.Errno(-result))
		t.noteKill(c, false)
	} else if c.spec.results != nil {
		s.Results = c.spec.results(t, c, result)
	}
	t.tell(c.th.process, Event{Kind: Call, Pid: c.th.pid, Tid: c.th.tid, Call: s})
}

// interruptedBy notes that a signal comes between the beginning and the end of a
// call, if it does. With no handler the call goes on as if nothing had been.
func (t *tracer) interruptedBy(th *thread, d Disposition) {
	c := th.call
	if c == nil || c.interrupted == 0 || d != Caught {
		return
	}
	th.call = nil
	t.tellCall(c, -int64(c.interrupted), true)
}

// drop tells of an interrupted call of which nobody knows how it ended, when the
// thread makes another.
func (t *tracer) drop(c *call) {
	c.th.call = nil
	if c.interrupted != 0 {
		t.tellCall(c, -int64(unix.EINTR), true)
	}
}

// errorName is the name of an error. One of the kernel's own that may begin the
// call again is called ERESTART: if the handler was installed with SA_RESTART,
// the same call follows, else the program has seen EINTR.
func errorName(e unix.Errno) string {
	switch e {
	case erestartsys, erestartnointr:
		return "ERESTART"
	case erestartnohand, erestartRestartblock:
		return "EINTR"
	}
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return e.Error()
}

// waiting is how long a call has to last before a Begin tells of it.
const waiting = time.Millisecond

// ring is the goroutine that tells of calls that wait. The tracer cannot: it
// waits itself, in a way that knows no time limit.
func (t *tracer) ring() {
	for range t.bell {
		for again := true; again; {
			time.Sleep(waiting)
			t.mu.Lock()
			again = t.tellBegun()
			t.ringing = again
			t.mu.Unlock()
		}
	}
}

// tellBegun tells of the calls that wait. It returns true if there are some that
// have just begun.
func (t *tracer) tellBegun() (young bool) {
	at := now()
	told := false
	t.began = slices.DeleteFunc(t.began, func(c *call) bool {
		switch {
		case c.th.call != c:
			return true
		case at-c.began < int64(waiting):
			young = true
			return false
		}
		told = true
		t.pass(&Event{Kind: Begin, At: at, Pid: c.th.pid, Tid: c.th.tid, Call: &SystemCall{Name: c.spec.name, Args: c.args}})
		return true
	})
	if told && t.options.Idle != nil {
		t.options.Idle()
		t.fresh = false
	}
	return young
}

// noteKill remembers who is about to kill whom with SIGKILL, which the kernel
// does not; or that the call failed.
func (t *tracer) noteKill(c *call, begins bool) {
	var target, signal int
	group := false
	switch c.spec.nr {
	case unix.SYS_KILL:
		target, signal = int(int32(c.raw[0])), int(c.raw[1])
	case unix.SYS_TGKILL:
		target, signal = int(int32(c.raw[0])), int(c.raw[2])
	case unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO:
		target, signal = int(int32(c.raw[0])), int(c.raw[1])
	case unix.SYS_RT_TGSIGQUEUEINFO:
		target, signal = int(int32(c.raw[0])), int(c.raw[2])
	default:
		return
	}
	if signal != int(unix.SIGKILL) {
		return
	}
	if begins {
		c.uid = uid(c.th.pid)
	}
	if target <= 0 {
		group = true
		if target == 0 {
			target = c.th.pid
			target, _ = unix.Getpgid(target)
		} else {
			target = -target
		}
	}
	for pid, p := range t.processes {
		hit := pid == target
		if group {
			pgid, err := unix.Getpgid(pid)
			hit = err == nil && (pgid == target || target == 1)
		}
		switch {
		case hit && begins && p.killer == nil:
			p.killer = c
		case !begins && p.killer == c:
			p.killer = nil
		}
	}
}
