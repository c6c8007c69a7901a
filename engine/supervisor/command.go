package supervisor

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
)

// Program is what a supervisor is told about the program that it starts.
type Program struct {
	// Path is the executable and Argv the argument vector, Argv[0] included.
	Path string   `json:"path"`
	Argv []string `json:"argv"`
	Env  []string `json:"env"` // the whole environment, as KEY=VALUE
	Dir  string   `json:"dir"` // absolute
	// Terminal: its standard streams are a terminal, whose foreground group it
	// is to be.
	Terminal bool `json:"terminal,omitempty"`
	// Box holds it: what machine allows what was found out by whoever asks.
	Box sandbox.Box `json:"box"`
	// Observe reports what it and all that it forks does; Calls its system calls
	// of interprocess communication as well, Prints who writes to its standard
	// streams.
	Observe bool `json:"observe,omitempty"`
	Calls   bool `json:"calls,omitempty"`
	Prints  bool `json:"prints,omitempty"`
}

// name is what the argument vector of a supervisor begins with.
const name = "ipcrun-program"

// Descriptors of a supervisor, beside its standard streams. Those of the program
// follow, in order.
const (
	fdLifeline = 3
	fdOrder    = 4
	fdReport   = 5
	fdProgram  = 6
)

// Files are the caller's descriptors for a supervisor.
type Files struct {
	Null, Console    int // its own standard input, and output
	Lifeline, Report int
	// Program are those of the program: descriptor i of it is Program[i].
	Program []int
}

// Command is how the supervisor of a program is started. The returned file is
// the order that it reads; the caller closes it once the process is started.
func Command(p *Program, f Files) (proc.Start, *os.File, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return proc.Start{}, nil, fmt.Errorf("order for a supervisor: %w", err)
	}
	fd, err := unix.MemfdCreate("ipcrun-order", unix.MFD_CLOEXEC)
	if err != nil {
		return proc.Start{}, nil, fmt.Errorf("order for a supervisor: memfd: %w", err)
	}
	order := os.NewFile(uintptr(fd), "order")
	if _, err := order.WriteAt(b, 0); err != nil {
		order.Close()
		return proc.Start{}, nil, fmt.Errorf("order for a supervisor: %w", err)
	}
	c := proc.Start{
		Path: proc.Self(), Args: []string{name, strconv.Itoa(len(f.Program))},
		Env:    []string{"GODEBUG=asyncpreemptoff=1,containermaxprocs=0,updatemaxprocs=0", "GOMAXPROCS=2", "GOGC=200"},
		Files:  append([]int{f.Null, f.Console, f.Console, f.Lifeline, fd, f.Report}, f.Program...),
		Setsid: true, Ctty: -1,
	}
	if p.Terminal {
		c.Ctty = fdProgram + 1
	}
	p.Box.Enclose(&c)
	return c, order, nil
}
