//go:build linux

package proc

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supervise is the whole life of a process that leads a terminal's session so
// that the declared process need not: a program that leads its session itself
// behaves differently from one that a shell started.
//
//  1. The engine starts the supervisor with Setsid and Ctty, so it leads a
//     session whose terminal is ttyFd (a descriptor of this process).
//  2. The supervisor forks the declared process in a group of its own, the
//     terminal's foreground group, and calls report with its pid. That group
//     is not orphaned, because the supervisor is a parent in the same session
//     and another group; so the keys that stop really stop.
//  3. It waits for the declared process and calls ended.
//  4. It stays until it is killed, by the Lifeline or by the engine: when the
//     leader of a session ends, the kernel sends SIGHUP to the terminal's
//     foreground group, and what is left of it would miss its last line.
//
// report and ended run on this goroutine and should only store what they are
// given. No signal but SIGKILL and SIGSTOP has an effect on it. Children that are not the declared process
// (there are some if the caller made this process a subreaper) are reaped
// silently. It returns only if the process could not be started.
func Supervise(ttyFd int, child Start, report func(pid int), ended func(Status)) error {
	runtime.LockOSThread()
	if err := Deafen(); err != nil {
		return fmt.Errorf("supervise: %w", err)
	}
	child.Setsid = false
	child.Foreground = true
	child.Ctty = ttyFd
	pid, pidfd, err := Fork(child)
	if err != nil {
		return fmt.Errorf("supervise: %w", err)
	}
	_ = unix.Close(pidfd)
	report(pid)
	for {
		var raw syscall.WaitStatus
		got, err := syscall.Wait4(-1, &raw, 0, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			break // no child is left, and none can come any more
		}
		if got == pid {
			ended(rawStatus(int(raw)))
		}
	}
	for {
		_ = unix.Pause()
	}
}

// Deafen makes a process deaf to all signals but SIGKILL and SIGSTOP. What it
// starts afterwards inherits the mask and no disposition. The caller's thread has
// to be the only one, or locked.
func Deafen() error {
	if err := SetMask(AllSignals); err != nil {
		return err
	}
	return swallowSignals()
}

// SetName makes ps show a name for this process; the kernel takes 15 bytes.
func SetName(name string) {
	b := append([]byte(name), 0)
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b[0])), 0, 0, 0)
}

// swallowSignals renders harmless what the runtime does not let us block. An
// ignored signal would stay ignored in the declared process; one with a
// handler does not. So they get a handler whose records nobody reads.
func swallowSignals() error {
	_, write, err := RawPipe()
	if err != nil {
		return err
	}
	for sig := 1; sig <= 64; sig++ {
		// SIGURG keeps the runtime going and is ignored by default, as
		// SIGCHLD is; 32 and 33 nobody sends.
		if !NeedsRaw(sig) || sig == int(unix.SIGURG) || sig == int(unix.SIGCHLD) || sig == 32 || sig == 33 {
			continue
		}
		if err := CatchRaw(sig, write); err != nil {
			return err
		}
	}
	return nil
}
