package scenarios_test

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
)

// TestStatements: each exercise tells students, in both languages, what is checked
// and what it is worth, and every file that it names is there.
func TestStatements(t *testing.T) {
	found := 0
	for name, sc := range load(t) {
		if sc.Exercise == nil {
			continue
		}
		found++
		dir := path.Dir(name)
		for _, f := range sc.Exercise.Files {
			if _, err := os.Stat(path.Join(dir, f.Path)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, language := range []string{"en", "zh"} {
			text, err := os.ReadFile(path.Join(dir, sc.Exercise.Statement[language]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			rows := strings.Count(string(text), "\n| ")
			total := 0.0
			for _, s := range sc.Scored() {
				total += s.Points
				rows--
				if row := fmt.Sprintf("\n| %s | %g |\n", s.Name, s.Points); !strings.Contains(string(text), row) {
					t.Errorf("%s: the %s statement has no row %q", name, language, row)
				}
			}
			if sum := fmt.Sprintf(" | %g |\n\n", total); !strings.Contains(string(text), sum) || rows < 2 {
				t.Errorf("%s: the %s statement does not say that all is worth %g", name, language, total)
			}
		}
	}
	if found < 8 {
		t.Errorf("%d exercises", found)
	}
}
