package engine

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/janitor"
	"ipcrun/engine/proc"
	"ipcrun/prims/named"
)

// keeper of the account of what a run makes under names in the system.
type household struct {
	ledger *named.Ledger
	told   *os.File // the janitor's pipe, nil: there is none
	pid    int
	pidfd  int
}

func (r *run) openLedger() {
	token := fmt.Sprintf("%d-%08x", ownPid, rand.Uint32())
	r.house.ledger = named.NewLedger(token, r.startJanitor)
}

// workDir is the run's own directory, which is made when it is first asked for
// and removed at the end with all that is in it, whatever happens to the engine.
func (r *run) workDir() (string, error) { return r.house.ledger.Dir() }

// startJanitor starts the process that tidies up should the engine be killed.
func (r *run) startJanitor() (io.Writer, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	defer unix.Close(p[0])
	pid, pidfd, err := r.engine.spawner.Start(janitor.Command(int(r.null.Fd()), p[0]))
	if err != nil {
		unix.Close(p[1])
		return nil, err
	}
	h := &r.house
	h.told, h.pid, h.pidfd = os.NewFile(uintptr(p[1]), "janitor"), pid, pidfd
	return h.told, nil
}

// patienceWithJanitor bounds the wait for a janitor that has nothing left to do, and
// patienceWithDeath that for a process that was killed: it ends, but a machine that
// has much else to do may not let it for a while.
const (
	patienceWithJanitor = 2 * time.Second
	patienceWithDeath   = time.Minute
)

// tidy removes what the run has made under names in the system and lets the
// janitor go. It returns what is left. It is for when no process of the run
// lives any more.
func (r *run) tidy() (left []string) {
	h := &r.house
	if h.ledger == nil {
		return nil
	}
	left = h.ledger.Sweep()
	if h.told == nil {
		return left
	}
	h.told.Close()
	h.told = nil
	if !h.endsWithin(patienceWithJanitor) {
		// Somebody has stopped it, or the machine is busy.
		_ = unix.Kill(h.pid, unix.SIGKILL)
		h.endsWithin(patienceWithDeath)
	}
	if _, reaped, err := proc.WaitPidfd(h.pidfd); err == nil && !reaped {
		left = append(left, "the janitor")
	}
	unix.Close(h.pidfd)
	return left
}

// endsWithin waits for the end of the janitor. What interrupts the wait is no end: the
// runtime sends itself signals.
func (h *household) endsWithin(d time.Duration) bool {
	p := []unix.PollFd{{Fd: int32(h.pidfd), Events: unix.POLLIN}}
	for until := time.Now().Add(d); ; {
		n, err := unix.Poll(p, int(max(time.Until(until), 0).Milliseconds()))
		if err != unix.EINTR {
			return n > 0
		}
	}
}
