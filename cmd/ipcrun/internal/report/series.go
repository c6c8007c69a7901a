package report

import (
	"bytes"
	"fmt"
	"io"

	"ipcrun/engine/event"
)

// Series is the runs of one scenario, one or many. It keeps the logs of those
// only that it will speak of, so that a thousand runs cost no more than one.
// The zero value is ready for use; it is not safe for concurrent use.
type Series struct {
	verdicts []event.Verdict
	kept     []Run           // the first run, and the first of each way not to pass
	ways     map[string]bool // not to pass
}

// Add takes a finished run into account.
func (s *Series) Add(r Run) event.Verdict {
	v := event.Judge(r.Log)
	s.verdicts = append(s.verdicts, v)
	way := ""
	if !good(v) {
		way = v.Ending
		if v.Cause >= 0 {
			way += fmt.Sprint(" ", r.Log[v.Cause].Line, ":", r.Log[v.Cause].Col)
		}
	}
	if s.ways == nil {
		s.ways = map[string]bool{}
	}
	if len(s.kept) == 0 || way != "" && !s.ways[way] {
		s.kept = append(s.kept, r)
	}
	s.ways[way] = true
	return v
}

// Len is the number of runs.
func (s *Series) Len() int { return len(s.verdicts) }

func good(v event.Verdict) bool { return v.Result == event.Pass || v.Result == event.Skip }

// Verdict is the verdict on all runs together. A run that the runner broke, or
// that was interrupted, decides; runs that pass beside runs that do not are
// flaky. There is at least one run.
func (s *Series) Verdict() event.Verdict {
	var broken, bad, pass *event.Verdict
	duration := int64(0)
	for i := range s.verdicts {
		v := &s.verdicts[i]
		duration += v.Duration
		switch {
		case v.Result == event.Error && broken == nil:
			broken = v
		case good(*v):
			pass = v
		case v.Result != event.Error && bad == nil:
			bad = v
		}
	}
	var out event.Verdict
	switch {
	case broken != nil:
		out = *broken
	case bad != nil:
		out = *bad
		if pass != nil {
			out.Result = event.Flaky
		}
	case pass != nil:
		out = *pass
	}
	out.Duration = duration
	return out
}

// Write says how the runs went: a single one as Scenario does; of several the
// rate, and the block of the first run of each way not to pass. The error is
// w's. There is at least one run.
func (s *Series) Write(w io.Writer, st Style) error {
	if len(s.verdicts) == 1 {
		return Scenario(w, s.kept[0], st)
	}
	var b bytes.Buffer
	h := s.kept[0].head()
	passed, longest := 0, int64(0)
	for _, v := range s.verdicts {
		if good(v) {
			passed++
		}
		longest = max(longest, v.Duration)
	}
	n := len(s.verdicts)
	fmt.Fprintf(&b, "%s  %s  %s\n", st.word(wordOf(s.Verdict())), st.bold(visible(h.Scenario)),
		st.faint(fmt.Sprintf("%s  passed %d of %d times (%d%%)  the longest took %s", visible(h.File), passed, n, 100*passed/n, span(longest))))
	for _, r := range s.kept {
		v := event.Judge(r.Log)
		if passed > 0 {
			r.Among = n
		}
		switch {
		case good(v):
		case st.Short:
			r.short(&b, v, st)
		default:
			r.block(&b, v, st)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
