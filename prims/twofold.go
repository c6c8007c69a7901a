package prims

// Twofold is what the record of an operation says that releases and acquires in
// one step of the kernel, where no number can be taken: it takes one before,
// with which it releases, and one afterwards, with which it acquires. So whoever
// sees its effect has a higher number than the first, and whoever's effect it
// saw a lower one than the second. The record holds the second.
type Twofold struct {
	Before uint64
	// Gives: what it releases is for everybody; else for those alone who acquire
	// from all.
	Gives bool
	// All: it acquires from all; else from those alone who give.
	All bool
	// Ends: it may have come about by the end of a process.
	Ends bool
}

// Keys of a record's value.
const (
	twofoldBefore = "released with number"
	twofoldFlags  = "released and acquired"
	twofoldShown  = "value"
)

// Note is the value of the record of a Twofold that shows v.
func (t Twofold) Note(v any) map[string]any {
	flags := 0
	for i, f := range []bool{t.Gives, t.All, t.Ends} {
		if f {
			flags |= 1 << i
		}
	}
	return map[string]any{twofoldBefore: int(t.Before), twofoldFlags: flags, twofoldShown: v}
}

// TwofoldOf undoes Note.
func TwofoldOf(value any) (t Twofold, shown any, ok bool) {
	m, _ := value.(map[string]any)
	before, ok := m[twofoldBefore].(int)
	if !ok {
		return t, nil, false
	}
	flags, _ := m[twofoldFlags].(int)
	return Twofold{uint64(before), flags&1 != 0, flags&2 != 0, flags&4 != 0}, m[twofoldShown], true
}
