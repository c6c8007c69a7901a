package diag

import (
	"slices"
	"strings"
)

// Nearest returns the candidate that word was probably meant to be, "" if
// none is near. Near is a Damerau-Levenshtein distance, whatever the case, of
// at most a third of the word's runes, at least 1 and at most 3; failing that,
// a candidate that word abbreviates, or one that abbreviates word, as recv does
// receive. Among equals the one with the same case wins, then the alphabet. A candidate equal to word is no suggestion.
func Nearest(word string, candidates []string) string {
	w := []rune(strings.ToLower(word))
	if len(w) == 0 {
		return ""
	}
	// A distance as great as the word is long would replace it altogether.
	limit := min(max(1, len(w)/3), 3, len(w)-1)
	best, bestFolded, bestExact := "", limit+1, 0
	for _, c := range sorted(candidates) {
		if c == word || c == "" {
			continue
		}
		folded := distance(w, []rune(strings.ToLower(c)))
		if folded > limit {
			continue
		}
		exact := distance([]rune(word), []rune(c))
		if folded < bestFolded || folded == bestFolded && exact < bestExact {
			best, bestFolded, bestExact = c, folded, exact
		}
	}
	if best != "" || len(w) < 2 {
		return best
	}
	if best = only(word, candidates, func(c string) bool { return strings.HasPrefix(c, string(w)) }); best != "" {
		return best
	}
	return only(word, candidates, func(c string) bool { return abbreviates([]rune(c), w) })
}

// only is the one candidate that fits, whatever the case, "" if several do or none.
func only(word string, candidates []string, fits func(folded string) bool) string {
	best := ""
	for _, c := range sorted(candidates) {
		if c == word || !fits(strings.ToLower(c)) {
			continue
		}
		if best != "" {
			return "" // two: neither is the one
		}
		best = c
	}
	return best
}

// abbreviates reports whether short has letters of long in their order, the first
// one and at least half of all, and four: fewer are in many words.
func abbreviates(short, long []rune) bool {
	if len(short) < 4 || 2*len(short) < len(long) || short[0] != long[0] {
		return false
	}
	for _, c := range long {
		if len(short) > 0 && c == short[0] {
			short = short[1:]
		}
	}
	return len(short) == 0
}

// Suggest turns Nearest into a hint: did you mean "x"? Where nothing is near
// and there are at most eight candidates it lists them; else it is "".
func Suggest(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return `did you mean "` + near + `"?`
	}
	switch all := sorted(candidates); {
	case len(all) == 1:
		return `there is only "` + all[0] + `"`
	case len(all) > 0 && len(all) <= 8:
		return "one of: " + strings.Join(all, ", ")
	}
	return ""
}

func sorted(candidates []string) []string {
	all := slices.Clone(candidates)
	slices.Sort(all)
	return slices.Compact(all)
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
