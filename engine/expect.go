package engine

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// place is how far the expects about a process have gone through its output:
// lines, and bytes of the line that follows.
type place struct{ line, byte int }

// matcher is a pattern made ready.
type matcher struct {
	text string
	re   *regexp.Regexp
	any  []*matcher
}

func newMatcher(p script.Pattern) (*matcher, error) {
	m := &matcher{text: p.Text}
	if p.Regex != "" {
		re, err := regexp.Compile(p.Regex)
		if err != nil {
			return nil, decl.Fail(prims.Invalid, "%v", err)
		}
		m.re = re
	}
	for _, a := range p.Any {
		x, err := newMatcher(a)
		if err != nil {
			return nil, err
		}
		m.any = append(m.any, x)
	}
	return m, nil
}

// in finds the pattern in a line and returns the end of what it found, -1 if it
// is not there.
func (m *matcher) in(line string) int {
	switch {
	case m.any != nil:
		for _, a := range m.any {
			if end := a.in(line); end >= 0 {
				return end
			}
		}
		return -1
	case m.re != nil:
		if at := m.re.FindStringIndex(line); at != nil {
			return at[1]
		}
		return -1
	}
	if at := strings.Index(line, m.text); at >= 0 {
		return at + len(m.text)
	}
	return -1
}

// search looks through output for one line for each of several patterns.
type search struct {
	todo  []*matcher
	at    place // what comes next
	end   place // behind the last line found
	found []string
	met   []*matcher // by each of them
}

// newSearch begins where the last expect ended.
func newSearch(pat script.Pattern, from place) (*search, error) {
	all := pat.All
	if all == nil {
		all = []script.Pattern{pat}
	}
	s := &search{at: from, end: from}
	for _, p := range all {
		m, err := newMatcher(p)
		if err != nil {
			return nil, err
		}
		s.todo = append(s.todo, m)
	}
	return s, nil
}

// look goes on through the lines that have come since, and through the
// beginning of the next one, as far as they are the process's. It reports whether
// everything was found.
func (s *search) look(lines []string, tail string, mine func(i int) bool) bool {
	for ; len(s.todo) > 0 && s.at.line < len(lines); s.at = (place{s.at.line + 1, 0}) {
		if mine(s.at.line) && s.take(lines[s.at.line]) {
			s.end = place{s.at.line + 1, 0}
		}
	}
	if len(s.todo) > 0 && len(tail) > s.at.byte && mine(len(lines)) && s.take(tail) {
		s.end = s.at
	}
	return len(s.todo) == 0
}

// take finds one of the patterns in what is left of a line.
func (s *search) take(line string) bool {
	rest := line[min(s.at.byte, len(line)):]
	m := s.fit(rest, map[*matcher]bool{})
	if m == nil {
		return false
	}
	s.found = append(s.found, rest)
	s.met = append(s.met, m)
	s.at.byte += m.in(rest)
	return true
}

// fit finds a pattern for a line, nil if there is none: one that has no line yet, or
// that of a line found before, for which another one is found then. A line that fits
// several must not take what only another one lacks.
func (s *search) fit(line string, tried map[*matcher]bool) *matcher {
	for i, m := range s.todo {
		if m.in(line) >= 0 {
			s.todo = slices.Delete(s.todo, i, i+1)
			return m
		}
	}
	for k, m := range s.met {
		if tried[m] || m.in(line) < 0 {
			continue
		}
		tried[m] = true
		if other := s.fit(s.found[k], tried); other != nil {
			s.met[k] = other
			return m
		}
	}
	return nil
}

// Expect waits for a text in the output of a process.
func (r *run) Expect(a *script.Action, slot int, pat script.Pattern) (any, error) {
	p := r.procs[slot]
	out := r.printerOf(slot)
	s, err := newSearch(pat, p.cursor)
	if err != nil {
		return nil, err
	}
	t := r.terminalOf(slot)
	bindings := r.bindings
	look := func() bool {
		if bindings != r.bindings {
			// A line that was nobody's, or the program's, is the child's whose name
			// has been found since.
			bindings = r.bindings
			s, _ = newSearch(pat, p.cursor)
		}
		return s.look(out.lines, out.unended(), func(i int) bool { return r.lineIs(slot, out, i) })
	}
	w := &waiter{
		what: "expect", step: a.Step, deadline: a.Deadline, check: true, limit: r.stepLimit(),
		done: func() (bool, error) {
			if !look() {
				return false, nil
			}
			// A declared process says that it printed the line, and where it has a
			// terminal the line has come out of it.
			return t == nil || out.program != nil || came(t.transcript, s.found), nil
		},
		hopeless: func() string {
			if r.silent(out) && !look() {
				return r.plan.Slots[slot].Name + " has ended without printing it"
			}
			return ""
		},
	}
	if a.Args.Has("within") {
		w.limit, w.fails = r.limitOf(a), true
	}
	from := p.cursor
	w.wanting = func() (string, []event.Part, string) {
		return pat.String(), r.expectParts(slot, out, pat, from), r.whyNoLine(p)
	}
	if err = r.block(w); err == nil {
		p.cursor = s.end
		out.heard = true
		r.emit(&event.Rec{Kind: event.Checked, Verb: a.Verb.ID(), Step: a.Step, Obj: uint32(slot), Value: event.CheckValue(true, strings.Join(s.found, "\n"), "", nil)})
		if pat.All == nil {
			return s.found[0], nil
		}
		list := make([]any, len(s.found))
		for i, l := range s.found {
			list[i] = l
		}
		return list, nil
	}
	return nil, r.unmet(a, uint32(slot), err, pat.String(), r.expectParts(slot, out, pat, from), r.whyNoLine(p))
}

func came(transcript []byte, lines []string) bool {
	for _, l := range lines {
		if !strings.Contains(string(transcript), l) {
			return false
		}
	}
	return true
}

// printerOf is the process whose output has the lines of a process: a child that
// a program forks by itself prints where the program does.
func (r *run) printerOf(slot int) *process {
	for s := slot; s >= 0; s = r.plan.Slots[s].Parent {
		if r.procs[s].program != nil {
			return r.procs[s]
		}
	}
	return r.procs[slot]
}

// unended is the beginning of the line that a program is printing.
func (p *process) unended() string {
	if p.program == nil {
		return ""
	}
	return string(p.program.tail[0])
}

// silent: nobody prints to the output of a process any more.
func (r *run) silent(p *process) bool {
	if p.program != nil {
		return p.ended && p.program.alone
	}
	return p.ended
}

// Type writes to the standard input of a program.
func (r *run) Type(a *script.Action, slot int, text string) error {
	pr, err := r.typable(slot)
	if err != nil {
		return err
	}
	if pr.input.fd == 0 {
		for _, line := range strings.Split(text, "\n") {
			if len(line) > maxLine {
				return decl.Fail(prims.Invalid, "a line of %d bytes: a terminal hands over at most %d; with terminal: false there is no such limit", len(line), maxLine)
			}
		}
	}
	r.emit(&event.Rec{Kind: event.Typed, Step: a.Step, Obj: uint32(slot), Value: text})
	r.sendInput(slot, []byte(text))
	r.pump(0)
	return nil
}

// maxLine is how long a line on a terminal can be, without its line feed.
const maxLine = 4095

// CloseStdin lets the standard input of a program end.
func (r *run) CloseStdin(a *script.Action, slot int) error {
	if _, err := r.typable(slot); err != nil {
		return err
	}
	r.emit(&event.Rec{Kind: event.Typed, Step: a.Step, Obj: uint32(slot)})
	r.endInput(slot)
	r.pump(0)
	return nil
}

// typable: the process reads what is typed.
func (r *run) typable(slot int) (*program, error) {
	r.catchUp(slot, 1)
	p := r.procs[slot]
	name := r.plan.Slots[slot].Name
	switch {
	case p.ended:
		return nil, decl.Fail(script.NoProcess, "%s has ended", name)
	case p.program.input.fd < 0 || p.program.input.closing:
		return nil, decl.Fail(prims.Closed, "the standard input of %s has ended already", name)
	}
	return p.program, nil
}

// expectParts shows what the process did print, no part if nothing.
func (r *run) expectParts(slot int, p *process, pat script.Pattern, from place) []event.Part {
	var lines []string
	for i, l := range append(slices.Clone(p.lines), p.unended()) {
		if i >= from.line && r.lineIs(slot, p, i) && (i < len(p.lines) || l != "") {
			lines = append(lines, l)
		}
	}
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	var ps []event.Part
	for _, l := range lines {
		ps = append(ps, event.Part{Text: "printed since", Value: l})
	}
	return append(ps, r.printedByOther(slot, p, pat, from)...)
}

// printedByOther is the line that another has printed than was to, no part if there
// is none.
func (r *run) printedByOther(slot int, out *process, pat script.Pattern, from place) []event.Part {
	s, err := newSearch(pat, from)
	if err != nil || out.program == nil || !out.program.authors.on {
		return nil
	}
	who := 0
	s.look(out.lines, out.unended(), func(i int) bool {
		if r.lineIs(slot, out, i) {
			return false
		}
		if who = out.program.tailBy[0]; i < len(out.by) {
			who = out.by[i]
		}
		return true
	})
	if len(s.found) == 0 {
		return nil
	}
	return []event.Part{{Text: fmt.Sprintf("printed by %s, and not by %s", r.pidSpoken(who), r.plan.Slots[slot].Name), Value: s.found[0]}}
}

// pidSpoken is a process as a sentence names it.
func (r *run) pidSpoken(pid int) string {
	if i := r.slotOfPid(pid); i >= 0 {
		return r.plan.Slots[i].Name
	}
	return fmt.Sprintf("process %d", pid)
}

// whyNoLine says in one sentence why a process prints nothing more.
func (r *run) whyNoLine(p *process) string {
	name := r.plan.Slots[p.slot].Name
	switch {
	case !p.forked && r.plan.Slots[p.slot].Flags&script.SlotFound != 0:
		return r.plan.Slots[r.plan.Slots[p.slot].Parent].Name + " has forked no process that could be " + name
	case !p.forked:
		return name + " was never forked"
	case p.ended && p.status.Signaled:
		return fmt.Sprintf("%s was ended by %s%s", name, signalName(int(p.status.Signal)), r.whoSent(p))
	case p.ended:
		return fmt.Sprintf("%s exited with code %d", name, p.status.Code)
	}
	return ""
}

// whoSent adds to a death by signal where the signal came from.
func (r *run) whoSent(p *process) string {
	n := int(p.status.Signal)
	for i := len(r.sent) - 1; i >= 0; i-- {
		if s := r.sent[i]; s.to == p.slot && s.signal == n {
			return ", sent by " + r.senderName(s.from)
		}
	}
	if t := r.terminalOf(p.slot); t != nil {
		if key := keyOf(n); key != "" {
			return ": " + key + " sends it to the whole foreground group, and " + r.plan.Slots[p.slot].Name + " neither handles nor ignores it"
		}
	}
	return ""
}

// keyOf is the key that makes a terminal send a signal.
func keyOf(n int) string {
	switch n {
	case 2:
		return "ctrl-c"
	case 3:
		return "ctrl-\\"
	case 20:
		return "ctrl-z"
	}
	return ""
}

func (r *run) senderName(from int) string {
	switch from {
	case fromScript:
		return "script"
	case fromKernel:
		return "kernel"
	case fromOther:
		return "another process"
	}
	return r.plan.Slots[from].Name
}
