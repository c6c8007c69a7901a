package agent

import (
	"os"
	"runtime"
	"strconv"

	"ipcrun/engine/proc"
	"ipcrun/engine/script"
)

// Descriptors of an agent, see the package comment.
const (
	FdArena    = 3
	FdLifeline = 4
	FdWake     = 5
	FdOrders   = 6
	FdPrims    = 7
)

// agentName is what the argument vector of an agent begins with.
const agentName = "ipcrun-agent"

// Environment is what agents start with. The Go runtime must not send itself
// signals (a script may handle them), and shall not look for limits on
// processors, which costs time and descriptors. With one processor it starts
// no threads that it does not need; the watcher of signals asks for another.
func Environment() []string {
	return []string{"GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0", "GOMAXPROCS=1", "GOGC=200"}
}

// Files says which descriptor of the caller becomes which of the agent.
type Files struct {
	Std                   [3]int
	Arena, Lifeline, Wake int
	// Orders gives the caller's socket for the orders of an idle process.
	Orders func(slot int) int
	// Prims gives the caller's descriptor for a descriptor's number in the run.
	Prims func(number int) int
}

// Command is how an agent for a slot is started.
func Command(t *script.Text, slot int, name string, p *script.Program, f Files) proc.Start {
	own := -1
	if t.Slot(slot).Flags&script.SlotIdle != 0 {
		own = f.Orders(slot)
	}
	files := []int{f.Std[0], f.Std[1], f.Std[2], f.Arena, f.Lifeline, f.Wake, own}
	for i := range p.Uses {
		for _, n := range p.Uses[i].Fds {
			if n < 0 {
				continue
			}
			files = append(files, f.Prims(n))
		}
	}
	for _, s := range idleBelow(t, slot) {
		files = append(files, f.Orders(s))
	}
	return proc.Start{
		Path: proc.Self(), Args: []string{agentName, strconv.Itoa(slot), name},
		Env: Environment(), Files: files, Ctty: -1,
	}
}

// init makes this process an agent if it was started as one, and does not
// return then. It runs when the packages that an agent needs are initialised,
// which is before those that only the command line needs (Go initialises
// packages as their imports allow, in the order of their paths): what a process
// does not use it does not pay for.
func init() {
	if len(os.Args) != 3 || os.Args[0] != agentName && os.Args[0] != attendantName {
		return
	}
	// Dispositions are a matter of the main thread: its mask is the one that
	// the process file system shows, and forks happen on it.
	runtime.LockOSThread()
	slot, err := strconv.Atoi(os.Args[1])
	if err != nil {
		die("slot: %v", err)
	}
	if os.Args[0] == attendantName {
		runAttendant(slot, os.Args[2])
	}
	run(slot, os.Args[2])
}

// idleBelow lists the idle descendants of a process: their sockets pass
// through its hands, behind the descriptors of primitives.
func idleBelow(t *script.Text, slot int) []int {
	var out []int
	for _, c := range t.Children(slot) {
		if t.Slot(c).Flags&script.SlotIdle != 0 {
			out = append(out, c)
		}
		out = append(out, idleBelow(t, c)...)
	}
	return out
}
