package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hashicorp/go-multierror"

	"ipcrun/engine/agent"
	"ipcrun/engine/event"
	"ipcrun/engine/leader"
	"ipcrun/engine/observe"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
)

// run is everything that changes during one run. It belongs to one goroutine.
type run struct {
	engine *Engine
	plan   *plan.Plan
	ctx    context.Context

	start     time.Time
	arena     *arena.Arena
	house     household
	text      *script.Text
	watcher   *proc.Watcher
	unhook    func() bool // forgets the context
	lifeline  *proc.Lifeline
	wakeFd    int
	null      *os.File
	console   [2]int // pipe for what processes write outside print
	consoleBy []byte
	fds       []*os.File    // descriptors of primitives, by number
	handles   []any         // of the primitives
	procs     []*process    // by slot
	others    []*helper     // supervisors
	foreign   bool          // there are programs
	output    script.Output // of the script
	census    *census       // what was left at the end, for finally
	before    []sandbox.Object
	targets   map[string]int // numbers of primitives, by what descriptors lead to
	terms     map[int]*terminal
	streams   []*stream       // of programs
	family    []observe.Event // what was seen of programs that are observed
	stopped   map[int]bool    // of these, who is stopped, by pid
	meant     map[int]int     // whom a name meant until they ended and it went on: slots, by pid
	ready     []proc.Ready

	log     event.Log
	reader  event.Reader // of what is drained
	deadln  int64        // of the scenario, absolute
	limit   event.Limit
	script  *script.Machine
	orders  map[int]*order // by id
	backs   map[string]*order
	sent    []sending // signals, in order of arrival at the log
	doing   string    // what the script does, for explanations
	step    uint32    // which step it does
	stop    error     // the run is over, whatever the script thinks
	seen    map[uint32]bool
	travels []travelling // errors of tasks, for whoever asks
	torn    bool
	t0      int64 // survives the arena
	// waiting: the script waits for something; anything: what it waits for may be
	// changed by any event.
	waiting, anything bool
	points            score
	told              func([]event.Event) // nil: nobody watches
	looked            look                // the last look at who can move
	// holdOff: until then, that everybody is blocked is no news.
	holdOff int64
	news    int // grows with everything that happens
	// bindings grows when a name comes to mean a process that a program has forked.
	bindings int
	reaped   []int // processes whose end others have seen before the engine
}

// Why a run ends before its script does.
var (
	errFailed      = errors.New("the scenario has failed")
	errInterrupted = errors.New("the run was interrupted")
	errBroken      = errors.New("the runner could not go on")
)

// execute runs everything, the tear-down included.
func (r *run) execute() {
	r.start = time.Now()
	r.stopped = map[int]bool{}
	r.orders, r.backs, r.terms, r.seen = map[int]*order{}, map[string]*order{}, map[int]*terminal{}, map[uint32]bool{}
	r.log.Fresh = hugePages
	defer r.release()
	if err := r.create(); err != nil {
		if no := (*prims.NotHere)(nil); errors.As(err, &no) {
			r.skip(err.Error())
			return
		}
		r.broken(err)
		r.tearDown()
		return
	}
	if why := r.cannot(); why != "" {
		r.skip(why)
		return
	}
	r.noteObjects()
	err := r.launch()
	if err == nil {
		r.runScript(r.plan.Script, r)
	}
	if r.stop == nil && r.points.lost {
		r.stop = errFailed // what is left of the programs is of no interest
	}
	if r.stop == nil {
		r.settle()
	}
	if r.stop == nil {
		r.untaken()
	}
	if r.stop == nil {
		r.missed()
	}
	r.takeCensus()
	r.letEnd()
	r.tearDown()
	r.races()
	if len(r.plan.Finally.Steps) > 0 && !errors.Is(r.stop, errBroken) {
		r.stop = nil
		r.runScript(r.plan.Finally, r)
	}
	r.emit(&event.Rec{Kind: event.Finished, Obj: event.NoObj})
}

// skip ends a run that this machine does not allow, before anything has been
// started.
func (r *run) skip(why string) {
	r.emit(&event.Rec{Kind: event.Skipped, Obj: event.NoObj, Value: why})
	r.tearDown()
	r.emit(&event.Rec{Kind: event.Finished, Obj: event.NoObj})
}

// hugePages asks the kernel for large pages: a long log is touched once, byte by
// byte, and a fault for every small page costs more than writing it.
func hugePages(b []byte) {
	const huge = 2 << 20
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	from := (start + huge - 1) &^ (huge - 1)
	to := (start + uintptr(len(b))) &^ (huge - 1)
	if from < to {
		_ = unix.Madvise(b[from-start:to-start], unix.MADV_HUGEPAGE)
	}
}

// create makes the shared memory, the descriptors and the primitives.
func (r *run) create() error {
	text, err := r.plan.Text()
	if err != nil {
		return err
	}
	r.arena, err = arena.Create("ipcrun", arena.Layout{Slots: len(r.plan.Slots), Prims: r.plan.PrimSize, Text: len(text)})
	if err != nil {
		return err
	}
	copy(r.arena.Text(), text)
	if r.text, err = script.ReadText(r.arena.Text()); err != nil {
		return err
	}
	r.allow(launchTime)
	r.emit(&event.Rec{Kind: event.Start, Obj: event.NoObj, At: r.arena.T0()})

	if r.watcher, err = proc.NewWatcher(); err != nil {
		return err
	}
	r.unhook = context.AfterFunc(r.ctx, r.watcher.Wake)
	if r.lifeline, err = proc.NewLifeline(); err != nil {
		return err
	}
	if r.wakeFd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err := r.watcher.Add(r.wakeFd, tagWake); err != nil {
		return err
	}
	if r.null, err = devNull(); err != nil {
		return err
	}
	if err := unix.Pipe2(r.console[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	if err := unix.SetNonblock(r.console[0], true); err != nil {
		return err
	}
	if err := r.watcher.Add(r.console[0], tagConsole); err != nil {
		return err
	}
	r.openLedger()
	return r.createPrims()
}

// launchTime is what creating and launching may take beyond the scenario's limit.
const launchTime = 30 * time.Second

// allow gives the scenario its time from now on, and extra; less where all
// scenarios together have no more. The launch is no part of it: it is the runner's
// work, and under load it takes longer than many a scenario.
func (r *run) allow(extra time.Duration) {
	r.limit = event.Limit{What: "scenario", SetBy: r.engine.opt.TimeoutSetBy}
	d := r.engine.opt.Timeout
	if own := r.plan.Scenario.Timeout; own > 0 {
		d, r.limit.SetBy = own, "the file"
	}
	d, r.limit.SetBy = r.engine.scaled(d), r.engine.setBy(r.limit.SetBy)
	r.limit.After = int64(d)
	d += extra
	if until := r.engine.opt.Until; !until.IsZero() && time.Until(until) < d {
		d, r.limit = max(time.Until(until), 0), r.engine.opt.Total
	}
	r.deadln = arena.Now() + int64(d)
}

func (r *run) createPrims() error {
	mem := r.arena.Prims()
	for i := range r.plan.Prims {
		p := &r.plan.Prims[i]
		piece := mem[p.Off : p.Off+p.Size : p.Off+p.Size]
		if p.Kind.Create != nil {
			c := &prims.Creation{Name: p.Name, Args: p.Args(), Mem: piece, System: r.house.ledger}
			if err := p.Kind.Create(c); err != nil {
				return err
			}
			r.fds = append(r.fds, c.Files...)
		}
		at := &prims.Attachment{Name: p.Name, Number: uint32(p.Number), Args: p.Args(), Mem: piece, Engine: true}
		for _, n := range p.Fds {
			at.Fds = append(at.Fds, int(r.fds[n].Fd()))
		}
		r.noteTargets(i, at.Fds)
		h, err := p.Kind.Attach(at)
		if err != nil {
			return err
		}
		r.handles = append(r.handles, h)
	}
	return nil
}

// launch forks the processes that the engine forks and waits until all are
// ready.
func (r *run) launch() error {
	r.procs = make([]*process, len(r.plan.Slots))
	r.foreign = r.programs() > 0
	for i := range r.procs {
		r.procs[i] = &process{slot: i, pidfd: -1}
	}
	for i := range r.plan.Slots {
		if r.plan.Slots[i].Flags&script.SlotIdle != 0 {
			if err := r.openOrders(r.procs[i]); err != nil {
				return r.broken(err)
			}
		}
	}
	for i := range r.plan.Slots {
		if r.plan.Slots[i].Parent >= 0 {
			continue
		}
		if err := r.fork(i); err != nil {
			return r.broken(fmt.Errorf("forking %s: %w", r.plan.Slots[i].Name, err))
		}
	}
	r.closeGiven()
	r.closeRoles(false)
	err := r.await(0, func() bool {
		for i, p := range r.procs {
			if r.startsByItself(i) && r.arena.Slot(i).State() < arena.Ready && !p.ended {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for i, p := range r.procs {
		if p.program == nil && !r.isFound(i) && p.ended && r.arena.Slot(i).State() != arena.Ready {
			return r.broken(fmt.Errorf("%s ended before it was ready: %s", r.plan.Slots[i].Name, p.status))
		}
	}
	r.allow(0)
	r.arena.LetGo()
	return nil
}

// startsByItself: a process that no fork: step has to start, nor one of its
// ancestors, and that no program forks whenever it likes.
func (r *run) startsByItself(slot int) bool {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if r.plan.Slots[s].Flags&(script.SlotForked|script.SlotFound) != 0 {
			return false
		}
	}
	return true
}

// fork starts a process of the engine's own.
func (r *run) fork(slot int) error {
	p := r.plan.Slots[slot]
	if p.Flags&script.SlotProgram != 0 {
		return r.startProgram(slot)
	}
	std := [3]int{int(r.null.Fd()), r.console[1], r.console[1]}
	var term *terminal
	if p.Flags&script.SlotTerminal != 0 {
		t, err := r.openTerminal(slot)
		if err != nil {
			return err
		}
		term = t
		std = [3]int{t.tty.Slave(), t.tty.Slave(), t.tty.Slave()}
	}
	cmd := agent.Command(r.text, slot, p.Name, r.plan.Programs[p.Part-1], agent.Files{
		Std: std, Arena: r.arena.Fd(), Lifeline: int(r.lifeline.ReadEnd().Fd()), Wake: r.wakeFd,
		Orders: func(s int) int { return r.procs[s].given },
		Prims:  func(n int) int { return int(r.fds[n].Fd()) },
	})
	if term != nil {
		pid, pidfd, err := r.engine.spawner.Start(leader.Command(cmd, slot))
		if err != nil {
			return err
		}
		r.others = append(r.others, &helper{pid: pid, pidfd: pidfd, slot: slot})
		return r.watcher.Add(pidfd, tagHelper|uint64(len(r.others)-1))
	}
	// Out of our own group: a Ctrl-C that is meant for ipcrun is none of its
	// business.
	cmd.Setpgid = true
	pid, pidfd, err := r.engine.spawner.Start(cmd)
	if err != nil {
		return err
	}
	r.arena.Slot(slot).MarkForked(pid)
	return r.watch(slot, pid, pidfd, true)
}

// broken records that the runner itself could not do its job.
func (r *run) broken(err error) error {
	what := map[string]any{"text": err.Error()}
	if p := (*placed)(nil); errors.As(err, &p) && p.line > 0 {
		what["line"], what["col"] = p.line, p.col
	}
	r.emit(&event.Rec{Kind: event.Broken, Obj: event.NoObj, Value: what})
	r.stop = errBroken
	return errBroken
}

// emit records an event of the engine's own.
func (r *run) emit(rec *event.Rec) {
	if rec.At == 0 {
		rec.At = arena.Now()
	}
	r.log.Add(-1, rec)
	r.news++
	r.note(-1, rec)
}

// release gives up everything that is not a process.
func (r *run) release() {
	var errs *multierror.Error
	for i, h := range r.handles {
		if d := r.plan.Prims[i].Kind.Detach; d != nil {
			d(h)
		}
	}
	// Whatever way led here: most often nothing is left to be done.
	for _, left := range r.tidy() {
		errs = multierror.Append(errs, fmt.Errorf("%s is left", left))
	}
	for _, f := range r.fds {
		if f != nil {
			errs = multierror.Append(errs, f.Close())
		}
	}
	for _, p := range r.procs {
		if p.orders > 0 {
			unix.Close(p.orders)
		}
	}
	for _, t := range r.terms {
		errs = multierror.Append(errs, t.tty.Close())
	}
	for _, s := range r.streams {
		s.close()
	}
	for i, p := range r.procs {
		if p.program != nil {
			r.closeInput(i)
		}
	}
	for _, fd := range r.console {
		if fd > 0 {
			unix.Close(fd)
		}
	}
	if r.null != nil {
		r.null.Close()
	}
	if r.wakeFd > 0 {
		unix.Close(r.wakeFd)
	}
	if r.lifeline != nil {
		r.lifeline.Cut()
	}
	if r.watcher != nil {
		r.unhook()
		errs = multierror.Append(errs, r.watcher.Close())
	}
	if r.arena != nil {
		r.t0 = r.arena.T0()
		errs = multierror.Append(errs, r.arena.Close())
	}
	if err := errs.ErrorOrNil(); err != nil {
		// A descriptor that cannot be closed is a mistake of ours.
		r.log.Add(-1, &event.Rec{Kind: event.Broken, Obj: event.NoObj, At: arena.Now(), Value: "tear-down: " + err.Error()})
	}
}
