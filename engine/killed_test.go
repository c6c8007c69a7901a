package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// aboard is a scenario with a process in every situation that a clean end
// could stumble over.
const aboard = `
name: everybody aboard
primitives:
  gate: lock
  never: event
  started: event
  n: {value: i}
processes:
  leader:
    terminal: true
    signals: {SIGINT: [{print: key}], SIGHUP: ignore}
    steps: [{repeat: forever, do: [pause]}]
  member: {parent: leader, signals: {SIGINT: ignore}, steps: [{wait: never}]}
  holder: {steps: [{acquire: gate}, {set: started}, {sleep: 100s}]}
  locked: {steps: [{wait: started}, {acquire: gate}]}
  parent: {steps: [{wait: child}]}
  child: {parent: parent, signals: {SIGUSR1: [{print: hi}]}, steps: [{repeat: forever, do: [pause]}]}
  obeys: idle
  stopped: {steps: [{repeat: forever, do: [{add: n}]}]}
  deaf:
    signals: {SIGTERM: ignore, SIGINT: ignore, SIGHUP: ignore, SIGQUIT: ignore, SIGUSR1: ignore, SIGPIPE: ignore, SIGCHLD: ignore}
    steps: [{repeat: forever, do: [{sleep: 3ms}]}]
  zombies: {steps: [{sleep: 100s}]}
  zombie: {parent: zombies, steps: [{exit: 1}]}
steps:
  - {kill: stopped, signal: SIGSTOP}
  - {in: obeys, wait: never, background: w}
  - press: ctrl-c
  - {expect: key, from: leader}
  - eventually: stopped.state == "stopped" && zombie.state == "zombie" && locked.blocked_on == "gate"
  - wait: holder
`

func init() {
	// engine: runs the scenario until it is killed.
	registerHelper("engine", func([]string) {
		sc := spec.Load(source.New("aboard.yaml", []byte(aboard)), plan.Vocabulary(), spec.Options{}, &diag.List{})
		e, err := engine.New(patientOptions())
		if err != nil {
			os.Exit(98)
		}
		if _, err := e.Run(context.Background(), sc); err != nil {
			os.Exit(97)
		}
	})
}

// family are the processes below this one that are not zombies, and the
// numbers of the terminals they have.
func family() (live []int, ptys map[int]bool) {
	ptys = map[int]bool{}
	tree, _ := proc.Tree(os.Getpid())
	for _, pid := range tree {
		f, err := proc.ReadFacts(pid)
		if err != nil || f.State == 'Z' || f.State == 'X' {
			continue
		}
		live = append(live, pid)
		// Majors 136 to 143 are the slaves of pseudo-terminals.
		if major := f.Tty >> 8 & 0xfff; major >= 136 && major <= 143 {
			ptys[(major-136)<<8|f.Tty&0xff] = true
		}
	}
	return live, ptys
}

// reapAdopted takes the status of whatever has become a child of this process
// by the death of its parent.
func reapAdopted() {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}

// TestKilledEngine kills a process that runs an Engine with SIGKILL at random
// moments. It cannot clean up; nothing may be left all the same.
//
//  1. The test, a subreaper, starts the helper, which starts everybody.
//  2. At a random moment of its life the helper is killed. What it started is
//     adopted by the test, so that nobody can hide.
//  3. Everybody has to end without being asked; zombies are reaped.
func TestKilledEngine(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	// The helper, a supervisor, and the eleven; zombies do not count.
	const everybody = 12
	most := 0
	var whole time.Duration // until everybody is there, on this machine
	for i := range runs(100, 400) {
		dir := t.TempDir()
		cmd := exec.Command(proc.Self(), "kill-me")
		cmd.Env = append(os.Environ(), helperEnv+"=engine", "TMPDIR="+dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var after time.Duration
		var live []int
		var ptys map[int]bool
		if began := time.Now(); i == 0 {
			eventually(t, "everybody is there", func() bool { live, ptys = family(); return len(live) >= everybody })
			whole = time.Since(began)
		} else {
			after = time.Duration(rnd.Int64N(int64(whole + whole/2)))
			time.Sleep(after) // the random moment itself, no synchronisation
			live, ptys = family()
		}
		most = max(most, len(live))
		killed := time.Now()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		what := fmt.Sprintf("run %d, seed %d, killed after %v with %d processes: nothing is left", i, seed, after, len(live))
		eventually(t, what, func() bool {
			reapAdopted()
			tree, err := proc.Tree(os.Getpid())
			return err == nil && len(tree) == 0
		})
		for n := range ptys {
			eventually(t, what+", terminal "+strconv.Itoa(n), func() bool {
				var st unix.Stat_t
				err := unix.Stat("/dev/pts/"+strconv.Itoa(n), &st)
				// Somebody else on the machine may have got the number since.
				return errors.Is(err, fs.ErrNotExist) || err == nil && time.Unix(st.Ctim.Unix()).After(killed)
			})
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Fatalf("%s: files %v, %v", what, files, err)
		}
	}
	if most < everybody {
		t.Errorf("at most %d processes lived when the engine was killed: the moments came too early", most)
	}
}

type bySignal int

func (s bySignal) Error() string { return "signal " + strconv.Itoa(int(s)) }
func (s bySignal) Signal() int   { return int(s) }

// TestInterrupted: a run whose context is cancelled stops at once, wherever it
// is, says which signal stopped it, and leaves nothing.
func TestInterrupted(t *testing.T) {
	sc := load(t, aboard, nil)
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	for i := range runs(20, 100) {
		sig, name := unix.SIGINT, "SIGINT"
		if i%2 == 1 {
			sig, name = unix.SIGTERM, "SIGTERM"
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		after := time.Duration(rnd.IntN(40_000)) * time.Microsecond
		var stopped time.Time
		timer := time.AfterFunc(after, func() {
			stopped = time.Now()
			cancel(bySignal(sig))
		})
		res, err := shared.Run(ctx, sc)
		timer.Stop()
		took := time.Since(stopped)
		if err != nil {
			t.Fatal(err)
		}
		o := &outcome{res, t}
		o.decided(event.Error, "interrupted", 0, `"type":"interrupted".*"signal":"`+name+`"`)
		if o.Verdict.Interrupted != name {
			t.Errorf("interrupted by %q, want %s", o.Verdict.Interrupted, name)
		}
		if took > 20*time.Second {
			t.Errorf("it took %v to stop", took)
		}
		if clean := o.of(event.Clean, ""); len(clean) != 1 || clean[0].Value != nil {
			t.Errorf("tear-down: %+v", clean)
		}
		if tree, err := proc.Tree(os.Getpid()); err != nil || len(tree) > 0 {
			t.Fatalf("interrupted after %v: processes are left: %v, %v", after, tree, err)
		}
	}
	// Before anything was started.
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(bySignal(unix.SIGTERM))
	res, err := shared.Run(ctx, sc)
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict.Interrupted != "SIGTERM" || res.Verdict.Result != event.Error {
		t.Errorf("%+v", res.Verdict)
	}
	if slices.ContainsFunc(res.Events, func(e event.Event) bool { return e.Type == event.Print.String() }) {
		t.Error("something ran although the run was over before it began")
	}
}
