package observe

import (
	"strconv"
	"strings"
)

// Kind says what an Event tells.
type Kind uint8

// The kinds of events, each with the fields that it uses beside At and Pid.
const (
	// Fork: Pid made the process Child, as Way says. Pid is 0 if the parent was
	// killed in that moment and nobody knows any more.
	Fork Kind = iota + 1
	// Exec: Pid executes another program: Exe, Argv.
	Exec
	// Exit: Pid has ended: Status. Its parent may not have been told yet.
	Exit
	// Signal: Signal was delivered to Pid, in thread Tid: Sender, Uid, Code,
	// Value, Disposition. A signal that is blocked is delivered when it is
	// unblocked, and standard signals that coalesce are one delivery.
	Signal
	// Stop: all threads of Pid have stopped because of Signal.
	Stop
	// Continue: Pid goes on after a stop.
	Continue
	// Begin: the system call Call of thread Tid has not returned for a
	// millisecond: it waits. Its Call follows, unless the thread dies in it. Only
	// with Options.Calls.
	Begin
	// Call: a system call of thread Tid returned: Call. Only with Options.Calls.
	Call
	// Print: thread Tid is about to write Text to a standard stream, Fd, 1 or 2: to
	// where that led when the program was started. Only with Options.Prints.
	Print
	// Lost: Pid is about to end, as Status says, with Text in the buffer that the C
	// library (glibc) keeps for a standard stream, Fd, 1 or 2: it was never written.
	// What a forked child has in there from its parent is not the child's. Only with
	// Options.Prints or Options.Calls.
	Lost
)

var kindNames = [...]string{Fork: "fork", Exec: "exec", Exit: "exit", Signal: "signal",
	Stop: "stop", Continue: "continue", Begin: "begin", Call: "call", Print: "print", Lost: "lost"}

func (k Kind) String() string { return nameOf(kindNames[:], int(k)) }

// Way is how a process was forked.
type Way uint8

// The ways.
const (
	ByFork  Way = iota + 1
	ByVfork     // the parent waits until the child executes or ends
	ByClone     // with another signal than SIGCHLD at its end
)

var wayNames = [...]string{ByFork: "fork", ByVfork: "vfork", ByClone: "clone"}

func (w Way) String() string { return nameOf(wayNames[:], int(w)) }

// Code is where a signal came from.
type Code uint8

// The origins of signals.
const (
	// FromUnknown: nobody keeps who sent it. Such is SIGKILL, unless with
	// Options.Calls the call that sent it was seen.
	FromUnknown Code = iota
	FromKill         // kill
	FromTkill        // tkill, tgkill, pthread_kill, raise
	FromQueue        // sigqueue: with a Value
	FromKernel       // a key of the terminal, alarm, SIGPIPE, a stop of the background…
	FromTimer        // a POSIX timer: with a Value
	FromMessage      // mq_notify: with a Value
	FromIO           // asynchronous input and output
	FromFault        // what the thread itself just did
	FromSeccomp      // a forbidden system call
	// The rest come with SIGCHLD: Sender is the child, Value its exit code or
	// the number of its signal.
	ChildExited
	ChildKilled
	ChildDumped
	ChildTrapped
	ChildStopped
	ChildContinued
)

var codeNames = [...]string{FromUnknown: "unknown", FromKill: "kill", FromTkill: "tkill", FromQueue: "queue",
	FromKernel: "kernel", FromTimer: "timer", FromMessage: "message", FromIO: "io", FromFault: "fault",
	FromSeccomp: "seccomp", ChildExited: "child exited", ChildKilled: "child killed", ChildDumped: "child dumped",
	ChildTrapped: "child trapped", ChildStopped: "child stopped", ChildContinued: "child continued"}

func (c Code) String() string { return nameOf(codeNames[:], int(c)) }

// ByProcess reports whether a process sent the signal on purpose.
func (c Code) ByProcess() bool { return c == FromKill || c == FromTkill || c == FromQueue }

// Disposition is what the receiver had arranged for a signal when it was
// delivered.
type Disposition uint8

// The dispositions.
const (
	// Unknown: the process was gone before it could be asked.
	Unknown Disposition = iota
	// Default: the signal's default action; of an orphaned process group the
	// kernel ignores the stops of job control.
	Default
	Ignored // the signal has no effect
	Caught  // a handler runs
	// Taken: by sigwait or from a signalfd, without delivery. Only with
	// Options.Calls. Code is FromUnknown if the program did not ask for more
	// than the number.
	Taken
)

var dispositionNames = [...]string{Unknown: "unknown", Default: "default", Ignored: "ignored", Caught: "caught", Taken: "taken"}

func (d Disposition) String() string { return nameOf(dispositionNames[:], int(d)) }

// Event is one thing that happened, in the order in which the tracer learned of
// it: an event never comes before one that caused it. Process numbers are those
// of the tracer's PID namespace; Sender is as the receiver's namespace has it.
type Event struct {
	Kind Kind
	At   int64 // CLOCK_MONOTONIC, nanoseconds
	Pid  int   // the process that it is about
	Tid  int   // its thread, 0 where that means nothing

	Child int // Fork
	Way   Way // Fork

	Exe  string   // Exec: the executable's path, empty where the kernel hides it
	Argv []string // Exec: at most MaxArgv bytes of it

	Status uint32 // Exit, Lost: as wait(2) returns it, see proc.DecodeStatus
	// Exit: what it has used, and those of its children that it has waited for:
	// processor time, nanoseconds, and the most memory of any of them, bytes.
	CPU, Peak int64

	Signal      int         // Signal, Stop
	Sender      int         // Signal: the sender's pid; 0: none, or out of sight
	Uid         uint32      // Signal: the sender's real user
	Code        Code        // Signal
	Value       int32       // Signal: what came with it (sival_int)
	Disposition Disposition // Signal

	Call *SystemCall // Begin, Call

	Fd   int    // Print, Lost
	Text string // Print: at most 32 KiB of it; Lost: at most 4 KiB
}

// MaxArgv bounds the arguments of an Exec, in bytes.
const MaxArgv = 16 << 10

// SystemCall is a system call, decoded by meaning.
type SystemCall struct {
	Name string
	Args []Arg
	// Result is what it returned, -1 if it failed; Error is then the name of
	// the error, such as EAGAIN. Results are what it wrote through its pointers:
	// the descriptors of a pipe, the status of a child.
	Result  int64
	Error   string
	Results []Arg
	// Duration is the time from its beginning, nanoseconds; 0 in a Begin.
	Duration int64
}

// Arg is one argument or result: a text, or a number where Text is empty.
type Arg struct {
	Name   string
	Number int64
	Text   string
}

func nameOf(names []string, n int) string {
	if n < len(names) && names[n] != "" {
		return names[n]
	}
	return "?"
}

// String is the call as programmers write it: kill(pid 7, SIGUSR1) = 0.
func (c *SystemCall) String() string {
	var b strings.Builder
	b.WriteString(c.Name + "(")
	list(&b, c.Args)
	b.WriteString(") = ")
	if c.Error != "" {
		b.WriteString(c.Error)
	} else {
		b.WriteString(strconv.FormatInt(c.Result, 10))
	}
	if len(c.Results) > 0 {
		b.WriteString(" [")
		list(&b, c.Results)
		b.WriteString("]")
	}
	return b.String()
}

func list(b *strings.Builder, args []Arg) {
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(a.Name + " ")
		if a.Text != "" {
			b.WriteString(a.Text)
		} else {
			b.WriteString(strconv.FormatInt(a.Number, 10))
		}
	}
}
