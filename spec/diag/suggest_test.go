package diag

import "testing"

func TestNearest(t *testing.T) {
	verbs := []string{"print", "pause", "recv", "send", "put", "get", "acquire", "release", "semaphore", "wait"}
	for _, tt := range []struct {
		word  string
		from  []string
		want  string
		about string
	}{
		{"prnt", verbs, "print", "a letter missing"},
		{"pirnt", verbs, "print", "neighbours swapped"},
		{"PRINT", verbs, "print", "only the case differs"},
		{"acqire", verbs, "acquire", ""},
		{"aquier", verbs, "acquire", "two mistakes in six letters"},
		{"sem", verbs, "semaphore", "abbreviated"},
		{"re", verbs, "", "abbreviates two"},
		{"receive", verbs, "recv", "written out"},
		{"recieve", verbs, "recv", "and misspelt"},
		{"sleeping", verbs, "", "nothing near, abbreviated by nothing"},
		{"paragraphs", []string{"pars"}, "", "less than half of it"},
		{"xyzzy", verbs, "", ""},
		{"x", []string{"y", "ab"}, "", "one letter for another is no mistake but a different name"},
		{"Y", []string{"y"}, "y", ""},
		{"", verbs, "", ""},
		{"print", verbs, "", "itself"},
		{"Gate", []string{"gale", "Gats"}, "Gats", "same distance, same case"},
		{"gat", []string{"gab", "gap"}, "gab", "same everything: alphabet"},
		{"司机们", []string{"司机", "driver"}, "司机", "runes, not bytes"},
		{"abcdefghijklmnop", []string{"wxyzefghijklmnop"}, "", "four mistakes are too many"},
	} {
		if got := Nearest(tt.word, tt.from); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q: %s", tt.word, got, tt.want, tt.about)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, tt := range []struct {
		word string
		from []string
		want string
	}{
		{"lok", []string{"lock", "queue"}, `did you mean "lock"?`},
		{"mutex", []string{"queue", "lock", "lock"}, "one of: lock, queue"},
		{"mutex", nil, ""},
		{"zz", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}, ""},
	} {
		if got := Suggest(tt.word, tt.from); got != tt.want {
			t.Errorf("Suggest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}
