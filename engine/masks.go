package engine

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"ipcrun/engine/proc"
	"ipcrun/engine/proc/sig"
)

// asksMask finds the parts of a condition that ask what a signal does to a process.
var asksMask = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`"(SIG[A-Z0-9+-]+)" (not )?in ([\pL_][\pL\d_]*(?:\[\d+\])?)\.(catches|ignores|blocks)`)
})

// whyFalse says in sentences what stands in the way of a condition that does not
// hold, as far as it asks what programs do about signals, or for a process that
// nobody has found. Sentences are joined by "; ".
func (r *run) whyFalse(condition string) string {
	var out []string
	say := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for i := range r.plan.Slots {
		if !r.isFound(i) || r.procs[i].forked || r.plan.Slots[i].Index > 0 {
			continue
		}
		name := r.plan.Slots[i].Proc.Name
		if regexp.MustCompile(`(^|[^\pL\d_"])` + regexp.QuoteMeta(name) + `($|[^\pL\d_"])`).MatchString(condition) {
			say(r.whyNotFound(i))
		}
	}
	for _, m := range asksMask().FindAllStringSubmatch(condition, -1) {
		slot, known := r.slotOf(m[3])
		if !known || !r.procs[slot].forked {
			continue
		}
		rec := &processRecord{r: r, slot: slot}
		has := func(fact string) bool {
			v, _ := rec.Field(fact)
			list, _ := v.([]any)
			return slices.Contains(list, any(m[1]))
		}
		if has(m[4]) == (m[2] == "") || r.procs[slot].ended {
			continue
		}
		n, _ := sig.Parse(m[1])
		awaits := proc.Awaited(r.procs[slot].pid)&(1<<(uint(n)-1)) != 0
		say(m[3] + disposition(m[1], m[4], m[2] != "", has, awaits))
	}
	return strings.Join(out, "; ")
}

// disposition says what a process does about a signal instead of what was asked.
func disposition(signal, asked string, not bool, has func(string) bool, awaits bool) string {
	verb := strings.TrimSuffix(asked, "s")
	if asked == "catches" {
		verb = "handle"
	}
	if not {
		return " still " + verb + "s " + signal
	}
	s := " does not " + verb + " " + signal
	switch {
	case asked == "blocks":
		return s
	case has("catches"):
		return s + ": it handles it"
	case has("ignores"):
		return s + ": it ignores it"
	case has("blocks"):
		return s + ": it has it blocked"
	case awaits:
		return s + ": it waits for it in sigwait, which takes it unseen"
	}
	n, _ := sig.Parse(signal)
	switch n.Default() {
	case sig.Ignore, sig.Continue:
		return s + ": nothing happens when it comes"
	case sig.Stop:
		return s + ": the signal would stop it"
	}
	return s + ": the signal would end it"
}
