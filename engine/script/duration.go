package script

import (
	"time"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// ParseDuration reads a duration of the language: a number with a unit (500ms,
// 2s, 1.5m), or a plain 0, at most decl.LongestDuration. It returns nanoseconds.
func ParseDuration(s string) (int, error) {
	if s == "0" {
		return 0, nil
	}
	if decl.TooLong(s) {
		return 0, decl.Fail(Invalid, "%q is too long: a duration is %s", s, decl.LongestDurationText())
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

// durationOf reads a duration. One that was written out has been turned into
// nanoseconds by the loader; one that was computed is text with a unit, or 0.
func durationOf(from valuer, v any) (int, error) {
	_, written := from.(literal)
	switch x := v.(type) {
	case int:
		if written || x == 0 {
			return x, nil
		}
	case string:
		return ParseDuration(x)
	}
	return 0, decl.Fail(Invalid, "%s is no duration: write a number and a unit, as 500ms or 2s", cond.Text(v))
}
