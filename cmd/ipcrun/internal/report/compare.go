package report

import (
	"fmt"
	"io"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// comparison is what was wanted beside what was there.
type comparison struct {
	expected string
	actual   []string
	values   []event.Part // other values in play
	same     bool         // expected and actual are of one kind: show where they part
}

// compare takes a failed check apart.
func compare(e *event.Event) comparison {
	c := e.Check
	if e.Verb == "expect" {
		out := comparison{expected: exact(c.Text), same: len(c.Parts) == 1 && !strings.HasPrefix(c.Text, "/")}
		for _, p := range c.Parts {
			out.actual = append(out.actual, exact(p.Value))
		}
		if len(out.actual) == 0 {
			out.actual = []string{"nothing"}
		}
		return out
	}
	out := comparison{expected: visible(c.Text)}
	if left, op, right, ok := sides(c); ok {
		values := map[string]string{}
		for _, p := range c.Parts {
			values[p.Text] = p.Value
		}
		want := right
		if v, known := values[right]; known {
			want = v
		}
		out.expected = visible(left + " " + op + " " + want)
		out.actual = []string{visible(left + " is " + values[left])}
		for _, p := range c.Parts {
			if p.Text != left {
				out.values = append(out.values, p)
			}
		}
		return out
	}
	for _, p := range c.Parts {
		out.actual = append(out.actual, visible(p.Text+" is "+p.Value))
	}
	return out
}

// sides splits a condition that is one comparison. The left side is a part,
// what stands on the right is a part or has no connectives in it.
func sides(c *event.Check) (left, op, right string, ok bool) {
	if len(c.Parts) == 0 || !strings.HasPrefix(c.Text, c.Parts[0].Text) {
		return "", "", "", false
	}
	left = c.Parts[0].Text
	rest := strings.TrimSpace(c.Text[len(left):])
	for _, o := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if !strings.HasPrefix(rest, o) {
			continue
		}
		right = strings.TrimSpace(rest[len(o):])
		for _, p := range c.Parts[1:] {
			if p.Text == right {
				return left, o, right, true
			}
		}
		for _, no := range []string{"&&", "||", "?", " and ", " or "} {
			if strings.Contains(right, no) {
				return "", "", "", false
			}
		}
		return left, o, right, right != ""
	}
	return "", "", "", false
}

// write shows the comparison, aligned; label widths are those of the block.
func (c comparison) write(w io.Writer, st Style) {
	room := st.width() - 12
	want, got := c.expected, ""
	if len(c.actual) > 0 {
		got = c.actual[0]
	}
	from := 0
	if c.same {
		from = parting(want, got)
		want, got, from = focus(want, got, from, room)
	}
	fmt.Fprintf(w, "  expected  %s\n", want)
	for i, a := range c.actual {
		if i == 0 {
			fmt.Fprintf(w, "  actual    %s\n", got)
			continue
		}
		fmt.Fprintf(w, "            %s\n", a)
	}
	if c.same && from > 0 && c.expected != c.actual[0] { // the same line of somebody else does not differ
		fmt.Fprintf(w, "            %s\n", strings.Repeat(" ", source.Cells(string([]rune(want)[:from])))+st.word("^")+" they differ from here")
	}
	for i, p := range c.values {
		label := "          "
		if i == 0 {
			label = "where     "
		}
		fmt.Fprintf(w, "  %s%s\n", label, visible(p.Text+" is "+p.Value))
	}
}

// parting is the number of runes that two texts share at their beginning.
func parting(a, b string) int {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// focus cuts two texts that are too wide to what surrounds the place where
// they part.
func focus(a, b string, at, room int) (string, string, int) {
	if source.Cells(a) <= room && source.Cells(b) <= room {
		return a, b, at
	}
	from := max(0, at-room/4)
	cut := func(s string) string {
		r := []rune(s)
		if from < len(r) {
			r = r[from:]
		} else {
			r = nil
		}
		out := ""
		if from > 0 {
			out = "…"
		}
		for i, c := range r {
			if source.Cells(out)+source.Cells(string(c)) >= room && i < len(r)-1 {
				return out + "…"
			}
			out += string(c)
		}
		return out
	}
	shift := 0
	if from > 0 {
		shift = 1
	}
	return cut(a), cut(b), at - from + shift
}
