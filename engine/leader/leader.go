// Package leader is the life of the process that leads the session of a
// terminal, so that the declared process need not: a program that leads its
// session itself behaves differently from one that a shell started.
//
// It knows shared memory and processes; it must never know scripts. It imports
// little on purpose: it runs from its own init, before the packages that the
// rest of the binary needs are initialised, since a declared process with a
// terminal waits for it.
package leader

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
)

// Name is what the argument vector of a leader begins with.
const Name = "ipcrun-leader"

// Descriptors that a leader has in the place of the process it starts.
const (
	FdArena    = 3
	FdLifeline = 4
	FdWake     = 5
)

// Command turns the command of a declared process into that of the leader of
// its terminal's session. The terminal is its standard input.
func Command(c proc.Start, slot int) proc.Start {
	c.Args = append([]string{Name, strconv.Itoa(slot), strconv.Itoa(len(c.Files))}, c.Args...)
	c.Setsid, c.Ctty = true, 0
	return c
}

func init() {
	if len(os.Args) > 3 && os.Args[0] == Name {
		slot, err1 := strconv.Atoi(os.Args[1])
		n, err2 := strconv.Atoi(os.Args[2])
		if err1 != nil || err2 != nil {
			die("bad arguments")
		}
		lead(slot, n, os.Args[3:])
	}
}

// lead starts the process of a slot, whose descriptors 0 to n-1 this process
// holds in its place, and stays until it is killed. It does not return.
func lead(slot, n int, args []string) {
	files := make([]int, n)
	for i := range files {
		files[i] = i
	}
	if err := proc.ArmLifeline(FdLifeline); err != nil {
		die(err.Error())
	}
	files[FdLifeline] = proc.LifelineFd()
	for i := FdArena; i < n; i++ {
		unix.CloseOnExec(i)
	}
	a, err := arena.Attach(FdArena)
	if err != nil {
		die(err.Error())
	}
	s := a.Slot(slot)
	child := proc.Start{Path: proc.Self(), Args: args, Env: os.Environ(), Files: files, Ctty: -1}
	err = proc.Supervise(0, child,
		func(pid int) {
			s.MarkForked(pid)
			a.WakeEngine(FdWake)
		},
		func(st proc.Status) {
			s.RecordStatus(st.Encode())
			a.WakeEngine(FdWake)
		})
	die(err.Error())
}

func die(text string) {
	os.Stderr.WriteString("ipcrun supervisor: " + text + "\n")
	os.Exit(111)
}
