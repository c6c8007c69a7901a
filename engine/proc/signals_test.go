//go:build linux

package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// signalfd: takes SIGUSR1 and a real-time signal from a signalfd and
	// reports each.
	registerHelper("signalfd", func([]string) {
		fd, err := Signalfd(-1, Bit(int(unix.SIGUSR1))|Bit(40))
		must(err)
		_, err = ReadSignalfd(fd)
		if !errors.Is(err, ErrWouldBlock) {
			must(fmt.Errorf("an idle signalfd: %w", err))
		}
		report("ready")
		awaitOrder() // the signals have been sent
		for {
			i, err := ReadSignalfd(fd)
			if errors.Is(err, ErrWouldBlock) {
				break
			}
			must(err)
			reportInfo(i)
		}
		report("end")
	})
	// dispositions: as the kernel shows them, before and after changes.
	registerHelper("dispositions", func([]string) {
		const usr1, quit = int(unix.SIGUSR1), int(unix.SIGQUIT)
		show := func() {
			f, err := ReadFacts(os.Getpid())
			must(err)
			report(f.SigIgn&Bit(usr1) != 0, f.SigCgt&Bit(usr1) != 0, f.SigIgn&Bit(quit) != 0, f.SigCgt&Bit(quit) != 0)
		}
		show()
		must(Sigaction(usr1, Ignore))
		must(Sigaction(quit, Default))
		show()
		must(Sigaction(usr1, Default))
		must(Sigaction(quit, Ignore))
		show()
	})
}

func reportInfo(i Info) { report(i.Signo, i.Code, i.Pid, i.Uid, i.Value) }

func TestMaskIsTheThreads(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		const usr1, usr2 = uint64(1) << (unix.SIGUSR1 - 1), uint64(1) << (unix.SIGUSR2 - 1)
		for _, step := range []struct {
			name string
			do   func() error
			want uint64
		}{
			{"set", func() error { return SetMask(usr1) }, usr1},
			{"block", func() error { return Block(usr2) }, usr1 | usr2},
			{"unblock", func() error { return Unblock(usr1) }, usr2},
			{"set all", func() error { return SetMask(AllSignals) }, blockable},
		} {
			if err := step.do(); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
			if got, err := Mask(); err != nil || got != step.want {
				t.Errorf("%s: mask is %x, %v; want %x", step.name, got, err, step.want)
			}
		}
	}()
	<-done
}

func TestDispositions(t *testing.T) {
	h := startHelper(t, Fork, nil, "dispositions")
	for _, want := range []string{"false true false true", "true false false false", "false false true false"} {
		if got := h.line(); got != want {
			t.Errorf("USR1 ignored, caught, QUIT ignored, caught: %s, want %s", got, want)
		}
	}
}

func TestSigactionErrors(t *testing.T) {
	for _, sig := range []int{-1, 0, int(unix.SIGKILL), int(unix.SIGSTOP), 65} {
		if err := Sigaction(sig, Ignore); !errors.Is(err, unix.EINVAL) {
			t.Errorf("ignoring signal %d: %v", sig, err)
		}
	}
	r, w, err := RawPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(r)
	defer unix.Close(w)
	for _, sig := range []int{-1, 0, int(unix.SIGKILL), int(unix.SIGSTOP), 65} {
		if err := CatchRaw(sig, w); !errors.Is(err, unix.EINVAL) {
			t.Errorf("catching signal %d: %v", sig, err)
		}
	}
	if err := CatchRaw(int(unix.SIGCHLD), -1); !errors.Is(err, unix.EBADF) {
		t.Errorf("catching into no descriptor: %v", err)
	}
	if err := CatchRaw(int(unix.SIGCHLD), 0); err == nil {
		if flags, _ := unix.FcntlInt(0, unix.F_GETFL, 0); flags&unix.O_NONBLOCK == 0 {
			t.Error("catching into a descriptor that may block")
		}
	}
}

// Standard signals coalesce, real-time ones queue, and the sender is known.
func TestSignalfd(t *testing.T) {
	h := startHelper(t, Fork, nil, "signalfd")
	h.line()
	for range 3 {
		if err := Kill(h.pid, int(unix.SIGUSR1)); err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range []int{5, -6, 1<<31 - 1} {
		if err := Sigqueue(h.pid, 40, value); err != nil {
			t.Fatal(err)
		}
	}
	h.order("read")
	me := fmt.Sprint(os.Getpid(), " ", os.Getuid())
	for _, want := range []string{
		"10 0 " + me + " 0",
		"40 -1 " + me + " 5",
		"40 -1 " + me + " -6",
		"40 -1 " + me + " 2147483647",
		"end",
	} {
		if got := h.line(); got != want {
			t.Errorf("number, code, sender, user, value: %s, want %s", got, want)
		}
	}
}

func TestSendingErrors(t *testing.T) {
	h := startHelper(t, Fork, nil, "exit", "0")
	h.wait()
	if err := Kill(h.pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("Kill of nobody: %v", err)
	}
	if err := Kill(os.Getpid(), 65); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Kill with signal 65: %v", err)
	}
	if err := Sigqueue(h.pid, 34, 1); !errors.Is(err, unix.ESRCH) {
		t.Errorf("Sigqueue to nobody: %v", err)
	}
	if err := Sigqueue(os.Getpid(), 34, 1<<31); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Sigqueue of too big a value: %v", err)
	}
	if err := Kill(os.Getpid(), 0); err != nil {
		t.Errorf("Kill with signal 0: %v", err)
	}
}
