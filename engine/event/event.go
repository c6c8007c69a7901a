package event

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
)

// Event is one thing that happened, with names instead of numbers: one line of
// a log file. Which fields are set depends on Type; absent ones mean nothing.
type Event struct {
	At   int64  `json:"at"`   // nanoseconds since the run began
	Type string `json:"type"` // a Kind's name
	// Proc is the declared process it happened in, empty for the script and
	// the engine.
	Proc string `json:"proc,omitempty"`
	Pid  int    `json:"pid,omitempty"`
	// Line and Col say which step of the file it belongs to.
	Line   int    `json:"line,omitempty"`
	Col    int    `json:"col,omitempty"`
	Step   string `json:"step,omitempty"` // its name: key
	Verb   string `json:"verb,omitempty"`
	Object string `json:"object,omitempty"` // primitive or process it is about
	Seq    uint64 `json:"seq,omitempty"`    // number of the operation on its object
	Value  any    `json:"value,omitempty"`  // see Plain
	Error  string `json:"error,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Expected: the step expected this error.
	Expected bool `json:"expected,omitempty"`
	// Travels: the error goes to the process that has asked for a result.
	Travels bool `json:"travels,omitempty"`
	// Answered: a program has asked for the step and was told the error.
	Answered bool   `json:"answered,omitempty"`
	Signal   string `json:"signal,omitempty"`
	// Peer is the other process of a signal: its sender or its receiver;
	// kernel, script, or a number where it is not declared.
	Peer    string  `json:"peer,omitempty"`
	PeerPid int     `json:"peer_pid,omitempty"`
	Code    string  `json:"code,omitempty"` // how a signal came: user, queue, kernel, timer
	Status  *Status `json:"status,omitempty"`
	Used    *Usage  `json:"used,omitempty"` // at the end of a program
	Check   *Check  `json:"check,omitempty"`
	Hint    string  `json:"hint,omitempty"`
	Points  float64 `json:"points,omitempty"`
	Stuck   *Stuck  `json:"stuck,omitempty"`
	Limit   *Limit  `json:"limit,omitempty"`
	Stream  string  `json:"stream,omitempty"` // of a line printed: stderr, if it went there
	Race    *Race   `json:"race,omitempty"`
	Run     *Run    `json:"run,omitempty"`
}

// Status is how a process ended: an exit code or a signal, never both.
type Status struct {
	ExitCode *int   `json:"exit_code,omitempty" doc:"0 to 255, if it exited"`
	Signal   string `json:"signal,omitempty" doc:"name of the signal that ended it"`
	Core     bool   `json:"core,omitempty" doc:"the signal's action was to dump core, and it did"`
}

// Usage is what a program has used, and those of its children that it has waited for,
// in all, and what its start takes.
type Usage struct {
	CPU  int64 `json:"cpu"`  // nanoseconds
	Peak int64 `json:"peak"` // the most memory that any of them has had in use, bytes
}

// String is the status in words.
func (s *Status) String() string {
	switch {
	case s == nil:
		return "ended, nobody knows how"
	case s.Signal != "" && s.Core:
		return "ended by " + s.Signal + " (core dumped)"
	case s.Signal != "":
		return "ended by " + s.Signal
	case s.ExitCode != nil:
		return fmt.Sprintf("exited %d", *s.ExitCode)
	}
	return "ended, nobody knows how"
}

// Race is two accesses to the same memory of which nothing says which came
// first. It is found in the log whether or not this run's result was right.
type Race struct {
	First  Access `json:"first"`
	Second Access `json:"second"`
	// Severity is error or warn, as the scenario's race: says.
	Severity string `json:"severity"`
}

// Access is one side of a race.
type Access struct {
	Proc string `json:"proc"`
	Verb string `json:"verb"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	At   int64  `json:"at"`
}

// Limit is a deadline that passed.
type Limit struct {
	What  string `json:"what"`   // step, scenario or total
	After int64  `json:"after"`  // nanoseconds
	SetBy string `json:"set_by"` // the file, a flag, or the default, and AndScale
}

// AndScale is at the end of what set a limit that --timeout-scale has multiplied.
const AndScale = " and --timeout-scale"

// Stuck says why nobody can move.
type Stuck struct {
	// Cycle names the processes that wait for one another, empty if it is no
	// cycle.
	Cycle []string  `json:"cycle,omitempty"`
	Waits []Waiting `json:"waits,omitempty"`
	// Doing is what the script was doing.
	Doing string `json:"doing,omitempty"`
}

// Waiting is one process that cannot move.
type Waiting struct {
	Proc  string `json:"proc"`
	Verb  string `json:"verb,omitempty"`
	On    string `json:"on"`
	Line  int    `json:"line,omitempty"`
	Since int64  `json:"since"` // nanoseconds since the run began
	// For lists those whom it waits for, and HeldSince the lines where they
	// took what it wants.
	For       []string `json:"for,omitempty"`
	HeldSince []int    `json:"held_since,omitempty"`
	Why       string   `json:"why,omitempty"` // in words
}

// Run is what the first event of a log says of the run as a whole.
type Run struct {
	Version  string         `json:"version"`
	Scenario string         `json:"scenario"`
	File     string         `json:"file"`
	Hash     string         `json:"hash"` // of the file, FNV-1a 128
	Outcome  string         `json:"outcome"`
	Params   map[string]any `json:"params,omitempty"`
	Started  string         `json:"started"` // UTC
	Host     string         `json:"host"`
	Procs    []string       `json:"processes"`
	Programs []string       `json:"programs,omitempty"` // of them, those that the file does not script
	Points   float64        `json:"points,omitempty"`   // that can be earned
	Scored   []ScoredStep   `json:"scored,omitempty"`   // the checks that earn them
	Args     []string       `json:"args,omitempty"`     // how to run it again
}

// ScoredStep is a check that earns points.
type ScoredStep struct {
	Line   int     `json:"line"`
	Col    int     `json:"col"`
	Name   string  `json:"name,omitempty"`
	Verb   string  `json:"verb"`
	Points float64 `json:"points"`
	Hint   string  `json:"hint,omitempty"`
	// Visibility is who sees it in a graded result, "" for everybody.
	Visibility string `json:"visibility,omitempty"`
}

// WriteAll writes events as JSON lines. Numbers in values that JSON does not have
// are written as Plain has them. It writes whatever it can: an event that cannot be
// written does not take along those around it, and the error says which it is.
func WriteAll(w io.Writer, events []Event) error {
	return WriteEach(w, func(yield func(*Event) bool) {
		for i := range events {
			if !yield(&events[i]) {
				return
			}
		}
	})
}

// WriteEach is WriteAll of events that need not be there all at once.
func WriteEach(w io.Writer, events iter.Seq[*Event]) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	var failed error
	n := 0
	for e := range events {
		n++
		err := enc.Encode(e)
		if _, ok := errors.AsType[*json.UnsupportedValueError](err); ok {
			plain := *e
			plain.Value = Plain(e.Value)
			err = enc.Encode(&plain)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("event %d: %w", n, err)
		}
	}
	return errors.Join(failed, b.Flush())
}

// Plain is a value of the language as JSON can hold it: NaN and the infinities,
// anywhere in it, are the texts "NaN", "Infinity" and "-Infinity". A value without
// them comes back as it is.
func Plain(v any) any {
	switch x := v.(type) {
	case float64:
		switch {
		case math.IsNaN(x):
			return "NaN"
		case math.IsInf(x, 1):
			return "Infinity"
		case math.IsInf(x, -1):
			return "-Infinity"
		}
	case []any:
		if !special(x) {
			return v
		}
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = Plain(e)
		}
		return out
	case map[string]any:
		if !special(x) {
			return v
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = Plain(e)
		}
		return out
	}
	return v
}

// special reports whether a value holds a number that JSON does not have.
func special(v any) bool {
	switch x := v.(type) {
	case float64:
		return math.IsNaN(x) || math.IsInf(x, 0)
	case []any:
		return slices.ContainsFunc(x, special)
	case map[string]any:
		for _, e := range x {
			if special(e) {
				return true
			}
		}
	}
	return false
}

// ReadAll reads what WriteAll wrote.
func ReadAll(r io.Reader) ([]Event, error) {
	var out []Event
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var e Event
		if err := dec.Decode(&e); err == io.EOF {
			return out, nil
		} else if err != nil {
			return out, fmt.Errorf("event %d: %w", len(out)+1, err)
		}
		out = append(out, e)
	}
}
