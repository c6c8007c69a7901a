package prims

import "ipcrun/spec/decl"

// Model is the same primitive without a kernel: a state of fixed size that can
// be copied and compared byte by byte, and the effect of each operation on it.
// Property tests hold the real form against it.
type Model interface {
	// Size of the state in bytes.
	Size() int
	// Init writes the initial state into st, which is zeroed.
	Init(st []byte)
	// Do performs a verb for process p. blocked means that it cannot happen
	// now: st changes at most by noting that p waits, and the verb is done
	// again later. A verb with block: false, or one whose timeout has run out,
	// gets its failure instead.
	Do(st []byte, p int, verb string, c ModelCall) (result any, fail *decl.Failure, blocked bool)
}

// ModelCall is the operand of a verb in a model.
type ModelCall struct {
	Value any
	// Args are all parameters, by name, where a verb has others than its value;
	// nil: none.
	Args    *Values
	NoWait  bool
	Expired bool // its timeout has run out: if it cannot happen now, it fails
	// Part is the end that the step names, Size the size: of a receive from a
	// stream of bytes, 0 where it says none.
	Part string
	Size int
	// Connection of a socket, by its number, 0: the latest. All of them.
	Connection int
	All        bool
	// Priority of a message, where it has one; nil: it says none.
	Priority any
	// Elems are the elements that the step names.
	Elems Elems
	// Until is the condition of a wait that has one.
	Until func() (bool, error)
}

// Mortal is a model that changes when a process ends.
type Mortal interface {
	Died(st []byte, p int)
}
