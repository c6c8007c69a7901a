// Package janitor is the life of the process that removes what a run has made
// under names in the system when the engine did not live to do so: after
// SIGKILL none of the engine's code runs, and no process can be made to unlink
// anything by the kernel alone.
//
// The janitor is started before the first such object is made, and by runs that
// make any. It holds the read end of a pipe whose only write end is the
// engine's, through which the engine tells it what there is. At the end of file
// it removes what is still on record, and ends. It leads a session of its own
// and no signal but SIGKILL and SIGSTOP has an effect on it, nor is it tied to
// the lifeline, which kills all others.
//
// It knows the account and nothing of the run. It imports little on purpose: it
// runs from its own init, before the packages that the rest of the binary needs
// are initialised.
package janitor

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/named"
)

// Name is what the argument vector of a janitor begins with.
const Name = "ipcrun-janitor"

// fdTold is the descriptor on which it is told.
const fdTold = 3

// Command is how a janitor is started that reads from told. null is open on
// /dev/null.
func Command(null, told int) proc.Start {
	return proc.Start{
		Path: proc.Self(), Args: []string{Name}, Env: []string{"GOMAXPROCS=1"},
		Files: []int{null, null, null, told}, Setsid: true, Ctty: -1,
	}
}

func init() {
	if len(os.Args) != 1 || os.Args[0] != Name {
		return
	}
	// The mask is one of this thread; a signal to the process must find no other
	// thread that takes it, and those that the runtime makes inherit the mask.
	runtime.LockOSThread()
	if err := proc.Deafen(); err != nil {
		os.Exit(111)
	}
	proc.SetName(Name)
	unix.CloseOnExec(fdTold)
	if left := named.Sweep(named.Read(os.NewFile(fdTold, "told"))); len(left) > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}
