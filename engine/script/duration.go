package script

import (
	"time"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// ParseDuration reads a duration of the language: a number with a unit (500ms,
// 2s, 1.5m), or a plain 0. It returns nanoseconds.
func ParseDuration(s string) (int, error) {
	if s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, decl.Fail(Invalid, "%q is no duration: write a number and a unit, as 500ms or 2s", s)
	}
	if d < 0 {
		return 0, decl.Fail(Invalid, "%q is negative: a duration is not", s)
	}
	return int(d), nil
}

// durationOf reads an evaluated duration: text with a unit, or nanoseconds as
// the loader makes them of fixed ones.
func durationOf(v any) (int, error) {
	switch x := v.(type) {
	case int:
		return x, nil
	case string:
		return ParseDuration(x)
	}
	return 0, decl.Fail(Invalid, "%s is no duration: write a number and a unit, as 500ms or 2s", cond.Text(v))
}
