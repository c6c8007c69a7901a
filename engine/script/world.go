package script

import (
	"strings"
	"time"

	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// World is where the steps of a script take effect.
//
// Methods that may block return ErrInterrupted when a signal wants to be
// handled first; the machine runs the handler and does the action again, with
// the same deadline. Errors of the vocabulary are *decl.Failure.
type World interface {
	// Fact is a frozen snapshot of a declared name, for expressions.
	Fact(name string) (any, bool)
	// Func calls a function of conditions.
	Func(name string, args []any) (any, error)
	// Now is the clock that deadlines refer to, nanoseconds.
	Now() int64
	// Limit is how long a step waits at most whose timeout: says d.
	Limit(a *Action, d time.Duration) time.Duration
	// Op performs the operation of a primitive that a names.
	Op(a *Action) (any, error)
	Print(a *Action, text string) error
	// Sleep blocks until a.Deadline.
	Sleep(a *Action) error
	// Check records the outcome of an assertion.
	Check(a *Action, c Check)

	Kill(a *Action, slot, signal int, value *int) error
	// Wait blocks until the process has ended and returns its status.
	Wait(a *Action, slots []int, any bool) (any, error)
	Fork(a *Action, slot int) error
	Pause(a *Action) error
	Alarm(a *Action, nanoseconds int64) (left float64, err error)
	Mask(a *Action, how string, signals []int) error
	Dispose(a *Action, signal int, disposition string) error
}

// ScriptWorld is the World of the top-level script.
type ScriptWorld interface {
	World
	Press(a *Action, slot int, key string) error
	Expect(a *Action, slot int, p Pattern) (any, error)
	// Type writes text to the standard input of a program; it does not block.
	Type(a *Action, slot int, text string) error
	CloseStdin(a *Action, slot int) error
	// Eventually blocks until the condition holds.
	Eventually(a *Action, cond Condition) error
	// Order has a process carry out a step, and waits for it unless it goes on
	// in the background under a name.
	Order(a *Action, slot int, order int, vars map[string]any, background string) (any, error)
	Await(a *Action, background string) (any, error)
	// Left looks for what LeftZombies, LeftOrphans or LeftIPC speaks of, below the
	// process in a slot or, for -1, everywhere.
	Left(a *Action, what string, slot int) (Check, error)
}

// Condition is an expression that can be asked again and again.
type Condition interface {
	Holds() (bool, error)
	// Explain lists the parts of it and their values, for the report.
	Explain() []Part
	Source() string
	// Names are the declared names it depends on.
	Names() []string
}

// Part is one sub-expression and its value.
type Part struct {
	Text  string
	Value string
}

// Check is the outcome of an assertion.
type Check struct {
	OK    bool
	Text  string // the condition
	Parts []Part // values in play
	Why   string
}

// Pattern is what expect looks for: one of Text, Regex, Any and All says it.
type Pattern struct {
	Text  string
	Regex string
	// Any: a line in which one of them is found. All: lines in any order, one for
	// each of them.
	Any, All []Pattern
}

// String is the pattern in words.
func (p Pattern) String() string {
	list := func(ps []Pattern, between string) string {
		out := make([]string, len(ps))
		for i, x := range ps {
			out[i] = x.String()
		}
		return strings.Join(out, between)
	}
	switch {
	case p.Regex != "":
		return "/" + p.Regex + "/"
	case p.Any != nil:
		return list(p.Any, " or ")
	case p.All != nil:
		return list(p.All, " and ")
	}
	return p.Text
}

// ErrInterrupted: see World.
var ErrInterrupted = prims.ErrInterrupted

// Names of errors of engine verbs.
const (
	Timeout    = prims.Timeout
	Invalid    = prims.Invalid
	Closed     = prims.Closed
	NoChild    = "NoChild"
	NoProcess  = "NoProcess"
	Permission = "Permission"
)

func init() {
	decl.RegisterError(NoChild, "the process waited for is not a child of the one that waits (ECHILD)")
	decl.RegisterError(NoProcess, "there is no such process: it has not been forked, or it has ended (ESRCH)")
	decl.RegisterError(Permission, "the kernel refused (EPERM)")
}
