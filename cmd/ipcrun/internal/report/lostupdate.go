package report

import (
	"fmt"
	"sort"

	"ipcrun/engine/event"
)

// lostUpdates looks for the classic mistake with a shared value: two
// processes read it, both write what they made of it, and the second write
// undoes the first. It says how it happened the first time and how often, ""
// if it did not. The order of operations is that of their numbers, which the
// value itself has given out.
func (r Run) lostUpdates(object string, before int) string {
	ops := r.opsOn(object, before)
	read := map[string]*event.Event{}  // the latest read of each process, not yet followed by its write
	wrote := map[string]*event.Event{} // a write of somebody else since that read
	var first [3]*event.Event
	times := 0
	for _, e := range ops {
		switch e.Verb {
		case "read":
			read[e.Proc], wrote[e.Proc] = e, nil
		case "write":
			if a, b := read[e.Proc], wrote[e.Proc]; a != nil && b != nil {
				if times == 0 {
					first = [3]*event.Event{a, b, e}
				}
				times++
			}
			read[e.Proc], wrote[e.Proc] = nil, nil
			for p := range read {
				if p != e.Proc && read[p] != nil && wrote[p] == nil {
					wrote[p] = e
				}
			}
		default:
			return "" // the value has other ways of changing
		}
	}
	if times == 0 {
		return ""
	}
	a, b, c := first[0], first[1], first[2]
	s := fmt.Sprintf("Updates of %s got lost: %s read %s (line %d), then %s wrote %s (line %d), then %s wrote %s over it (line %d).",
		object, a.Proc, value(a.Value), a.Line, b.Proc, value(b.Value), b.Line, c.Proc, value(c.Value), c.Line)
	if times > 1 {
		s += fmt.Sprintf(" That happened %d times: nothing keeps one process out while another is between reading and writing.", times)
	} else {
		s += " Nothing keeps one process out while another is between reading and writing."
	}
	return s
}

// opsOn lists the operations on a primitive in its own order.
func (r Run) opsOn(object string, before int) []*event.Event {
	var ops []*event.Event
	ordered := true
	for i := range before {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Op || e.Object != object {
			continue
		}
		ordered = ordered && (len(ops) == 0 || ops[len(ops)-1].Seq <= e.Seq)
		ops = append(ops, e)
	}
	if !ordered {
		sortBySeq(ops)
	}
	return ops
}

func sortBySeq(ops []*event.Event) {
	sort.SliceStable(ops, func(i, j int) bool { return ops[i].Seq < ops[j].Seq })
}
