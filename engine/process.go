package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims/arena"
)

// process is what the engine knows of a declared process.
type process struct {
	slot, pid int
	pidfd     int  // -1: not forked yet, or gone
	mine      bool // child of the engine itself
	forked    bool
	noting    bool // its end is being taken note of
	ended     bool
	reaped    bool // its status was taken, by whomever
	status    proc.Status
	readyAt   int64
	last      int64 // when it recorded what it recorded last
	orders    int   // engine's end of the socket for orders, 0: none
	given     int   // the process's end, until it is handed over
	pending   int   // orders under way

	out     []byte // lines printed, each with its line feed
	lines   []string
	by      []int  // of a program's lines: who wrote each, 0 where that was not seen
	part    string // of a line that comes in several records
	cursor  place  // how far expect has gone through them
	heard   bool   // an expect has found a line of it, and no signal was sent since
	stderr  []byte
	vars    map[string]any
	blocked bool   // it was blocked when it ended
	ending  bool   // it has recorded that it ends by itself
	exit    uint32 // the step that has ended it, 0: none did

	program *program // what it runs instead of a script, nil for other processes
}

// helper is a process of ours that is not declared: a supervisor.
type helper struct {
	pid, pidfd int
	reaped     bool
	slot       int // whose it is
	attends    bool
	stopped    bool // once
	killed     bool
}

// terminal is a pseudo-terminal and what came out of it.
type terminal struct {
	tty        *proc.Terminal
	transcript []byte
	pressed    int64  // when a key was pressed on it last
	path       string // its other side, as the kernel names it
	eof        bool
}

func (r *run) openTerminal(slot int) (*terminal, error) {
	open := proc.OpenTerminal
	if r.isProgram(slot) {
		open = proc.OpenPlainTerminal
	}
	tty, err := open(24, 80)
	if err != nil {
		return nil, err
	}
	t := &terminal{tty: tty, path: proc.Target(ownPid, tty.Slave())}
	r.terms[slot] = t
	return t, r.watcher.Add(tty.Master(), tagTerminal|uint64(slot))
}

// openOrders makes the socket over which an idle process gets its orders.
// Each order is one message.
func (r *run) openOrders(p *process) error {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p.orders, p.given = fds[0], fds[1]
	return nil
}

// closeGiven closes the ends of sockets that have been handed over.
func (r *run) closeGiven() {
	for _, p := range r.procs {
		if p.given > 0 {
			unix.Close(p.given)
			p.given = 0
		}
	}
}

// closeRoles closes the engine's copies of descriptors that processes have
// inherited: an end that the engine kept open would keep the end of file away.
// Those that stand for the script are among them only when that has ended.
func (r *run) closeRoles(all bool) {
	for i := range r.plan.Prims {
		p := &r.plan.Prims[i]
		if p.Kind.Roles == nil {
			continue
		}
		for k, role := range p.Kind.Roles(p.Args()) {
			if !role.Mapped && (all || !role.Kept) && r.fds[p.Fds[k]] != nil {
				r.fds[p.Fds[k]].Close()
				r.fds[p.Fds[k]] = nil
			}
		}
	}
	// A process of another run that is being forked has copies until its program
	// is executed.
	r.engine.spawner.Await()
}

// watch begins to watch a process.
func (r *run) watch(slot, pid, pidfd int, mine bool) error {
	p := r.procs[slot]
	p.pid, p.pidfd, p.mine, p.forked = pid, pidfd, mine, true
	r.emit(&event.Rec{Kind: event.Forked, Obj: uint32(slot), Value: pid})
	return r.watcher.Add(pidfd, tagProcess|uint64(slot))
}

// discover finds processes that others have forked.
func (r *run) discover() {
	for i, p := range r.procs {
		if p.forked || p.program != nil { // a program's supervisor tells of it
			continue
		}
		s := r.arena.Slot(i)
		if s.State() == arena.Unborn {
			continue
		}
		pid := int(s.Pid.Load())
		pidfd, err := proc.OpenPidfd(pid)
		if errors.Is(err, fs.ErrNotExist) {
			// It has ended already and its parent has taken its status.
			p.pid, p.forked = pid, true
			r.emit(&event.Rec{Kind: event.Forked, Obj: uint32(i), Value: pid})
			r.processEnded(i)
			continue
		}
		if err != nil {
			r.broken(err)
			return
		}
		if err := r.watch(i, pid, pidfd, false); err != nil {
			r.broken(err)
			return
		}
	}
}

func (r *run) countLive() {
	n := 0
	for _, p := range r.procs {
		if p.forked && !p.ended {
			n++
		}
	}
	r.arena.SetLive(n)
}

// settle lets the processes come to their end once the script has: idle ones
// are told that nothing more comes, the others go on until they are done.
func (r *run) settle() {
	for _, p := range r.procs {
		if p.orders > 0 {
			unix.Close(p.orders)
			p.orders = 0
		}
	}
	r.doing = "waiting for the processes to end"
	err := r.waitForAll(script.SlotDaemon | script.SlotStaff)
	if err == nil && r.dismissStaff() {
		err = r.waitForAll(script.SlotDaemon)
	}
	var s *stuck
	if errors.As(err, &s) {
		r.deadlock(r.stuckStep(s), s)
	}
}

// waitForAll waits until no process lives but those with any of some flags.
func (r *run) waitForAll(but uint32) error {
	return r.block(&waiter{
		what: "the script has ended",
		done: func() (bool, error) {
			for i, p := range r.procs {
				if p.forked && !p.ended && r.plan.Slots[i].Flags&but == 0 {
					return false, nil
				}
			}
			return true, nil
		},
	})
}

// stuckStep is the step at which a deadlock is best shown: where the first
// process of the cycle waits, or the first one that waits at all.
func (r *run) stuckStep(s *stuck) uint32 {
	show := -1
	if len(s.cycle) > 0 {
		show, _ = s.cycle[0].(int)
	}
	for _, w := range s.waits {
		m, _ := w.(map[string]any)
		slot, _ := m["proc"].(int)
		step, _ := m["step"].(int)
		if step != 0 && (show < 0 || slot == show) {
			return uint32(step)
		}
	}
	return 0
}

// graceOfEnding bounds how long a process that ends by itself may take to do so. On a
// machine that has much else to do it may be held up in the middle of it.
const graceOfEnding = 5 * time.Second

// letEnd lets processes end that are about to do so by themselves, because of
// an error or an exit. How a process ends is a fact that others ask for, and
// SIGKILL of ours is not how these did.
func (r *run) letEnd() {
	until := time.Now().Add(graceOfEnding)
	for !errors.Is(r.stop, errBroken) && time.Now().Before(until) {
		r.drain()
		open := false
		for _, p := range r.procs {
			open = open || p.ending && !p.ended
		}
		if !open {
			return
		}
		r.pump(10 * time.Millisecond)
	}
}

// tearDown ends every process of the run, whatever it does, and proves that
// none is left.
func (r *run) tearDown() {
	if r.torn || r.arena == nil {
		return
	}
	r.torn = true
	if r.lifeline != nil {
		r.lifeline.Cut()
	}
	if r.procs == nil || r.watcher == nil {
		return
	}
	r.closeGiven()
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		r.discover()
		if r.reapAll() && r.reapStrays() == 0 {
			break
		}
		r.pump(10 * time.Millisecond)
	}
	r.endUnwilling()
	r.drain()
	r.flushConsole()
	for i, p := range r.procs {
		if p.program != nil {
			r.readOut(i)
			r.flushTails(i)
		}
	}
	var left []any
	for i, p := range r.procs {
		if p.forked && (!p.ended || !p.reaped && p.exists()) {
			left = append(left, r.plan.Slots[i].Name)
		}
	}
	for _, h := range r.others {
		if !h.reaped {
			left = append(left, "a supervisor")
		}
	}
	if n := r.reapStrays(); n > 0 {
		left = append(left, fmt.Sprintf("%d processes that were just being forked", n))
	}
	for _, name := range r.tidy() {
		left = append(left, name)
	}
	rec := &event.Rec{Kind: event.Clean, Obj: event.NoObj}
	if len(left) > 0 {
		rec.Value = left
	}
	r.emit(rec)
	for _, p := range r.procs {
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
			p.pidfd = -1
		}
	}
	for _, h := range r.others {
		unix.Close(h.pidfd)
	}
}

// helperEnded takes the status of a supervisor. It lives until the tear-down;
// one that ends before could not do its job, and has said why.
func (r *run) helperEnded(i int) {
	h := r.others[i]
	st, reaped, err := proc.WaitPidfd(h.pidfd)
	if !reaped && err == nil {
		return
	}
	h.reaped, h.killed = true, reaped && st.Known && !st.Exited
	r.watcher.Remove(h.pidfd)
	if p := r.procs[h.slot]; p.program != nil {
		if !h.attends {
			r.unsupervised(h)
		} else if !r.torn && r.stop == nil && !p.ended {
			r.news++ // the program has closed the socket
		}
		return
	}
	if !r.torn && r.stop == nil {
		r.broken(errors.New("the supervisor of a terminal ended"))
	}
}

// reapAll takes the status of whatever has become ours and reports whether
// nothing is left. An orphan becomes the engine's child when its parent ends.
func (r *run) reapAll() bool {
	all := true
	for _, h := range r.others {
		all = all && h.reaped
	}
	for _, p := range r.procs {
		if !p.forked {
			continue // or forked at the very moment of the end: reapStrays
		}
		if !p.ended {
			all = false
			continue
		}
		if p.reaped {
			continue
		}
		r.takeStatus(p)
		if p.program != nil && !p.reaped {
			r.reapAdopted(p)
		}
		if !p.reaped {
			if !p.exists() {
				p.reaped = true // by its parent, which did not live to say so
				continue
			}
			all = false
		}
	}
	return all
}

// reapAdopted takes the status of a program whose supervisor has ended before it took
// it: the program has become a child of the engine.
func (r *run) reapAdopted(p *process) {
	var raw syscall.WaitStatus
	if got, err := syscall.Wait4(p.pid, &raw, syscall.WNOHANG, nil); err == nil && got == p.pid {
		r.arena.Slot(p.slot).RecordStatus(uint32(raw))
		p.reaped, p.status = true, proc.DecodeStatus(uint32(raw))
	}
}

// statusValue is a status in a record; nil where nobody knows it.
func statusValue(st proc.Status) any {
	if !st.Known {
		return nil
	}
	return int(st.Encode())
}
