package spec

import (
	"strconv"
	"strings"

	"ipcrun/spec/decl"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// What the kernel holds of a process whatever that does: limits, a nice value, a
// mask. Its children inherit them; what a process may print holds for itself alone,
// and ipcrun sees to it.

// Limits are what a process may use; 0 means that it is not limited.
type Limits struct {
	CPU       int // nanoseconds
	Memory    int // bytes
	Processes int
	Files     int
	Output    int // bytes, 0: the default
}

// Seconds is the limit of processor time as the kernel counts it, 0: none.
func (l Limits) Seconds() int { return (l.CPU + 1e9 - 1) / 1e9 }

// LimitsOfPrograms are the limits that a process with steps: cannot have, with
// the reason.
var LimitsOfPrograms = map[string]string{
	"memory":    "A process with steps: is ipcrun itself, executed once more: the limit would stop its runtime, and not what the script does.",
	"processes": "The kernel's own limit (RLIMIT_NPROC) counts all that the user runs and does not hold for root; what a process with steps: forks is declared.",
	"files":     "A process with steps: holds descriptors of ipcrun's own, which the kernel would count (RLIMIT_NOFILE).",
}

// holds reads limits:, nice: and umask:.
func (ld *loader) holds(p *Proc, n *ydoc.Node) {
	if l := n.Get("limits"); l != nil {
		ld.limits(p, l)
	}
	if v := n.Get("nice"); v != nil {
		if x, ok := ld.fixed(v, field(ProcessFields, "nice")); ok {
			nice := x.(int)
			p.Nice = &nice
		}
	}
	if v := n.Get("umask"); v != nil {
		ld.umask(p, v)
	}
}

// limitsOfScripted checks the limits of a process that ipcrun scripts, and gives
// what the kernel may refuse it a place that an error can name.
func (ld *loader) limitsOfScripted(p *Proc, n *ydoc.Node) {
	place := func(key string, span source.Span) uint32 {
		return ld.newStep(&Step{Verb: &decl.ClassedVerb{Verb: decl.Verb{Name: key + ":"}}, Span: span, VerbAt: span, Conditional: true, Proc: p}).ID
	}
	if pair := n.Pair("nice"); pair != nil {
		p.NiceAt = place("nice", pair.Value.Span)
	}
	l := n.Get("limits")
	if l == nil || l.Kind != ydoc.Map {
		return
	}
	for _, pair := range l.Pairs {
		key := pair.Key.Value
		if why, bad := LimitsOfPrograms[key]; bad {
			ld.add(codeContradict, pair.Key.Span, "limits: "+key+": is for programs, and "+p.Name+" has no run:", why, "")
		}
		if key == "cpu" {
			p.LimitsAt = place("limits", pair.Value.Span)
		}
	}
}

// limits reads limits:.
func (ld *loader) limits(p *Proc, n *ydoc.Node) {
	if n.Kind != ydoc.Map {
		ld.shape(n, "limits", takes(field(ProcessFields, "limits")))
		return
	}
	ld.unknownKeys(n, fieldNames(LimitFields), "limits:")
	if len(n.Pairs) == 0 {
		ld.add(codeEmpty, n.Span, "limits: there is nothing in it", "", "")
	}
	for _, l := range []struct {
		key string
		to  *int
	}{{"cpu", &p.Limits.CPU}, {"memory", &p.Limits.Memory}, {"processes", &p.Limits.Processes}, {"files", &p.Limits.Files}, {"output", &p.Limits.Output}} {
		v := n.Get(l.key)
		if v == nil {
			continue
		}
		x, ok := ld.fixed(v, field(LimitFields, l.key))
		if i, isInt := x.(int); ok && isInt {
			if i <= 0 {
				ld.add(codeShape, v.Span, l.key+": a limit of nothing lets nothing run", "", "")
			}
			*l.to = i
		}
	}
}

func (ld *loader) umask(p *Proc, n *ydoc.Node) {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, "umask", "an octal number in quotes, as \"022\"")
		return
	}
	m, err := strconv.ParseUint(strings.TrimPrefix(n.Value, "0o"), 8, 32)
	switch {
	case err != nil || m > 0o777:
		ld.add(codeShape, n.Span, "umask: \""+shorten(n.Value)+"\" is no file mode creation mask", "It is three octal digits, from 000 to 777.", "write it as \"022\"")
	case !n.Quoted:
		ld.add(codeShape, n.Span, "umask: readers of YAML take "+n.Value+" for different numbers", "An octal number is written as text.", "write \""+n.Value+"\"")
	default:
		mask := int(m)
		p.Umask = &mask
	}
}
