//go:build linux && (amd64 || arm64)

package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Ordered are the signals of NeedsRaw that queue, of which there is one, SIGRTMIN of
// the C libraries. Two threads that take one each may write them down in the wrong
// order, so no thread may take them: see CatchOrdered.
const Ordered = 1 << (34 - 1)

// catchBlocked are the signals that a thread which has taken them blocks from then on,
// and catchSelf is this process. The handler reads both.
var (
	//lint:ignore U1000 the assembler reads it
	catchBlocked uint64
	//lint:ignore U1000 the assembler reads it
	catchSelf int32
)

// spareThreads is how many threads there are more than are needed at the time, so
// that the runtime makes none later on, which would not block the signal: it takes
// those that have nothing to do first, and never ends one.
const spareThreads = 4

// CatchOrdered has all threads of this process block a signal of Ordered, so that a
// signalfd has it, in order and with its value. A thread that the runtime makes none
// the less takes one at most, which comes through the pipe as with CatchRaw.
func CatchOrdered(sig int, fd int) error {
	if Ordered&Bit(sig) == 0 {
		return fmt.Errorf("catch signal %d in order: %w", sig, unix.EINVAL)
	}
	actionMu.Lock()
	catchBlocked |= Bit(sig)
	catchSelf = int32(unix.Getpid())
	actionMu.Unlock()
	if err := CatchRaw(sig, fd); err != nil {
		return err
	}
	return blockInThreads(sig)
}

// blockInThreads has the threads that there are block a signal, and some more. Nothing
// but a signal reaches a thread that is no goroutine's, so each is sent this one: the
// handler leaves it blocked.
func blockInThreads(sig int) error {
	moreThreads()
	told := map[int]bool{}
	for {
		open, err := threadsWithout(sig)
		if err != nil || len(open) == 0 {
			return err
		}
		for _, tid := range open {
			if !told[tid] {
				told[tid] = true
				if err := unix.Tgkill(unix.Getpid(), tid, unix.Signal(sig)); err != nil && err != unix.ESRCH {
					return fmt.Errorf("signal %d to thread %d: %w", sig, tid, err)
				}
			}
		}
		// Nothing announces that the kernel has done with a thread's mask.
		time.Sleep(20 * time.Microsecond)
	}
}

// moreThreads makes threads that the runtime has to spare.
func moreThreads() {
	free := make(chan struct{})
	var ready, over sync.WaitGroup
	for range spareThreads {
		ready.Add(1)
		over.Go(func() {
			runtime.LockOSThread() // so that each has one
			defer runtime.UnlockOSThread()
			ready.Done()
			<-free
		})
	}
	ready.Wait()
	close(free)
	over.Wait()
}

// threadsWithout lists the threads that do not block a signal, or may not soon: one
// that the runtime is about to start blocks all of them, and gives up those that it
// does not want blocked when it begins. The calling thread is past that.
func threadsWithout(sig int) (tids []int, err error) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := os.ReadFile("/proc/self/task/" + e.Name() + "/status")
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tid, err := strconv.Atoi(e.Name())
		if err != nil {
			return nil, err
		}
		var f Facts
		f.parseStatus(text)
		begins := f.SigBlk&Bit(int(unix.SIGPROF)) != 0 && tid != unix.Gettid()
		if f.SigBlk&Bit(sig) == 0 || begins {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}
