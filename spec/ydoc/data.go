package ydoc

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"ipcrun/spec/diag"
)

var (
	leadingZero = lazy(`^[-+]?0[0-9_]+(\.[0-9_]*)?$`)
	underscores = lazy(`^[-+]?(0[xob])?[0-9A-Fa-f]*_[0-9A-Fa-f_]*(\.[0-9_]*)?$`)
	clock       = lazy(`^[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?$`)
	tooLong     = lazy(`^[-+]?[0-9]+$`)
)

// lazy compiles a regular expression when it is first used: every process of
// a run starts with this package, and few ever parse YAML.
func lazy(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// Surprise returns a sentence about a plain scalar that looks like one thing
// and is, to this or another YAML reader, another; "" if n is no surprise.
// The sentence starts in lower case and has no full stop. It says what the
// value is and how to write it; whether it matters is the caller's to know.
func (n *Node) Surprise() string {
	if n == nil || n.Kind != Scalar || n.Quoted || n.Bad {
		return ""
	}
	v := n.Value
	switch strings.ToLower(v) {
	case "yes", "no", "on", "off":
		return fmt.Sprintf("%s is text here, not true or false as in YAML 1.1: write true or false, or quote it", v)
	}
	switch {
	case n.Tag == "!!timestamp":
		return fmt.Sprintf("%s looks like a date, and there are no dates here: quote it if it is text", v)
	case clock().MatchString(v):
		return fmt.Sprintf("%s is text here, but a number in base 60 to YAML 1.1: quote it", v)
	}
	return n.badNumber()
}

// badNumber says why a number is refused, "" if it is not.
func (n *Node) badNumber() string {
	if n.Tag != "!!int" && n.Tag != "!!float" {
		return ""
	}
	v := n.Value
	switch {
	case underscores().MatchString(v):
		return fmt.Sprintf("%s is the number %s to YAML: leave out the underscores, or quote it if it is text", v, strings.ReplaceAll(v, "_", ""))
	case leadingZero().MatchString(v):
		if i, err := strconv.ParseInt(v, 0, 64); err == nil {
			return fmt.Sprintf("%s is octal to YAML 1.1, the number %d: write %d or 0o%s, or quote it if it is text", v, i, i, strings.TrimLeft(v, "+-0"))
		}
		return fmt.Sprintf("%s has a leading zero: leave it out, or quote it if it is text", v)
	case strings.HasSuffix(strings.ToLower(v), ".inf"), strings.EqualFold(v, ".nan"):
		return fmt.Sprintf("%s is a special number to YAML that nothing here can work with: quote it if it is text", v)
	}
	if n.Tag == "!!int" || tooLong().MatchString(v) {
		i, err := strconv.ParseInt(v, 0, 64)
		if err != nil || int64(int(i)) != i {
			return fmt.Sprintf("%s does not fit into %d bits: quote it if it is text", v, strconv.IntSize)
		}
	}
	return ""
}

// Data returns the value as nil, bool, int, float64, string, []any or
// map[string]any. Whole numbers may be decimal, 0x…, 0o… or 0b…; a date or a
// time of day is its text. The error is a *diag.Diagnostic at the first
// number that is spelled ambiguously or out of range.
func (n *Node) Data() (any, error) {
	if n == nil {
		return nil, nil
	}
	switch n.Kind {
	case Seq:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			v, err := item.Data()
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case Map:
		m := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			v, err := p.Value.Data()
			if err != nil {
				return nil, err
			}
			m[p.Key.Value] = v
		}
		return m, nil
	case Scalar:
		return n.scalar()
	}
	return nil, nil
}

func (n *Node) scalar() (any, error) {
	if n.Bad {
		return n.Value, nil
	}
	if why := n.badNumber(); why != "" {
		return nil, &diag.Diagnostic{Code: CodeNumber, File: n.file, Span: n.Span, Summary: why}
	}
	switch n.Tag {
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int":
		i, err := strconv.ParseInt(n.Value, 0, 0)
		if err == nil {
			return int(i), nil
		}
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err == nil {
			return f, nil
		}
	}
	return n.Value, nil
}
