package decl

import (
	"fmt"
	"strings"
	"time"
)

// LongestDuration is the longest duration that can be written, 100 years. A moment
// so far from now still is a number of nanoseconds.
const LongestDuration = 876000 * time.Hour

// TooLong reports whether text is a duration, a number and a unit, but a longer one
// than LongestDuration.
func TooLong(text string) bool {
	if d, err := time.ParseDuration(text); err == nil {
		return d > LongestDuration
	}
	if text == "" || !strings.ContainsRune("smh", rune(text[len(text)-1])) || text[0] == '-' {
		return false
	}
	// With noughts for its digits it is read, unless it is no duration.
	noughts := strings.Map(func(r rune) rune {
		if '1' <= r && r <= '9' {
			return '0'
		}
		return r
	}, text)
	_, err := time.ParseDuration(noughts)
	return err == nil
}

// LongestDurationText says how long a duration may be.
func LongestDurationText() string {
	h := int(LongestDuration.Hours())
	return fmt.Sprintf("at most %dh, which is %d years", h, h/24/365)
}
