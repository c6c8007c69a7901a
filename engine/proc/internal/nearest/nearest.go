// Package nearest finds the names a misspelt word may have meant. It knows
// words; it must never know what they name.
package nearest

import (
	"slices"
	"strings"
)

// Names returns up to limit candidates that resemble word, the most similar
// first, ties in the order given. Case does not count.
func Names(word string, candidates []string, limit int) []string {
	type scored struct {
		name     string
		distance int
	}
	word = strings.ToLower(word)
	bound := min(max(1, len(word)/3), 3)
	var near []scored
	for _, c := range candidates {
		if d := distance(word, strings.ToLower(c)); d <= bound {
			near = append(near, scored{c, d})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return a.distance - b.distance })
	var names []string
	for _, s := range near[:min(limit, len(near))] {
		names = append(names, s.name)
	}
	return names
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			replace := prev[j-1]
			if x[i-1] != y[j-1] {
				replace++
			}
			cur[j] = min(replace, prev[j]+1, cur[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
