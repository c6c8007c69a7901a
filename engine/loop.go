package engine

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
	"ipcrun/prims/arena"
)

// What a ready descriptor belongs to; the slot is in the low bits.
const (
	tagWake     = 1 << 40
	tagConsole  = 2 << 40
	tagProcess  = 3 << 40
	tagTerminal = 4 << 40
	tagHelper   = 5 << 40 // number of a supervisor
	tagStream   = 6 << 40 // number of a stream
	tagInput    = 7 << 40
	tagKind     = 0xff << 40
)

// lookEvery is how often a waiting engine looks whether anybody can still
// move, when nobody has told it to: a process that was stopped says nothing.
const lookEvery = 25 * time.Millisecond

// holdOff is how long the engine does not want to hear that everybody is
// blocked, after that turned out to be passing.
const holdOff = 5 * time.Millisecond

// pump waits until something happens, at most for d, and takes note of it.
func (r *run) pump(d time.Duration) {
	// Announce, look once more, sleep: whoever writes after the look wakes us.
	want := arena.WantNotable
	switch {
	case r.anything:
		want = arena.WantAny
	case arena.Now() < r.holdOff:
		want = arena.WantEvents
	}
	r.arena.Want(want)
	if r.drain() || r.interrupted() {
		d = 0
	}
	var err error
	r.ready, err = r.watcher.Wait(r.ready[:0], d)
	r.arena.Want(arena.WantNothing)
	if err != nil {
		r.broken(err)
		return
	}
	var ended []int
	for _, f := range r.ready {
		slot := int(f.Tag & 0xffffffff)
		switch f.Tag & tagKind {
		case tagWake:
			var b [8]byte
			unix.Read(r.wakeFd, b[:])
		case tagConsole:
			r.readConsole()
		case tagTerminal:
			r.readTerminal(slot, f.Hangup)
		case tagHelper:
			r.helperEnded(slot)
		case tagStream:
			r.streams[slot].read()
		case tagInput:
			r.moreInput(slot)
		case tagProcess:
			ended = append(ended, slot)
		}
	}
	r.retypeAll()
	r.discover()
	r.find(false)
	for _, slot := range ended {
		if r.procs[slot].program != nil || r.isFound(slot) {
			r.outOf(slot)
		}
		r.processEnded(slot)
	}
	r.takePeeked()
	r.drain()
}

// drain takes what processes have recorded, and reports whether any of it is what
// somebody may be waiting for. Routine operations are not, unless anything may be: an
// engine that came back for each would only take the memory away from the process
// that writes them.
func (r *run) drain() (notable bool) {
	for i := range r.procs {
		if !r.arena.Pending(i) {
			continue
		}
		r.arena.Drain(i, func(b []byte) {
			if !r.log.Append(i, b) {
				r.broken(fmt.Errorf("%s: a record that cannot be", r.plan.Slots[i].Name))
				notable = true
				return
			}
			r.news++
			r.procs[i].last = event.PeekAt(b, r.procs[i].last)
			k := event.PeekKind(b)
			notable = notable || r.anything || k.Notable()
			if !k.Noted() && k != event.Piece {
				return
			}
			rec, more, err := r.reader.Read(i, b)
			if more {
				return
			}
			if err != nil {
				r.broken(fmt.Errorf("%s: %w", r.plan.Slots[i].Name, err))
				notable = true
				return
			}
			r.note(i, &rec)
		})
	}
	// Whose parent has waited for it has ended, and the script may ask at once:
	// its own descriptor may have become readable after the last look at all.
	for len(r.reaped) > 0 {
		slot := r.reaped[0]
		r.reaped = r.reaped[1:]
		r.discover() // it may have been forked since the last look, too
		r.processEnded(slot)
		notable = true
	}
	return notable
}

func (r *run) readConsole() {
	var buf [4096]byte
	for {
		n, err := unix.Read(r.console[0], buf[:])
		if n <= 0 || err != nil {
			return
		}
		r.consoleBy = append(r.consoleBy, buf[:n]...)
	}
}

// flushConsole records what processes wrote outside print: what an agent says
// when it cannot go on.
func (r *run) flushConsole() {
	r.readConsole()
	if len(r.consoleBy) == 0 {
		return
	}
	text := r.consoleBy
	if len(text) > event.MaxText {
		text = text[:event.MaxText]
	}
	r.emit(&event.Rec{Kind: event.Output, Obj: event.NoObj, Value: string(text)})
	r.consoleBy = nil
}

func (r *run) readTerminal(slot int, hangup bool) {
	t := r.terms[slot]
	var buf [4096]byte
	for left := atOnce; left > 0; {
		n, err := t.tty.Read(buf[:])
		if n > 0 {
			left -= n
			t.transcript = append(t.transcript, buf[:n]...)
			r.news++
			if r.isProgram(slot) {
				r.feed(slot, buf[:n], false)
			}
		}
		if err != nil || n == 0 {
			if err != nil && err != proc.ErrWouldBlock && hangup {
				t.eof = true
				r.watcher.Remove(t.tty.Master())
			}
			return
		}
	}
}

// interrupted notices that the caller wants the run to stop.
func (r *run) interrupted() bool {
	if r.stop != nil || r.ctx.Err() == nil {
		return r.stop == errInterrupted
	}
	name := "SIGINT"
	if s, ok := context.Cause(r.ctx).(interface{ Signal() int }); ok {
		name = sig.Sig(s.Signal()).String()
	}
	r.emit(&event.Rec{Kind: event.Stopped, Obj: event.NoObj, Value: name})
	r.stop = errInterrupted
	return true
}

// waiter is something the script waits for.
type waiter struct {
	what string // for explanations
	done func() (bool, error)
	// deadline is absolute, 0: none was declared. Without one the wait ends as
	// soon as nobody can move any more; with one only if it is a check, which is then
	// in vain.
	deadline int64
	check    bool
	// limit is the default that applies where none was declared.
	limit *event.Limit
	// fails: that the limit is over fails the step, and not the scenario.
	fails bool
	// any: every event may matter, not only the notable ones.
	any bool
	// step is where an end without success is reported, 0: at whoever is stuck.
	step uint32
	// hopeless, if set, says why waiting on is in vain although others move.
	hopeless func() string
	// wanting says what was wanted, what is there instead, and why, for the report of
	// a limit that passed; nil: there is nothing to be said.
	wanting func() (want string, ps []event.Part, why string)
}

// block waits until w is done. Its errors: errTimeout and *stuck for w itself,
// anything else is the end of the run.
func (r *run) block(w *waiter) error {
	var limit int64
	if w.limit != nil {
		limit = arena.Now() + w.limit.After
	}
	waiting, anything := r.waiting, r.anything
	r.waiting, r.anything = true, w.any
	defer func() { r.waiting, r.anything = waiting, anything }()
	patience := time.Millisecond
	pace := time.Millisecond // of looking at processes that tell nothing of themselves
	quiet := false           // nothing has happened since w was last asked
	for {
		news := r.news
		ok, err := w.done()
		if ok || err != nil {
			return err
		}
		if r.interrupted() || r.stop != nil {
			return r.stop
		}
		now := arena.Now()
		switch {
		case w.deadline != 0 && now >= w.deadline:
			return errTimeout
		case w.deadline == 0 && limit != 0 && now >= limit && (w.fails || r.points.now):
			return errTimeout
		case w.deadline == 0 && limit != 0 && now >= limit && limit < r.deadln:
			r.expiredIn(w, *w.limit)
			return r.stop
		case now >= r.deadln:
			r.expiredIn(w, r.limit)
			return r.stop
		}
		if w.hopeless != nil {
			if why := w.hopeless(); why != "" {
				return &stuck{why: why}
			}
		}
		if quiet && (w.deadline == 0 || w.check) {
			r.freeSupervisors()
			s := r.look()
			if r.news != news {
				continue // what has happened meanwhile may be what is waited for
			}
			if s != nil {
				// Nothing changes any more; but what only the kernel knows, that
				// a process has stopped, may have changed since w was asked.
				if ok, err := w.done(); ok || err != nil {
					return err
				}
				return s
			}
			// Somebody was about to wake up. Processes that hand something back
			// and forth look like this all the time: do not ask to be told of it
			// again at once.
			patience = lookEvery
			if r.arena.Blocked() > 0 {
				patience = holdOff
				r.holdOff = arena.Now() + int64(holdOff)
			}
		}
		if r.watchesForeign() {
			// Nobody says when such a process has come so far.
			patience, pace = min(patience, pace), min(2*pace, lookLast)
		}
		next := now + int64(patience)
		for _, t := range []int64{w.deadline, limit, r.deadln} {
			if t != 0 && t < next {
				next = t
			}
		}
		if next < now {
			next = now
		}
		r.pump(time.Duration(next - now))
		if quiet = r.news == news; !quiet {
			pace = time.Millisecond
			r.hurry()
			// Somebody did something just now: that everybody is blocked for a
			// moment is no news so soon.
			patience = time.Millisecond
			r.holdOff = max(r.holdOff, arena.Now()+int64(patience))
		}
	}
}

// await waits for something of the engine's own.
func (r *run) await(step uint32, done func() bool) error {
	for {
		r.discover()
		r.drain()
		if done() {
			return nil
		}
		if r.interrupted() || r.stop != nil {
			return r.stop
		}
		now := arena.Now()
		if now >= r.deadln {
			r.expired(step, r.limit)
			return r.stop
		}
		news := r.news
		if r.pump(min(lookEvery, time.Duration(r.deadln-now))); r.news == news {
			r.freeSupervisors()
		}
	}
}

// expired records that a deadline passed and ends the run.
func (r *run) expired(step uint32, l event.Limit) {
	r.expiredIn(&waiter{step: step}, l)
}

// expiredIn does so for a wait, with what it was in want of.
func (r *run) expiredIn(w *waiter, l event.Limit) {
	v := map[string]any{
		"what": l.What, "after": int(l.After), "set_by": l.SetBy, "doing": r.doing,
		"waits": r.waits(),
	}
	if w.wanting != nil {
		want, ps, why := w.wanting()
		v["check"] = event.CheckValue(false, want, why, ps)
	}
	r.emit(&event.Rec{Kind: event.Expired, Step: w.step, Obj: event.NoObj, Value: v})
	r.stop = errFailed
}
