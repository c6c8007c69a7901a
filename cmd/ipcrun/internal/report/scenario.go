package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// lastShown is how many events stand below a failure.
const lastShown = 8

// Scenario writes how a run went: one line if it passed or was skipped, else
// a block that explains. The error is w's.
func Scenario(w io.Writer, r Run, st Style) error {
	var b bytes.Buffer
	v := event.Judge(r.Log)
	switch {
	case v.Result == event.Pass || v.Result == event.Skip:
		r.line(&b, v, st)
		r.warnings(&b, st)
		if st.Output == OutputAll {
			r.writeOutput(&b, 0, st)
		}
	case st.Short:
		r.short(&b, v, st)
	default:
		r.block(&b, v, st)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// head is the first event of a log, which describes the run.
func (r Run) head() event.Run {
	for i := range r.Log {
		if r.Log[i].Run != nil {
			return *r.Log[i].Run
		}
	}
	return event.Run{}
}

// line is the line of a scenario that went as it should.
func (r Run) line(w io.Writer, v event.Verdict, st Style) {
	h := r.head()
	parts := []string{visible(h.File), span(v.Duration)}
	if v.Result == event.Skip {
		parts = append(parts, visible(r.Log[max(v.Cause, 0)].Detail))
	} else {
		if v.Checks > 0 || v.Ending == "pass" {
			parts = append(parts, count(v.Checks, "check"))
		}
		if v.MaxPoints > 0 {
			parts = append(parts, points(v))
		}
		if v.Ending != "pass" {
			parts = append(parts, v.Ending+" as declared")
		}
	}
	fmt.Fprintf(w, "%s  %s  %s\n", st.word(wordOf(v)), st.bold(visible(h.Scenario)), st.faint(strings.Join(parts, "  ")))
}

func points(v event.Verdict) string {
	return fmt.Sprintf("%s/%s points", number(v.Points), number(v.MaxPoints))
}

// short is one line that editors can jump to.
func (r Run) short(w io.Writer, v event.Verdict, st Style) {
	h := r.head()
	at := visible(h.File)
	if v.Cause >= 0 && r.Log[v.Cause].Line > 0 {
		at += fmt.Sprintf(":%d:%d", r.Log[v.Cause].Line, r.Log[v.Cause].Col)
	} else if n := r.declaredAt(h); v.Cause < 0 && n > 0 {
		at += fmt.Sprintf(":%d:1", n)
	}
	a := r.explain(v)
	text := headline(a, h, v)
	if len(a.why) > 0 {
		text += ": " + a.why[0]
	}
	fmt.Fprintf(w, "%s: %s: %s: %s\n", st.bold(at), st.word(wordOf(v)), visible(h.Scenario), text)
}

// headline is what follows the name: for a scenario that was meant to end
// otherwise, that comes first.
func headline(a account, h event.Run, v event.Verdict) string {
	declared := h.Outcome
	if declared == "" || declared == "pass" || v.Ending == declared || v.Result != event.Failed {
		return a.headline
	}
	meant := map[string]string{"deadlock": "a deadlock", "timeout": "a timeout", "fail": "a failure", "race": "a race"}[declared]
	return fmt.Sprintf("it was meant to end in %s, but %s", meant, a.headline)
}

// block explains a scenario that did not pass.
func (r Run) block(w io.Writer, v event.Verdict, st Style) {
	h := r.head()
	a := r.explain(v)
	sub := []string{span(v.Duration)}
	if v.Checks > 0 {
		sub = append(sub, count(v.Checks, "check")+" held before")
	}
	if v.MaxPoints > 0 {
		sub = append(sub, points(v))
	}
	fmt.Fprintf(w, "%s  %s: %s  %s\n", st.word(wordOf(v)), st.bold(visible(h.Scenario)), headline(a, h, v), st.faint("("+strings.Join(sub, ", ")+")"))
	var cause *event.Event
	if v.Cause >= 0 {
		cause = &r.Log[v.Cause]
	}
	r.arrow(w, h, cause, st)
	if cause != nil && cause.Race != nil {
		r.firstAccess(w, cause, st)
	}
	if cause != nil && cause.Check != nil {
		fmt.Fprintln(w)
		compare(cause).write(w, st)
	}
	if len(a.why) > 0 {
		fmt.Fprintln(w)
		for _, line := range diag.Wrap(strings.Join(a.why, " "), st.width()-2) {
			fmt.Fprintln(w, "  "+line)
		}
	}
	gap(w, func(w io.Writer) bool { return writeStuck(w, a.stuck, st) })
	gap(w, func(w io.Writer) bool {
		upto := v.Cause
		switch {
		case upto < 0:
			upto = r.lastStep() + 1
		case cause.Race != nil:
			for upto > 0 && r.Log[upto-1].At > cause.Race.Second.At {
				upto--
			}
		}
		r.lastEvents(w, upto, lastShown, st)
		return true
	})
	gap(w, func(w io.Writer) bool { return r.writeScored(w, st) })
	switch st.Output {
	case OutputAll:
		gap(w, func(w io.Writer) bool { return r.writeOutput(w, 0, st) })
	case OutputFailed, "":
		gap(w, func(w io.Writer) bool { return r.writeOutput(w, tailLines, st) })
	}
	if cause != nil && cause.Hint != "" {
		fmt.Fprintf(w, "\n  %s  %s\n", st.bold("hint"), visible(cause.Hint))
	}
	fmt.Fprintf(w, "\n  %s  %s\n\n", st.faint("run it again:"), r.again(h))
}

// declaredAt is the line of outcome:, which is what was not met where nothing
// else has failed; 0 if there is none.
func (r Run) declaredAt(h event.Run) int {
	if r.File == nil || h.Outcome == "pass" {
		return 0
	}
	for n := 1; n <= r.File.Lines(); n++ {
		if strings.HasPrefix(r.File.Line(n), "outcome:") {
			return n
		}
	}
	return 0
}

// arrow points at the line of the file.
func (r Run) arrow(w io.Writer, h event.Run, cause *event.Event, st Style) {
	at := visible(h.File)
	if cause == nil || cause.Line == 0 {
		if n := r.declaredAt(h); cause == nil && n > 0 {
			fmt.Fprintf(w, "  %s %s:%d:1\n", st.faint("-->"), at, n)
			diag.WriteExcerpt(w, r.File, source.Span{Start: source.Pos{Line: n, Col: 1}, End: source.Pos{Line: n, Col: len("outcome:")}}, st.excerpt())
			return
		}
		fmt.Fprintf(w, "  %s %s\n", st.faint("-->"), at)
		return
	}
	fmt.Fprintf(w, "  %s %s:%d:%d\n", st.faint("-->"), at, cause.Line, cause.Col)
	if p := r.find(cause); p.at.Start.IsValid() {
		diag.WriteExcerpt(w, r.File, p.at, st.excerpt())
	}
}

func (st Style) excerpt() diag.Style { return diag.Style{Color: st.Color, Width: st.width()} }

// gap writes a part of a block behind an empty line, nothing if it is empty.
func gap(w io.Writer, part func(io.Writer) bool) {
	var b bytes.Buffer
	if part(&b) && b.Len() > 0 {
		fmt.Fprintln(w)
		w.Write(b.Bytes())
	}
}

// again is the command that shows what a run showed: of one that failed among
// others that did not, as many runs.
func (r Run) again(h event.Run) string {
	if r.Among > 1 {
		h.Args = append(slices.Clip(h.Args), "--repeat", fmt.Sprint(r.Among))
	}
	return Again(h)
}

// Again is the command that runs a scenario once more in the same way.
func Again(h event.Run) string {
	words := append([]string{"ipcrun", "run", h.File}, h.Args...)
	if strings.HasPrefix(h.File, "-") && h.File != "-" {
		words[2] = "./" + h.File
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word so that a shell takes it as it is.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+"
	ok := s != ""
	for _, c := range s {
		ok = ok && (strings.ContainsRune(plain, c) || c >= 0x80)
	}
	if ok {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
