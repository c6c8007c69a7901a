//go:build linux

package prims

import (
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// setup is what a worker has to know; it comes through its socket, with the
// descriptors of the arena and of the instance.
type setup struct {
	Index int
	Kind  string
	Args  Args
	Part  string // of the instance, that this worker alone has
	// Parts are the parts that it has; nil: all.
	Parts []string
}

// order is one thing to do, as a JSON line on the worker's standard input.
type order struct {
	Verb  string
	Value any            // the value parameter
	Given bool           // it was given
	Param string         // what the parameter is called, "" for value
	More  map[string]any // other parameters
	Refs  []int          // the numbers of things that it names
	// Failure, if set, is the name of one that is given as fail.
	Failure string
	Part    string // the end or part that it names
	// Float is Value where that is a float, which JSON would take for an int if
	// it is whole.
	Float  *float64
	Elems  Elems // the elements of an array that it names
	NoWait bool
	After  time.Duration // timeout, 0: none
	// Rounds, if not 0, makes it a loop of the worker's own, named by Verb.
	Rounds int
}

// reply is what came of it.
type reply struct {
	Result any
	Fail   string // name of the failure
	Err    string // any other error
	Seq    uint64
	Took   time.Duration
	// Of a loop: its operations in order.
	Ops []opDone
	// Text is what a loop has found wrong.
	Text string
}

type opDone struct {
	Verb string
	Seq  uint64
}

// decode reads JSON in which whole numbers keep all their digits.
func decode(r io.Reader) *json.Decoder {
	d := json.NewDecoder(r)
	d.UseNumber()
	return d
}

// canonical undoes what JSON does to numbers.
func canonical(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(x.String()); err == nil {
			return i
		}
		f, _ := x.Float64()
		return f
	case float64:
		if float64(int(x)) == x {
			return int(x)
		}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = canonical(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = canonical(x[k])
		}
		return out
	}
	return v
}
