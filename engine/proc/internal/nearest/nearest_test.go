package nearest

import (
	"slices"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"kill", "kill", 0},
		{"kill", "kil", 1},
		{"kill", "klil", 1}, // neighbours swapped
		{"sigint", "siginfo", 2},
		{"命名", "命运", 1},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	all := []string{"SIGINT", "SIGQUIT", "SIGCONT", "SIGUSR1", "SIGUSR2"}
	for _, c := range []struct {
		word string
		want []string
	}{
		{"sigitn", []string{"SIGINT"}},
		{"SIGUSR", []string{"SIGUSR1", "SIGUSR2"}},
		{"SIGUSR2", []string{"SIGUSR2", "SIGUSR1"}},
		{"banana", nil},
	} {
		if got := Names(c.word, all, 3); !slices.Equal(got, c.want) {
			t.Errorf("Names(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}
