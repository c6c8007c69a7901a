package report

import (
	"fmt"
	"strings"
	"time"

	"ipcrun/spec/source"
)

// visible shows a text that a program wrote on one line, harmless to a
// terminal.
func visible(s string) string {
	return source.Expand(source.Visible(strings.ReplaceAll(s, "\n", "⏎")), 4)
}

// exact shows a text that is compared with another: nothing in it stays
// invisible.
func exact(s string) string {
	lead := len(s) - len(strings.TrimLeft(s, " "))
	trail := len(s) - len(strings.TrimRight(s, " "))
	if lead == len(s) {
		trail = 0
	}
	body := strings.NewReplacer("\t", "⇥", "\n", "⏎", "\u00a0", "<U+00A0>", "\u3000", "<U+3000>").Replace(s[lead : len(s)-trail])
	return strings.Repeat("·", lead) + source.Visible(body) + strings.Repeat("·", trail)
}

// quoted is a text within a sentence.
func quoted(s string) string {
	const most = 60
	r := []rune(s)
	if len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "“" + exact(s) + "”"
}

// span is a length of time, as exact as a reader can use.
func span(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond).Milliseconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%dµs", d.Microseconds())
}

// length is a length of time as its author would write it.
func length(ns int64) string { return time.Duration(ns).String() }

// moment is a time within a run. All moments have three decimals, so that
// they line up.
func moment(ns int64) string {
	return fmt.Sprintf("%.3fms", float64(ns)/1e6)
}

// count is a number with its noun: 1 check, 2 checks.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list joins names as a sentence does: a, b and c.
func list(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// number shows points without a needless decimal.
func number(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") }
