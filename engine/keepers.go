package engine

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/prims/arena"
)

// keeper is an open descriptor that keeps another process waiting: as long as
// somebody has the write end of a pipe open, its reader does not see its end.
type keeper struct{ slot, fd int }

// blockedIn is what a primitive says of a process that is blocked in one of its
// verbs.
func (r *run) blockedIn(w arena.Wait) (b prims.Blocked, ok bool) {
	if int(w.On) >= len(r.handles) {
		return b, false
	}
	explain := r.plan.Prims[w.On].Kind.Explain
	verb := script.VerbByID(uint16(w.Verb))
	if explain == nil || verb == nil {
		return b, false
	}
	b = explain(r.handles[w.On], verb.Name, w.Arg)
	return b, b.Doing != ""
}

// keepers finds the open descriptors of an end among the processes of the run.
// It reads the process file system, so it is for when nobody moves.
func (r *run) keepers(end prims.OpenEnd) []keeper {
	var out []keeper
	for i, p := range r.procs {
		if !p.forked || p.ended {
			continue
		}
		fds, err := proc.Descriptors(p.pid)
		if err != nil {
			continue
		}
		for fd, to := range fds {
			if to == end.Link && (end.Access == prims.AnyAccess || openedFor(p.pid, fd) == end.Access) {
				out = append(out, keeper{i, fd})
			}
		}
	}
	slices.SortFunc(out, func(a, b keeper) int {
		if a.slot != b.slot {
			return a.slot - b.slot
		}
		return a.fd - b.fd
	})
	return out
}

// openedFor is how a descriptor of a process was opened, -1 if that cannot be
// found out: its flags are in octal.
func openedFor(pid, fd int) int {
	f, err := proc.ReadFacts(pid)
	if err != nil {
		return -1
	}
	text, err := proc.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", f.Tid, fd))
	if err != nil {
		return -1
	}
	_, after, _ := strings.Cut(string(text), "flags:")
	line, _, _ := strings.Cut(after, "\n")
	flags, err := strconv.ParseUint(strings.TrimSpace(line), 8, 32)
	if err != nil {
		return -1
	}
	return int(flags) & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR)
}

// whyBlocked says in words what the process in slot waits for, and who keeps it
// waiting.
func (r *run) whyBlocked(slot int, b prims.Blocked) string {
	text := "it " + b.Doing
	var by []string
	for _, s := range b.By {
		by = append(by, r.Process(s))
	}
	if len(by) > 0 {
		text += " (" + strings.Join(by, " and ") + ")"
	}
	for _, end := range b.Open {
		var who []string
		for _, k := range r.keepers(end) {
			name := r.Process(k.slot)
			if k.slot == slot {
				name += " itself"
			}
			who = append(who, fmt.Sprintf("%s (descriptor %d)", name, k.fd))
		}
		switch len(who) {
		case 0:
			continue
		case 1:
			text += fmt.Sprintf("; %s: %s still holds %s", b.Without, who[0], end.Name)
		default:
			last := len(who) - 1
			text += fmt.Sprintf("; %s: %s and %s still hold %s", b.Without, strings.Join(who[:last], ", "), who[last], end.Name)
		}
	}
	return text
}

// keptBy lists the slots that a blocked process waits for, itself last: of those
// who have an end open, others can do something about it.
func (r *run) keptBy(slot int, b prims.Blocked) (slots []any) {
	itself := false
	note := func(s int) {
		switch {
		case s == slot:
			itself = true
		case !slices.Contains(slots, any(s)):
			slots = append(slots, s)
		}
	}
	for _, s := range b.By {
		note(s)
	}
	for _, end := range b.Open {
		for _, k := range r.keepers(end) {
			note(k.slot)
		}
	}
	if itself {
		slots = append(slots, slot)
	}
	return slots
}
