//go:build linux

package prims

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// TestPipeKilled: processes that send and receive at the same ends are killed
// and stopped at any moment, and others take their places:
//
//  1. Senders number their messages, short ones and such as the kernel takes in
//     many pieces. Each message says whose it is and carries its own pattern.
//  2. Receivers check that each message is whole and comes after the ones before
//     it of the same sender, and write down what they have got in shared memory.
//  3. The test kills or stops one of them, does what the engine would do when it
//     sees that, and starts another.
//  4. At the end the senders stop by themselves, and every receiver comes to the
//     end of file.
//
// What is missing then are the messages that killed receivers took with them,
// and what comes as Torn are those that killed senders had begun.
func TestPipeKilled(t *testing.T) {
	for _, args := range []Args{{}, {Main: oneWay}} {
		name := twoWay
		if isOneWay(args) {
			name = oneWay
		}
		// A process is started for each kill: that is what costs.
		t.Run(name, func(t *testing.T) { killAround(t, args, times(25, 120)) })
	}
}

const pipeWorkerEnv = "IPCRUN_PIPE_WORKER"

// pipeJob is what a worker of TestPipeKilled has to know.
type pipeJob struct {
	Slot  int
	Args  Args
	Sends bool
}

// What the workers share behind the pipe's own memory.
const (
	killStop  = pipeMem      // senders stop
	killTorn  = pipeMem + 4  // messages that came torn
	killCount = pipeMem + 8  // messages that came
	killList  = pipeMem + 16 // sender << 32 | number of each
	killRoom  = 1 << 20
)

func init() {
	if text := os.Getenv(pipeWorkerEnv); text != "" {
		var j pipeJob
		must(json.Unmarshal([]byte(text), &j))
		pipeWork(j)
		os.Exit(0)
	}
}

func pipeWork(j pipeJob) {
	runtime.LockOSThread()
	a, err := arena.Attach(3)
	must(err)
	mem := a.Prims()
	p := newPipe(&Attachment{Name: "x", Args: j.Args, Mem: mem})
	must(p.attach(&Attachment{Name: "x", Args: j.Args, Mem: mem, Fds: []int{4, 5}}))
	parts := pipeParts(j.Args)
	out, in := parts[0], parts[1]
	if isOneWay(j.Args) {
		out, in = in, out
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	must(err)
	self := a.Self(j.Slot, -1)
	self.PollFd = func(w arena.Wait, fd int, events int16, until int64) (arena.Outcome, error) {
		return pollEither(self, w, fd, events, until, event)
	}
	args := &Values{Names: []string{"value"}, Vals: []any{nil}}
	if j.Sends {
		must(pipeClose(p, &Call{Self: self, Part: in}))
		rng := rand.New(rand.NewPCG(uint64(j.Slot), 7))
		for n := 1; word32(mem, killStop).Load() == 0; n++ {
			size := rng.IntN(3000)
			if rng.IntN(8) == 0 {
				size = rng.IntN(200_000)
			}
			args.Vals[0] = map[string]any{"from": j.Slot, "n": n, "text": pattern(size)}
			must(pipeSend(p, &Call{Self: self, Part: out, Args: args}))
		}
		return
	}
	must(pipeClose(p, &Call{Self: self, Part: out}))
	last := map[int]int{}
	for {
		c := &Call{Self: self, Part: in, Args: args}
		err := pipeRecv(p, c)
		var f *decl.Failure
		switch {
		case errors.As(err, &f) && f.Name == Torn:
			word32(mem, killTorn).Add(1)
			continue
		case errors.As(err, &f) && f.Name == EOF:
			return
		}
		must(err)
		m, _ := c.Result.(map[string]any)
		from, _ := m["from"].(int)
		n, _ := m["n"].(int)
		text, _ := m["text"].(string)
		if n == 0 || text != pattern(len(text)) {
			must(fmt.Errorf("received a message that nobody has sent: %s", short(m)))
		}
		if n <= last[from] {
			must(fmt.Errorf("message %d of sender %d comes after %d", n, from, last[from]))
		}
		last[from] = n
		at := word64(mem, killCount).Add(1) - 1
		if at < killRoom {
			word64(mem, killList+8*int(at)).Store(uint64(from)<<32 | uint64(n))
		}
	}
}

func killAround(t *testing.T, args Args, kills int) {
	d := Get("pipe")
	slots := kills + 8
	a, err := arena.Create("pipe-test", arena.Layout{Slots: slots, Prims: killList + 8*killRoom})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	mem := a.Prims()
	cr := &Creation{Name: "x", Args: args, Mem: mem}
	if err := d.Create(cr); err != nil {
		t.Fatal(err)
	}
	facts, err := d.Attach(&Attachment{Name: "x", Args: args, Mem: mem, Engine: true})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := unix.FcntlInt(uintptr(a.Fd()), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(shared), "arena")
	defer file.Close()
	type worker struct {
		cmd   *exec.Cmd
		slot  int
		sends bool
		done  chan error
	}
	next := 0
	start := func(sends bool) *worker {
		text, err := json.Marshal(pipeJob{Slot: next, Args: args, Sends: sends})
		if err != nil {
			t.Fatal(err)
		}
		w := &worker{slot: next, sends: sends, done: make(chan error, 1), cmd: exec.Command("/proc/self/exe")}
		next++
		w.cmd.Env = append(os.Environ(), pipeWorkerEnv+"="+string(text))
		w.cmd.ExtraFiles = append([]*os.File{file}, cr.Files...)
		w.cmd.Stderr = os.Stderr
		if err := w.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { w.done <- w.cmd.Wait() }()
		return w
	}
	ended := func(w *worker) error {
		select {
		case err := <-w.done:
			a.Slot(w.slot).NoteEnd(arena.Now())
			d.Died(facts, w.slot)
			return err
		case <-time.After(patience):
			t.Fatalf("worker %d (sends: %v) does not end: it is %s in %+v, facts %v", w.slot, w.sends, a.Slot(w.slot).State(), a.Slot(w.slot).Look().Wait, d.Facts(facts, nil))
			return nil
		}
	}
	workers := []*worker{start(true), start(false), start(true), start(false)}
	defer func() {
		for _, w := range workers {
			_ = w.cmd.Process.Kill()
		}
	}()
	// Messages get through, whoever was killed: so each kill meets some.
	flowing := func() {
		t.Helper()
		came := func() uint64 { return word64(mem, killCount).Load() + uint64(word32(mem, killTorn).Load()) }
		from := came()
		for until := time.Now().Add(patience); came() == from; unix.Nanosleep(&unix.Timespec{Nsec: 50_000}, nil) {
			if time.Now().After(until) {
				t.Fatalf("nothing gets through any more, facts %v", d.Facts(facts, nil))
			}
		}
	}
	rng := rand.New(rand.NewPCG(3, uint64(time.Now().UnixNano())))
	receiversKilled, stopped := 0, 0
	for range kills {
		flowing()
		pause := time.Duration(rng.IntN(8000)) * time.Microsecond
		unix.Nanosleep(&unix.Timespec{Nsec: int64(pause)}, nil)
		i := rng.IntN(len(workers))
		w := workers[i]
		if rng.IntN(4) == 0 {
			// Stopped in the middle of something: the others go on as far as they
			// can, and everybody when it goes on.
			stopped++
			_ = w.cmd.Process.Signal(unix.SIGSTOP)
			unix.Nanosleep(&unix.Timespec{Nsec: int64(2 * time.Millisecond)}, nil)
			_ = w.cmd.Process.Signal(unix.SIGCONT)
			continue
		}
		_ = w.cmd.Process.Kill()
		if err := ended(w); err == nil || err.Error() != "signal: killed" {
			t.Fatalf("worker %d (sends: %v): %v", w.slot, w.sends, err)
		}
		if !w.sends {
			receiversKilled++
		}
		workers[i] = start(w.sends)
	}
	word32(mem, killStop).Store(1)
	for _, f := range cr.Files {
		f.Close()
	}
	for _, sends := range []bool{true, false} {
		for _, w := range workers {
			if w.sends != sends {
				continue
			}
			if err := ended(w); err != nil {
				t.Fatalf("worker %d (sends: %v): %v", w.slot, sends, err)
			}
		}
	}
	// Count what is missing, and look for what came twice.
	count := int(word64(mem, killCount).Load())
	if count > killRoom {
		t.Fatal("more messages than there is room for")
	}
	most, got := map[int]int{}, map[[2]int]bool{}
	for i := range count {
		v := word64(mem, killList+8*i).Load()
		m := [2]int{int(v >> 32), int(uint32(v))}
		if m[1] == 0 {
			continue // its receiver was killed before it wrote it down
		}
		if got[m] {
			t.Errorf("message %v came twice", m)
		}
		got[m] = true
		most[m[0]] = max(most[m[0]], m[1])
	}
	missing := -len(got)
	for _, n := range most {
		missing += n
	}
	if missing > receiversKilled {
		t.Errorf("%d messages are lost, and %d receivers were killed", missing, receiversKilled)
	}
	if torn := int(word32(mem, killTorn).Load()); torn > kills {
		t.Errorf("%d messages came torn", torn)
	}
	t.Logf("%d messages, %d lost by %d killed receivers, %d torn, %d stops", count, missing, receiversKilled, word32(mem, killTorn).Load(), stopped)
	if n := d.Facts(facts, nil)["size"].(int); n > kills {
		s := facts.(*pipe).streams[0]
		t.Errorf("size is %d: sent %d, received %d, base %d, phase %d, blind %d", n, s.sent.Load(), s.received.Load(), s.base.Load(), s.phase.Load(), s.blind.Load())
	}
}
