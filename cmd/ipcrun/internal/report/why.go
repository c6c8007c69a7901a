package report

import (
	"fmt"
	"slices"
	"strings"

	"ipcrun/engine/event"
)

// account says why a run ended as it did.
type account struct {
	headline string   // a few words that follow the scenario's name
	why      []string // sentences, the cause first
	stuck    *event.Stuck
}

// explain accounts for the event that decided a run.
func (r Run) explain(v event.Verdict) account {
	if v.Cause < 0 {
		return account{headline: "it ended well"}
	}
	e := &r.Log[v.Cause]
	a := account{stuck: e.Stuck}
	switch event.KindOf(e.Type) {
	case event.Checked:
		r.explainCheck(&a, v.Cause)
		a.why = append(a.why, r.classics(v.Cause)...)
	case event.Fail:
		r.explainFail(&a, e)
	case event.Deadlock:
		a.headline = "deadlock: nobody can move any more"
		a.why = append(r.whyStuck(e.Stuck), r.lateForPause(e.Stuck)...)
	case event.Expired:
		explainLimit(&a, e)
	case event.Broken:
		a.headline = "ipcrun could not do its job"
		a.why = []string{sentenceOf(e.Detail), "This says nothing about the program that was tested."}
	case event.Skipped:
		a.headline = e.Detail
	case event.Raced:
		explainRace(&a, e)
	case event.Barred:
		a.headline = fmt.Sprintf("the %s in line %d was left out", e.Verb, e.Line)
		a.why = []string{"It needs " + quoted(e.Detail) + ", which has not passed."}
	case event.Missed:
		a.headline = fmt.Sprintf("the %s in line %d never ran", e.Verb, e.Line)
		a.why = []string{"Everything ended before it was this step's turn, and what was not checked has not passed."}
	case event.Stopped:
		a.headline = "stopped by " + e.Signal
		a.why = []string{"Somebody sent " + e.Signal + " to ipcrun; all processes of the scenario were ended."}
	case event.Overrun:
		a.headline = "the process that watches " + e.Object + " was attacked"
		what := "killed"
		if e.Detail == "stopped" {
			what = "stopped"
		}
		a.why = []string{"Something, most likely the program itself, has " + what + " it. The program, and whoever it had forked, was ended."}
	case event.Clean:
		a.headline = "something is left that ipcrun could not end"
		a.why = []string{"Still there after the end: " + value(e.Value) + "."}
	}
	return a
}

// explainCheck accounts for a check that does not hold.
func (r Run) explainCheck(a *account, i int) {
	e := &r.Log[i]
	switch e.Verb {
	case "expect":
		proc := e.Object
		if proc == "" {
			proc = r.find(e).text("from")
		}
		a.headline = proc + " did not print " + quoted(e.Check.Text)
		if proc == "" {
			a.headline = "nobody printed " + quoted(e.Check.Text)
		}
		a.why = r.whyNotPrinted(proc, i)
	case "eventually":
		a.headline = "this never became true: " + visible(e.Check.Text)
		a.why = r.whyFalse(i)
	case "always":
		a.headline = "this was not true at all times: " + visible(e.Check.Text)
		a.why = r.whyFalse(i)
	default:
		a.headline = "this is not true: " + visible(e.Check.Text)
		a.why = r.whyFalse(i)
	}
	switch {
	case strings.HasPrefix(e.Check.Why, "its timeout passed"):
		a.why = append(a.why, waited(e.Limit))
	case e.Stuck != nil:
		a.why = append(a.why, "Waiting longer would not have helped: "+r.hopeless(i)+".")
	}
}

// hopeless says why nothing that was waited for could come any more: who prints may
// have ended while others went on.
func (r Run) hopeless(at int) string {
	proc, _, ended := strings.Cut(r.Log[at].Check.Why, " has ended without printing it")
	switch {
	case !ended:
		return "nobody could move any more"
	case !r.known(proc, at):
		return "nobody is left who could fork " + proc
	}
	return proc + " has ended"
}

// waited says how long a check waited in vain, and who said that it should. Without
// a limit on record it was the step's own.
func waited(l *event.Limit) string {
	switch {
	case l == nil:
		return "The step waited as long as its own timeout: says."
	case l.SetBy == "the file":
		return fmt.Sprintf("The step waited %s, as the file says.", length(l.After))
	case l.SetBy == "the file"+event.AndScale:
		return fmt.Sprintf("The step waited %s: what the file says, multiplied by --timeout-scale.", length(l.After))
	}
	return fmt.Sprintf("The step waited %s, which is as long as one without a timeout: of its own may; that limit was set by %s.", length(l.After), l.SetBy)
}

// whyNotPrinted says what a process did instead of printing a line.
func (r Run) whyNotPrinted(proc string, at int) []string {
	var why []string
	if end := r.endOf(proc, at); end != nil {
		if r.almostPrinted(at) {
			why = append(why, r.printedInstead(proc, at))
		}
		why = append(why, r.howEnded(end, at)...)
	} else if s := r.printedInstead(proc, at); s != "" {
		why = append(why, s)
	} else if !r.known(proc, at) {
		why = append(why, proc+" was never forked.")
	} else if proc != "" && !slices.ContainsFunc(r.Log[:at], func(e event.Event) bool {
		return event.KindOf(e.Type) == event.Print && e.Proc == proc && e.Stream == ""
	}) {
		why = append(why, proc+" has printed no line.")
	} else if proc != "" {
		why = append(why, proc+" printed nothing more after the check before this one.")
	}
	want := r.Log[at].Check.Text
	for i := range at {
		e := &r.Log[i]
		text, _ := e.Value.(string)
		if event.KindOf(e.Type) != event.Print || !strings.Contains(text, want) {
			continue
		}
		if e.Proc == proc && e.Stream != "" {
			return append(why, fmt.Sprintf("%s wrote it to its standard error, at %s: expect looks at its standard output, and %s.errors is the other.", proc, moment(e.At), proc))
		}
		if e.Proc == proc {
			return append(why, fmt.Sprintf("%s did print it once, at %s%s, but before the line that the step before this one found: expect goes through the lines of a process in order.", proc, moment(e.At), inLine(e)))
		}
		other := e.Proc
		if other == "" {
			other = "the script"
		}
		return append(why, fmt.Sprintf("It was %s that printed it%s.", other, inLine(e)))
	}
	return why
}

// almostPrinted: the last line that the process printed is much like the one
// that was expected.
func (r Run) almostPrinted(at int) bool {
	c := r.Log[at].Check
	if len(c.Parts) == 0 {
		return false
	}
	want, got := []rune(c.Text), []rune(strings.TrimSpace(c.Parts[len(c.Parts)-1].Value))
	same := parting(string(want), string(got))
	for i := 1; i <= len(want)-same && i <= len(got)-same && want[len(want)-i] == got[len(got)-i]; i++ {
		same++
	}
	return 2*same >= len(want)
}

// printedInstead speaks of the last line that a process printed after the
// check before this one.
func (r Run) printedInstead(proc string, at int) string {
	if len(r.Log[at].Check.Parts) == 0 {
		return ""
	}
	for i := at - 1; i >= 0; i-- {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Print || e.Proc != proc {
			continue
		}
		text, _ := e.Value.(string)
		s := fmt.Sprintf("%s printed %s instead", proc, quoted(text))
		if e.Line == 0 {
			return s + "."
		}
		if g := r.answering(i); g != nil {
			return fmt.Sprintf("%s: that is its answer to %s (line %d), which %s.", s, g.Signal, e.Line, r.origin(g))
		}
		return fmt.Sprintf("%s (line %d).", s, e.Line)
	}
	return ""
}

func (r Run) known(proc string, at int) bool {
	if proc == "" {
		return true
	}
	for i := range at {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Forked && e.Object == proc {
			return true
		}
	}
	return false
}

// whyFalse says what stood in the way of a condition.
func (r Run) whyFalse(at int) []string {
	c := r.Log[at].Check
	var why []string
	why = append(why, reasons(c.Why)...)
	for _, name := range r.objects() {
		if !mentions(c.Text, name) {
			continue
		}
		if s := r.lostUpdates(name, at); s != "" {
			why = append(why, s)
		}
	}
	if len(why) == 0 {
		for i := range r.Log {
			if e := &r.Log[i]; event.KindOf(e.Type) == event.Raced && e.Race != nil && mentions(c.Text, e.Object) {
				why = append(why, raceSentence(e))
				break
			}
		}
	}
	return append(why, r.badEnds(at)...)
}

// reasons are the sentences of a check's why, those left out that the report puts
// in words of its own.
func reasons(why string) []string {
	var out []string
	for _, s := range strings.Split(why, "; ") {
		if s != "" && !strings.HasPrefix(s, "nobody can move") && !strings.Contains(s, "timeout") {
			out = append(out, sentenceOf(s))
		}
	}
	return out
}

// mentions reports whether an expression speaks of a name, whole or as one of
// an array.
func mentions(text, name string) bool {
	base, _, _ := strings.Cut(name, "[")
	for i := 0; ; {
		k := strings.Index(text[i:], base)
		if k < 0 {
			return false
		}
		k += i
		end := k + len(base)
		if (k == 0 || !wordly(text[k-1])) && (end == len(text) || !wordly(text[end])) {
			return true
		}
		i = end
	}
}

func wordly(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// objects lists the primitives that operations were done on.
func (r Run) objects() []string {
	var out []string
	seen := map[string]bool{}
	for i := range r.Log {
		if e := &r.Log[i]; event.KindOf(e.Type) == event.Op && !seen[e.Object] {
			seen[e.Object] = true
			out = append(out, e.Object)
		}
	}
	return out
}

// succeeded is the error of a step that should have failed: one of the engine's, and
// not one that the step ended with.
const succeeded = "Unexpected"

// explainFail accounts for an error that no step expected.
func (r Run) explainFail(a *account, e *event.Event) {
	subject := e.Proc
	if subject == "" {
		subject = "the script"
	}
	if strings.HasSuffix(e.Verb, ":") {
		// No step: what the declaration of the process asks for.
		a.headline = fmt.Sprintf("%s cannot have this %s %s (%s)", subject, e.Verb, visible(e.Detail), e.Error)
		a.why = []string{"The kernel refused it before the first step of " + subject + ", which ended then."}
		return
	}
	what := e.Verb
	if o := r.find(e).object(); o != "" {
		what += " " + visible(o)
	}
	a.headline = fmt.Sprintf("%s could not %s: %s", subject, what, e.Error)
	if e.Detail != "" {
		a.headline = fmt.Sprintf("%s could not %s: %s (%s)", subject, what, visible(e.Detail), e.Error)
	}
	wanted := r.find(e).text("error")
	if e.Error == succeeded && wanted != "" {
		a.headline = fmt.Sprintf("%s was to fail at %s with %s, and did not fail", subject, what, wanted)
	}
	a.why = r.badEndsBut(e)
	end := "the scenario ended here"
	switch {
	case e.Proc != "":
		end = e.Proc + " ended here"
	case e.Points > 0:
		end = "its points are lost"
	}
	switch {
	case e.Travels:
		a.why = append(a.why, "Nobody has asked for the result of this task, so nobody would have noticed.")
	case wanted == "":
		a.why = append(a.why, fmt.Sprintf("The step does not say error: %s, so %s.", e.Error, end))
	case e.Error == succeeded:
		a.why = append(a.why, fmt.Sprintf("The step says error: %s, so %s.", wanted, end))
	default:
		a.why = append(a.why, fmt.Sprintf("The step says error: %s, but it failed with %s, so %s.", wanted, e.Error, end))
	}
}

// explainLimit accounts for a deadline that passed.
func explainLimit(a *account, e *event.Event) {
	l := e.Limit
	if l == nil {
		a.headline = "a time limit was over"
		return
	}
	switch l.What {
	case "step":
		a.headline = fmt.Sprintf("this step waited longer than %s", length(l.After))
		a.why = append(a.why, fmt.Sprintf("A step may wait %s; that limit was set by %s.", length(l.After), l.SetBy))
	case "total":
		a.headline = fmt.Sprintf("all scenarios together took longer than %s", length(l.After))
		a.why = append(a.why, fmt.Sprintf("All scenarios together may take %s; that limit was set by %s. It was over in the middle of this one.", length(l.After), l.SetBy))
	default:
		a.headline = fmt.Sprintf("it took longer than %s", length(l.After))
		a.why = append(a.why, fmt.Sprintf("The scenario may take %s; that limit was set by %s.", length(l.After), l.SetBy))
	}
	if e.Check != nil {
		a.why = append(reasons(e.Check.Why), a.why...)
	}
	switch {
	case e.Stuck == nil || e.Stuck.Doing == "":
	case e.Line > 0:
		a.why = append(a.why, fmt.Sprintf("The script was at line %d: %s.", e.Line, e.Stuck.Doing))
	default:
		a.why = append(a.why, "The script was done: "+e.Stuck.Doing+".")
	}
}

// sentenceOf makes a sentence of a message.
func sentenceOf(s string) string {
	s = visible(strings.TrimSpace(s))
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}
