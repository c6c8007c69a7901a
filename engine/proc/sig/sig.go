// Package sig is the table of Linux signals: numbers, names, meanings in
// English and Chinese, default actions. It knows no kernel, so that a
// scenario can be checked and explained anywhere; it must never know
// processes. The numbers are those of x86 and ARM, written out, because the
// system that reads a scenario need not be the one that runs it.
//
//	s, err := sig.Parse("int") // sig.INT, as are "SIGINT" and "2"
package sig

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ipcrun/engine/proc/internal/nearest"
)

// Sig is the number of a signal.
type Sig int

// The signals whose names others need.
const (
	HUP  Sig = 1
	INT  Sig = 2
	QUIT Sig = 3
	KILL Sig = 9
	USR1 Sig = 10
	USR2 Sig = 12
	PIPE Sig = 13
	ALRM Sig = 14
	TERM Sig = 15
	CHLD Sig = 17
	CONT Sig = 18
	STOP Sig = 19
	TSTP Sig = 20
	TTIN Sig = 21
	TTOU Sig = 22

	// RTMIN and RTMAX bound the real-time signals, which queue. The kernel has
	// two more, 32 and 33, which C libraries keep to themselves.
	RTMIN Sig = 34
	RTMAX Sig = 64
)

// Action is what happens to a process by default.
type Action uint8

// The default actions.
const (
	Terminate Action = iota + 1
	Core             // terminate, with a core dump
	Stop
	Continue
	Ignore
)

// String is the action in one word.
func (a Action) String() string {
	switch a {
	case Terminate:
		return "terminate"
	case Core:
		return "core"
	case Stop:
		return "stop"
	case Continue:
		return "continue"
	case Ignore:
		return "ignore"
	}
	return "action " + strconv.Itoa(int(a))
}

// Valid tells whether there is such a signal for programs to use: 1 to 31 and
// 34 to 64.
func (s Sig) Valid() bool { return s >= 1 && s <= 31 || s.Realtime() }

// Realtime tells whether the signal queues and keeps its order.
func (s Sig) Realtime() bool { return s >= RTMIN && s <= RTMAX }

// String is the name as kill -l prints it: SIGINT, SIGRTMIN+3, SIGRTMAX-2.
func (s Sig) String() string {
	switch {
	case !s.Valid():
		return "signal " + strconv.Itoa(int(s))
	case s == RTMIN:
		return "SIGRTMIN"
	case s == RTMAX:
		return "SIGRTMAX"
	case s.Realtime() && s-RTMIN <= RTMAX-s:
		return "SIGRTMIN+" + strconv.Itoa(int(s-RTMIN))
	case s.Realtime():
		return "SIGRTMAX-" + strconv.Itoa(int(RTMAX-s))
	}
	return "SIG" + standard[s].name
}

// Meaning is one English sentence.
func (s Sig) Meaning() string {
	switch {
	case !s.Valid():
		return ""
	case s.Realtime():
		return "A real-time signal for any purpose: it queues, keeps its order and carries a value."
	}
	return standard[s].english
}

// Chinese is the usual Chinese name.
func (s Sig) Chinese() string {
	switch {
	case !s.Valid():
		return ""
	case s.Realtime():
		return "实时信号"
	}
	return standard[s].chinese
}

// Default is what the signal does to a process that has made no arrangement.
// It is 0 for an invalid signal.
func (s Sig) Default() Action {
	switch {
	case !s.Valid():
		return 0
	case s.Realtime():
		return Terminate
	}
	return standard[s].action
}

// Catchable tells whether a process can handle, ignore or block it.
func (s Sig) Catchable() bool { return s.Valid() && s != KILL && s != STOP }

// All lists all valid signals in ascending order.
func All() []Sig {
	all := make([]Sig, 0, 31+int(RTMAX-RTMIN)+1)
	for s := Sig(1); s <= RTMAX; s++ {
		if s.Valid() {
			all = append(all, s)
		}
	}
	return all
}

// aliases are second names of standard signals.
var aliases = map[string]Sig{"IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31}

// byName maps names without SIG, aliases included.
var byName = sync.OnceValue(func() map[string]Sig {
	m := make(map[string]Sig, len(standard)+len(aliases))
	for n := 1; n < len(standard); n++ {
		m[standard[n].name] = Sig(n)
	}
	for name, s := range aliases {
		m[name] = s
	}
	return m
})

// Parse understands a name with or without SIG, in any case, an alias, a
// number, and RTMIN+n or RTMAX-n. The error of an unknown one lists the
// nearest names.
func Parse(text string) (Sig, error) {
	name := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "SIG")
	if s, ok := byName()[name]; ok {
		return s, nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		switch s := Sig(n); {
		case s.Valid():
			return s, nil
		case n == 0:
			return 0, fmt.Errorf("0 is no signal: kill uses it to ask whether a process exists")
		case n == 32 || n == 33:
			return 0, fmt.Errorf("signal %d belongs to the C library; the first real-time signal is SIGRTMIN, 34", n)
		}
		return 0, fmt.Errorf("there is no signal %s: they go from 1 to 31 and from 34 to 64", text)
	}
	if s, ok, err := parseRealtime(text, name); ok || err != nil {
		return s, err
	}
	all := make([]string, 0, 2*len(byName())+2)
	for _, s := range All() {
		if !s.Realtime() || s == RTMIN || s == RTMAX {
			all = append(all, s.String())
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(aliases)) {
		all = append(all, "SIG"+alias)
	}
	if near := nearest.Names("SIG"+name, all, 3); name != "" && len(near) > 0 {
		return 0, fmt.Errorf("no signal is called %q; the nearest: %s", text, strings.Join(near, ", "))
	}
	return 0, fmt.Errorf("no signal is called %q; kill -l lists them all", text)
}

// parseRealtime understands RTMIN, RTMIN+n, RTMAX and RTMAX-n.
func parseRealtime(text, name string) (s Sig, ok bool, err error) {
	base, offset := RTMIN, ""
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		offset = name[len("RTMIN"):]
	case strings.HasPrefix(name, "RTMAX"):
		base, offset = RTMAX, name[len("RTMAX"):]
	default:
		return 0, false, nil
	}
	if offset == "" {
		return base, true, nil
	}
	if offset[0] != '+' && offset[0] != '-' {
		return 0, false, nil
	}
	n, err := strconv.Atoi(offset)
	if err != nil {
		return 0, false, fmt.Errorf("%q: after SIGRTMIN comes + and a number, after SIGRTMAX - and a number", text)
	}
	if n < -int(RTMAX) || n > int(RTMAX) || !(base + Sig(n)).Realtime() {
		return 0, false, fmt.Errorf("%q is outside the real-time signals, SIGRTMIN (34) to SIGRTMAX (64)", text)
	}
	return base + Sig(n), true, nil
}
