//go:build linux

package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// raw: takes what the runtime never blocks.
	registerHelper("raw", func([]string) {
		r, w, err := RawPipe()
		must(err)
		for _, sig := range rawSignals {
			must(CatchRaw(sig, w))
		}
		_, err = ReadRaw(r)
		if !errors.Is(err, ErrWouldBlock) {
			must(fmt.Errorf("an idle pipe: %w", err))
		}
		report("ready")
		// A signal taken off the kernel's queue is not yet in the pipe, so the
		// number of them is what to wait for.
		count, err := strconv.Atoi(awaitOrder())
		must(err)
		for range count {
			reportInfo(nextRaw(r))
		}
		_, err = ReadRaw(r)
		if !errors.Is(err, ErrWouldBlock) {
			must(fmt.Errorf("a pipe that should be empty: %w", err))
		}
		must(unix.Close(w))
		if _, err = ReadRaw(r); err != io.EOF {
			must(fmt.Errorf("a closed pipe: %w", err))
		}
	})
	// raw-child: forks children that end and reports their SIGCHLD.
	registerHelper("raw-child", func([]string) {
		r, w, err := RawPipe()
		must(err)
		must(CatchRaw(int(unix.SIGCHLD), w))
		for _, args := range [][]string{{"exit", "7"}, {"die", "15"}} {
			pid, pidfd, err := Fork(helperStart(args[0], args[1:], fdOrders, fdReport))
			must(err)
			i := nextRaw(r)
			report(i.Signo, i.Code, i.Pid == pid, i.Status)
			_, reaped, err := WaitPidfd(pidfd)
			must(err)
			report(reaped)
		}
		// A real SIG_IGN: no zombie, no status.
		must(Sigaction(int(unix.SIGCHLD), Ignore))
		_, pidfd, err := Fork(helperStart("exit", []string{"0"}, fdOrders, fdReport))
		must(err)
		p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		for {
			if _, err := unix.Poll(p, -1); err != unix.EINTR {
				break
			}
		}
		_, _, err = WaitPidfd(pidfd)
		report(err)
	})
	// raw-fault: a nil pointer is still a panic of Go's while SIGSEGV is
	// caught, and a SIGSEGV that somebody sent still is not.
	registerHelper("raw-fault", func([]string) {
		// Would lose the runtime's handler, were it not remembered.
		must(Sigaction(int(unix.SIGSEGV), Default))
		r, w, err := RawPipe()
		must(err)
		must(CatchRaw(int(unix.SIGSEGV), w))
		report(fault())
		must(Kill(os.Getpid(), int(unix.SIGSEGV)))
		i := nextRaw(r)
		report(i.Signo, i.Code, i.Pid == os.Getpid())
		report(fault())
		_, err = ReadRaw(r)
		report(err)
	})
	// raw-load: the handler runs on threads that are busy with Go.
	registerHelper("raw-load", func([]string) {
		r, w, err := RawPipe()
		must(err)
		must(CatchRaw(34, w))
		report("ready")
		stop := make(chan struct{})
		for range 4 {
			go func() {
				var keep [][]byte
				for {
					select {
					case <-stop:
						return
					default:
						keep = append(keep[:len(keep)%100], make([]byte, 10000))
						runtime.Gosched()
					}
				}
			}()
		}
		next := 0
		for next < loadSignals {
			i := nextRaw(r)
			if i.Signo != 34 || i.Code != CodeQueue {
				must(fmt.Errorf("%+v instead of number %d", i, next))
			}
			next++
			report(i.Value)
		}
		close(stop)
	})
	// ordered: the signal is read by a thread among others that are busy with Go.
	registerHelper("ordered", func([]string) {
		r, w, err := RawPipe()
		must(err)
		must(CatchOrdered(34, w))
		open, err := threadsWithout(34)
		must(err)
		report("ready", len(open))
		for range 3 {
			go func() {
				var keep [][]byte
				for {
					keep = append(keep[:len(keep)%100], make([]byte, 10000))
					runtime.Gosched()
				}
			}()
		}
		fd, err := Signalfd(-1, Bit(34))
		must(err)
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(r), Events: unix.POLLIN}}
		for n := 0; n < loadSignals; {
			_, _ = unix.Poll(p, -1)
			for _, read := range []func() (Info, error){func() (Info, error) { return ReadSignalfd(fd) }, func() (Info, error) { return ReadRaw(r) }} {
				if i, err := read(); err == nil {
					report(i.Value)
					n++
				}
			}
		}
	})
	// needs-raw: of each signal, what NeedsRaw says and what is.
	registerHelper("needs-raw", func([]string) {
		var open uint64
		tasks, err := os.ReadDir("/proc/self/task")
		must(err)
		for _, task := range tasks {
			b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
			must(err)
			var f Facts
			f.parseStatus(b)
			open |= ^f.SigBlk
		}
		for sig := 1; sig <= 64; sig++ {
			report(sig, NeedsRaw(sig), open&Bit(sig) != 0)
		}
	})
}

const loadSignals = 2000

// rawSignals are those of NeedsRaw that a scenario may use.
var rawSignals = []int{1, 2, 3, 4, 5, 6, 7, 8, 11, 15, 16, 17, 23, 27, 31, 34}

// nextRaw waits for a signal.
func nextRaw(r int) Info {
	p := []unix.PollFd{{Fd: int32(r), Events: unix.POLLIN}}
	for {
		i, err := ReadRaw(r)
		if errors.Is(err, ErrWouldBlock) {
			_, _ = unix.Poll(p, -1) // interrupted by the very signal
			continue
		}
		must(err)
		return i
	}
}

func fault() (what any) {
	defer func() { what = recover() }()
	var p *int
	return *p
}

func TestCatchRaw(t *testing.T) {
	h := startHelper(t, Fork, nil, "raw")
	h.line()
	me := fmt.Sprint(os.Getpid(), " ", os.Getuid())
	// One at a time: which of several pending ones comes first is the
	// kernel's choice.
	var want []string
	for _, sig := range rawSignals {
		if err := Kill(h.pid, sig); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the signal is taken", func() bool {
			f, err := ReadFacts(h.pid)
			return err == nil && f.ShdPnd == 0
		})
		want = append(want, fmt.Sprintf("%d 0 %s 0", sig, me))
	}
	for _, value := range []int{1, -2, 3} {
		if err := Sigqueue(h.pid, 34, value); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("34 -1 %s %d", me, value))
		eventually(t, "the signal is taken", func() bool {
			f, err := ReadFacts(h.pid)
			return err == nil && f.ShdPnd == 0
		})
	}
	h.order(strconv.Itoa(len(want)))
	seen := map[string]int{}
	for range want {
		seen[h.line()]++
	}
	for _, w := range want {
		if seen[w] != 1 {
			t.Errorf("%q arrived %d times; all: %v", w, seen[w], seen)
		}
	}
}

func TestCatchRawChildren(t *testing.T) {
	h := startHelper(t, Fork, nil, "raw-child")
	for _, want := range []string{"17 1 true 7", "17 2 true 15"} {
		if got := h.line(); got != want {
			t.Errorf("number, code, right pid, status: %s, want %s", got, want)
		}
		if got := h.line(); got != "true" {
			t.Errorf("reaped: %s", got)
		}
	}
	if got := h.line(); !strings.Contains(got, unix.ECHILD.Error()) {
		t.Errorf("waiting with SIGCHLD ignored: %s", got)
	}
}

func TestCatchRawLeavesFaultsToTheRuntime(t *testing.T) {
	h := startHelper(t, Fork, nil, "raw-fault")
	const nilPanic = "runtime error: invalid memory address or nil pointer dereference"
	for _, want := range []string{nilPanic, "11 0 true", nilPanic, ErrWouldBlock.Error()} {
		if got := h.line(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if s := h.wait(); !s.Exited || s.Code != 0 {
		t.Errorf("ended with %v", s)
	}
}

// queueSignals sends a process loadSignals real-time signals, with 0, 1, 2… as values.
func queueSignals(t *testing.T, pid int) {
	for i := range loadSignals {
		for {
			err := Sigqueue(pid, 34, i)
			if !errors.Is(err, unix.EAGAIN) {
				if err != nil {
					t.Error(err)
				}
				break
			}
			runtime.Gosched()
		}
	}
}

func TestCatchRawUnderLoad(t *testing.T) {
	h := startHelper(t, Fork, nil, "raw-load")
	h.line()
	sum := 0
	go queueSignals(t, h.pid)
	seen := make([]bool, loadSignals)
	for range loadSignals {
		v := h.number()
		if v < 0 || v >= loadSignals || seen[v] {
			t.Fatalf("value %d came twice or never was", v)
		}
		seen[v] = true
		sum += v
	}
	if s := h.wait(); !s.Exited || s.Code != 0 {
		t.Errorf("ended with %v", s)
	}
	if want := loadSignals * (loadSignals - 1) / 2; sum != want {
		t.Errorf("the values add up to %d, want %d", sum, want)
	}
}

// TestCatchOrdered: no thread takes a real-time signal, however busy they are, so that
// each comes once, and in the order in which they were sent.
func TestCatchOrdered(t *testing.T) {
	h := startHelper(t, Fork, nil, "ordered")
	if got := h.line(); got != "ready 0" {
		t.Errorf("%q: threads that do not block it", got)
	}
	go queueSignals(t, h.pid)
	for i := range loadSignals {
		if v := h.number(); v != i {
			t.Fatalf("%d came in the place of %d", v, i)
		}
	}
	for _, sig := range []int{0, 2, 35, 65} {
		if err := CatchOrdered(sig, -1); !errors.Is(err, unix.EINVAL) {
			t.Errorf("signal %d: %v", sig, err)
		}
	}
}

// What NeedsRaw claims is what the kernel shows of the threads of a helper that
// was started with all signals blocked.
func TestNeedsRaw(t *testing.T) {
	for _, preempt := range []bool{true, false} {
		h := startHelper(t, newSpawner(t).Start, func(s *Start) {
			if !preempt {
				s.Env = append(slices.DeleteFunc(s.Env, func(kv string) bool {
					return strings.HasPrefix(kv, "GODEBUG=")
				}), "GODEBUG=asyncpreemptoff=1")
			}
		}, "needs-raw")
		for sig := 1; sig <= 64; sig++ {
			line := h.line()
			if sig == 9 || sig == 19 {
				continue
			}
			if want := fmt.Sprint(sig, " ", true, " ", true); line == want {
				continue
			}
			if want := fmt.Sprint(sig, " ", false, " ", false); line == want {
				continue
			}
			t.Errorf("signal, NeedsRaw, some thread does not block it: %s", line)
		}
	}
	for _, sig := range []int{-1, 0, 65} {
		if NeedsRaw(sig) {
			t.Errorf("NeedsRaw(%d)", sig)
		}
	}
	for _, sig := range rawSignals {
		if !NeedsRaw(sig) {
			t.Errorf("signal %d does not need it", sig)
		}
	}
}
