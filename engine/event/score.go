package event

import "fmt"

// Blocked is the result of a check that was not done because of another, or
// because the run had ended before it was its turn.
const Blocked Result = "blocked"

// Scored is what came of a check that earns points.
type Scored struct {
	ScoredStep
	ID     string // its name, or where it stands in the file
	Result Result // pass, fail, timeout, error or blocked
	Earned float64
	// Event is the number of the event that decided, -1 if none did.
	Event int
}

// Score folds a log into what came of each check that earns points, in the order
// of the file. A check that is done several times passes if it does each time.
func Score(log []Event) []Scored {
	var out []Scored
	at := map[[2]int]int{}
	broken := false
	for i := range log {
		e := &log[i]
		switch KindOf(e.Type) {
		case Start:
			if e.Run == nil {
				continue
			}
			for _, s := range e.Run.Scored {
				id := s.Name
				if id == "" {
					id = fmt.Sprintf("line %d", s.Line)
				}
				at[[2]int{s.Line, s.Col}] = len(out)
				out = append(out, Scored{ScoredStep: s, ID: id, Result: Blocked, Event: -1})
			}
			continue
		case Broken:
			broken = true
		}
		k, scored := at[[2]int{e.Line, e.Col}]
		if !scored || out[k].Result == Failed || out[k].Result == Timeout {
			continue
		}
		if r, decided := scoredBy(e); decided {
			out[k].Result, out[k].Event = r, i
		}
	}
	for k := range out {
		switch {
		case out[k].Result == Pass:
			out[k].Earned = out[k].Points
		case out[k].Result == Blocked && broken:
			out[k].Result = Error
		}
	}
	return out
}

// scoredBy is what an event at a check says of it.
func scoredBy(e *Event) (r Result, decided bool) {
	switch KindOf(e.Type) {
	case Checked:
		switch {
		case e.Check == nil:
		case e.Check.OK:
			return Pass, true
		case e.Limit != nil:
			return Timeout, true
		default:
			return Failed, true
		}
	case Fail:
		if e.Expected {
			return Pass, true
		}
		return Failed, true
	case Expired:
		return Timeout, true
	case Missed:
		return Blocked, true
	case Barred:
		return Blocked, true
	}
	return "", false
}
