// Package stack gives the main goroutine of a process the stack that it will need,
// at once and before anything else is initialised.
//
// Go begins with two kilobytes and doubles them whenever they do not suffice. A
// process of a run needs some twenty, for expressions and what formats text: four
// times it would look for where its stack has pointers, copy it, and have the
// runtime divide up memory for stacks of a size that nobody else has.
//
// It must never know: anything. What imports nothing is initialised early.
package stack

func init() { deep(false) }

// deep needs more than half of the stack that there is to be, 32 KiB, and touches
// nothing of it: what counts is that it might. Go makes room when a function is
// entered, as much as that one may need.
//
//go:noinline
func deep(really bool) byte {
	if !really {
		return 0
	}
	var room [18 << 10]byte
	return touch(&room)
}

//go:noinline
func touch(room *[18 << 10]byte) byte { return room[len(room)/2] }
