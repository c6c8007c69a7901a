package scenarios

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCourse: every row of docs/course.md names scenarios that exist.
func TestCourse(t *testing.T) {
	data, err := os.ReadFile("../docs/course.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(\.\./scenarios/([^)]+)\)`)
	rows := 0
	for n, line := range strings.Split(string(data), "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| course") {
			continue
		}
		rows++
		files := link.FindAllStringSubmatch(line, -1)
		if len(files) == 0 {
			t.Errorf("line %d names no scenario: %s", n+1, line)
		}
		for _, f := range files {
			if _, err := os.Stat(f[1]); err != nil {
				t.Errorf("line %d: %v", n+1, err)
			}
		}
	}
	if rows < 50 {
		t.Errorf("only %d rows: the table was not understood", rows)
	}
}
