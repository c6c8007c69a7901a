package report

import (
	"fmt"
	"strings"

	"ipcrun/engine/event"
)

// The mistakes that everybody makes once with processes and signals. Each is
// recognised by what the log says happened, never by what a program looks like; so
// a mistake that leaves no trace is not spoken of.

// mistake is one of them.
type mistake struct {
	name string
	// shows finds it in what happened before event number at, which decided the run,
	// and says in a sentence how it shows, "" if it does not.
	shows func(r Run, at int) string
}

// mistakes are in the order in which they are told; who sees the first one has seen
// the cause of those behind it, mostly.
var mistakes = []mistake{
	{"the key's signal killed a process", killedByKey},
	{"no handler yet when the signal came", noHandlerYet},
	{"signals that coalesced", coalesced},
	{"a guessed pid", guessedPid},
	{"a child never waited for", neverWaited},
	{"busy waiting", busyWaiting},
	{"a line doubled by fork", doubledByFork},
	{"output lost in a buffer", lostInBuffer},
	{"a write end that was inherited", inheritedEnd},
}

// classics are the sentences about mistakes that show before event number at. They
// are about programs: what a script of steps did is explained step by step.
func (r Run) classics(at int) []string {
	if len(r.head().Programs) == 0 {
		return nil
	}
	var out []string
	for _, m := range mistakes {
		if s := m.shows(r, at); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// killedByKey: a key goes to every process of the foreground group, and one of them
// had neither handled nor ignored its signal.
func killedByKey(r Run, at int) string {
	for i := range at {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Ended || e.Status == nil || e.Status.Signal == "" {
			continue
		}
		g := r.fatal(e)
		if g == nil || g.Peer != "kernel" {
			continue
		}
		if key := r.keyBefore(e.At, e.Status.Signal); key != nil {
			return fmt.Sprintf("%v (line %d) goes to the whole foreground group, %s included, which neither handled nor ignored %s: so it was the key that ended it.", key.Value, key.Line, who(e), e.Status.Signal)
		}
	}
	return ""
}

// noHandlerYet: a process that was to react to a signal of another had no handler
// for it, and the signal's default action ended it.
func noHandlerYet(r Run, at int) string {
	for i := range at {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Ended || e.Status == nil {
			continue
		}
		switch e.Status.Signal {
		case "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGHUP":
		default:
			continue // the others are also sent to end somebody
		}
		if g := r.fatal(e); g != nil && (g.Peer != "kernel" || e.Status.Signal == "SIGALRM") {
			return fmt.Sprintf("When %s came to %s, sent by %s, there was no handler for it, and its default action ended the process: a handler has to be installed before anybody can send the signal, which for a child's signals means before the fork.", e.Status.Signal, who(e), sender(g))
		}
	}
	return ""
}

// fatal is the delivery of the signal that ended a process by its default action,
// nil where it was not seen.
func (r Run) fatal(end *event.Event) *event.Event {
	for i := len(r.Log) - 1; i >= 0; i-- {
		e := &r.Log[i]
		if event.KindOf(e.Type) == event.Got && e.Proc == who(end) && e.Signal == end.Status.Signal && e.Detail == "default" {
			return e
		}
	}
	return nil
}

// who is the process that an end is of.
func who(e *event.Event) string {
	if e.Proc != "" {
		return e.Proc
	}
	return e.Object
}

// coalesced: several children have ended, or the same signal was sent several times,
// and the receiver, which handles it, got fewer.
func coalesced(r Run, at int) string {
	ends, got := map[string]int{}, map[string]int{}
	parent, last := map[string]string{}, map[string]int64{}
	for i := range at {
		e := &r.Log[i]
		switch event.KindOf(e.Type) {
		case event.Forked:
			if by, ok := strings.CutPrefix(e.Detail, "by "); ok {
				parent[e.Object] = by
			}
		case event.Ended:
			if p := parent[who(e)]; p != "" {
				ends[p]++
				last[p] = e.At
			}
		case event.Got:
			if e.Signal == "SIGCHLD" && e.Detail == "caught" {
				got[e.Proc]++
			}
		}
	}
	for _, p := range r.head().Procs {
		if ends[p] > got[p] && got[p] > 0 && r.laterThan(p, last[p], at) {
			return fmt.Sprintf("%d children of %s have ended, and SIGCHLD came %s: a signal that comes while the same one is pending is not counted, so one SIGCHLD may stand for several children. Wait in a loop until there is nobody left to wait for.", ends[p], p, times(got[p]))
		}
	}
	return ""
}

// laterThan: the latest SIGCHLD of a process came after a moment, so that no other is
// still on its way.
func (r Run) laterThan(proc string, moment int64, at int) bool {
	for i := range at {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Got && e.Proc == proc && e.Signal == "SIGCHLD" && e.At >= moment {
			return true
		}
	}
	return false
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// guessedPid: a kill whose target is the number after the caller's own, and is
// nobody that it has forked.
func guessedPid(r Run, at int) string {
	forked := map[int]bool{}
	for i := range at {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Forked {
			forked[e.PeerPid] = true
		}
	}
	for i := range at {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Called || e.Verb != "kill" {
			continue
		}
		var pid int
		if n, _ := fmt.Sscanf(e.Detail, "kill(pid %d", &pid); n == 1 && e.Pid > 0 && pid == e.Pid+1 && !forked[pid] {
			return fmt.Sprintf("%s, whose number is %d, sent a signal to %d, which is none of its children: numbers of processes are not consecutive. fork returns that of the child, getppid that of the parent.", e.Proc, e.Pid, pid)
		}
	}
	return ""
}

// part is what a check that failed says of one of its parts, as of "x.state".
func (r Run) part(at int, fits func(proc, value string) bool, fact string) string {
	c := r.Log[at].Check
	if c == nil || c.OK {
		return ""
	}
	for _, p := range c.Parts {
		if proc, ok := strings.CutSuffix(p.Text, "."+fact); ok && fits(proc, strings.Trim(p.Value, `"“”`)) {
			return proc
		}
	}
	return ""
}

// neverWaited: a check found a zombie.
func neverWaited(r Run, at int) string {
	proc := r.part(at, func(_, v string) bool { return v == "zombie" }, "state")
	if proc == "" {
		return ""
	}
	return proc + " has ended, and its parent has not waited for it: until wait or waitpid takes its status, the kernel keeps it as a zombie."
}

// busyWaiting: a check waited, all its time, for a process to fall asleep.
func busyWaiting(r Run, at int) string {
	e := &r.Log[at]
	if e.Verb != "eventually" || e.Check == nil || !strings.Contains(e.Check.Why, "timeout") {
		return ""
	}
	proc := r.part(at, func(p, v string) bool {
		return v == "" && r.endOf(p, at) == nil && r.known(p, at)
	}, "blocked_on")
	if proc == "" {
		return ""
	}
	return proc + " was not asleep at any time while this step waited: it was still starting, or it asks again and again, which takes a processor of its own. pause, sigsuspend, sigwait, waitpid and read wait without one."
}

// doubledByFork: a text that was in a buffer when a process forked is in both of
// them afterwards, and each writes it when it ends.
func doubledByFork(r Run, at int) string {
	forkedBy, forked := map[string]string{}, map[string]int64{}
	type print struct {
		proc string
		at   int64
	}
	first := map[string]print{}
	for i := range at {
		e := &r.Log[i]
		switch event.KindOf(e.Type) {
		case event.Forked:
			if by, ok := strings.CutPrefix(e.Detail, "by "); ok {
				forkedBy[e.Object], forked[e.Object] = by, e.At
			}
		case event.Print:
			text, _ := e.Value.(string)
			p, seen := first[text]
			if !seen {
				first[text] = print{e.Proc, e.At}
				continue
			}
			child := e.Proc
			if forkedBy[p.proc] == e.Proc {
				child = p.proc
			} else if forkedBy[e.Proc] != p.proc {
				continue
			}
			if p.at > forked[child] && text != "" && r.lastOf(p.proc, p.at) && r.lastOf(e.Proc, e.At) {
				return fmt.Sprintf("%s came from %s and from %s, as the last that each of them wrote: what a process has in its buffer when it forks is in the child's buffer, too. Flush before the fork.", quoted(text), p.proc, e.Proc)
			}
		}
	}
	return ""
}

// lastOf: a process has written nothing after a moment, and then ended.
func (r Run) lastOf(proc string, moment int64) bool {
	ended := false
	for i := range r.Log {
		e := &r.Log[i]
		switch event.KindOf(e.Type) {
		case event.Print:
			if e.Proc == proc && e.At > moment {
				return false
			}
		case event.Ended:
			ended = ended || who(e) == proc
		}
	}
	return ended
}

// lostInBuffer: a process ended with a text in stdio's buffer, by a signal or by
// _exit; or it had there, when the run was over, what an expect was waiting for.
func lostInBuffer(r Run, at int) string {
	for i := range r.Log {
		e := &r.Log[i]
		text, _ := e.Value.(string)
		if event.KindOf(e.Type) != event.Lost || e.Status == nil {
			continue
		}
		var s string
		switch c := r.Log[at].Check; {
		case i > at && (c == nil || r.Log[at].Verb != "expect" || !strings.Contains(text, c.Text)):
			continue
		case i > at:
			s = fmt.Sprintf("%s still stood in the stdio buffer of %s when it ended", quoted(text), named(e.Proc, e.Pid))
		case e.Status.Signal != "":
			by := ""
			if g := r.fatal(e); g != nil && g.Peer == "script" {
				if sent := r.sentBefore(e.Proc, e.Status.Signal, e.At); sent != nil {
					by = inLine(sent)
				}
			}
			s = fmt.Sprintf("%s was killed by %s%s with %s in its stdio buffer", named(e.Proc, e.Pid), e.Status.Signal, by, quoted(text))
		default:
			s = fmt.Sprintf("%s ended as _exit ends a process, without a flush, with %s in its stdio buffer", named(e.Proc, e.Pid), quoted(text))
		}
		return s + ": into a pipe or a file stdio writes only when the buffer is full, at fflush and at exit, and to a terminal at the end of a line, too."
	}
	return ""
}

// inheritedEnd: a process waits for the end of a pipe whose other end it has itself.
func inheritedEnd(r Run, at int) string {
	e := &r.Log[at]
	proc := ""
	if e.Check != nil {
		for _, s := range strings.Split(e.Check.Why, "; ") {
			if strings.HasSuffix(s, ownWriteEnd) {
				proc, _, _ = strings.Cut(s, " ")
			}
		}
	}
	if e.Stuck != nil {
		for _, w := range e.Stuck.Waits {
			if strings.HasSuffix(w.Why, ownWriteEnd) {
				proc = w.Proc
			}
		}
	}
	if proc == "" {
		return ""
	}
	return "The end of a file comes when the last write end of the pipe is closed, in every process, and " + proc + " has one itself, inherited by fork. Close what is not used, right after the fork."
}

// ownWriteEnd is how the engine says that a reader has the other end, too.
const ownWriteEnd = "whose write end it has open itself"
