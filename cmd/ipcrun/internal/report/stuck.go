package report

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// whyStuck says in a sentence why nobody can move.
func (r Run) whyStuck(s *event.Stuck) []string {
	if s == nil {
		return nil
	}
	switch n := len(s.Cycle); {
	case n == 1:
		return []string{fmt.Sprintf("%s waits for itself, so it can never go on.", s.Cycle[0])}
	case n == 2:
		return []string{fmt.Sprintf("%s and %s wait for each other, so neither can ever go on.", s.Cycle[0], s.Cycle[1])}
	case n > 2:
		var parts []string
		for i, p := range s.Cycle {
			parts = append(parts, p+" waits for "+s.Cycle[(i+1)%n])
		}
		return []string{list(parts) + ": a circle, so none of them can ever go on."}
	}
	if len(s.Waits) == 1 {
		w := s.Waits[0]
		return []string{fmt.Sprintf("%s is the only process that is left, and nobody can wake it: %s.", w.Proc, visible(w.Why))}
	}
	if len(s.Waits) == 0 {
		return nil
	}
	// Those that wait for no other process are at the root of it.
	waits := append([]event.Waiting{}, s.Waits...)
	sort.SliceStable(waits, func(i, j int) bool { return len(waits[i].For) == 0 && len(waits[j].For) > 0 })
	const most = 3
	var parts []string
	for _, w := range waits[:min(most, len(waits))] {
		parts = append(parts, w.Proc+" "+strings.TrimPrefix(visible(w.Why), "it "))
	}
	if n := len(waits) - most; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more processes wait as well", n))
	}
	return []string{strings.Join(parts, "; ") + ". Nobody is left who could change that."}
}

// lateForPause speaks of those that pause for a signal that came before they did.
func (r Run) lateForPause(s *event.Stuck) []string {
	if s == nil {
		return nil
	}
	var out []string
	for _, w := range s.Waits {
		if !strings.Contains(w.Why, "(pause)") {
			continue
		}
		var got *event.Event
		for i := range r.Log {
			switch e := &r.Log[i]; {
			case e.Proc != w.Proc || e.At > w.Since:
			case event.KindOf(e.Type) == event.Got:
				got = e
			case event.KindOf(e.Type) == event.Paused:
				got = nil // that one was woken by it
			}
		}
		if got == nil {
			continue
		}
		out = append(out, fmt.Sprintf("%s came to %s %s before its pause in line %d began, and does not count for it: let the handler set an event and wait for that, since an event stays set.",
			got.Signal, w.Proc, span(w.Since-got.At), w.Line))
	}
	return out
}

// alike is how many of those who do the same are shown; the others are counted. One
// more is shown in place of a count of one.
const alike = 3

// writeStuck lists what everybody was doing: one row for each process, and of many
// that do the same the first ones.
func writeStuck(w io.Writer, s *event.Stuck, st Style) bool {
	if s == nil || len(s.Waits) == 0 {
		return false
	}
	holds := map[string][]string{}
	for _, x := range s.Waits {
		for i, p := range x.For {
			if x.Verb == "" || p == x.Proc {
				continue // it waits for the process itself
			}
			h := x.On
			if i < len(x.HeldSince) && x.HeldSince[i] > 0 {
				h += fmt.Sprintf(" since line %d", x.HeldSince[i])
			}
			if !slices.Contains(holds[p], h) {
				holds[p] = append(holds[p], h)
			}
		}
	}
	wide := 0
	for _, x := range s.Waits {
		wide = max(wide, source.Cells(x.Proc))
	}
	texts := map[string]string{} // by process
	same := map[string][]string{}
	key := func(x event.Waiting) string { return fmt.Sprintf("%d %s", x.Line, texts[x.Proc]) }
	for _, x := range s.Waits {
		text := strings.TrimPrefix(visible(x.Why), "it ")
		if text == "" {
			text = "waits for " + x.On
		}
		if len(holds[x.Proc]) > 0 {
			text = "holds " + list(holds[x.Proc]) + " and " + text
		}
		texts[x.Proc] = text
		k := key(x)
		same[k] = append(same[k], x.Proc)
	}
	shown := map[string]int{}
	for _, x := range s.Waits {
		k := key(x)
		n := len(same[k])
		if shown[k]++; shown[k] > alike && n > alike+1 {
			if shown[k] == n {
				fmt.Fprintf(w, "  %s\n", st.faint(fmt.Sprintf("… %d more as %s: %s to %s", n-alike, same[k][alike-1], same[k][alike], x.Proc)))
			}
			continue
		}
		text := texts[x.Proc]
		if x.Line > 0 {
			text += st.faint(fmt.Sprintf("  line %d, since %s", x.Line, moment(x.Since)))
		}
		fmt.Fprintf(w, "  %s  %s\n", st.bold(source.Pad(x.Proc, wide)), text)
	}
	return true
}
