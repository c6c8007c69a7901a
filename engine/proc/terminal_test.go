//go:build linux

package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// keys: takes the keys' signals and reports them as they come.
	registerHelper("keys", func([]string) {
		r, w, err := RawPipe()
		must(err)
		must(CatchRaw(int(unix.SIGINT), w))
		must(CatchRaw(int(unix.SIGQUIT), w))
		fd, err := Signalfd(-1, Bit(int(unix.SIGTSTP)))
		must(err)
		report("ready")
		for range 2 {
			i := nextRaw(r)
			report(i.Signo, i.Code, i.Pid)
		}
		awaitOrder()
		i, err := ReadSignalfd(fd)
		must(err)
		report(i.Signo, i.Code, i.Pid)
	})
	// writer LINES: writes numbered lines to its terminal.
	registerHelper("writer", func([]string) {
		must(Sigaction(int(unix.SIGINT), Ignore))
		tty := os.NewFile(fdExtra, "tty")
		report("ready")
		awaitOrder()
		for i := range writerLines {
			_, err := fmt.Fprintf(tty, "line %d\n", i)
			must(err)
		}
		report("done")
		awaitOrder()
	})
	// reader: reads lines from its terminal.
	registerHelper("reader", func([]string) {
		buf := make([]byte, 100)
		for {
			report("ready")
			awaitOrder()
			n, err := unix.Read(fdExtra, buf)
			must(err)
			report(fmt.Sprintf("%q", buf[:n]))
		}
	})
}

const writerLines = 5000

func openTerminal(t *testing.T) *Terminal {
	t.Helper()
	term, err := OpenTerminal(24, 80)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := term.Close(); err != nil {
			t.Error(err)
		}
	})
	return term
}

// onTerminal makes a helper lead the terminal's session; fdExtra is the
// terminal.
func onTerminal(term *Terminal) func(*Start) {
	return func(s *Start) {
		s.Files = append(s.Files, term.Slave())
		s.Setsid, s.Ctty = true, fdExtra
	}
}

// readAll reads what is there.
func readAll(t *testing.T, term *Terminal) string {
	t.Helper()
	var out strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := term.Read(buf)
		if errors.Is(err, ErrWouldBlock) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Write(buf[:n])
	}
}

func TestTerminalSettings(t *testing.T) {
	term := openTerminal(t)
	m, err := unix.IoctlGetTermios(term.Slave(), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if m.Lflag&unix.ECHO != 0 || m.Lflag&(unix.ICANON|unix.ISIG) != unix.ICANON|unix.ISIG {
		t.Errorf("local modes %o", m.Lflag)
	}
	if m.Cc[unix.VINTR] != 3 || m.Cc[unix.VQUIT] != 28 || m.Cc[unix.VSUSP] != 26 || m.Cc[unix.VEOF] != 4 {
		t.Errorf("control characters %v", m.Cc)
	}
	size, err := unix.IoctlGetWinsize(term.Slave(), unix.TIOCGWINSZ)
	if err != nil || size.Row != 24 || size.Col != 80 {
		t.Errorf("size %+v, %v", size, err)
	}
	if pgid, err := term.Foreground(); err != nil || pgid != 0 {
		t.Errorf("foreground group of an unused terminal: %d, %v", pgid, err)
	}
	for _, fd := range []int{term.Master(), term.Slave()} {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is not close-on-exec: %v", fd, err)
		}
	}
	if n, err := term.Read(make([]byte, 1)); !errors.Is(err, ErrWouldBlock) {
		t.Errorf("read of nothing: %d, %v", n, err)
	}
}

// pressAndCheck presses keys many times; each time the signal must be pending
// for the process of the foreground group at the very moment that Press
// returns. That process is no Go program, because those cannot block SIGINT,
// and a new one each time, because nobody takes the signal. after, if not nil,
// runs at the end of each round.
func pressAndCheck(t *testing.T, term *Terminal, rounds int, after func()) {
	t.Helper()
	spawner := newSpawner(t)
	keys := []struct {
		key byte
		sig unix.Signal
	}{{3, unix.SIGINT}, {3, unix.SIGINT}, {28, unix.SIGQUIT}, {26, unix.SIGTSTP}}
	for i := range rounds {
		pid, pidfd, err := spawner.Start(Start{
			Path:   "/bin/sleep",
			Args:   []string{"sleep", "1000"},
			Files:  []int{term.Slave()},
			Setsid: true,
			Ctty:   0,
		})
		if err != nil {
			t.Fatal(err)
		}
		k := keys[i%len(keys)]
		perr := term.Press(k.key)
		f, ferr := ReadFacts(pid)
		_ = Kill(pid, int(unix.SIGKILL))
		waitFor(t, pidfd)
		_ = unix.Close(pidfd)
		if perr != nil || ferr != nil {
			t.Fatalf("round %d: %v, %v", i, perr, ferr)
		}
		if f.ShdPnd != Bit(int(k.sig)) {
			t.Fatalf("round %d: pending %v when Press returned, want %v", i, SignalSet(f.ShdPnd), k.sig)
		}
		if after != nil {
			after()
		}
	}
}

func TestPressReturnsWhenTheSignalIsThere(t *testing.T) {
	pressAndCheck(t, openTerminal(t), 1000, nil)
}

func TestPressBesideBurners(t *testing.T) {
	if testing.Short() {
		t.Skip("burns CPUs")
	}
	for range runtime.NumCPU() {
		startHelper(t, Fork, nil, "burn").line()
	}
	times := 150 // each of which waits for its turn among them
	if os.Getenv("IPCRUN_TEST_LONG") != "" {
		times = 1000
	}
	pressAndCheck(t, openTerminal(t), times, nil)
}

// A line that nobody reads is the case in which polling waits for nothing.
func TestPressWithUnreadInput(t *testing.T) {
	term := openTerminal(t)
	if err := term.Press([]byte("nobody reads this\r")...); err != nil {
		t.Fatal(err)
	}
	pressAndCheck(t, term, 200, nil)
	buf := make([]byte, 100)
	n, err := unix.Read(term.Slave(), buf)
	if got := string(buf[:n]); err != nil || got != "nobody reads this\n" {
		t.Errorf("the line afterwards: %q, %v", got, err)
	}
}

// A program that asks for flushing gets it, unread input or not.
func TestPressFlushesWhereAsked(t *testing.T) {
	term := openTerminal(t)
	m, err := unix.IoctlGetTermios(term.Slave(), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	m.Lflag &^= unix.NOFLSH
	if err := unix.IoctlSetTermios(term.Slave(), unix.TCSETS, m); err != nil {
		t.Fatal(err)
	}
	press := func() {
		if err := term.Press([]byte("lost\r")...); err != nil {
			t.Fatal(err)
		}
	}
	press()
	pressAndCheck(t, term, 8, func() {
		p := []unix.PollFd{{Fd: int32(term.Slave()), Events: unix.POLLIN}}
		if n, err := unix.Poll(p, 0); n != 0 || err != nil {
			t.Errorf("input after the key: %d, %v", n, err)
		}
		press()
	})
}

func TestKeysComeFromTheKernel(t *testing.T) {
	term := openTerminal(t)
	h := startHelper(t, newSpawner(t).Start, onTerminal(term), "keys")
	h.line()
	if pgid, err := term.Foreground(); err != nil || pgid != h.pid {
		t.Errorf("foreground group %d, %v; want %d", pgid, err, h.pid)
	}
	for i, key := range []byte{3, 28, 26} {
		if err := term.Press(key); err != nil {
			t.Fatal(err)
		}
		if key == 26 {
			h.order("read")
		}
		want := []string{"2 128 0", "3 128 0", "20 128 0"}[i]
		if got := h.line(); got != want {
			t.Errorf("number, code, sender: %s, want %s", got, want)
		}
	}
}

func TestPressLines(t *testing.T) {
	term := openTerminal(t)
	h := startHelper(t, newSpawner(t).Start, onTerminal(term), "reader")
	for _, c := range []struct{ keys, want string }{
		{"hello\r", `"hello\n"`},
		{"你好x\x7f\x7f们\r", `"你们\n"`}, // backspace removes a whole character
		{"\x04", `""`},
	} {
		h.line()
		if err := term.Press([]byte(c.keys)...); err != nil {
			t.Fatal(err)
		}
		h.order("read")
		if got := h.line(); got != c.want {
			t.Errorf("after %q the process read %s, want %s", c.keys, got, c.want)
		}
	}
	if got := readAll(t, term); got != "" {
		t.Errorf("echo: %q", got)
	}
}

func TestPressIntoAFullTerminal(t *testing.T) {
	term := openTerminal(t)
	line := []byte(strings.Repeat("x", 99) + "\r")
	var err error
	for range 10000 {
		if err = term.Press(line...); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrWouldBlock) {
		t.Errorf("after a megabyte that nobody reads: %v", err)
	}
}

// When the leader of the session has ended, keys reach nobody.
func TestPressAfterTheSession(t *testing.T) {
	term := openTerminal(t)
	h := startHelper(t, newSpawner(t).Start, onTerminal(term), "obey")
	h.line()
	h.order("end")
	h.wait()
	if err := term.Press(3); err != nil {
		t.Error(err)
	}
	if pgid, err := term.Foreground(); err != nil || pgid != 0 {
		t.Errorf("foreground group %d, %v; want none", pgid, err)
	}
}

// Keys that become signals must not cost a byte of output, however busy the
// terminal is; and what Read says is all that has been written.
func TestKeysLoseNoOutput(t *testing.T) {
	term := openTerminal(t)
	h := startHelper(t, newSpawner(t).Start, onTerminal(term), "writer")
	h.line()
	h.order("write")
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.line()
	}()
	var out strings.Builder
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if err := term.Press(3); err != nil {
			t.Fatal(err)
		}
		out.WriteString(readAll(t, term))
	}
	var want strings.Builder
	for i := range writerLines {
		fmt.Fprintf(&want, "line %d\r\n", i)
	}
	if out.String() != want.String() {
		t.Errorf("%d bytes arrived, want %d", out.Len(), want.Len())
	}
}

func TestReadAfterTheOtherSideClosed(t *testing.T) {
	term := openTerminal(t)
	if _, err := unix.Write(term.slave, []byte("last words")); err != nil {
		t.Fatal(err)
	}
	unix.Close(term.slave)
	buf := make([]byte, 100)
	n, err := term.Read(buf)
	if err != nil || string(buf[:n]) != "last words" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if _, err := term.Read(buf); err != io.EOF {
		t.Errorf("%v, want end of file", err)
	}
	if term.slave, err = openSlave(term.master); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkPress(b *testing.B) {
	term, err := OpenTerminal(24, 80)
	if err != nil {
		b.Fatal(err)
	}
	defer term.Close()
	for b.Loop() {
		if err := term.Press(3); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOneKey: what belongs together, and what does not.
func TestOneKey(t *testing.T) {
	for text, want := range map[string]int{
		"a": 1, "ab": 1, "\x03a": 1, "车ab": 3, "\xe8\xbd": 1, "\xffa": 1,
		"\x1b": 1, "\x1b\x1b[A": 1, "\x1b[A\x1b[B": 3, "\x1b[15~x": 5, "\x1b[1;5Cx": 6, "\x1b[": 2, "\x1b[1\rx": 2,
		"\x1bOPx": 3, "\x1bO": 2, "\x1bxy": 2, "\x1b车y": 4,
	} {
		if got := oneKey([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
